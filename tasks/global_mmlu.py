"""Global-MMLU: school and professional questions in 42 languages, four answers each
(arXiv 2412.03304, `CohereLabs/Global-MMLU`).

A row: sample_id="abstract_algebra/test/0", question, option_a..option_d, answer="B", subject, ...

Traps: the paper takes its shots from the test set, not from the dev set of the same subject; the
codes are two letters, not FLORES's; 153 English `logical_fallacies` rows have null annotations.
"""

from pathlib import Path
from typing import Any

from tasks.data import Row, content_hash, data_root, read_jsonl
from tasks.errors import DataMalformed
from tasks.protocol import LETTERS

CHANCE = 25.0
ANSWERS = ("option_a", "option_b", "option_c", "option_d")
COLUMNS = ("sample_id", "subject", "question", *ANSWERS, "answer")


def path(root: Path, code: str) -> Path:
    """The test file of the language with the two-letter code `code`."""
    return root / "global_mmlu" / f"{code}.jsonl"


def read(root: Path, code: str) -> list[Row]:
    """All rows, shots included. `DataMissing` or `DataMalformed` when that is impossible."""
    rows = read_jsonl(path(root, code), COLUMNS)
    for number, row in enumerate(rows, 1):
        if row["answer"] not in LETTERS[:4]:
            raise DataMalformed(
                f"{path(root, code)}, row {number}: answer is {row['answer']!r}, allowed are A to D"
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
        f"{letter}. {str(doc[name]).strip()}"
        for letter, name in zip(LETTERS, ANSWERS, strict=False)
    )
    return f"Question: {doc['question'].strip()}\n{answers}\nAnswer:"


def doc_to_target(doc: Row) -> int:
    return LETTERS.index(doc["answer"])
