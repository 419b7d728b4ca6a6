"""Reads rows from a directory in the benchmarks' published file layout: a folder for each.

Each benchmark's own file says which files lie in its folder. `EMBEDDED` holds small sets of our own
in that layout; they are not the benchmarks. What stands in the cells is checked afterwards, by
`tasks.rows`.
"""

import stat
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from core.delimited import split_cells
from core.lines import Line, LineError, parse_json_lines, split_lines
from core.text import NotText, decode
from tasks.errors import DataMalformed, DataMissing, FileMissing
from tasks.rows import REMEDY, Raw, list_wrong

EMBEDDED = Path(__file__).parent / "embedded"
_SAVE = "save the file as UTF-8 text"
_OBJECTS = "one JSON object a line (`jq -c '.[]'` writes an array so)"


def report_missing(path: Path) -> DataMissing:
    """Builds the error for a file that is not there."""
    for parent in path.parents:
        if parent.resolve() == EMBEDDED.resolve():
            return DataMissing(
                f"the embedded sets have no {path.relative_to(parent)} (they hold Swahili and "
                "English only; data_dir=DIR gives the benchmarks themselves)"
            )
    return FileMissing(
        f"there is no file {path}. Remedy: put it there, or give another data_dir: the directory "
        "that holds a folder for each benchmark, in its published layout (docs/scoring.md)"
    )


def read_jsonl(path: Path) -> list[Raw]:
    """Returns the rows of a JSONL file; empty lines are none."""
    # A mark within the file is what joining two files left.
    lines = (Line(n, line.removeprefix("\ufeff")) for n, line in enumerate(read_lines(path), 1))
    rows = []
    try:
        for number, row in parse_json_lines(lines, str(path)):
            if not isinstance(row, dict):
                what = f"a JSON object is needed, not {type(row).__name__}"
                raise _report_malformed(path, number, what, _OBJECTS)
            rows.append(Raw(str(path), f"line {number}", row))
    except LineError as error:
        # An array over several lines begins with a bracket alone.
        remedy = REMEDY if rows or error.number > 1 else _OBJECTS
        raise _report_malformed(path, error.number, error.reason, remedy) from None
    return rows


def read_tsv(path: Path, columns: Sequence[str]) -> list[Raw]:
    """Returns the rows of a TSV file with a header, a line each. A field may be quoted, quotes
    in it doubled; empty lines are no rows."""
    header: list[str] = []
    rows: list[Raw] = []
    wrong: list[str] = []
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        try:
            cells = split_cells(line, "\t")
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
            continue
        if not header:
            header = [cell.strip() for cell in cells]
            _check_header(path, number, header, columns)
        elif len(cells) != len(header):
            wrong.append(f"line {number}: {len(cells)} cells for {len(header)} columns")
        else:
            rows.append(Raw(str(path), f"line {number}", dict(zip(header, cells, strict=True))))
    if wrong:
        raise DataMalformed(
            f"{path}, {list_wrong(wrong)}. Remedy: a tab stands between two cells and nowhere "
            "else; a text with quote marks is quoted whole, and those in it doubled "
            '("She said ""no"".")'
        )
    return rows


def _check_header(path: Path, number: int, header: list[str], columns: Sequence[str]) -> None:
    lacking = [column for column in columns if column not in header]
    if lacking or len(set(header)) < len(header):
        what = f"no column {', '.join(lacking)}" if lacking else "a column is named twice"
        names = ", ".join(header)
        raise _report_malformed(
            path,
            number,
            f"{what}; the header is {names[:100]}",
            f"the first line must name the columns: {', '.join(columns)}",
        )


def is_there(path: Path) -> bool:
    """Says whether anything has that name, also what cannot be read: to read it then says why."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def read_lines(path: Path) -> list[str]:
    """Returns the lines of a text file, without their ends; none for an empty file."""
    try:
        if stat.S_ISFIFO(path.stat().st_mode):
            raise _report_unreadable(path, "a pipe, not a file")  # whose reader would wait for ever
        return _split_at_line_ends(str(path), path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise report_missing(path) from None
    except OSError as error:
        raise _report_unreadable(path, error.strerror) from None


def _report_unreadable(path: Path, why: str | None) -> DataMalformed:
    return DataMalformed(
        f"{path} cannot be read: {why}. Remedy: put a file there that this user may read"
    )


def read_lines_of_archive(path: Path, member: str) -> list[str]:
    """Returns the lines of one file of a tar archive, which is read in place, never unpacked."""
    try:
        with tarfile.open(path) as archive:
            for entry in archive:
                if entry.isfile() and entry.name.removeprefix("./") == member:
                    file = archive.extractfile(entry)
                    assert file is not None
                    return _split_at_line_ends(f"{path}: {member}", file.read())
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno:
            raise _report_unreadable(path, error.strerror) from None
        # What tarfile says of a damaged file is of each compression that it tried, a line each.
        why = (
            "it is empty" if not path.stat().st_size else str(error).partition("\n")[0].strip(" :")
        )
        raise DataMalformed(
            f"{path}: not a whole tar.gz archive ({why}). Remedy: fetch it again"
        ) from None
    raise DataMissing(f"the archive {path} has no {member}")


def _split_at_line_ends(name: str, content: bytes) -> list[str]:
    """Splits text at line ends only. Sentences may hold other characters that Unicode calls a
    line separator."""
    try:
        return split_lines(decode(content))
    except NotText as error:
        raise DataMalformed(f"{name}, {error}. Remedy: {_SAVE}") from None


def _report_malformed(path: Path, line: int, what: str, remedy: str = REMEDY) -> DataMalformed:
    return DataMalformed(f"{path}, line {line}: {what}. Remedy: {remedy}")
