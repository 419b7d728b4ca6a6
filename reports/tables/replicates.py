"""Checkpoints that differ in the seed of their training alone, as one: mean, spread and gain."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, partial

from core.contract.facts import Facts
from core.contract.record import Unreadable
from reports.stats.bootstrap import LEAST_UNITS
from reports.stats.replicates import ReplicatedGain, estimate_replicated
from reports.store.model import StoreView
from reports.tables.ranking import split_cell
from reports.tables.results import Result, Results
from reports.tables.sheet import LANGUAGE, PRODUCER, TASK, Column, Sheet, Value

FEW = 3
"""With fewer seeds than this the spread over them is hardly known."""
NOTE = (
    "Seeds: checkpoints that differ in the seed of their training alone. Spread: the standard "
    "deviation of their scores. The interval and p of the mean gain are over other seeds and over "
    "other items, both, by Student's t; least found: the smallest gain that so many seeds and "
    "items would show four times of five."
)


@dataclass(frozen=True)
class Replicates:
    """One mixture's checkpoints from several seeds, on one task in one language.

    `base` is None where there is none, and `gain` where it cannot be computed: `why` says so.
    """

    language: str
    task: str
    producer: str
    scores: tuple[float, ...]
    gain: ReplicatedGain | None
    why: str = ""

    @property
    def mean(self) -> float:
        """The mean score over the seeds."""
        return sum(self.scores) / len(self.scores)

    @property
    def spread(self) -> float:
        """The standard deviation of the scores over the seeds."""
        squares = sum((score - self.mean) ** 2 for score in self.scores)
        return float((squares / (len(self.scores) - 1)) ** 0.5)


def find_replicates(view: StoreView, results: Results) -> list[Replicates]:
    """Finds every group of two seeds or more, in the order of the results."""
    groups: dict[tuple[object, ...], list[Result]] = defaultdict(list)
    bases: dict[tuple[str, str], Result] = {}
    names: dict[tuple[object, ...], str] = {}
    training_of = cache(partial(find_training, view))
    for row in results.rows:
        if row.record is None:
            continue
        if row.is_base:
            bases.setdefault((row.language.name, row.task), row)
            continue
        seed, rest = training_of(row.record.artifact.manifest.checkpoint)
        if seed is None:
            continue
        key = (row.language.name, row.task, rest)
        groups[key].append(row)
        name = strip_seed(row.producer, seed)
        names[key] = min(names.get(key, name), name, key=len)
    return [
        _compare(names[key], rows, bases.get((rows[0].language.name, rows[0].task)))
        for key, rows in groups.items()
        if len(rows) > 1
    ]


def strip_seed(producer: str, seed: object) -> str:
    """Takes the seed of the training out of a producer's name."""
    said = (f", train seed {seed}", f", seed {seed}")
    return min((re.sub(rf"{re.escape(one)}(?!\d)", "", producer) for one in said), key=len)


def find_training(view: StoreView, checkpoint: str) -> tuple[object, str]:
    """Finds the seed of the training that made a checkpoint, None where none is recorded; and
    all else that the checkpoint is of, as text: the same settings, made of the same artifacts.
    """
    found = view.find(Facts, checkpoint)
    rest: list[object] = []
    while found is not None:
        settings = dict(found.manifest.config)
        seed = settings.pop("seed", None)
        run = next((one for one in found.manifest.inputs if one.name == "trained"), None)
        made_of = sorted((i.name, i.key) for i in found.manifest.inputs if i is not run)
        rest.append([found.stage, settings, made_of])
        if run is None:
            return seed, json.dumps(rest, sort_keys=True, default=str)
        # A checkpoint on the way, or a mean of some, is of the seed of its run.
        found = view.find(Facts, run.key)
    return None, ""


def _compare(name: str, rows: list[Result], base: Result | None) -> Replicates:
    gain, why = None, ""
    try:
        gain = _estimate(rows, base)
    except Unreadable as error:
        why = str(error)
    scores = tuple(row.score for row in rows if row.score is not None)
    first = rows[0]
    return Replicates(first.language.name, first.task, name, scores, gain, why)


def _estimate(rows: list[Result], base: Result | None) -> ReplicatedGain:
    import numpy as np

    if base is None:
        raise Unreadable("base has no score")
    cell = split_cell(rows[0].language.name, [base, *rows])
    units = len(cell.units)
    if units < LEAST_UNITS:
        raise Unreadable(f"a test needs {LEAST_UNITS} independent items")
    # Each unit's part of a score: their mean over the units is the score.
    parts = cell.scores[:, None] + units * cell.influence
    return estimate_replicated(np.asarray(parts[1:] - parts[0], np.float64))


def tabulate_replicates(found: Iterable[Replicates]) -> Sheet:
    """Lists each group's mean, spread and gain, with its interval over seeds and items."""
    columns = (
        LANGUAGE,
        TASK,
        PRODUCER,
        Column("seeds", "Seeds", numeric=True),
        Column("mean", "Mean score", ".1f", numeric=True),
        Column("spread", "Spread", ".2f", numeric=True),
        Column("gain", "Mean gain", "+.1f", numeric=True),
        Column("low", "95% from", "+.1f", numeric=True),
        Column("high", "95% to", "+.1f", numeric=True),
        Column("p", "p", "p", numeric=True),
        Column("mde", "Least found", ".1f", numeric=True),
        Column("why", "Without an interval", prose=True),
    )
    rows: list[tuple[Value, ...]] = []
    for one in found:
        gain = one.gain
        tested: tuple[Value, ...] = (None,) * 5
        if gain:
            low, high = gain.interval or (None, None)
            tested = (gain.points, low, high, gain.p, gain.mde)
        rows.append(
            (
                *(one.language, one.task, one.producer, len(one.scores), one.mean, one.spread),
                *tested,
                gain.why if gain else one.why,
            )
        )
    few = any(isinstance(row[3], int) and row[3] < FEW for row in rows)
    notes = (NOTE, *((f"Fewer than {FEW} seeds tell little of other seeds.",) if few else ()))
    return Sheet(columns, tuple(rows), notes=notes if rows else ())
