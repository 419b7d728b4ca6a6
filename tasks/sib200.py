"""SIB-200: which of seven topics a sentence is about (arXiv 2309.07445, `Davlan/sib200`).

A row: index_id=1523, category="science/technology", text="Mabadiliko huongeza tofauti ..."

Traps: the published test set is sorted by category, so that the paper's three shots all bear one
label (a warning of every score says so); the texts are FLORES sentences; some are quoted TSV
fields with doubled quotes.
"""

from pathlib import Path
from typing import Any

from tasks.data import Row, content_hash, data_root, read_tsv
from tasks.errors import DataMalformed
from tasks.protocol import LETTERS, SHOTS

LABELS = (
    "entertainment",
    "geography",
    "health",
    "politics",
    "science/technology",
    "sports",
    "travel",
)
CHANCE = 100 / len(LABELS)
COLUMNS = ("index_id", "category", "text")

# The topics stand once before the shots, so that all items share them as one long prefix.
DESCRIPTION = (
    "Which topic is each text about?\n"
    + "\n".join(f"{letter}. {label}" for letter, label in zip(LETTERS, LABELS, strict=True))
    + "\n\n"
)


def path(root: Path, code: str) -> Path:
    """The test file of the language with FLORES code `code`."""
    return root / "sib200" / code / "test.tsv"


def read(root: Path, code: str) -> list[Row]:
    """All rows, shots included. `DataMissing` or `DataMalformed` when that is impossible."""
    rows = read_tsv(path(root, code), COLUMNS)
    unknown = {row["category"] for row in rows} - set(LABELS)
    if unknown:
        raise DataMalformed(
            f"{path(root, code)}: unknown categories {sorted(unknown)}; known are {list(LABELS)}"
        )
    return rows


def fingerprint(root: Path, code: str) -> str:
    """SHA-256 of the data that `read` would give."""
    read(root, code)
    return content_hash([path(root, code)])


def warnings(root: Path, code: str, limit: int | None = None) -> list[str]:
    """What a reader of the score of the first `limit` items (None: all) should know."""
    categories = [row["category"] for row in read(root, code)]
    shots = set(categories[:SHOTS])
    scored = set(categories[SHOTS:][:limit])
    found = []
    if len(shots) == 1:
        found.append(f"all {SHOTS} shots bear one label, {shots.pop()!r}")
    if len(scored) < len(set(categories)):
        found.append(
            f"only {len(scored)} of the {len(set(categories))} labels occur in the {limit} scored "
            "items: so low a limit does not represent the task"
        )
    return found


def load(code: str, data_dir: str | None = None, **_: object) -> dict[str, Any]:
    """What lm-eval asks for: the splits as `datasets.Dataset`."""
    from datasets import Dataset

    return {"test": Dataset.from_list(read(data_root(data_dir), code))}


def doc_to_text(doc: Row) -> str:
    return f"Text: {doc['text']}\nTopic:"


def doc_to_target(doc: Row) -> int:
    return LABELS.index(doc["category"])
