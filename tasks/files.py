"""Reads rows from a directory in the benchmarks' published file layout.

    belebele/<code>.jsonl         flores/devtest/<code>.txt (or FLORES-200's archive)
    global_mmlu/<code>.jsonl      sib200/<code>/test.tsv

`EMBEDDED` holds small sets of our own in that layout; they are not the benchmarks.
"""

import csv
import json
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.errors import DataMalformed, DataMissing

EMBEDDED = Path(__file__).parent / "embedded"


def missing(path: Path) -> DataMissing:
    """The error for a file that is not there."""
    for parent in path.parents:
        if parent.resolve() == EMBEDDED.resolve():
            return DataMissing(
                f"the embedded sets have no {path.relative_to(parent)} (they hold Swahili and "
                "English only; data_dir=DIR gives the benchmarks themselves)"
            )
    return DataMissing(f"there is no file {path}")


def as_text(value: Any) -> str:
    """A cell as text; what is not there is the empty text."""
    return "" if value is None else str(value)


def read_jsonl(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The `columns` of all rows of a JSONL file."""
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
        rows.append({column: as_text(row.get(column)) for column in columns})
    return rows


def read_tsv(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The `columns` of all rows of a TSV file with a header. A field may be quoted, quotes in it
    doubled."""
    if not path.is_file():
        raise missing(path)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t")
        try:
            return [{column: as_text(row.get(column)) for column in columns} for row in reader]
        except UnicodeDecodeError:
            raise _not_utf8(str(path), path.read_bytes()) from None
        except csv.Error as error:
            raise DataMalformed(f"{path}, line {reader.line_num + 1}: not TSV ({error})") from None


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, without their ends; none for an empty file."""
    if not path.is_file():
        raise missing(path)
    return _lines(str(path), path.read_bytes())


def read_lines_of_archive(path: Path, member: str) -> list[str]:
    """The lines of one file of a tar archive, which is read in place, never unpacked."""
    try:
        with tarfile.open(path) as archive:
            for entry in archive:
                if entry.isfile() and entry.name.removeprefix("./") == member:
                    file = archive.extractfile(entry)
                    assert file is not None
                    return _lines(f"{path}: {member}", file.read())
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataMalformed(f"{path}: not a whole tar.gz archive ({error})") from None
    raise DataMissing(f"the archive {path} has no {member}")


def _lines(name: str, content: bytes) -> list[str]:
    """Only ``\\n`` and ``\\r\\n`` end a line: sentences may hold what Unicode also calls a line
    separator."""
    try:
        text = content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise _not_utf8(name, content) from None
    return text.removesuffix("\n").split("\n") if text else []


def _not_utf8(name: str, content: bytes) -> DataMalformed:
    """The error for bytes that are not UTF-8, with the first line that is not."""
    line = 1
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line += content.count(b"\n", 0, error.start)
    return DataMalformed(f"{name}, line {line}: not UTF-8")
