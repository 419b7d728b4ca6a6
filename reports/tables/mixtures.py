"""How much each training mixture took of each source."""

from collections.abc import Mapping
from typing import Any

from reports.store.model import Artifact, StoreView
from reports.tables.facts import get_about, get_lines, get_number
from reports.tables.sheet import KEY, LANGUAGE, Column, Sheet, Value


def tabulate_mixtures(view: StoreView) -> Sheet:
    """What each mixture took of each source. Shares are 0-1; `fertility` is tokens per word.

    `budget` is of the whole mixture, in `unit`, and stands in its last line, which is of `all` its
    sources where there are several; of `untrainable` rows (too long, or with special tokens as
    text) the trainer takes nothing, of `truncated` ones not all; `excluded` were named.
    """
    columns = (
        LANGUAGE,
        Column("mix", "Mixture"),
        KEY,
        Column("source", "Source"),
        Column("weight", "Weight", "g", numeric=True, spare=True),
        Column("budget", "Budget", numeric=True),
        Column("unit", "Unit"),
        Column("rows", "Rows", numeric=True),
        Column("share", "Share", ".0%", numeric=True),
        Column("tokens", "Tokens", numeric=True),
        Column("available", "Available", numeric=True),
        Column("untrainable", "Untrainable", numeric=True),
        Column("truncated", "Truncated", numeric=True),
        Column("excluded", "Left out", numeric=True),
        Column("token_share", "Share of tokens", ".0%", numeric=True),
        Column("fertility", "Tokens per word", ".2f", numeric=True),
        Column("characters", "Characters", numeric=True),
    )
    rows: list[tuple[Value, ...]] = []
    for a in view.stage("mixture"):
        budget = get_number(a.facts, "budget")
        unit = str(a.facts.get("unit", "")) if budget is not None else ""
        packed, table = _find_packed(view, a), get_lines(a.facts.get("table"))
        head, whole = (get_about(a, "language"), get_about(a, "mix"), a.key[:8]), (budget, unit)
        for line in table:
            source = str(line.get("source", ""))
            taken = packed.get(source, {})
            rows.append(
                (
                    *(*head, source, get_number(line, "weight")),
                    *(whole if len(table) == 1 else (None, "")),
                    *(get_number(line, name) for name in ("rows", "share", "tokens", "available")),
                    get_number(line, "untrainable"),
                    get_number(taken, "truncated"),
                    *(get_number(line, name) for name in ("excluded", "token_share", "fertility")),
                    get_number(line, "characters"),
                )
            )
        if len(table) > 1:
            size = (get_number(a.facts, "rows"), 1.0, get_number(a.facts, "tokens"))
            rest = len(columns) - len((*head, "all", None, *whole, *size))
            rows.append((*head, "all", None, *whole, *size, *(None,) * rest))
    return Sheet(columns, tuple(rows))


def _find_packed(view: StoreView, mixture: Artifact) -> Mapping[str, Mapping[str, Any]]:
    """What became of each source's rows in packing; the same however the rows were packed."""
    for a in view.stage("packed"):
        found = a.facts.get("sources")
        if ("mixture", mixture.key) in a.inputs and isinstance(found, dict):
            return {name: line for name, line in found.items() if isinstance(line, dict)}
    return {}
