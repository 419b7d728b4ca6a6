"""Holds what `prepare` is told, and says all at once what of it is not allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.text import has_visible_text
from preference.checking import ALLOWED, LEFT_OUT
from preference.normalise import clean_text

# A rater's hidden repeats, wrong-prompt checks, and prompts on which to guess at the end.
DEFAULTS: Mapping[str, int] = {"repeats": 8, "checks": 3, "guesses": 4}
MOST_RATERS = 200
# In characters. A longer title pushes the first answer off a phone's screen.
LONGEST = {"title": 120, "contact": 300}


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """The settings of a study that is about to be prepared.

    study: its directory; pack, key: where both are written. base, trained: an arm's answers as
    `NAME=FILE`, None for what `answer` wrote in the study's directory. raters: how many at most.
    repeats, checks, guesses: None for the usual number (DEFAULTS), fewer where there are few
    questions. title, contact: what raters read at the top, and whom they may ask. verdicts: they
    also say of each answer if it is good or bad. messages: a file with the raters' words. hide:
    further strings that would name a model. leave_out, allow: kinds of findings, see `checking`.
    plan: what else the analysis is bound to, in words.
    """

    study: Path
    pack: Path
    key: Path
    base: str | None = None
    trained: str | None = None
    raters: int = 2
    repeats: int | None = None
    checks: int | None = None
    guesses: int | None = None
    title: str = ""
    contact: str = ""
    verdicts: bool = False
    messages: Path | None = None
    hide: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    plan: str = ""

    @property
    def title_line(self) -> str:
        """The title as raters read it: one line."""
        return _join_lines(self.title)

    @property
    def contact_line(self) -> str:
        """The contact as raters read it: one line."""
        return _join_lines(self.contact)

    def counts(self, questions: int) -> dict[str, int]:
        """Count the repeats, checks and guesses there are with so many questions."""
        counts = {}
        for name, usual in DEFAULTS.items():
            given = getattr(self, name)
            counts[name] = min(usual, _find_most(name, questions)) if given is None else given
        return counts

    def list_problems(self, questions: int) -> list[str]:
        """Each option whose value is not allowed with so many questions, and what is allowed."""
        found = []
        if not 1 <= self.raters <= MOST_RATERS:
            found.append(f"--raters {self.raters}: allowed are 1 to {MOST_RATERS}")
        for name, number in self.counts(questions).items():
            allowed = f"allowed are 0 to {_find_most(name, questions)} with {questions} questions"
            if not 0 <= number <= _find_most(name, questions):
                found.append(f"--{name} {number}: {allowed}")
        lines = {"title": self.title_line, "contact": self.contact_line}
        found += [
            f"--{option}: {len(line)} characters; allowed are {LONGEST[option]}"
            for option, line in lines.items()
            if len(line) > LONGEST[option]
        ]
        kinds = (("leave-out", self.leave_out, LEFT_OUT), ("allow", self.allow, ALLOWED))
        found += [
            f"--{option} {kind}: it takes {', '.join(possible)}"
            for option, given, possible in kinds
            for kind in sorted(set(given) - set(possible))
        ]
        if not all(map(has_visible_text, self.hide)):
            found.append("--hide '': a word to look for is needed")
        return found


def _find_most(name: str, questions: int) -> int:
    """A check needs the answer to another question, so there is one fewer than questions."""
    return max(0, questions - (name == "checks"))


def _join_lines(text: str) -> str:
    return " ".join(clean_text(text).split())
