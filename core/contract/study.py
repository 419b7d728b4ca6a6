"""The result of a blind preference study of a trained checkpoint against its base.

A win is a prompt on which native speakers preferred the trained one's answer. Every figure that
could not be computed is None and has its reason in `gaps`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from core.contract.manifest import FileEntry
from core.contract.record import (
    Count,
    Limits,
    NotNegative,
    Positive,
    Share,
    SignedShare,
    make_schema_field,
    read_record,
)


@dataclass(frozen=True, kw_only=True)
class StudyManifest:
    """Every file of a published study, by name; it is written last."""

    stage: str | None
    key: str | None
    label: str | None
    files: Mapping[str, FileEntry]


@dataclass(frozen=True)
class StudyInterval:
    """A 95% interval, and how it was made."""

    low: float
    high: float
    method: str | None


@dataclass(frozen=True)
class Estimate:
    """A share with its interval, from 0 to 1 (a net preference or a difference: from -1)."""

    value: SignedShare | None
    interval: StudyInterval | None

    @property
    def low(self) -> float | None:
        """The interval's lower end."""
        return self.interval.low if self.interval else None

    @property
    def high(self) -> float | None:
        """The interval's upper end."""
        return self.interval.high if self.interval else None


@dataclass(frozen=True)
class Estimates:
    """Net preference (mean over prompts of the raters' mean of +1, 0, -1), and the mean over
    prompts of each share."""

    net: Estimate
    wins: Estimate
    ties: Estimate
    losses: Estimate


@dataclass(frozen=True)
class Primary:
    """The test over prompts; `p` is None where no arm was preferred anywhere."""

    test: str | None
    p: Share | None
    prompts_with_preference: Count | None


@dataclass(frozen=True)
class StudyWarning:
    """A warning to read before a p-value is believed: one word, a sentence, and its evidence."""

    name: str
    sentence: str
    figures: Mapping[str, Any]


@dataclass(frozen=True)
class Counts:
    """Votes."""

    wins: Count
    ties: Count
    losses: Count


@dataclass(frozen=True)
class RaterResult(Counts):
    """One rater's votes; on which side the trained answer stood how often, the exact sign test
    without ties, and the names of the study's warnings that are of this rater.

    Earlier versions did not count the sides.
    """

    rater: str
    trained_as_a: Count | None
    trained_as_b: Count | None
    win_share_of_decisive: Share | None
    interval: StudyInterval | None
    sign_test_p: Share | None
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Verdict(Estimate):
    """The share of answers called good, mean over prompts; of so many prompts and answers."""

    prompts: Count | None
    judged: Count | None


@dataclass(frozen=True)
class Verdicts:
    """The verdicts by arm, and the difference on prompts of which a rater judged both."""

    base: Verdict
    trained: Verdict
    difference: Verdict


@dataclass(frozen=True)
class AgreementResult:
    """Krippendorff's nominal alpha between raters."""

    alpha: Annotated[float, Limits(high=1)] | None
    interval: StudyInterval | None
    raters: Count | None
    prompts: Count | None


@dataclass(frozen=True)
class Position:
    """On which side the preferred answer of decisive votes stood, and the trained one of all."""

    chose_a: Count | None
    chose_b: Count | None
    share_a: Share | None
    interval: StudyInterval | None
    trained_shown_as_a: Count | None
    trained_shown_as_b: Count | None


@dataclass(frozen=True)
class Repeats:
    """Prompts that were shown a second time with sides swapped."""

    pairs: Positive
    same_answer: Count
    opposite_answer: Count | None
    interval: StudyInterval | None


@dataclass(frozen=True)
class Checks:
    """Pairs of which one answer is to another prompt; `raters` says "passed/shown" of each."""

    shown: Positive
    passed: Count
    raters: Mapping[str, str]


@dataclass(frozen=True)
class Blinding:
    """Bang's index: 0 where guesses are chance, 1 where all are right, -1 where all are wrong."""

    index: SignedShare
    interval: StudyInterval | None
    right: Count | None
    wrong: Count | None
    unknown: Count | None


@dataclass(frozen=True)
class Blindings:
    """All guesses, and those where the trained answer stood on one side."""

    all: Blinding | None
    trained_as_a: Blinding | None
    trained_as_b: Blinding | None


@dataclass(frozen=True)
class CategoryResult(Counts):
    """Votes of a category: descriptive only."""

    category: str
    prompts: Count | None
    net: SignedShare | None


@dataclass(frozen=True)
class ArmTexts:
    """The answers of an arm: characters, and how many came to an end and are in another language,
    of those of which that is known."""

    answers: Count | None
    characters_mean: float | None
    characters_median: float | None
    finished: Count | None
    finished_known: Count | None
    off_language: Count | None
    off_language_known: Count | None


@dataclass(frozen=True)
class Texts:
    """The answers of both arms."""

    base: ArmTexts | None
    trained: ArmTexts | None


@dataclass(frozen=True)
class Power:
    """The share of decisive votes that this number of prompts finds with one rater."""

    prompts: Count | None
    ties: Share | None
    alpha: Share | None
    wanted: Share | None
    needed_share_of_decisive: Share | None
    power_at_60_percent: Share | None
    power_at_70_percent: Share | None


@dataclass(frozen=True)
class StoppingResult:
    """The outcome of a rule that may end the voting early: the largest e-value, those of each kind
    of cluster at that vote, and the last one; at which vote it was enough, and when raters were
    told so.

    over: `speakers` or `panel`, whom the claim is about; worth: the share of decisive votes that is
    worth finding; votes: on prompts, of `planned`.
    """

    over: str
    level: Share
    worth: Share
    e: NotNegative
    e_last: NotNegative
    e_by: Mapping[str, NotNegative]
    reached_at: Count | None
    told_at: Count | None
    votes: Count
    planned: Count
    prompts: Count


@dataclass(frozen=True)
class WithExcluded:
    """The result with the raters, too, whom the plan leaves out."""

    votes: Count
    net: Estimate
    p: Share | None


@dataclass(frozen=True)
class StudyAbout:
    """The facts of a study that a report names: language, arms, what was published before the first
    vote and at the close, and the questions that were left out, each with its reason."""

    language: str
    base: str
    trained: str
    commitment: str = ""
    head: str = ""
    dropped_questions: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class StudyResult:
    """All figures of a study. `study` is what it was (title, language, arms, plan, ...)."""

    schema: int = make_schema_field(2, oldest=2)
    study: Mapping[str, Any]
    prompts: Count
    votes: Count
    counts: Counts | None
    estimate: Estimates
    primary: Primary
    warnings: tuple[StudyWarning, ...]
    raters: tuple[RaterResult, ...]
    verdicts: Verdicts | None
    agreement: AgreementResult | None
    position: Position | None
    repeats: Repeats | None
    checks: Checks | None
    blinding: Blindings | None
    categories: tuple[CategoryResult, ...]
    texts: Texts | None
    power: Power | None
    gaps: Mapping[str, str]
    computed_with: Mapping[str, str] | None = None
    stopping: StoppingResult | None = None
    excluded: Mapping[str, str] | None = None
    """Rater -> why the plan leaves them out; None where it names no such rule."""
    with_excluded: WithExcluded | None = None

    @property
    def about(self) -> StudyAbout:
        """The facts of the study that a report names; raises Unreadable where they are not
        there."""
        return read_record(StudyAbout, self.study)
