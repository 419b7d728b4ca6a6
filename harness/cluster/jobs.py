"""Lays out jobs: one for each stage that is missing, and one for all scores of a checkpoint."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.stage import Stage, list_with_inputs

SCORE, TEXT = "score", "text"
_TOGETHER = (SCORE, TEXT)
"""Stages of which all that have one checkpoint are one job: they load the same model."""


@dataclass(frozen=True)
class StageJob:
    """The stages that a job makes, and the keys of the stages that must be done before it.

    `alone`: a name of what no two jobs may write to at once, such as a teacher's ledger.
    """

    stages: tuple[Stage, ...]
    needs: frozenset[str]
    alone: str | None = None
    clean: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(stage.key for stage in self.stages)

    @property
    def kind(self) -> str:
        """The stage's name, by which a job's resources are chosen."""
        return self.stages[0].name

    @property
    def label(self) -> str:
        """Names what it makes, for people."""
        more = f" and {len(self.stages) - 1} more" if len(self.stages) > 1 else ""
        return f"{self.stages[0].label}{more}"


def lay_out_jobs(
    targets: Iterable[Stage],
    is_done: Mapping[str, bool],
    after: Mapping[str, frozenset[str]],
    clean: frozenset[str] = frozenset(),
) -> list[StageJob]:
    """Lays out the jobs that make what is missing of `targets`, each behind those it needs.

    `is_done` says of each key whether its artifact is there. `after` names, by key, stages that
    must be done besides a stage's inputs, and `clean` the keys of stages that refuse what they
    find.
    """
    missing = _list_missing(targets, is_done)
    there = {stage.key for stage in missing}
    groups: dict[str, list[Stage]] = defaultdict(list)
    for stage in missing:
        checkpoint = stage.inputs.get("checkpoint")
        together = stage.name in _TOGETHER and checkpoint is not None
        groups[f"scores of {checkpoint.key}" if together and checkpoint else stage.key].append(
            stage
        )
    jobs = []
    for members in groups.values():
        needs = {
            key
            for stage in members
            for key in (*(s.key for s in stage.inputs.values()), *after.get(stage.key, ()))
            if key in there
        }
        keys = {stage.key for stage in members}
        jobs.append(
            StageJob(
                tuple(members),
                frozenset(needs - keys),
                _name_ledger(members),
                clean=bool(keys & clean),
            )
        )
    return _sort(jobs)


def _list_missing(targets: Iterable[Stage], is_done: Mapping[str, bool]) -> list[Stage]:
    """Lists the targets that are not there and what they need and is not there, each once, inputs
    first. What is made from a thing that is there needs nothing that lies behind it."""
    found: dict[str, Stage] = {}

    def walk(stage: Stage) -> None:
        if stage.key in found or is_done[stage.key]:
            return
        for needed in stage.inputs.values():
            walk(needed)
        found[stage.key] = stage

    for stage in targets:
        walk(stage)
    return list(found.values())


def find_ledger(stage: Stage) -> Path | None:
    """Returns the ledger that a stage's teacher writes to, None for no teacher."""
    ledger = getattr(stage.settings, "ledger", None)
    return Path(ledger).resolve() if stage.about.teacher and ledger is not None else None


def _name_ledger(stages: Sequence[Stage]) -> str | None:
    """Returns a short name of the ledger that stages write to, None for none."""
    for ledger in filter(None, map(find_ledger, stages)):
        return hashlib.sha256(str(ledger).encode()).hexdigest()[:8]
    return None


def _sort(jobs: Sequence[StageJob]) -> list[StageJob]:
    """Lists the jobs, each behind all that it needs."""
    makers = {key: job for job in jobs for key in job.keys}
    placed: dict[tuple[str, ...], StageJob] = {}

    def place(job: StageJob) -> None:
        if job.keys in placed:
            return
        for key in sorted(job.needs):
            place(makers[key])
        placed[job.keys] = job

    for job in jobs:
        place(job)
    return list(placed.values())


def list_all(targets: Iterable[Stage]) -> list[Stage]:
    """Lists the targets and all that they are made from, each once."""
    return list(list_with_inputs(targets))
