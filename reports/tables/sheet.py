"""A table as plain columns and rows: the one form that every writer takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from core.tasks import show_task
from reports.signs import set_minus

Value = str | int | float | None
Mark = Literal["best", "best_equal"]


@dataclass(frozen=True)
class Column:
    """`name` heads CSV files, `title` the tables that people read; `form` formats numbers."""

    name: str
    title: str
    form: str = ""
    """A format specification; "" is text or whole numbers."""
    numeric: bool = False
    prose: bool = False
    """Whether its texts may be long: writers let them run over several lines."""
    code: bool = False
    """Whether its texts are for machines: a key, a hash or a command."""
    spare: bool = False
    """Whether a screen, which is short of room, leaves it out."""
    group: str = ""
    """What stands in print above it and its neighbours of the same group."""

    def show(self, value: Value) -> str:
        """A value as people read it: a dash for None, thousands separated, whole numbers whole."""
        if value is None or value == "":
            return "–"
        if isinstance(value, str):
            return value
        if self.form == "p":
            return "< 0.001" if value < 0.001 else f"{value:.3f}"
        if not self.form:
            return f"{int(value):,d}" if value == int(value) else f"{value:,.2f}"
        return set_minus(format(value, self.form))


_PLAIN: frozenset[Mark] = frozenset()


class SheetCell(NamedTuple):
    """One value of a table, its column, and how it stands out."""

    column: Column
    value: Value
    marks: frozenset[Mark]

    @property
    def text(self) -> str:
        """The value as people read it."""
        return self.column.show(self.value)


@dataclass(frozen=True)
class Sheet:
    """One table. `name` is its file name without ending, `title` its caption: a section gives both.

    `marks` is (row, column) to how the cell stands out; files that programs read leave it out.
    `notes` are for people: what they must know to read it. `has_total`: the last row is the sum of
    the others.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    notes: tuple[str, ...] = ()
    marks: Mapping[tuple[int, int], frozenset[Mark]] = field(default_factory=dict)
    has_total: bool = False
    name: str = ""
    title: str = ""

    def list_cells(self) -> list[list["SheetCell"]]:
        """List the cells of each row as people read them."""
        rows = [
            [
                SheetCell(column, value, _PLAIN)
                for column, value in zip(self.columns, row, strict=True)
            ]
            for row in self.rows
        ]
        for (row, place), marks in self.marks.items():
            rows[row][place] = rows[row][place]._replace(marks=marks)
        return rows

    def tidy_for_people(self, hidden: tuple[str, ...] = ()) -> "Sheet":
        """Leave out hidden columns, empty ones, and one value that every row would repeat.

        Names of tasks become those that readers know.
        """
        kept = [
            place
            for place, column in enumerate(self.columns)
            if column.name not in hidden
            and any(row[place] not in (None, "") for row in self.rows)
            and not (
                column.name in ("language", "producer")
                and len(self.rows) > 1
                and len({row[place] for row in self.rows}) == 1
            )
        ]
        columns = tuple(self.columns[place] for place in kept)
        rows = tuple(
            tuple(
                show_task(str(row[p])) if self.columns[p].name == "task" else row[p] for p in kept
            )
            for row in self.rows
        )
        marks = {
            (row, kept.index(column)): mark
            for (row, column), mark in self.marks.items()
            if column in kept
        }
        return replace(self, columns=columns, rows=rows, marks=marks)


LANGUAGE, TASK, PRODUCER = (
    Column("language", "Language"),
    Column("task", "Task"),
    Column("producer", "Producer"),
)
KEY = Column("key", "Artifact", code=True, spare=True)
# Of a gain: whose, and from what to what.
GAIN_COLUMNS = (
    LANGUAGE,
    TASK,
    PRODUCER,
    Column("base", "Base", ".1f", numeric=True),
    Column("score", "Score", ".1f", numeric=True),
    Column("gain", "Gain", "+.1f", numeric=True),
)
