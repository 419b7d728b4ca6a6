"""Belebele: a question on a short passage, four answers (arXiv 2308.16884, `facebook/belebele`).

A row: link, question_number=1, flores_passage, question, mc_answer1..4, correct_answer_num="1"

Traps: questions of one passage are not independent (cluster by `link`); the passages are FLORES
sentences; in two languages (afr, sot) the rows stand in another order than in English, so join on
(link, question_number).
"""

from pathlib import Path
from typing import Any

from tasks.data import Row, content_hash, data_root, read_jsonl
from tasks.errors import DataMalformed
from tasks.protocol import LETTERS

CHANCE = 25.0
ANSWERS = ("mc_answer1", "mc_answer2", "mc_answer3", "mc_answer4")
COLUMNS = ("link", "question_number", "flores_passage", "question", *ANSWERS, "correct_answer_num")


def path(root: Path, code: str) -> Path:
    """The file of the language with FLORES code `code`."""
    return root / "belebele" / f"{code}.jsonl"


def read(root: Path, code: str) -> list[Row]:
    """All rows, shots included. `DataMissing` or `DataMalformed` when that is impossible."""
    rows = read_jsonl(path(root, code), COLUMNS)
    for number, row in enumerate(rows, 1):
        if str(row["correct_answer_num"]) not in ("1", "2", "3", "4"):
            raise DataMalformed(
                f"{path(root, code)}, row {number}: correct_answer_num is "
                f"{row['correct_answer_num']!r}, allowed are 1 to 4"
            )
    return rows


def fingerprint(root: Path, code: str) -> str:
    """SHA-256 of the data that `read` would give."""
    read(root, code)
    return content_hash([path(root, code)])


def load(code: str, data_dir: str | None = None, **_: object) -> dict[str, Any]:
    """What lm-eval asks for: the splits as `datasets.Dataset`, with the used columns only."""
    from datasets import Dataset

    rows = read(data_root(data_dir), code)
    return {"test": Dataset.from_list([{name: row[name] for name in COLUMNS} for row in rows])}


def doc_to_text(doc: Row) -> str:
    answers = "\n".join(
        f"{letter}. {doc[name].strip()}" for letter, name in zip(LETTERS, ANSWERS, strict=False)
    )
    return (
        f"Passage: {doc['flores_passage'].strip()}\nQuestion: {doc['question'].strip()}\n"
        f"{answers}\nAnswer:"
    )


def doc_to_target(doc: Row) -> int:
    return int(doc["correct_answer_num"]) - 1
