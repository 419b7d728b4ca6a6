"""The sentences on base score and gain, each of which follows from an interval.

Simulation counts how often they are false, as it counts what a test rejects: see `scripts/bench
statistics` and docs/log.md.
"""

from typing import TYPE_CHECKING, Literal

from reports.stats.decoupled import MOST_NOISE, find_side

if TYPE_CHECKING:
    from core.statistics import Interval
    from reports.stats.correlation import BaseAndGain

Relation = Literal["lower", "higher", "noise", "unknown_noise", "none", "nothing"]
"""Which languages gain more, those with a lower or a higher base score; or why that is not told:
item noise may make what is seen, or might as nobody tells how large it is; nothing is seen; nothing
can be computed."""


def relate(found: "BaseAndGain") -> Relation:
    """Say what may be concluded, by the interval of the slope that is free of shared noise."""
    free = found.decoupled
    if free.slope is None or free.slope.interval is None:
        return "nothing"
    if find_side(free.slope) > 0:
        return "higher"
    if free.explained_by is None:
        return "none"
    if found.noise_known:
        return "lower" if find_side(free.slope) < 0 else "noise"
    return "lower" if free.explained_by >= MOST_NOISE else "unknown_noise"


def conclude(found: "BaseAndGain") -> str:
    """Say whether languages with a low base score gain more, in one or two plain sentences."""
    free = found.decoupled
    noise = f"{free.explained_by or 0:.1f} points{_as_items(found)}"
    match relate(found):
        case "lower" if not free.exact:
            return (
                f"Languages with a lower base score gain more; it would take item noise of {noise} "
                "in a base score to make that, and so many items cannot have as much."
                + _warn_of_decisive(found)
            )
        case "lower" if found.noise_known:
            return (
                "Languages with a lower base score gain more; item noise does not explain it."
                + _warn_of_decisive(found)
            )
        case "lower":
            return (
                "Languages with a lower base score gain more, unless the item noise of a base "
                f"score, which the table does not tell, is above {noise}."
                + _warn_of_decisive(found)
            )
        case "higher":
            return "Languages with a higher base score gain more." + _warn_of_decisive(found)
        case "unknown_noise":
            return (
                "It cannot be told whether base score and gain are related: the gain contains "
                f"minus the base score, so that item noise of {noise} in it would do to make what "
                "is seen, and the table does not tell how large it is."
            )
        case "noise":
            return (
                "Base and gain correlate, but the gain contains minus the base score: item noise "
                "in it may be all that makes it."
            )
        case "none":
            return "No relation between base score and gain can be told from these languages."
    why = found.pearson.why or free.why or "an interval needs five languages"
    return f"Nothing can be concluded: {why}."


def compare_spreads(found: "BaseAndGain") -> str:
    """Say whether the languages come closer together, by Oldham's correlation; "" without one."""
    interval = found.oldham.interval
    if interval is None:
        return ""
    if not _is_clear(interval):
        return "Whether the languages come closer together cannot be told."
    which = "closer together" if interval.high < 0 else "further apart"
    return f"The languages' trained scores lie {which} than their base scores."


def _is_clear(interval: "Interval | None") -> bool:
    return interval is not None and not interval.low <= 0 <= interval.high


def _warn_of_decisive(found: "BaseAndGain") -> str:
    """A warning where the conclusion needs certain languages."""
    places = found.decoupled.decisive
    if not places:
        return ""
    if len(places) > 3 or not found.languages:
        return f" Without one of {len(places)} of the languages that could not be told."
    listed = " or ".join(found.languages[place] for place in places)
    return f" Without {listed} that could not be told."


def _as_items(found: "BaseAndGain") -> str:
    """The number of items that have so much noise, where a score is their accuracy."""
    sd = found.decoupled.explained_by
    if not sd or not found.one_item:
        return ""
    return f" (that of {found.one_item / sd**2:,.0f} items)"
