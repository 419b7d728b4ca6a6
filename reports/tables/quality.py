"""Findings of the checks of the training data."""

from collections.abc import Iterator, Mapping
from typing import Any

from reports.store.model import StoreView
from reports.tables.facts import get_about, get_number
from reports.tables.sheet import KEY, LANGUAGE, Column, Sheet, Value


def tabulate_quality(view: StoreView) -> Sheet:
    """What the checks of the training data found: flags, languages, rows dropped, contamination.

    Read from the facts `quality` and `contamination` of sources, mixtures and contamination checks.
    `share` is of the rows that were looked at, 0-1; None where their number was not recorded. What
    a contamination check could not look for has its reason and no count.
    """
    columns = (
        LANGUAGE,
        Column("stage", "Stage", spare=True),
        Column("what", "What"),
        KEY,
        Column("check", "Check"),
        Column("found", "Found", prose=True),
        Column("count", "Rows", numeric=True),
        Column("share", "Share", ".1%", numeric=True),
    )
    rows: list[tuple[Value, ...]] = []
    for stage in ("source", "mixture", "contamination"):
        for a in view.stage(stage):
            what = get_about(a, "source") or get_about(a, "mix")
            for check, found, count, of in _find_quality(a.facts):
                share = count / of if of and count is not None else None
                head = (get_about(a, "language"), stage, what, a.key[:8])
                rows.append((*head, check, found, count, share))
    return Sheet(columns, tuple(rows))


def _find_quality(
    facts: Mapping[str, Any],
) -> Iterator[tuple[str, str, int | float | None, int | float]]:
    """(check, found, count, rows looked at) of each count above zero; and of a contamination check
    also that it found nothing, how much it looked for, and what it could not look for."""
    quality = facts.get("quality")
    if isinstance(quality, dict):
        of = get_number(quality, "rows") or 0
        for name in ("in_language", "other_language", "undetermined_language"):
            if count := get_number(quality, name):
                yield "language", name.replace("_", " "), count, of
        for check in ("flags", "dropped"):
            for name, count in _sort_counts(quality.get(check)):
                yield check, name, count, of
    of = get_number(facts, "rows") or 0
    contaminated = get_number(facts, "contaminated_rows")
    if contaminated is not None:
        yield "contamination", "rows with a benchmark's text", contaminated, of
    for name, count in _sort_counts(facts.get("contamination")):
        yield "contamination", name, count, of
    if (items := get_number(facts, "items")) is not None:
        short, found = get_number(facts, "too_short") or 0, get_number(facts, "found_items") or 0
        note = f"looked for {items:,} texts: {found:,} found, {short:,} too short to tell"
        yield "contamination", note, None, 0
    unchecked = facts.get("unchecked")
    for name, why in unchecked.items() if isinstance(unchecked, dict) else ():
        yield "contamination", f"{name} was not looked for: {why}", None, 0


def _sort_counts(value: object) -> list[tuple[str, int | float]]:
    found = value.items() if isinstance(value, dict) else ()
    return sorted((str(name), count) for name, count in found if isinstance(count, int | float))
