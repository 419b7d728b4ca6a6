"""Where benchmark rows come from: a directory in the benchmarks' published file layout.

    belebele/<code>.jsonl         flores/devtest/<code>.txt
    global_mmlu/<code>.jsonl      sib200/<code>/test.tsv

`EMBEDDED` holds small sets of our own in that layout; they are not the benchmarks.
"""

import csv
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.errors import DataMalformed, DataMissing
from tasks.protocol import SHOTS

EMBEDDED = Path(__file__).parent / "embedded"
DATA_DIR_VARIABLE = "KAKUGO_DATA_DIR"

Row = dict[str, Any]


def data_root(data_dir: str | None) -> Path:
    """The directory to read: the one given, else ``$KAKUGO_DATA_DIR``, else the embedded sets."""
    return Path(data_dir or os.environ.get(DATA_DIR_VARIABLE) or EMBEDDED).expanduser()


def data_name(root: Path) -> str:
    """What reports call the data: ``embedded`` (ours, not the benchmarks) or ``local``."""
    return "embedded" if root.resolve() == EMBEDDED.resolve() else "local"


def existing(path: Path) -> Path:
    """`path`, or `DataMissing` when there is no such file."""
    if path.is_file():
        return path
    for parent in path.parents:
        if parent.resolve() == EMBEDDED.resolve():
            raise DataMissing(
                f"the embedded sets have no {path.relative_to(parent)} (they hold Swahili and "
                "English only; data_dir=DIR gives the benchmarks themselves)"
            )
    raise DataMissing(f"there is no file {path}")


def content_hash(paths: Sequence[Path]) -> str:
    """SHA-256 over the contents of `paths`, in that order; names and places do not count."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def read_jsonl(path: Path, columns: Sequence[str]) -> list[Row]:
    """All rows of a JSONL file, each an object with at least `columns`."""
    rows = []
    for number, line in enumerate(read_lines(path), 1):
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise DataMalformed(f"{path}, line {number}: not JSON ({error})") from None
        if not isinstance(row, dict):
            raise DataMalformed(
                f"{path}, line {number}: a JSON object is needed, not {type(row).__name__}"
            )
        rows.append(row)
    return checked(rows, columns, path)


def read_tsv(path: Path, columns: Sequence[str]) -> list[Row]:
    """All rows of a TSV file with a header. A field may be quoted, quotes in it doubled."""
    with existing(path).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t")
        try:
            rows: list[Row] = list(reader)
        except UnicodeDecodeError:
            raise _not_utf8(path) from None
        except csv.Error as error:
            raise DataMalformed(f"{path}, line {reader.line_num + 1}: not TSV ({error})") from None
    return checked(rows, columns, path)


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, without their ends.

    Only ``\\n`` ends a line: sentences may hold what Unicode also calls a line separator.
    """
    try:
        return existing(path).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        raise _not_utf8(path) from None


def _not_utf8(path: Path) -> DataMalformed:
    """The error for a file whose bytes are not UTF-8, with the first line that is not."""
    content = path.read_bytes()
    line = 1
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line += content.count(b"\n", 0, error.start)
    return DataMalformed(f"{path}, line {line}: not UTF-8")


def checked(rows: list[Row], columns: Sequence[str], path: Path) -> list[Row]:
    """`rows`, or `DataMalformed` when they are too few or lack a column."""
    if len(rows) <= SHOTS:
        raise DataMalformed(
            f"{path}: {len(rows)} rows; the first {SHOTS} are the shots, so at least "
            f"{SHOTS + 1} are needed"
        )
    for number, row in enumerate(rows, 1):
        lacking = [column for column in columns if row.get(column) in (None, "")]
        if lacking:
            raise DataMalformed(f"{path}, row {number}: no {', '.join(lacking)}")
    return rows
