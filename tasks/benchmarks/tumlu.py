"""TUMLU-mini: school and university exams written in Turkic languages, four answers each
(arXiv 2502.11020, `jafarisbarov/TUMLU-mini`).

A row: question="...", choices=["...", "...", "...", "..."], answer="B", subject="History"

On the Hub: a configuration per language's English name in small letters, splits `dev` and `test`;
that was read of and not tried. A directory holds `tumlu/<name>.jsonl`.

Traps: rows have no id, and some are there twice, so that equal ones are a cluster; some have two
equal answers; a list of another length than four is malformed. Some languages have a second
configuration in another script (`uyghur-latin`), which is not scored.
"""

from collections.abc import Callable
from pathlib import Path

from tasks.benchmark import Asking, Benchmark, Item, Naming, list_answers, name_choices
from tasks.benchmarks.afrimmlu import ANSWERS, split_choices
from tasks.files import read_jsonl
from tasks.protocol import LETTERS
from tasks.rows import Raw, Row, RowColumn, read_keys, read_texts

CODES = {
    "azj_Latn": "azerbaijani", "crh_Latn": "crimean-tatar", "kaz_Cyrl": "kazakh",
    "kir_Cyrl": "kyrgyz", "tat_Cyrl": "tatar", "tur_Latn": "turkish", "uig_Arab": "uyghur",
    "uzn_Latn": "uzbek",
}  # fmt: skip


def read(root: Path, code: str) -> list[Raw]:
    """Returns the test rows of the language that TUMLU names `code`."""
    return split_choices(read_jsonl(root / "tumlu" / f"{code}.jsonl"))


def read_hub(load: Callable[[str], list[Raw]], code: str) -> list[Raw]:
    return split_choices(load(code))


def make_item(row: Row, asking: Asking) -> Item:
    question = row["question"].strip()
    answers = [row[name].strip() for name in ANSWERS]
    words, listed = asking.words, list_answers(answers, asking.protocol)
    text = "\n".join([question, *answers])
    return Item(
        id=row["id"],
        cluster=text,
        text=text,
        query=f"{words.question}: {question}\n{listed}\n{words.answer}:",
        label=row["answer"],
        choices=name_choices(answers, asking.protocol),
        answer=LETTERS.index(row["answer"]),
        category=row.get("subject") or None,
    )


BENCHMARK = Benchmark(
    name="tumlu",
    tasks=(Naming("tumlu", "TUMLU"),),
    place=37,
    repository="jafarisbarov/TUMLU-mini",
    split="test",
    complete=None,
    columns=(
        *read_keys("id"),
        *read_texts("question", *ANSWERS),
        RowColumn("answer", "label", tuple(LETTERS[:4])),
    ),
    hub_columns=("question", "choices", "answer"),
    identity=("id",),
    read_files=read,
    read_hub=read_hub,
    item=make_item,
    letters=LETTERS[:4],
    asides=(RowColumn("subject"),),
    codes=CODES,
)
