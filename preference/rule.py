"""The rule that says when votes are enough: part of the plan that the commitment binds.

Light, since the raters' server reads it; how votes are weighed stands in `evidence.py`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from preference.commitment import derive_bytes
from preference.errors import PackError

OVER = ("speakers", "panel")
LEAST_SPEAKERS = 10
"""Raters without whom a claim about speakers can hardly come early: evidence rater by rater doubles
with each of them at most, and half of the first is lost to the other side."""


@dataclass(frozen=True)
class StoppingRule:
    """Says when votes are enough.

    over: `speakers`, where the claim is about speakers like the raters, so that both prompts and
    raters are clusters, each alone has to show it, and the smaller e-value counts; or `panel`,
    where it is about these raters, and a prompt counts once each of them has voted on it. level:
    of the test; worth: the share of decisive votes that is worth finding.
    """

    over: str
    level: float = 0.05
    worth: float = 0.6

    @property
    def threshold(self) -> float:
        """The e-value at which votes are enough."""
        return 1 / self.level


def describe_rule(rule: StoppingRule) -> dict[str, Any]:
    """Make what the plan says of the rule, instead of its primary test and estimate."""
    which = (
        "prompt by prompt and rater by rater, the smaller of the two"
        if rule.over == "speakers"
        else "prompt by prompt, once all raters have voted on it"
    )
    return {
        "primary": (
            f"e-process, {which}; it may be looked at after every vote, and its largest value E"
            f" gives p = 1 / E; level {rule.level:g}"
        ),
        "estimate": (
            "net preference, wins, ties and losses; of net preference a confidence sequence"
            f" at {1 - rule.level:.0%}, which is valid whenever votes stop"
        ),
        "stopping": {"over": rule.over, "level": rule.level, "worth": rule.worth},
    }


def find_rule(plan: Mapping[str, Any]) -> StoppingRule | None:
    """The rule that a plan has, or None. Raises PackError for one that is none."""
    told = plan.get("stopping")
    if told is None:
        return None
    try:
        rule = StoppingRule(str(told["over"]), float(told["level"]), float(told["worth"]))
    except (TypeError, KeyError, ValueError) as error:
        raise PackError(f"the plan's stopping rule is none ({error})") from None
    if rule.over not in OVER or not 0 < rule.level < 1 or not 0.5 < rule.worth < 1:
        raise PackError(f"the plan's stopping rule is none ({told})")
    return rule


def make_word(secret: bytes) -> str:
    """The word that says enough, 64 hex digits."""
    return derive_bytes(secret, "enough").hex()


def hash_word(word: str) -> str:
    """Hash the word for the pack, which thus knows the word and cannot say it."""
    return hashlib.sha256(word.encode("utf-8")).hexdigest()
