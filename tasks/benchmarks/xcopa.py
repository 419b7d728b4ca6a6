"""XCOPA: which of two sentences is the cause, or the effect, of a third (arXiv 2005.00333,
`cambridgeltl/xcopa`).

A row: premise="Atik la te vlope ak papye bul.", choice1="Li te frajil.", choice2="Li te piti.",
question="cause", label=0, idx=0

On the Hub: a configuration per two-letter code, splits `validation` and `test`. A directory holds
`xcopa/test.<code>.jsonl`, or the published `xcopa/data/<code>/test.<code>.jsonl`.

Traps: the question itself is asked in English, since its makers give it none in the languages; its
Quechua (qu) is that of Cuzco, which is not FLORES's; COPA's right answers are balanced.
"""

from pathlib import Path

from tasks.benchmark import Asking, Benchmark, Item, Naming, list_answers, name_choices
from tasks.errors import DataMissing
from tasks.files import is_there, read_jsonl
from tasks.protocol import LETTERS
from tasks.rows import Raw, Row, RowColumn, read_keys, read_texts

ANSWERS = ("choice1", "choice2")
QUESTIONS = {"cause": "What was the cause?", "effect": "What happened as a result?"}
CODES = {
    "est_Latn": "et", "hat_Latn": "ht", "ind_Latn": "id", "ita_Latn": "it", "swh_Latn": "sw",
    "tam_Taml": "ta", "tha_Thai": "th", "tur_Latn": "tr", "vie_Latn": "vi", "zho_Hans": "zh",
}  # fmt: skip


def read(root: Path, code: str) -> list[Raw]:
    """Returns the test rows of the language with the two-letter code `code`."""
    name = f"test.{code}.jsonl"
    published = root / "xcopa" / "data" / code / name
    return read_jsonl(published if is_there(published) else root / "xcopa" / name)


def make_item(row: Row, asking: Asking) -> Item:
    if asking.protocol.instructions == "language":
        raise DataMissing("XCOPA's questions are in English only; instructions=english asks them")
    answers = [row[name].strip() for name in ANSWERS]
    premise, words = row["premise"].strip(), asking.words
    return Item(
        id=row["idx"],
        cluster=row["idx"],
        text="\n".join([premise, *answers]),
        query=f"{words.text}: {premise}\n{words.question}: {QUESTIONS[row['question']]}\n"
        f"{list_answers(answers, asking.protocol)}\n{words.answer}:",
        label=LETTERS[int(row["label"])],
        choices=name_choices(answers, asking.protocol),
        answer=int(row["label"]),
    )


BENCHMARK = Benchmark(
    name="xcopa",
    tasks=(Naming("xcopa", "XCOPA"),),
    place=70,
    repository="cambridgeltl/xcopa",
    split="test",
    complete=500,
    columns=(
        *read_keys("idx"),
        *read_texts("premise", *ANSWERS),
        RowColumn("question", "label", tuple(QUESTIONS)),
        RowColumn("label", "label", ("0", "1"), "the first answer is number 0"),
    ),
    identity=("idx",),
    read_files=read,
    item=make_item,
    letters=LETTERS[:2],
    codes=CODES,
)
