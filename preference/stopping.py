"""Weigh the votes of a study by the rule of its plan that says when they are enough.

The raters' server holds no names, and so cannot weigh votes. Whoever holds the key looks (`look`):
what comes of it is one bit, go on or enough, and nothing of which arm is ahead. Enough is said to
the server by a word that the key alone gives and whose hash is in the pack. `verify` weighs all
votes again in the order of the chain, and says whether the word was said too early.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from preference.chain import Event
from preference.errors import PackError
from preference.evidence import Tally
from preference.exclusions import find_excluded
from preference.key import Key
from preference.rule import StoppingRule, find_rule, make_word
from preference.standing import Sitting
from preference.statistics import ConfidenceInterval


@dataclass(frozen=True)
class Moment:
    """A point of the chain: the event's number, and how many votes on prompts stood then."""

    seq: int
    votes: int


@dataclass(frozen=True)
class StoppingOutcome:
    """The votes weighed again in the order of the chain.

    peak: the largest e-value, with `peak_units` by clusters; last: the one of all votes. reached:
    when it first passed the threshold; told: when raters were told. interval: of the net
    preference. prompts: how many prompts counted; planned: votes of all raters on all prompts.
    withdrawn: a rater has withdrawn, whose votes nobody can weigh again.
    """

    rule: StoppingRule
    peak: float
    peak_units: Mapping[str, float]
    last: float
    reached: Moment | None
    told: Moment | None
    votes: int
    planned: int
    prompts: int
    interval: ConfidenceInterval | None
    withdrawn: bool


def recompute_stopping(
    key: Key, events: Sequence[Event], *, everyone: bool = False
) -> StoppingOutcome:
    """Weighs the votes of a study after each of them. everyone: those of raters, too, whom the
    plan leaves out. Raises PackError where the plan has no rule."""
    rule = find_rule(key.plan)
    if rule is None:
        raise PackError("the study's plan has no stopping rule")
    items = [{item.id: item for item in slot if item.kind == "main"} for slot in key.list_items()]
    enough = next((event.seq for event in events if event.kind == "enough"), None)
    withdrawn = {event.slot for event in events if event.kind == "withdraw"}
    gone = withdrawn | (set() if everyone else find_excluded(key, events).keys())
    panel = {
        event.slot
        for event in events
        if event.kind in ("enrol", "packet") and (enough is None or event.seq < enough)
    } - gone
    needed = {
        row[0]: sum(row[0] in {i.question for i in items[slot].values()} for slot in panel)
        for row in key.content.rows
    }
    tally = Tally(rule, needed)
    read = _make_reader(key)
    sittings = [Sitting() for _ in items]
    peak_units, last = tally.weigh(), 0.0
    reached: Moment | None = None
    told: Moment | None = None
    for event in events:
        if event.kind == "enough":
            told = Moment(event.seq, len(tally.scores))
        if event.slot < 0 or event.slot in gone:
            continue
        sitting = sittings[event.slot]
        sitting.take(event)
        item = items[event.slot].get(str(event.body.get("item")))
        if item is None or event.kind not in ("vote", "undo"):
            continue
        standing = sitting.votes.get(item.id)
        tally.take(event.slot, item.question, None if standing is None else read(standing))
        units = tally.weigh()
        last = min(units.values())
        if last > min(peak_units.values()):
            peak_units = units
        if reached is None and last >= math.log(rule.threshold):
            reached = Moment(event.seq, len(tally.scores))
    return StoppingOutcome(
        rule=rule,
        peak=_compute_exponential(min(peak_units.values())),
        peak_units={name: _compute_exponential(weighed) for name, weighed in peak_units.items()},
        last=_compute_exponential(last),
        reached=reached,
        told=told,
        votes=len(tally.scores),
        planned=sum(map(len, items)),
        prompts=len(tally.complete if rule.over == "panel" else tally.prompts),
        interval=tally.find_interval(),
        withdrawn=bool(withdrawn),
    )


def find_problems(key: Key, events: Sequence[Event]) -> tuple[str, list[str]]:
    """Say what became of the rule, and what is wrong with it: a word that is not the key's, or one
    that was said before the votes gave it."""
    said = [event for event in events if event.kind == "enough"]
    if find_rule(key.plan) is None:
        what = ["raters were told enough, and the plan has no stopping rule"] if said else []
        return "stopping rule: none", what
    done = recompute_stopping(key, events)
    problems = [
        f"event {event.seq}: the word for enough is not the key's"
        for event in said
        if event.body.get("word") != make_word(key.secret)
    ]
    if done.told is None:
        where = "never" if done.reached is None else f"at vote {done.reached.votes}, untold"
        return f"stopping rule: enough {where}, weighed again", problems
    name = f"stopping rule: raters told enough at vote {done.told.votes}"
    if done.reached is not None and done.reached.seq < done.told.seq:
        return f"{name}, which it was at vote {done.reached.votes}, weighed again", problems
    if done.withdrawn:
        return f"{name}; since a rater withdrew, this cannot be weighed again", problems
    problems.append(
        f"raters were told enough at vote {done.told.votes}, and up to there the votes do not give"
        f" an e-value of {done.rule.threshold:g}"
    )
    return name, problems


def _compute_exponential(logarithm: float) -> float:
    # A study of a thousand clusters could pass the largest number there is.
    return math.exp(min(logarithm, 700.0))


def _make_reader(key: Key) -> Callable[[Event], int]:
    arm_of = key.map_texts()

    def read(vote: Event) -> int:
        if vote.body["choice"] == "equal":
            return 0
        return 1 if arm_of[vote.body[vote.body["choice"]]][1] == key.trained else -1

    return read
