"""Base score against gain over languages: the published r, and those that can be concluded from."""

from dataclasses import dataclass

from reports.signs import set_minus
from reports.stats.correlation import BaseAndGain, Correlation, base_and_gain
from reports.tables.results import Results
from reports.tables.sheet import PRODUCER, TASK, TASK_NAMES, Column, Sheet, Value

KINDS = ("pearson", "oldham", "split_half", "spearman")
TITLES = ("Pearson r", "Oldham r", "Split-half r", "Spearman rho")
NOTE = (
    "Pearson's r of base score and gain is what the paper reports. The gain contains minus the "
    "base score, and this alone makes r negative. Oldham's r (gain against the mean of both "
    "scores) and the split-half r (base and gain from different items) do not have this fault. "
    "In brackets: 95% intervals."
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
            rows = [r for r in results.gained(task, producer) if r.gain and r.base is not None]
            if not rows:
                continue
            base = [r.base for r in rows if r.base is not None]
            gain = [r.gain.points for r in rows if r.gain]
            halves = [r.gain.halves for r in rows if r.gain and r.gain.halves]
            listed.append(TaskCorrelation(task, producer, base_and_gain(base, gain, halves)))
    return listed


def tabulate_correlations(found: list[TaskCorrelation]) -> Sheet:
    """Give each coefficient with its interval and p, in columns of its own."""
    columns = [TASK, PRODUCER, Column("languages", "Languages", numeric=True)]
    for kind, title in zip(KINDS, TITLES, strict=True):
        columns += [
            Column(f"{kind}{part}", f"{title}{part}", ".2f", numeric=True)
            for part in ("", "_low", "_high", "_p")
        ]
    columns.append(Column("conclusion", "Conclusion"))
    rows = tuple(
        (
            *(c.task, c.producer, c.found.pearson.n),
            *(value for kind in KINDS for value in _values(getattr(c.found, kind))),
            c.found.conclusion,
        )
        for c in found
    )
    return Sheet(tuple(columns), rows)


def describe_correlations(found: list[TaskCorrelation]) -> Sheet:
    """Give the same for people: "-0.60 [-0.88, 0.05]"."""
    columns = (
        TASK,
        PRODUCER,
        Column("languages", "Languages", numeric=True, spare=True),
        *(Column(k, t, numeric=True) for k, t in zip(KINDS, TITLES, strict=True)),
    )
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (c.task, c.producer, c.found.pearson.n, *(_words(getattr(c.found, kind)) for kind in KINDS))
        for c in found
        if c.found.pearson.r is not None
    )
    said: dict[str, list[TaskCorrelation]] = {}
    for c in found:
        said.setdefault(c.found.conclusion, []).append(c)
    notes = (NOTE, *(f"{_whose(some, found)}: {words}" for words, some in said.items()))
    return Sheet(columns, rows, notes=notes)


def _whose(some: list[TaskCorrelation], every: list[TaskCorrelation]) -> str:
    """Tasks by name, each with its producers unless it is all of that task's."""
    if len(some) == len(every) > 1:
        return "All of them"
    producers: dict[str, list[str]] = {}
    for c in some:
        producers.setdefault(c.task, []).append(c.producer)
    told = []
    for task, names in producers.items():
        whole = len(names) == sum(c.task == task for c in every)
        told.append(TASK_NAMES.get(task, task) + ("" if whole else f" ({', '.join(names)})"))
    return ", ".join(told)


def _values(c: Correlation) -> tuple[Value, ...]:
    return (c.r, *(c.interval or (None, None)), c.p)


def _words(c: Correlation) -> str:
    if c.r is None:
        return ""
    text = f"{c.r:.2f}"
    if c.interval:
        text += f" [{c.interval.low:.2f},\N{NO-BREAK SPACE}{c.interval.high:.2f}]"
    return set_minus(text)
