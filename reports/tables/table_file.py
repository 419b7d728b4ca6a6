"""The lines of a score table in a CSV file, as spreadsheets and programs write them."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.delimited import split_cells
from core.lines import split_lines
from core.text import NotText, decode, fold, has_visible_text, is_invisible
from reports.errors import ImportedTableError

_DELIMITERS = (",", ";", "\t")
_LONGEST_LIST = 12
# Two signs that people write alike in names (N'Ko, Nʼko).
_APOSTROPHES = re.compile("[‘’ʻʼ`´]")


@dataclass(frozen=True)
class TableFile:
    """A header and the rows below it: each has its line in the file and as many cells as columns.

    `problems` are the lines that could not be read; `decimal_comma`: cells are parted by something
    else than commas, so that a comma in a number is its decimal mark.
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    decimal_comma: bool
    problems: tuple[str, ...]

    def read_column(self, place: int) -> list[str]:
        return [cells[place] for _, cells in self.rows]


def read_table(path: Path) -> TableFile:
    """The table in a file of UTF-8 with commas, semicolons or tabs between the cells.

    Empty lines, rows of empty cells and a spreadsheet's first line ``sep=;`` are no rows. Raises
    ImportedTableError where the file is no text.
    """
    try:
        lines = split_lines(decode(path.read_bytes()))
    except OSError as error:
        raise ImportedTableError(f"{path} cannot be opened ({error.strerror}).") from None
    except NotText as error:
        raise ImportedTableError(f"{path}, {error}.\nRemedy: save it as CSV UTF-8.") from None
    header: tuple[str, ...] = ()
    delimiter = ","
    rows: list[tuple[int, tuple[str, ...]]] = []
    problems: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not has_visible_text(line) or re.fullmatch(r"sep=[,;\t]", line.strip()):
            continue
        if not header:
            delimiter = _find_delimiter(line)
        try:
            cells = tuple(tidy(cell) for cell in split_cells(line, delimiter))
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            if not header:
                break
            continue
        if not header:
            header = cells
        elif len(cells) != len(header):
            problems.append(f"line {number}: it has not as many values as the header has columns")
        elif any(cells):
            rows.append((number, cells))
    table = TableFile(str(path), header, tuple(rows), delimiter != ",", tuple(problems))
    refuse(table, problems if not header else ())
    return table


def refuse(table: TableFile, problems: Sequence[str]) -> None:
    """Raises ImportedTableError with every problem, the first of them in full."""
    if problems:
        more = len(problems) - _LONGEST_LIST
        listed = [*problems[:_LONGEST_LIST], *([f"and {more} more"] if more > 0 else [])]
        raise ImportedTableError(
            f"{table.name}:\n" + "\n".join(f"  {problem}" for problem in listed)
        )


def tidy(text: str) -> str:
    """A name as it is shown: composed, with single spaces, no mark at its ends that nobody sees."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    seen = [place for place, sign in enumerate(text) if not is_invisible(sign)]
    return text[seen[0] : seen[-1] + 1].strip() if seen else ""


def fold_name(text: str) -> str:
    """Give what two spellings of one name share: case, space, Unicode form and apostrophe aside."""
    return fold(_APOSTROPHES.sub("'", text))


def strip_marks(text: str) -> str:
    """`fold_name` without the marks on letters: Yorùbá and Yoruba are most probably one."""
    apart = unicodedata.normalize("NFD", fold_name(text))
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _find_delimiter(header: str) -> str:
    """Find what parts the cells: that by which the header is one."""
    for delimiter in _DELIMITERS:
        names = {fold(name.strip(' "')) for name in header.split(delimiter)}
        if {"language", "task"} <= names:
            return delimiter
    return ","
