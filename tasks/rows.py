"""The values of a row, checked in one place, wherever it was read from.

A reader (`tasks.files`, `tasks.hub`, a benchmark's own) gives `Raw` rows: where each stands, and
its cells as they were found. `check` makes text of them, or names every row that makes no sense;
`leave_out` takes out those that have nothing to ask.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from core.text import find_lone_surrogate, fold, has_visible_text
from tasks.errors import DataMalformed

# The used columns of a row as text, whichever format it was read from.
Row = dict[str, str]

REMEDY = "mend these rows, or leave them out of the file"
_MOST_NAMED = 3
_SHOWN = 40


@dataclass(frozen=True)
class Raw:
    """A row as it was found. `file` and `place` ("line 7") tell a person where."""

    file: str
    place: str
    cells: Mapping[str, Any]


@dataclass(frozen=True)
class RowColumn:
    """A column, and the values that it may hold.

    text: any text. Nothing that can be seen leaves the row out.
    line: as text, in one line without a tab: a sentence of a file of lines or a TSV.
    key: a text or whole number by which the row is known; never empty.
    label: one of `allowed`, whatever its case and outer white space; `hint` helps who has another.
    """

    name: str
    kind: Literal["text", "line", "key", "label"] = "text"
    allowed: tuple[str, ...] = ()
    hint: str = ""

    def as_text(self, value: Any) -> str:
        """Returns the value as text; "" for a missing one. Raises ValueError, in words that
        follow the column's name, for what cannot be one."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            value = ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            kind = {list: "a list", dict: "an object", bool: "true or false", float: "a fraction"}
            found = kind.get(type(value), type(value).__name__)
            raise ValueError(f"is {_show_value(value)}, {found}; text is wanted")
        # A mark that joining two files left inside of one.
        text = str(value).removeprefix("\ufeff")
        half = find_lone_surrogate(text)
        if half:
            raise ValueError(f"holds half of a character, {half}")
        if "\0" in text:
            raise ValueError("holds a NUL byte")
        if self.kind in ("text", "line"):
            if self.kind == "line" and any(mark in text for mark in "\t\n\r"):
                raise ValueError(
                    "holds a tab or a line break, as where a stray quote mark joins rows"
                )
            return text
        if text in self.allowed:
            return text
        if not has_visible_text(text):
            raise ValueError("is empty")
        if self.kind == "key":
            return text.strip()
        for label in self.allowed:
            if fold(text) == fold(label):
                return label
        raise ValueError(
            f"is {_show_value(text)}, allowed are {', '.join(self.allowed)}{self._hint}"
        )

    @property
    def _hint(self) -> str:
        return f" ({self.hint})" if self.hint else ""


def read_asides(raw: Raw, columns: Sequence[RowColumn]) -> Row:
    """Returns those of `columns` that a row has and that make sense; no row is refused for them."""
    found: Row = {}
    for column in columns:
        with suppress(ValueError):
            found[column.name] = column.as_text(raw.cells.get(column.name))
    return found


@dataclass(frozen=True)
class LeftOut:
    """A row that is not asked, since `columns` have nothing that can be seen."""

    place: str
    position: int
    columns: tuple[str, ...]


def check(raws: Sequence[Raw], columns: Sequence[RowColumn], identity: Sequence[str]) -> list[Row]:
    """Returns the `columns` of all rows as text, blank ones as "" or what was there.

    `identity` names the columns that tell one row from another. Raises `DataMalformed`, which names
    the first rows that make no sense with their places, what is wrong with each, and the remedy.
    """
    rows: list[Row] = []
    wrong: list[str] = []
    known: dict[str, str] = {}
    for raw in raws:
        row: Row = {}
        faults: list[str] = []
        for column in columns:
            if column.name not in raw.cells:
                faults.append(f"no {column.name}")
                continue
            try:
                row[column.name] = column.as_text(raw.cells[column.name])
            except ValueError as error:
                faults.append(f"{column.name} {error}")
        if not faults:
            name = identify(row, identity)
            if name in known:
                faults.append(f"repeats {', '.join(identity)} {_show_value(name)} of {known[name]}")
            known.setdefault(name, raw.place)
        if faults:
            wrong.append(f"{raw.place}: {', '.join(faults)}")
        rows.append(row)
    if wrong:
        raise DataMalformed(f"{raws[0].file}, {list_wrong(wrong)}. Remedy: {REMEDY}")
    return rows


def leave_out(
    raws: Sequence[Raw],
    rows: Sequence[Row],
    columns: Sequence[RowColumn],
    asides: Sequence[RowColumn] = (),
) -> tuple[list[Row], list[LeftOut]]:
    """Returns the rows that can be asked, with what `asides` say of them, and those that lack a
    text."""
    kept: list[Row] = []
    left: list[LeftOut] = []
    for position, (raw, row) in enumerate(zip(raws, rows, strict=True)):
        blank = [column.name for column in columns if not has_visible_text(row[column.name])]
        if blank:
            left.append(LeftOut(raw.place, position, tuple(blank)))
        else:
            kept.append(row | read_asides(raw, asides))
    return kept, left


def number_rows(raws: Sequence[Raw]) -> list[Raw]:
    """Returns the rows of a benchmark that does not tell them apart, with their position from 1 as
    `id`."""
    return [
        Raw(raw.file, raw.place, {**raw.cells, "id": number}) for number, raw in enumerate(raws, 1)
    ]


def identify(row: Row, identity: Iterable[str]) -> str:
    """Returns the benchmark's own name of a row: the values of its columns of `identity`."""
    return "#".join(row[column] for column in identity)


def list_wrong(wrong: Sequence[str]) -> str:
    """Returns the first rows that are wrong, and how many more there are."""
    more = len(wrong) - _MOST_NAMED
    return "; ".join(wrong[:_MOST_NAMED]) + (f"; and {more} more rows" if more > 0 else "")


def read_texts(*names: str) -> tuple[RowColumn, ...]:
    return tuple(RowColumn(name) for name in names)


def read_keys(*names: str) -> tuple[RowColumn, ...]:
    return tuple(RowColumn(name, "key") for name in names)


def _show_value(value: Any) -> str:
    """Returns a value in a message, cut where it is long."""
    shown = (
        ascii(value) if not isinstance(value, str) or find_lone_surrogate(value) else repr(value)
    )
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
