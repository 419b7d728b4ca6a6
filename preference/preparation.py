"""Holds what `prepare` is told, and says all at once what of it is not allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.text import has_visible_text
from preference.checking import ALLOWED, LEFT_OUT
from preference.errors import AnswersError
from preference.exclusions import parse_rules
from preference.normalise import clean_text
from preference.rule import LEAST_SPEAKERS, OVER, StoppingRule

# A rater's hidden repeats, wrong-prompt checks, and prompts on which to guess at the end.
DEFAULTS: Mapping[str, int] = {"repeats": 8, "checks": 3, "guesses": 4}
MOST_RATERS = 200
# In characters. A longer title pushes the first answer off a phone's screen.
LONGEST = {"title": 120, "contact": 300, "consent": 20_000}


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """The settings of a study that is about to be prepared.

    study: its directory; pack, key: where both are written. base, trained: an arm's answers as
    `NAME=FILE`, None for what `answer` wrote in the study's directory. raters: how many at most.
    repeats, checks, guesses: None for the usual number (DEFAULTS), fewer where there are few
    questions. title, contact: what raters read at the top, and whom they may ask. verdicts: they
    also say of each answer if it is good or bad. messages: a file with the raters' words. hide:
    further strings that would name a model. leave_out, allow: kinds of findings, see `checking`.
    plan: what else the analysis is bound to, in words. consent: a file with the study's own words
    on taking part, in the raters' language. practice: begin with two examples. part: how many
    questions each rater gets, None for all.
    stop: whom the claim is about that may come
    early (`rule.OVER`), or None where all votes are waited for; worth: the share of decisive votes
    that is worth finding. exclude: who is left out afterwards, see `exclusions.parse_rules`.
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
    consent: Path | None = None
    practice: bool = True
    part: int | None = None
    stop: str | None = None
    worth: float = 0.6
    exclude: tuple[str, ...] = ()

    @property
    def rule(self) -> StoppingRule | None:
        """The rule that says when votes are enough."""
        return None if self.stop is None else StoppingRule(self.stop, worth=self.worth)

    @property
    def title_line(self) -> str:
        """The title as raters read it: one line."""
        return _join_lines(self.title)

    @property
    def contact_line(self) -> str:
        """The contact as raters read it: one line."""
        return _join_lines(self.contact)

    def read_consent(self) -> str:
        """The study's own words on taking part, cleaned; "" without. Raises AnswersError where the
        file cannot be read, or holds nothing, or more than a rater would read."""
        if self.consent is None:
            return ""
        try:
            text = clean_text(self.consent.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise AnswersError(
                f"--consent {self.consent}: cannot be read ({error}). Remedy: a text file in UTF-8"
            ) from None
        if not 0 < len(text) <= LONGEST["consent"]:
            raise AnswersError(
                f"--consent {self.consent}: {len(text)} characters; allowed are 1 to"
                f" {LONGEST['consent']}"
            )
        return text

    def counts(self, questions: int) -> dict[str, int]:
        """Count the repeats, checks and guesses a rater gets with so many questions in all. Who
        gets a part of them gets fewer repeats: one of ten, and two at least."""
        each = min(self.part or questions, questions)
        counts = {}
        for name, usual in DEFAULTS.items():
            if self.part and name == "repeats":
                usual = min(usual, max(2, each // 10))
            given = getattr(self, name)
            counts[name] = min(usual, _find_most(name, each)) if given is None else given
        return counts

    def count_raters_of_each(self, questions: int) -> tuple[int, int]:
        """The fewest and the most raters that a question gets."""
        if not self.part:
            return self.raters, self.raters
        whole, rest = divmod((self.raters + 1) // 2 * self.part, questions)
        most = 2 * (whole + bool(rest))
        # The last rater of an odd number has no partner.
        return max(0, 2 * whole - self.raters % 2), min(most, self.raters)

    def list_problems(self, questions: int) -> list[str]:
        """Each option whose value is not allowed with so many questions, and what is allowed."""
        found = []
        if not 1 <= self.raters <= MOST_RATERS:
            found.append(f"--raters {self.raters}: allowed are 1 to {MOST_RATERS}")
        if self.part is not None and not 1 <= self.part <= questions:
            found.append(
                f"--part {self.part}: allowed are 1 to {questions}, the questions there are"
            )
        elif (fewest := self.count_raters_of_each(questions)[0]) < 1 and self.part:
            needed = 2 * -(-questions // self.part)
            found.append(
                f"--part {self.part} with --raters {self.raters}: some questions would be rated by"
                f" {fewest} people. Remedy: --raters {needed} or more, or a larger --part"
            )
        each = min(self.part or questions, questions)
        for name, number in self.counts(questions).items():
            allowed = f"allowed are 0 to {_find_most(name, each)} with {each} questions a rater"
            if not 0 <= number <= _find_most(name, each):
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
        if self.stop == "speakers" and self.raters < LEAST_SPEAKERS:
            found.append(
                f"--stop speakers with --raters {self.raters}: so few can hardly show before the"
                f" end what speakers prefer. Remedy: {LEAST_SPEAKERS} raters or more, or --stop"
                " panel for a claim about these raters"
            )
        if self.stop is not None and self.stop not in OVER:
            found.append(f"--stop {self.stop}: it takes {' or '.join(OVER)}")
        try:
            parse_rules(self.exclude)
        except ValueError as error:
            found.append(str(error))
        if not 0.52 <= self.worth <= 0.95:
            found.append(f"--worth {self.worth:g}: allowed are 0.52 to 0.95")
        if not all(map(has_visible_text, self.hide)):
            found.append("--hide '': a word to look for is needed")
        return found


def _find_most(name: str, questions: int) -> int:
    """A check needs the answer to another question, so there is one fewer than questions."""
    return max(0, questions - (name == "checks"))


def _join_lines(text: str) -> str:
    return " ".join(clean_text(text).split())
