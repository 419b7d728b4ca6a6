"""How many rows each source asked for and kept."""

from collections.abc import Mapping
from typing import Any

from reports.store.model import StoreView
from reports.tables.facts import get_about, get_lines, get_number
from reports.tables.sheet import KEY, LANGUAGE, Column, Sheet, Value


def tabulate_yields(view: StoreView) -> Sheet:
    """What each step of a source asked for and kept, then the rows that it wrote.

    `asked`, `answered` and `parsed` count requests, `kept` what the step handed on; `lost` names
    each reason with its count.
    """
    counts = ("asked", "answered", "parsed", "kept")
    columns = (
        LANGUAGE,
        Column("source", "Source"),
        KEY,
        Column("step", "Step"),
        *(Column(name, name.capitalize(), numeric=True) for name in counts),
        Column("lost", "Lost", prose=True),
    )
    rows: list[tuple[Value, ...]] = []
    for a in view.stage("source"):
        head = (get_about(a, "language"), get_about(a, "source"), a.key[:8])
        for step in get_lines(a.facts.get("steps")):
            numbers = (get_number(step, name) for name in counts)
            name = str(step.get("step", "")).removeprefix(f"{get_about(a, 'source')}.")
            rows.append((*head, name, *numbers, _list_reasons(step)))
        rows.append((*head, "written", None, None, None, get_number(a.facts, "rows"), ""))
    return Sheet(columns, tuple(rows))


def _list_reasons(step: Mapping[str, Any]) -> str:
    reasons = step.get("reasons")
    found = reasons.items() if isinstance(reasons, dict) else ()
    return ", ".join(f"{reason} {count}" for reason, count in found)
