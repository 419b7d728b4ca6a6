"""Markdown that shows a text as it is, whoever wrote it: cells of tables, and texts in fences."""

import re
from collections.abc import Sequence
from typing import Any

from core.text import make_safe

_MARKUP = re.compile(r"([|<>*_`\[\]\\])")


def fence(text: str) -> str:
    """Returns a text between two fences, which are longer than any that it holds."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    mark = "`" * max(3, longest + 1)
    return f"{mark}text\n{make_safe(text)}\n{mark}"


def write_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Writes a table; "None." where it has no rows."""
    lines = [columns, ["---"] * len(columns), *([write_cell(v) for v in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if rows else "None."


def write_cell(value: Any) -> str:
    """Writes a value on one line: a whole number by thousands, a dash for None."""
    if value is None:
        return "–"
    whole = isinstance(value, int) and not isinstance(value, bool)
    text = make_safe(f"{value:,}" if whole else str(value))
    return " ".join(_MARKUP.sub(r"\\\1", text).split())
