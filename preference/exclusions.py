"""Leave out raters by rules that the plan names before the first vote, and by nothing else.

Neither rule can see an arm: failed checks show whether answers were read, and seconds how fast.
So leaving a rater out takes nothing from the validity of a test. What is left out is published
all the same, with its reason, and the result also says what it would be with everyone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from preference.chain import Event
from preference.errors import PackError
from preference.key import Key
from preference.standing import fold_sitting
from preference.timing import compute_median, measure_seconds

LEAST_TIMED = 10
"""Votes with a known time that a rater needs to be left out as too fast."""


@dataclass(frozen=True)
class ExclusionRules:
    """Says who is left out: whoever passes a smaller share of the checks than `checks`, and whose
    votes take fewer than `seconds` in the median. None is no rule."""

    checks: float | None = None
    seconds: float | None = None

    def as_plan(self) -> dict[str, Any]:
        """Make what the plan says of the rules; nothing where there is none."""
        rules = {name: value for name, value in asdict(self).items() if value is not None}
        if not rules:
            return {}
        words = []
        if self.checks is not None:
            words.append(f"raters who pass less than {self.checks:.0%} of their checks")
        if self.seconds is not None:
            words.append(
                f"raters whose votes take less than {self.seconds:g} seconds in the median (of"
                f" {LEAST_TIMED} or more whose time is known)"
            )
        excluded = "repeats, checks, raters who withdrew, " + ", and ".join(words)
        return {"excluded": excluded, "exclusions": rules}


def parse_rules(given: Sequence[str]) -> ExclusionRules:
    """Read `checks=0.67` and `seconds=8`. Raises ValueError saying what is allowed."""
    rules: dict[str, float] = {}
    for one in given:
        name, _, text = one.partition("=")
        allowed = {"checks": (0.0, 1.0), "seconds": (0.0, 120.0)}.get(name)
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if allowed is None or name in rules or not allowed[0] < value <= allowed[1]:
            raise ValueError(
                f"--exclude {one}: it takes checks=SHARE, above 0 to 1, and seconds=NUMBER, above"
                " 0 to 120, each once"
            )
        rules[name] = value
    return ExclusionRules(**rules)


def find_rules(plan: Mapping[str, Any]) -> ExclusionRules:
    """The rules of a plan. Raises PackError for what is none."""
    try:
        told = dict(plan.get("exclusions", {}))
        return ExclusionRules(**{name: float(value) for name, value in told.items()})
    except (TypeError, ValueError) as error:
        raise PackError(f"the plan's exclusions are none ({error})") from None


def find_excluded(key: Key, events: Sequence[Event]) -> dict[int, str]:
    """Slot -> why its votes are left out, by the plan's rules. Who withdrew is not among them.
    Raters are judged by what they did until they were told that enough is known, if ever."""
    rules = find_rules(key.plan)
    if rules == ExclusionRules():
        return {}
    told = next((place for place, e in enumerate(events) if e.kind == "enough"), len(events))
    events = events[:told]
    arm_of = key.map_texts()
    found: dict[int, str] = {}
    for slot, items in enumerate(key.list_items()):
        own = [event for event in events if event.slot == slot]
        sitting = fold_sitting(own)
        if sitting.withdrawn or not sitting.votes:
            continue
        checks = {item.id: item.question for item in items if item.kind == "check"}
        passed = [
            arm_of[vote.body[vote.body["choice"]]][0] == checks[name]
            if vote.body["choice"] != "equal"
            else False
            for name, vote in sitting.votes.items()
            if name in checks
        ]
        standing = {vote.seq for vote in sitting.votes.values()}
        times = [s for seq, s in measure_seconds(own).items() if seq in standing]
        why = []
        if rules.checks is not None and passed and sum(passed) / len(passed) < rules.checks:
            why.append(f"passed {sum(passed)} of {len(passed)} checks")
        median = compute_median(times)
        if (
            rules.seconds is not None
            and median is not None
            and len(times) >= LEAST_TIMED
            and median < rules.seconds
        ):
            why.append(f"took {median:.1f} seconds a vote in the median")
        if why:
            found[slot] = " and ".join(why)
    return found
