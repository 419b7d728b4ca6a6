"""Gains over the steps of a training run: of the checkpoints that it kept, and of their mean."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from core.contract.facts import AverageFacts, Facts, KeptFacts, TrainFacts
from reports.store.model import StoredArtifact, StoreView
from reports.tables.results import Result, Results
from reports.tables.sheet import LANGUAGE, PRODUCER, TASK, Column, Sheet, Value

NOTE = (
    "Intervals are over items, of each checkpoint alone: neighbours share the items, so that they "
    "differ by less than their intervals suggest. A checkpoint that is chosen by these scores is "
    "scored too well by them."
)


@dataclass(frozen=True)
class KeptResult:
    """One checkpoint's result; `step` is None for the mean of several, which `averaged` lists."""

    step: int | None
    averaged: tuple[int, ...]
    result: Result


@dataclass(frozen=True)
class RunResults:
    """The results of one training run on one task, by their step; the mean of several last."""

    language: str
    task: str
    producer: str
    """The name of the run's last checkpoint."""
    key: str
    results: tuple[KeptResult, ...]


def find_run_results(view: StoreView, results: Results) -> list[RunResults]:
    """Finds the runs of which more than the last checkpoint was scored, in the results' order."""
    found: dict[tuple[str, str, str], list[KeptResult]] = defaultdict(list)
    for row in results.rows:
        if row.record is None or row.score is None:
            continue
        checkpoint = view.find(Facts, row.record.artifact.manifest.checkpoint)
        if checkpoint is None:
            continue
        which = row.language.name, row.task, _find_run(checkpoint)
        match checkpoint.facts:
            case KeptFacts(step=step) | TrainFacts(steps=step):
                found[which].append(KeptResult(step, (), row))
            case AverageFacts(averaged_steps=steps):
                found[which].append(KeptResult(None, steps, row))
    names = {run: _name_run(kept) for (_, _, run), kept in found.items()}
    return [
        RunResults(language, task, names[run], run, tuple(sorted(kept, key=_place)))
        for (language, task, run), kept in found.items()
        if len(kept) > 1
    ]


def tabulate_on_the_way(found: Sequence[RunResults]) -> Sheet:
    """Lists each kept checkpoint's score and gain, by its step."""
    columns = (
        LANGUAGE,
        PRODUCER,
        TASK,
        Column("step", "Step", numeric=True),
        Column("mean_of", "Mean of steps"),
        Column("score", "Score", ".1f", numeric=True),
        Column("gain", "Gain", "+.1f", numeric=True),
        Column("low", "95% from", "+.1f", numeric=True),
        Column("high", "95% to", "+.1f", numeric=True),
        Column("why", "Without an interval", prose=True),
    )
    rows: list[tuple[Value, ...]] = []
    for run in found:
        for one in run.results:
            gain = one.result.gain
            tested = (gain.points, gain.low, gain.high) if gain else (None, None, None)
            steps = ", ".join(map(str, one.averaged))
            why = gain.why if gain else one.result.no_gain
            head = run.language, run.producer, run.task, one.step, steps
            rows.append((*head, one.result.score, *tested, why))
    return Sheet(columns, tuple(rows), notes=(NOTE,) if rows else ())


def _find_run(checkpoint: StoredArtifact[Facts]) -> str:
    """Finds the key of the training that a checkpoint is of: its own, where it is the last one."""
    return checkpoint.manifest.find_key("train") or checkpoint.key


def _name_run(kept: Sequence[KeptResult]) -> str:
    """Names a run as its last checkpoint; where that was not scored, as the furthest that was."""
    of_steps = [one for one in kept if one.step is not None] or list(kept)
    return max(of_steps, key=lambda one: one.step or 0).result.producer


def _place(one: KeptResult) -> tuple[bool, int]:
    return one.step is None, one.step or 0
