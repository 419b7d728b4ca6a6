"""What a store holds, as small frozen values. Every other file of this package takes these."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

STAGES = ("base", "source", "mixture", "contamination", "packed", "train", "score")


@dataclass(frozen=True)
class Problem:
    """A file that cannot be trusted or read, and what to do about it."""

    where: str
    """Path relative to the store."""
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. Remedy: {self.remedy}"


@dataclass(frozen=True)
class Artifact:
    """One finished artifact: its manifest. Files are only checked when a report reads them."""

    stage: str
    key: str
    label: str
    version: str
    inputs: tuple[tuple[str, str], ...]
    """(stage, key) of each input."""
    about: Mapping[str, Any]
    facts: Mapping[str, Any]
    packages: Mapping[str, str]
    commit: str | None
    dirty: bool | None
    seconds: float
    resumed: bool
    """Whether an interrupted attempt came before: `seconds` are those of the last one only."""
    tokens_in: int
    tokens_out: int
    cost_usd: float | None
    files: Mapping[str, tuple[int, str]]
    """File name to (bytes, SHA-256)."""
    folder: Path


@dataclass(frozen=True)
class ScoreInterval:
    """Of one score alone, 0-100; `level` is 0.95 for 95%."""

    low: float
    high: float
    level: float
    method: str


@dataclass(frozen=True)
class Engine:
    """What computed a score. `shares_prefix`: whether shared tokens were computed once; `settings`
    are what else the engine recorded, such as the tokens of a batch."""

    name: str
    version: str
    precision: str
    shares_prefix: bool
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Score:
    """One checkpoint's score on one task. `score`, `stderr` and `chance` are on a 0-100 scale.

    Texts that the harness did not record are "".
    """

    artifact: Artifact
    task: str
    lm_eval_task: str
    metric: str
    score: float
    stderr: float | None
    interval: ScoreInterval | None
    n: int
    chance: float | None
    shots: int
    protocol: str
    protocol_fields: Mapping[str, str]
    data_name: str
    data_sha256: str
    split: str
    revision: str
    repository: str
    engine: Engine | None
    signature: str | None
    measures: Mapping[str, float | None]
    warnings: tuple[str, ...]

    @property
    def full_protocol(self) -> str:
        """Shots, form and data in one phrase: what a number must be repeated with."""
        return f"{self.shots}-shot, {self.protocol}; data: {self.data_name} {self.split}"


@dataclass(frozen=True)
class Language:
    """How a language is named and written. `direction` is "ltr", "rtl" or "auto" (unknown)."""

    name: str
    autonym: str = ""
    direction: str = "auto"
    flores_code: str = ""
    tag: str = ""
    """The language as an HTML `lang` value; "" when unknown."""


@dataclass(frozen=True)
class Cell:
    """One score that a run planned. Either `key` is set, or `gap` says why it cannot exist."""

    language: str
    producer: str
    checkpoint: tuple[str, str]
    """(stage, key)."""
    task: str
    key: str | None
    gap: str | None


@dataclass(frozen=True)
class Run:
    """One run's plan, and the first line of its error.txt when it failed.

    Everything but `path` and `error` is empty when it failed before its plan was written.
    """

    path: str
    """Relative to the store's `runs` folder, with forward slashes."""
    experiment: str
    command: str
    language: Language
    student: str
    teacher: str
    mix: str
    stages: tuple[tuple[str, str], ...]
    cells: tuple[Cell, ...]
    error: str | None

    @property
    def failed_unseen(self) -> bool:
        """Whether it failed and has no cell that could say so: none at all, or gaps only."""
        return self.error is not None and not any(cell.key for cell in self.cells)


@dataclass(frozen=True)
class Share:
    """An estimate and its 95% interval, from 0 to 1 (a net preference from -1); None: a gap."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class StudyRater:
    """One rater's votes; `share` is that of wins among wins and losses, `p` the exact sign test."""

    name: str
    wins: int
    ties: int
    losses: int
    share: float | None
    p: float | None
    warnings: tuple[str, ...]
    """Names of the study's warnings that are of this rater."""


@dataclass(frozen=True)
class StudyWarning:
    """What a reader has to know before they believe a study's p: one word, and a sentence."""

    name: str
    sentence: str


@dataclass(frozen=True)
class Study:
    """A blind preference study of a trained checkpoint against its base. A win is a prompt on which
    native speakers preferred the trained one's answer."""

    folder: Path
    language: str
    base: str
    trained: str
    commitment: str
    head: str
    prompts: int
    votes: int
    wins: Share
    ties: Share
    losses: Share
    net: Share
    p: float | None
    """Sign-flip test over prompts."""
    warnings: tuple[StudyWarning, ...]
    verdicts: Mapping[str, Share]
    """Arm, or "difference" (from -1), to the share of answers called good; empty if not asked."""
    raters: tuple[StudyRater, ...]
    categories: tuple[Mapping[str, Any], ...]
    quality: Mapping[str, float | None]
    texts: Mapping[str, Mapping[str, Any]]
    left_out: tuple[str, ...]
    gaps: Mapping[str, str]
    """What was not computed, and why."""


@dataclass(frozen=True)
class StoreView:
    """Everything a report needs. `runs` are oldest first; `damaged` says why a key is no result."""

    root: Path
    runs: tuple[Run, ...]
    artifacts: Mapping[str, Mapping[str, Artifact]]
    """Stage to key to artifact."""
    scores: Mapping[str, Score]
    """Score key to score, verified ones only."""
    damaged: Mapping[str, str]
    """Score key to what is wrong with its files."""
    unfinished: frozenset[str] = frozenset()
    """Score keys with a `.partial` folder only."""
    problems: tuple[Problem, ...] = ()
    studies: tuple[Study, ...] = ()

    @cached_property
    def planned(self) -> Mapping[tuple[str, str], Sequence[Sequence[Cell]]]:
        """Language and task to each run's cells of them."""
        found: dict[tuple[str, str], list[list[Cell]]] = defaultdict(list)
        for run in self.runs:
            own: dict[tuple[str, str], list[Cell]] = defaultdict(list)
            for cell in run.cells:
                own[cell.language, cell.task].append(cell)
            for which, cells in own.items():
                found[which].append(cells)
        return found

    def stage(self, name: str) -> list[Artifact]:
        """The stage's artifacts, by language and label."""
        found = self.artifacts.get(name, {}).values()
        return sorted(found, key=lambda a: (str(a.about.get("language", "")), a.label, a.key))


State = Literal["result", "gap", "failed", "missing", "damaged"]
