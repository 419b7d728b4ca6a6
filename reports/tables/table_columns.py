"""Finds the columns of a wide score table that hold scores, or how sure those are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from core.text import fold, has_visible_text
from reports.tables.table_file import TableFile

_COUNTERS = frozenset(
    (
        *("", "index", "level0", "idx", "id", "row", "rowid", "rownumber", "rownum", "rownames"),
        *("no", "nr", "num", "number", "sno", "srno", "serial", "serialno", "rank", "pos"),
    )
)
"""Names of columns that count the rows, as pandas' index does, by their letters and digits."""
_NO_PRODUCERS = frozenset(
    (
        *("count", "chance", "p", "pvalue"),
        *("gain", "delta", "diff", "difference", "change", "improvement"),
        *("mean", "average", "avg", "total", "sum", "median", "min", "max"),
        *("code", "florescode", "script", "family", "protocol", "split", "metric"),
        *("seed", "shots", "nshot", "fewshot", "numfewshot", "limit", "step", "steps", "epoch"),
        *("year", "date", "version"),
    )
)
"""The same of columns that hold something else than scores."""
ITEMS = frozenset(("n", "items", "nitems"))
"""The same of a column that tells how many items a score is of."""
STDERRS = frozenset(("stderr", "se", "sem"))
"""The last word of a column that holds another one's standard error."""
_SPREADS = STDERRS | frozenset(("std", "stdev", "stddev", "ci", "ci95", "error", "variance", "var"))
"""The last word of a column that says how sure another one is: base_stderr, "trained (std)"."""


@dataclass(frozen=True)
class Columns:
    """The producers' columns by place; what was left aside, and what nobody can tell.

    `stderrs` has for a producer's place that of its standard errors, `items` the place of the
    numbers of items.
    """

    producers: dict[int, str]
    aside: list[str]
    problems: list[str]
    stderrs: dict[int, int] = field(default_factory=dict)
    items: int | None = None


def find_producers(table: TableFile) -> Columns:
    """The columns of scores. A column without a name, or with that of a counter, is left aside
    where it counts the rows, and else a problem: it may be either."""
    found = Columns({}, [], [], items=_find_items_column(table.header))
    for place, name in enumerate(table.header):
        folded, cells = fold(name), table.read_column(place)
        words = re.findall(r"[^\W_]+", folded)
        letters = "".join(words)
        unnamed = not has_visible_text(name) or re.fullmatch(r"unnamed: \d+", folded)
        shown = repr(name) if has_visible_text(name) else f"{place + 1} (without a name)"
        if folded in ("language", "task") or (unnamed and not any(cells)):
            continue
        first = re.fullmatch(r"(.*[^0-9])\.[0-9]+", folded)
        if first and first[1] in map(fold, table.header):
            found.problems.append(
                f"line 1: {name!r} is what pandas makes of a second column {first[1]!r}. "
                "Remedy: give each producer a name of its own"
            )
        elif (of := _find_stderr_owner(table.header, words)) is not None:
            found.stderrs[of] = place
            found.aside.append(f"column {shown}, which is no producer (it tells standard errors)")
        elif place == found.items:
            found.aside.append(f"column {shown}, which is no producer (it tells numbers of items)")
        elif letters in _NO_PRODUCERS | ITEMS or (words and words[-1] in _SPREADS):
            found.aside.append(f"column {shown}, which is no producer")
        elif not unnamed and letters not in _COUNTERS and not _is_row_number(folded, cells):
            found.producers[place] = name
        elif _counts_up(cells):
            found.aside.append(f"column {shown}, which counts the rows")
        else:
            found.problems.append(
                f"line 1: column {shown} may hold a producer's scores or numbers of rows. "
                "Remedy: name it after its producer, or remove it"
            )
    return found


def _find_items_column(header: Sequence[str]) -> int | None:
    """The one column that tells numbers of items; of two nobody can tell which."""
    found = [place for place, name in enumerate(header) if _keep_letters(name) in ITEMS]
    return found[0] if len(found) == 1 else None


def _find_stderr_owner(header: Sequence[str], words: Sequence[str]) -> int | None:
    """The place of the column whose standard errors `words` names: "base_stderr" is of "base"."""
    if len(words) < 2 or words[-1] not in STDERRS:
        return None
    whose = "".join(words[:-1])
    return next((place for place, name in enumerate(header) if _keep_letters(name) == whose), None)


def _keep_letters(name: str) -> str:
    return "".join(re.findall(r"[^\W_]+", fold(name)))


def find_beside(header: Sequence[str]) -> Columns:
    """Find what a table of one score a line tells beside the column `score`."""
    score = next(place for place, name in enumerate(header) if fold(name) == "score")
    stderrs = [place for place, name in enumerate(header) if _keep_letters(name) in STDERRS]
    found = Columns({}, [], [], items=_find_items_column(header))
    return replace(found, stderrs={score: stderrs[0]} if len(stderrs) == 1 else {})


def _is_row_number(name: str, cells: Sequence[str]) -> bool:
    """Tell whether a column of any name counts the rows from 0 or 1: no model's scores do."""
    return name != "base" and len(cells) > 2 and cells[0] in ("0", "1") and _counts_up(cells)


def _counts_up(cells: Sequence[str]) -> bool:
    """Tell whether the cells are whole numbers, each greater by one than the one before."""
    if not all(re.fullmatch(r"[0-9]+(\.0)?", cell) for cell in cells):
        return False
    numbers = [int(float(cell)) for cell in cells]
    return not numbers or numbers == list(range(numbers[0], numbers[0] + len(numbers)))
