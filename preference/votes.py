"""Unblinded votes and guesses as an analysis takes them, from a study or from elsewhere."""

from dataclasses import dataclass
from typing import Literal

Choice = Literal["trained", "base", "equal"]
Kind = Literal["main", "repeat", "check"]
Side = Literal["a", "b"]
Verdict = Literal["good", "bad"]


@dataclass(frozen=True)
class Vote:
    """One unblinded vote. trained_side: where the trained arm stood, or None where a file does not
    say. For a check, `passed` says whether the right answer was chosen and choice is not used.
    base_verdict, trained_verdict: whether the rater called that arm's answer good or bad."""

    rater: str
    question: str
    category: str
    choice: Choice
    trained_side: Side | None = None
    kind: Kind = "main"
    passed: bool | None = None
    base_verdict: Verdict | None = None
    trained_verdict: Verdict | None = None

    @property
    def chosen_side(self) -> Side | None:
        """The side that was chosen; None for a tie, or where it is not known."""
        if self.choice == "equal" or self.trained_side is None:
            return None
        other: Side = "b" if self.trained_side == "a" else "a"
        return self.trained_side if self.choice == "trained" else other


@dataclass(frozen=True)
class Guess:
    """A rater's guess at the end which side was the trained arm."""

    rater: str
    trained_side: Side
    guess: Literal["a", "b", "unknown"]
