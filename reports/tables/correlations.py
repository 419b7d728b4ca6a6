"""Base score against gain over languages: the published r, and those that can be concluded from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.statistics import Interval
from core.tasks import is_accuracy, show_task
from reports.signs import set_minus
from reports.stats.correlation import BaseAndGain, Correlation, relate_base_and_gain
from reports.tables.results import Result, Results
from reports.tables.sheet import PRODUCER, TASK, Column, Sheet, Value

if TYPE_CHECKING:
    from reports.stats.decoupled import Noise

KINDS = ("pearson", "oldham", "split_half", "spearman")
TITLES = ("Pearson r", "Oldham r", "Split-half r", "Spearman rho")
NOTE = (
    "Slope: how much the gain changes with one point of base score; r: their correlation. Both are "
    "of true scores, free of the item noise that base and gain share, and the sentences follow "
    "from the slope's interval. Without one: the range of r when any one language is left out. "
    "Noise: the part of the base scores' variance that is item noise. Pearson's r, which papers "
    "report, is not free of it: the gain contains minus the base score. Oldham's r (gain against "
    "the mean of both scores) tells whether languages come closer together, and nothing of who "
    "gains. 95% intervals."
)


@dataclass(frozen=True)
class TaskCorrelation:
    """One task and producer."""

    task: str
    producer: str
    found: BaseAndGain


def find_correlations(results: Results) -> list[TaskCorrelation]:
    """Correlate base score and gain over languages, for every task and producer with a gain."""
    listed = []
    for producer in results.trained:
        for task in results.tasks:
            rows = [r for r in results.find_gained(task, producer) if r.gain and r.base is not None]
            if not rows:
                continue
            base = [r.base for r in rows if r.base is not None]
            gain = [r.gain.points for r in rows if r.gain]
            halves = [r.gain.halves for r in rows if r.gain and r.gain.halves]
            found = relate_base_and_gain(
                base,
                gain,
                halves,
                noise=_find_noise(results, task, rows),
                languages=[r.language.name for r in rows],
                accuracy=is_accuracy(task),
            )
            listed.append(TaskCorrelation(task, producer, found))
    return listed


def _find_noise(results: Results, task: str, rows: Sequence[Result]) -> "Noise | None":
    """Find what a table tells of its scores' item noise; None where one of them tells nothing.

    A standard error as it is given; else that of so many items, which an accuracy has and which
    no other mean of scores from 0 to 100 exceeds. Not covered: items that share a passage.
    """
    import numpy as np

    from reports.stats.decoupled import Noise

    bases = {r.language.name: r for r in results.rows if r.task == task and r.is_base}
    pairs = [(bases.get(row.language.name), row) for row in rows]
    variances = [[_find_variance(each) for each in pair] for pair in pairs]
    if any(variance is None for pair in variances for variance in pair):
        return None
    base, trained = np.array(variances, np.float64).T
    given = all(each and each.stderr is not None for pair in pairs for each in pair)
    return Noise(base, trained, exact=given or is_accuracy(task))


def _find_variance(result: Result | None) -> float | None:
    if result is None or result.score is None:
        return None
    if result.stderr is not None:
        return result.stderr**2
    return result.score * (100 - result.score) / result.items if result.items else None


def tabulate_correlations(found: list[TaskCorrelation]) -> Sheet:
    """Give each coefficient with its interval and p, in columns of its own."""
    columns = [TASK, PRODUCER, Column("languages", "Languages", numeric=True)]
    for kind, title in zip(KINDS, TITLES, strict=True):
        columns += _make_columns(kind, title)
    columns += [
        Column("conclusion", "Conclusion"),
        *_make_columns("slope", "Slope"),
        *_make_columns("corrected_r", "r"),
        Column("r_without_one_low", "Without one, low", ".2f", numeric=True),
        Column("r_without_one_high", "Without one, high", ".2f", numeric=True),
        Column("base_noise_share", "Noise", ".3f", numeric=True),
        Column("noise_that_explains", "Noise that explains", ".2f", numeric=True),
        Column("relation", "Relation"),
        Column("closer", "Closer together"),
    ]
    rows = tuple(
        (
            *(c.task, c.producer, c.found.pearson.n),
            *(value for kind in KINDS for value in _take_values(getattr(c.found, kind))),
            c.found.conclusion,
            *_take_values(c.found.slope),
            *_take_values(c.found.corrected),
            *(c.found.decoupled.without_one or (None, None)),
            c.found.decoupled.noise_share,
            c.found.decoupled.explained_by,
            c.found.relation,
            c.found.closer,
        )
        for c in found
    )
    return Sheet(tuple(columns), rows)


def _make_columns(name: str, title: str) -> list[Column]:
    return [
        Column(f"{name}{part}", f"{title}{part}", ".2f", numeric=True)
        for part in ("", "_low", "_high", "_p")
    ]


def describe_correlations(found: list[TaskCorrelation]) -> Sheet:
    """Give the same for people: "-0.60 [-0.88, 0.05]"."""
    columns = (
        TASK,
        PRODUCER,
        Column("languages", "Languages", numeric=True, spare=True),
        Column("slope", "Slope", numeric=True),
        Column("corrected_r", "r", numeric=True),
        Column("without_one", "Without one", numeric=True),
        Column("noise", "Noise", numeric=True),
        Column("pearson", "Pearson r", numeric=True),
        Column("oldham", "Oldham r", numeric=True),
    )
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            *(c.task, c.producer, c.found.pearson.n),
            _write_correlation(c.found.slope),
            _write_correlation(c.found.corrected),
            _write_range(c.found.decoupled.without_one),
            _write_noise(c.found),
            _write_correlation(c.found.pearson),
            _write_correlation(c.found.oldham),
        )
        for c in found
        if c.found.pearson.r is not None
    )
    notes = (
        NOTE,
        *_say(found, [c.found.conclusion for c in found]),
        *_say(found, [c.found.closer for c in found]),
    )
    return Sheet(columns, rows, notes=notes)


def _say(found: list[TaskCorrelation], sentences: list[str]) -> list[str]:
    """Each sentence once, after the tasks of which it is true."""
    said: dict[str, list[TaskCorrelation]] = {}
    for c, sentence in zip(found, sentences, strict=True):
        if sentence:
            said.setdefault(sentence, []).append(c)
    return [f"{_name_tasks(some, found)}: {words}" for words, some in said.items()]


def _name_tasks(some: list[TaskCorrelation], every: list[TaskCorrelation]) -> str:
    """Tasks by name, each with its producers unless it is all of that task's."""
    if len(some) == len(every) > 1:
        return "All of them"
    producers: dict[str, list[str]] = {}
    for c in some:
        producers.setdefault(c.task, []).append(c.producer)
    told = []
    for task, names in producers.items():
        whole = len(names) == sum(c.task == task for c in every)
        told.append(show_task(task) + ("" if whole else f" ({', '.join(names)})"))
    return ", ".join(told)


def _take_values(c: Correlation) -> tuple[Value, ...]:
    return (c.r, *(c.interval or (None, None)), c.p)


def _write_correlation(c: Correlation) -> str:
    if c.r is None:
        return ""
    text = f"{c.r:.2f}"
    if c.interval:
        text += f" {_write_range(c.interval)}"
    return set_minus(text)


def _write_range(interval: Interval | None) -> str:
    if interval is None:
        return ""
    text = f"[{interval.low:.2f},\N{NO-BREAK SPACE}{interval.high:.2f}]"
    return set_minus(text)


def _write_noise(found: BaseAndGain) -> str:
    share = found.decoupled.noise_share
    if share is None:
        return ""
    return f"{'' if found.decoupled.exact else '≤ '}{max(0.0, 100 * share):.1f}%"
