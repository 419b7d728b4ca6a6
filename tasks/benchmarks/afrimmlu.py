"""AfriMMLU: questions of five subjects of MMLU in African languages, translated by people
(arXiv 2406.03368, `masakhane/afrimmlu`).

A row: subject="global_facts", question="...", choices="['...', '...', '...', '...']", answer="B"

On the Hub: a configuration per ISO 639-3 code, splits `validation` and `test`. A directory holds
`afrimmlu/<code>.jsonl`, or the published `afrimmlu/<code>/test.tsv`.

Traps: `choices` is a text in which a list of Python is written, with either quote mark; rows have
no id; the codes are partly those of macrolanguages (swa, orm).
"""

import ast
from collections.abc import Callable
from pathlib import Path

from tasks.benchmark import Asking, Benchmark, Item, Naming, list_answers, name_choices
from tasks.errors import DataMalformed
from tasks.files import is_there, read_jsonl, read_tsv
from tasks.protocol import LETTERS
from tasks.rows import REMEDY, Raw, Row, RowColumn, number_rows, read_keys, read_texts

PUBLISHED = ("subject", "question", "choices", "answer")
ANSWERS = ("choice_a", "choice_b", "choice_c", "choice_d")
CODES = {
    "amh_Ethi": "amh", "ewe_Latn": "ewe", "fra_Latn": "fra", "hau_Latn": "hau", "ibo_Latn": "ibo",
    "kin_Latn": "kin", "lin_Latn": "lin", "lug_Latn": "lug", "gaz_Latn": "orm", "sna_Latn": "sna",
    "sot_Latn": "sot", "swh_Latn": "swa", "twi_Latn": "twi", "wol_Latn": "wol", "xho_Latn": "xho",
    "yor_Latn": "yor", "zul_Latn": "zul", "eng_Latn": "eng",
}  # fmt: skip


def read(root: Path, code: str) -> list[Raw]:
    """Returns the test rows of the language with ISO 639-3 code `code`."""
    published = root / "afrimmlu" / code / "test.tsv"
    if is_there(published):
        return split_choices(read_tsv(published, PUBLISHED))
    return split_choices(read_jsonl(root / "afrimmlu" / f"{code}.jsonl"))


def read_hub(load: Callable[[str], list[Raw]], code: str) -> list[Raw]:
    return split_choices(load(code))


def split_choices(raws: list[Raw]) -> list[Raw]:
    """Returns the rows with a cell for each choice, and with an id."""
    found = []
    for raw in number_rows(raws):
        given = raw.cells.get("choices")
        try:
            choices = ast.literal_eval(given) if isinstance(given, str) else given
        except (ValueError, SyntaxError):
            choices = None
        if not isinstance(choices, list | tuple) or len(choices) != len(ANSWERS):
            raise DataMalformed(
                f"{raw.file}, {raw.place}: choices is no list of {len(ANSWERS)} answers. "
                f"Remedy: {REMEDY}"
            )
        cells = {**raw.cells, **dict(zip(ANSWERS, choices, strict=True))}
        found.append(Raw(raw.file, raw.place, cells))
    return found


def make_item(row: Row, asking: Asking) -> Item:
    question = row["question"].strip()
    answers = [row[name].strip() for name in ANSWERS]
    words, listed = asking.words, list_answers(answers, asking.protocol)
    return Item(
        id=row["id"],
        cluster=row["id"],
        text="\n".join([question, *answers]),
        query=f"{words.question}: {question}\n{listed}\n{words.answer}:",
        label=row["answer"],
        choices=name_choices(answers, asking.protocol),
        answer=LETTERS.index(row["answer"]),
        category=row.get("subject") or None,
    )


BENCHMARK = Benchmark(
    name="afrimmlu",
    tasks=(Naming("afrimmlu", "AfriMMLU"),),
    place=35,
    repository="masakhane/afrimmlu",
    split="test",
    complete=500,
    columns=(
        *read_keys("id"),
        *read_texts("question", *ANSWERS),
        RowColumn("answer", "label", ("A", "B", "C", "D")),
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
