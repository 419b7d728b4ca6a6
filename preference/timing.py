"""Measure how long raters took for a vote, from the times of the chain alone."""

import statistics
from collections.abc import Iterable, Sequence
from datetime import datetime

from preference.chain import Event

BREAK = 600.0
"""Seconds between two events after which a rater has paused: nobody knows how long they read."""


def measure_seconds(events: Sequence[Event]) -> dict[int, float]:
    """Event's number -> seconds since the same rater's event before, for the votes of one slot.
    Votes after a pause, and those of a packet, whose times are those of its import, have none."""
    found: dict[int, float] = {}
    before: datetime | None = None
    for event in events:
        if event.kind == "packet":
            return {}
        now = _read_time(event.at)
        if event.kind == "vote" and now is not None and before is not None:
            seconds = (now - before).total_seconds()
            if 0 <= seconds <= BREAK:
                found[event.seq] = seconds
        before = now
    return found


def compute_median(seconds: Iterable[float]) -> float | None:
    """The median; None of nothing."""
    listed = list(seconds)
    return statistics.median(listed) if listed else None


def _read_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
