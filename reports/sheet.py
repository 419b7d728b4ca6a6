"""A table as plain columns and rows: the one form that every writer takes."""

from dataclasses import dataclass

Value = str | int | float | None


@dataclass(frozen=True)
class Column:
    """`name` heads CSV files, `title` the tables that people read; `form` formats numbers."""

    name: str
    title: str
    form: str = ""
    """A format specification; "" is text or whole numbers."""
    numeric: bool = False

    def show(self, value: Value) -> str:
        """A value as people read it: a dash for None, thousands separated, whole numbers whole."""
        if value is None or value == "":
            return "–"
        if isinstance(value, str):
            return value
        if not self.form:
            return f"{int(value):,d}" if value == int(value) else f"{value:,.2f}"
        return format(value, self.form)


@dataclass(frozen=True)
class Sheet:
    """One table. `name` is its file name without ending, `title` its caption."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]


LANGUAGE, TASK, PRODUCER = (
    Column("language", "Language"),
    Column("task", "Task"),
    Column("producer", "Producer"),
)
