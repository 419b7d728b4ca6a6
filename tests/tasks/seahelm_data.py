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
        {"text": f"Sawah ana {n // 2 * 2}.", "question": "Pira sawahe?"}
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


def write_others(root: Path) -> None:
    """Writes the other sets: those that Javanese does not have in Indonesian and Filipino."""
    ask = "Jawab begini:\nJawaban: $OPTION{fewshot_examples}\n\n"
    numbers = range(8)
    pairs = [{"sentence1": f"Ada {n} ekor kucing.", "sentence2": "Ada kucing."} for n in numbers]
    write_set(
        root,
        "nlr/nli/data/id_own",
        _drop_ids(
            make_rows(
                pairs,
                ["entailment"] * 4 + ["contradiction"] * 3 + ["neutral"],
                f"{ask}1: {{sentence1}}\n2: {{sentence2}}",
            )
        ),
        make_rows(pairs[:5], [*"ABCAB"], None),
    )
    causes = [
        {"premise": f"Lampu {n} padam.", "choice1": "Listrik mati.", "choice2": "Hujan reda."}
        | {"question_translated": "sebab"}
        for n in numbers
    ]
    write_set(
        root,
        "nlr/causal/data/id_own",
        make_rows(causes, [0, 0, 0, 0, 0, 0, 1, 1], f"{ask}{{premise}} {{question_translated}}?\n"
                  "A: {choice1}\nB: {choice2}"),
        make_rows(causes[:5], [*"ABABA"], None),
    )  # fmt: skip
    tweets = [{"text": f"Cuitan nomor {n}."} for n in numbers]
    write_set(
        root,
        "safety/toxicity_detection/data/id_own",
        make_rows(tweets, [0, 0, 0, 0, 0, 1, 1, 2], f"{ask}{{text}}"),
        make_rows(tweets[:5], ["Bersih", "Benci", "Kasar", "Bersih", "Benci"], None),
    )
    asked = [{"text": f"Ibu kota provinsi {n} ada di tepi sungai besar.", "question": "Di mana?"}
             for n in numbers]  # fmt: skip
    answers = [["di tepi sungai besar", "tepi sungai"]] * 4 + [["sungai besar"]] * 4
    write_set(
        root,
        "nlu/question_answering/data/id_own",
        make_rows(asked, answers, f"{ask}{{text}}\n{{question}}"),
        make_rows(asked[:5], ["tepi sungai"] * 5, None),
    )
    write_set(
        root,
        "nlg/abstractive_summarization/data/id_own",
        make_rows(
            tweets,
            [f"Ringkasan cuitan nomor {n}" for n in numbers],
            "Ringkaslah.\nRangkuman: $SUMMARY{fewshot_examples}\n\n{text}",
        ),
        make_rows(tweets[:5], ["Ringkasan"] * 5, None),
    )
    _write_linguistics(root, ask)
    _write_filipino(root)
    _write_translations(root, "nusax/{}/{}", "id", "jv", "Terjemahan:")
    _write_translations(root, "flores200_dataset/{}/{}", "en", "ind_Latn", "Terjemahan:")


def _drop_ids(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "id"} for row in rows]


def _write_linguistics(root: Path, ask: str) -> None:
    """Writes LINDSEA's sets, whose ids repeat."""
    rows = [
        row | {"id": number % 4}
        for phenomenon, labels in (("morphology", "AABBAB"), ("argument_structure", "AB"))
        for number, row in enumerate(
            make_rows(
                [{"sentence_pair": f"A: Tono {n}\nB: Tini {n}"} for n in range(len(labels))],
                [*labels],
                f"{ask}{{sentence_pair}}",
                linguistic_phenomenon=phenomenon,
            )
        )
        if number < 4
    ]
    shown = make_rows([{"sentence_pair": f"A: x{n}\nB: y{n}"} for n in range(5)], [*"ABABA"], None)
    write_set(root, "lindsea/syntax/data/id_own", rows, shown)
    single = {"question_translated": "benar atau salah", "choices_translated": "Benar atau Salah"}
    said = [{"text": f"X {n} pintar.", **single} for n in range(6)]
    rows = make_rows(
        said[:4],
        ["True", "False", "False", True],
        f"{ask}{{text}}",
        linguistic_phenomenon="scalar_implicatures",
    )
    rows += make_rows(
        said[4:], ["Yes", "No"], f"{ask}{{text}}", linguistic_phenomenon="presuppositions"
    )
    write_set(root, "lindsea/pragmatics/data/id_reasoning_single", [
        row | {"id": n} for n, row in enumerate(rows)
    ], make_rows(said[:5], ["Salah", "Tidak", "Benar", "Ya", "Salah"], None))  # fmt: skip
    told = [{"text": f"Tono membeli {n} panci.", "conclusion": "Masih ada."} for n in range(6)]
    rows = make_rows(
        told,
        [True, False, "True", "False", "True", "True"],
        f"{ask}{{text}}\n{{conclusion}}",
        linguistic_phenomenon="presuppositions",
    )
    write_set(root, "lindsea/pragmatics/data/id_reasoning_pair", [
        row | {"id": n} for n, row in enumerate(rows)
    ], make_rows(told[:5], ["Salah", "Benar", "Benar", "Salah", "Salah"], None))  # fmt: skip


def _write_filipino(root: Path) -> None:
    ask = "Sagot: $OPTION{fewshot_examples}\n\n"
    asked = [{"question": f"Ano ang gagawin {n}?", "mcq": "A: w\nB: x\nC: y\nD: z",
              "mcq_options": "A, B, C, o D"} for n in range(8)]  # fmt: skip
    rows = make_rows(asked, [*"AAAABBCD"], f"{ask}{{question}}\n{{mcq}}\n{{mcq_options}}")
    write_lines(root / "seahelm" / "cultural/kalahi/data/tl_own.jsonl", rows)
    pairs = [{"sentence1": f"Umulan {n}.", "sentence2": "May ulan."} for n in range(6)]
    write_set(
        root,
        "nlu/paraphrase_identification/data/tl_own",
        make_rows(pairs, ["paraphrase"] * 4 + ["non-paraphrase"] * 2, f"{ask}{{sentence1}}"),
        make_rows(pairs[:5], [*"ABABA"], None),
    )


def _write_translations(root: Path, place: str, other: str, own: str, tag: str) -> None:
    """Writes both directions, of which one sentence differs by a sign."""
    here = [f"Dina iki srengengene panas {n}." for n in range(7)]
    there = [f"Matahari panas hari ini {n}." for n in range(7)]
    template = f"Terjemahna.\n{tag} $TRANSLATION{{fewshot_examples}}\n\nTeks: {{text}}"
    ways = ((f"{other}_to_{own}", there, here), (f"{own}_to_{other}", [*here[:6], "Liya."], there))
    for name, sources, targets in ways:
        rows = make_rows([{"text": text} for text in sources], targets, template)
        folder = root / "seahelm" / "nlg" / "translation" / "data"
        write_lines(folder / f"{place.format('devtest', name)}.jsonl", rows)
        shown = make_rows([{"text": text} for text in sources[:5]], targets[:5], None)
        write_lines(folder / f"{place.format('dev', name)}_examples.jsonl", shown)


def write_instructions(root: Path) -> None:
    """Writes requests in Javanese, one of which counts words."""
    kinds = [
        ("keywords:existence", {"keywords": ["sawah"], "relation": None}),
        ("detectable_format:title", {}),
        ("startend:first_word", {"first_word": "Sawah"}),
        ("length_constraints:number_words", {"relation": "at least", "num_words": 3}),
        ("language:response_language", {"response_language": "th"}),
        ("combination:two_responses", {}),
    ]
    rows = [
        {"id": n, "prompts": [{"text": f"Panjaluk {n}."}], "prompt_templates": ["{text}"],
         "metadata": {"language": "jv", "subcategory": kind}, "kwargs": [settings]}
        for n, (kind, settings) in enumerate(kinds)
    ]  # fmt: skip
    for code in ("jv", "th"):
        folder = root / "seahelm" / "instruction_following" / "ifeval" / "data"
        write_lines(folder / f"{code}_own.jsonl", rows)


def write_seahelm(root: Path) -> Path:
    """Writes all sets below `root`, and returns it."""
    write_sentiment(root)
    write_letters(root)
    write_others(root)
    write_instructions(root)
    return root
