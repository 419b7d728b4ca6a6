"""The records of a store with what follows from them. All other files here take these."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Generic, Literal, TypeVar, cast

from core.contract.facts import F, Facts, MixtureFacts
from core.contract.manifest import About, Manifest
from core.contract.plan import PlannedCell, RunPlan
from core.contract.plan import PlannedLanguage as PlannedLanguage
from core.contract.producers import find_role
from core.contract.score import ScoreRecord
from core.contract.study import StudyAbout, StudyResult

STAGES = ("base", "source", "mixture", "contamination", "packed", "train", "text", "score")
"""In the order of the work; those of other kinds of producers stand before the measures."""
MEASURES = ("text", "score")
"""Those that say something of a checkpoint and make none."""


def order_stages(names: Iterable[str]) -> list[str]:
    """Stages in the order of the work."""
    known = {name: n for n, name in enumerate(STAGES)}
    return sorted(names, key=lambda name: (known.get(name, known["text"] - 0.5), name))


@dataclass(frozen=True)
class Problem:
    """A file that cannot be trusted or read, and what to do about it."""

    where: str
    """Path relative to the store."""
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. Remedy: {self.remedy}"


F_co = TypeVar("F_co", bound=Facts, covariant=True)


@dataclass(frozen=True)
class StoredArtifact(Generic[F_co]):
    """One finished artifact. Its files are only checked when a report reads them."""

    folder: Path
    manifest: Manifest
    facts: F_co

    @property
    def stage(self) -> str:
        return self.manifest.stage

    @property
    def key(self) -> str:
        return self.manifest.key

    @property
    def label(self) -> str:
        return self.manifest.label or f"{self.stage} {self.key[:12]}"

    @property
    def about(self) -> About:
        return self.manifest.about

    @property
    def role(self) -> str:
        """Tells what the checkpoint is that it holds, or is a score of; "" for any other
        artifact.
        """
        return find_role(self.about.producer or "", self.about.role)

    @property
    def language(self) -> str:
        """The language's name, "" where several share the artifact."""
        return self.about.language or ""


@dataclass(frozen=True, kw_only=True)
class Score(ScoreRecord):
    """A score with the artifact that it stands in."""

    artifact: StoredArtifact[Facts]

    @property
    def full_protocol(self) -> str:
        """Shots, form and data in one phrase: what a number must be repeated with."""
        return f"{self.shots}-shot, {self.protocol}; data: {self.data.name} {self.data.split}"


@dataclass(frozen=True)
class ShownLanguage:
    """Tells how a language is named and written. `direction` is "ltr", "rtl" or "auto"
    (unknown).
    """

    name: str
    autonym: str = ""
    direction: str = "auto"
    flores_code: str = ""
    tag: str = ""
    """The language as an HTML `lang` value; "" when unknown."""


NO_PLAN = RunPlan(run=None, language=PlannedLanguage(""), stages=(), cells=())
"""Of a run that failed before its plan was written."""


@dataclass(frozen=True)
class Run:
    """One run's plan, and the first line of its error.txt when it failed."""

    path: str
    """Relative to the store's `runs` folder, with forward slashes."""
    plan: RunPlan
    language: ShownLanguage
    error: str | None

    @property
    def cells(self) -> tuple[PlannedCell, ...]:
        return self.plan.cells

    @property
    def failed_unseen(self) -> bool:
        """Tells that it failed and has no cell that could say so: none at all, or gaps only."""
        return self.error is not None and not any(cell.key for cell in self.cells)


@dataclass(frozen=True)
class Study:
    """A blind preference study whose files were looked over, and `about`, what it is of."""

    folder: Path
    result: StudyResult
    about: StudyAbout

    @property
    def language(self) -> str:
        return self.about.language


@dataclass(frozen=True)
class StoreView:
    """Everything a report needs. `runs` are oldest first; `damaged` says why a key is no result."""

    root: Path
    runs: tuple[Run, ...]
    artifacts: Mapping[str, Mapping[str, StoredArtifact[Facts]]]
    """Stage to key to artifact."""
    scores: Mapping[str, Score]
    """Score key to score, verified ones only."""
    damaged: Mapping[str, str]
    """Score key to what is wrong with its files."""
    unfinished: frozenset[str] = frozenset()
    """Score keys with a `.partial` folder only."""
    ends: Mapping[str, str] = field(default_factory=dict)
    """Key of a stage that a cluster's job did not make to why, in its own words."""
    problems: tuple[Problem, ...] = ()
    studies: tuple[Study, ...] = ()

    @cached_property
    def planned(self) -> Mapping[tuple[str, str], Sequence[Sequence[PlannedCell]]]:
        """Language and task to each run's cells of them."""
        found: dict[tuple[str, str], list[list[PlannedCell]]] = defaultdict(list)
        for run in self.runs:
            own: dict[tuple[str, str], list[PlannedCell]] = defaultdict(list)
            for cell in run.cells:
                own[cell.language, cell.task].append(cell)
            for which, cells in own.items():
                found[which].append(cells)
        return found

    def list_stage(self, name: str) -> list[StoredArtifact[Facts]]:
        """The stage's artifacts, by language and label."""
        return [*self._sorted.get(name, ())]

    @cached_property
    def _sorted(self) -> Mapping[str, Sequence[StoredArtifact[Facts]]]:
        """The artifacts of each stage, which tables ask for again and again."""
        return {
            stage: sorted(made.values(), key=lambda a: (a.language, a.label, a.key))
            for stage, made in self.artifacts.items()
        }

    @property
    def stages(self) -> list[str]:
        """The names of all stages, in the order of the work."""
        return order_stages(self.artifacts)

    @property
    def trained(self) -> list[StoredArtifact[Facts]]:
        """The checkpoints that were made here, by language and label."""
        makers = [stage for stage in self.stages if stage not in MEASURES]
        found = [a for stage in makers for a in self.list_stage(stage) if a.role == "trained"]
        return sorted(found, key=lambda a: (a.language, a.label, a.key))

    def list_with_facts(self, kind: type[F]) -> list[StoredArtifact[F]]:
        """The artifacts that have these facts, by language and label."""
        found = [
            a for stage in self.stages for a in self.list_stage(stage) if isinstance(a.facts, kind)
        ]
        return [cast(StoredArtifact[F], a) for a in found]

    def find(self, kind: type[F], key: str) -> StoredArtifact[F] | None:
        """The artifact with a key, if it has these facts; None where there is none."""
        found = next((made[key] for made in self.artifacts.values() if key in made), None)
        return cast(StoredArtifact[F], found) if found and isinstance(found.facts, kind) else None

    def find_mixture(self, checkpoint: str) -> StoredArtifact[MixtureFacts] | None:
        """Find the mixture that a checkpoint was made from; None where it is of no mixture, or
        that is gone.
        """
        found = self.find(Facts, checkpoint)
        return self.find(MixtureFacts, found.manifest.find_key("mixture")) if found else None


State = Literal["result", "gap", "failed", "missing", "damaged"]
