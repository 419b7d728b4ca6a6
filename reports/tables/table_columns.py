"""Which columns of a wide score table hold a producer's scores."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.text import fold, has_visible_text
from reports.tables.table_file import TableFile

_COUNTERS = frozenset(
    ("index", "level_0", "idx", "id", "row", "no", "no.", "nr", "nr.", "#", "number")
)
"""Names of columns that count the rows, as pandas' index does."""
_NO_PRODUCERS = frozenset(
    (
        *("n", "items", "count", "stderr", "std", "ci", "p", "chance"),
        *("gain", "delta", "diff", "difference", "change"),
        *("code", "flores_code", "script", "protocol", "split", "metric"),
    )
)


@dataclass(frozen=True)
class Columns:
    """The producers' columns by place; what was left aside, and what nobody can tell."""

    producers: dict[int, str]
    aside: list[str]
    problems: list[str]


def find_producers(table: TableFile) -> Columns:
    """The columns of scores. A column without a name, or with that of a counter, is left aside
    where it counts the rows, and else a problem: it may be either."""
    found = Columns({}, [], [])
    for place, name in enumerate(table.header):
        folded, cells = fold(name), table.column(place)
        unnamed = not has_visible_text(name) or re.fullmatch(r"unnamed: \d+", folded)
        shown = repr(name) if has_visible_text(name) else f"{place + 1} (without a name)"
        if folded in ("language", "task") or (unnamed and not any(cells)):
            continue
        if folded in _NO_PRODUCERS:
            found.aside.append(f"column {shown}, which is no producer")
        elif not unnamed and folded not in _COUNTERS:
            found.producers[place] = name
        elif _count_up(cells):
            found.aside.append(f"column {shown}, which counts the rows")
        else:
            found.problems.append(
                f"line 1: column {shown} may hold a producer's scores or numbers of rows. "
                "Remedy: name it after its producer, or remove it"
            )
    return found


def _count_up(cells: Sequence[str]) -> bool:
    """Whether the cells are whole numbers, each greater by one than the one before."""
    if not all(re.fullmatch(r"[0-9]+(\.0)?", cell) for cell in cells):
        return False
    numbers = [int(float(cell)) for cell in cells]
    return not numbers or numbers == list(range(numbers[0], numbers[0] + len(numbers)))
