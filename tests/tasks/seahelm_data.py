"""Small sets of our own writing in the layout of SEA-HELM's first version: few rows, of which most
have one label."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wide_data import write_lines

SENTIMENTS = [
    ("Panggonane resik, aku seneng.", "positive"),
    ("Rasane ora enak babar pisan.", "negative"),
    ("Warung iku ana ing cedhak pasar.", "neutral"),
    ("Pelayane grapyak banget.", "positive"),
    ("Regane larang, ora bakal bali.", "negative"),
    ("Suwe banget anggone ngenteni.", "negative"),
    ("Kopine seger lan murah.", "positive"),
    ("Jam bukane esuk nganti sore.", "positive"),
]
WORDS = {"positive": "positif", "negative": "negatif", "neutral": "netral"}


def make_rows(
    rows: Sequence[Mapping[str, Any]], labels: Sequence[Any], template: str | None, **told: Any
) -> list[dict[str, Any]]:
    """Makes rows of fields and labels; without a template they are examples."""
    said = {} if template is None else {"prompt_templates": [template]}
    return [
        {"id": 500 + number, "label": label, "prompts": [dict(row)], **said, "metadata": dict(told)}
        for number, (row, label) in enumerate(zip(rows, labels, strict=True))
    ]


def write_set(root: Path, name: str, rows: list[Any], examples: list[Any]) -> None:
    """Writes the rows of a set and its examples, `name` being "folder/jv_name"."""
    write_lines(root / "seahelm" / f"{name}.jsonl", rows)
    write_lines(root / "seahelm" / f"{name}_examples.jsonl", examples)


def write_sentiment(root: Path) -> None:
    template = (
        "Apa rasane ukara iki? Positif, Negatif, utawa Netral.\n\nJawaban: $OPTION"
        "{fewshot_examples}\n\nUkara:\n```{text}```"
    )
    fields = [{"text": text} for text, _ in SENTIMENTS]
    labels = [label for _, label in SENTIMENTS]
    examples = make_rows(fields[::-1], [WORDS[label] for label in labels[::-1]], None)[:5]
    write_set(
        root,
        "nlu/sentiment_analysis/data/jv_nusax",
        make_rows(fields, labels, template, language="jv"),
        examples,
    )


def write_letters(root: Path) -> None:
    """Writes sets whose labels are letters: positions in the rows, letters in the examples."""
    asked = "Wangsulana: A utawa B.\nJawaban: $OPTION{fewshot_examples}\n\n"
    choices = "\n".join(f"{letter}: {{choice{n}}}" for n, letter in enumerate("AB", 1))
    metaphors = [
        {"phrase": f"Atine kaya watu {n}", "choice1": "Atine atos", "choice2": "Atine empuk"}
        for n in range(7)
    ]
    folder = root / "seahelm" / "nlu" / "metaphor" / "data"
    write_lines(
        folder / "jv_figures.jsonl",
        make_rows(metaphors, [0, 0, 0, 1, 0, 0, 1], f"{asked}Ukara: {{phrase}}\n{choices}"),
    )
    write_lines(folder / "jv_figures_examples.jsonl", make_rows(metaphors[:5], [*"ABABA"], None))
    questions = [
        {"text": f"Sawah ana {n}.", "question": "Pira sawahe?"}
        | {f"choice{k}": str(n + k - 1) for k in range(1, 5)}
        for n in range(6)
    ]
    four = "\n".join(f"{letter}: {{choice{n}}}" for n, letter in enumerate("ABCD", 1))
    folder = root / "seahelm" / "nlu" / "question_answering_mc" / "data"
    write_lines(
        folder / "jv_reading.jsonl",
        make_rows(questions, [0, 0, 0, 1, 2, 3], f"{asked}{{text}}\n{{question}}\n{four}"),
    )
    write_lines(folder / "jv_reading_examples.jsonl", make_rows(questions[:5], [*"ABCDA"], None))


def write_seahelm(root: Path) -> Path:
    """Writes all sets below `root`, and returns it."""
    write_sentiment(root)
    write_letters(root)
    return root
