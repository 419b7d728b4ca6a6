"""The report at a glance: what was gained, of which student, and how all of it was made."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.statistics import adjust_holm
from core.tasks import show_task
from reports.signs import set_minus
from reports.stats.crossed import Contrast
from reports.store.model import StoreView
from reports.tables.members import find_member
from reports.tables.panels import Panel, describe_data
from reports.tables.ranking import Ranking, rank_producers
from reports.tables.results import Results
from reports.tables.sheet import Column, Sheet, Value

SURE = 0.05
_MOST_NAMES = 4


@dataclass(frozen=True)
class GainVerdict:
    """One producer against base: over all tasks, and on each, with p corrected over the tasks.

    `whole` is None where there is nothing to compare.
    """

    producer: str
    whole: Contrast | None
    by_task: tuple[tuple[str, Contrast, float | None], ...]
    languages: int
    over_languages: bool = False
    why: str = ""
    """The reason why there is nothing to compare."""


def judge_producer(results: Results, producer: str) -> GainVerdict:
    """Compares a producer with base on the tasks and languages that both have."""
    pair = results.keep(lambda row: row.producer == producer or row.is_base)
    found = rank_producers(pair)
    if found.whole is None or len(found.producers) != 2 or not results.bases:
        why = "base has no score beside it" if results.bases else "no producer is called base"
        return GainVerdict(producer, None, (), 0, why=why)
    by_task = [(task, one.find_difference(1, 0)) for task, one in found.by_task.items()]
    adjusted = iter(adjust_holm([one.p for _, one in by_task if one.p is not None]))
    return GainVerdict(
        producer,
        found.whole.find_difference(1, 0),
        tuple((task, one, None if one.p is None else next(adjusted)) for task, one in by_task),
        found.whole.languages,
        found.whole.over_languages,
    )


def describe_verdict(verdict: GainVerdict) -> str:
    """Says in one or two sentences what was gained, and claims nothing that may be chance."""
    whole = verdict.whole
    if whole is None:
        return f"{verdict.producer}: no gain can be told, as {verdict.why}."
    tasks = [task for task, _, _ in verdict.by_task]
    over = f"{_write_count(len(tasks), 'task')} and {_write_count(verdict.languages, 'language')}"
    gain = f"{verdict.producer}: {_write_points(whole.points)} points against base on average"
    if whole.p is None or whole.interval is None:
        reason = whole.why or "too few items"
        return f"{gain} over {over}, untested ({reason})."
    low, high = map(_write_points, (whole.interval.low, whole.interval.high))
    told = "more than chance" if whole.points > 0 else "a loss that is more than chance"
    if whole.p >= SURE:
        told = "not told from chance"
    sentence = f"{gain} over {over} (95% {low} to {high}), {told}."
    return " ".join([sentence, *_describe_tasks(verdict)])


def _describe_tasks(verdict: GainVerdict) -> Iterator[str]:
    sure = [(task, one) for task, one, p in verdict.by_task if p is not None and p < SURE]
    for title, sign in (("Gained on", 1), ("Lost on", -1)):
        found = [(task, one.points) for task, one in sure if sign * one.points > 0]
        named = [f"{show_task(task)} ({_write_points(points)})" for task, points in found]
        if named:
            yield f"{title} {', '.join(named)}."


def tabulate_glance(
    view: StoreView | None,
    panels: Iterable[Panel],
    results: Results,
    members: Results,
    ranking: Ranking,
) -> Sheet:
    """Lists what stands above a report: the gain in a sentence, and what it is of."""
    columns = (Column("what", "What"), Column("said", "Said", prose=True))
    panels = list(panels)
    rows: list[tuple[Value, Value]] = []
    if shown := find_member(members, results.shown):
        rows.append(("Gain", describe_verdict(judge_producer(members, shown))))
        if len(members.trained) > 1:
            rows.append(("Producers", _describe_best(members, ranking)))
    facts = {
        "Student": [panel.student for panel in panels],
        "Teacher": [teacher for panel in panels for teacher in panel.teachers],
        "Data": [describe_data(one) for panel in panels for one in panel.data],
    }
    rows += [(title, _join_names(found)) for title, found in facts.items() if any(found)]
    by_protocol: dict[str, list[str]] = {}
    for task, protocol in results.protocols.items():
        by_protocol.setdefault(protocol.describe_way(), []).append(show_task(task))
    rows += [
        ("Scored as", way if len(by_protocol) == 1 else f"{way}: {', '.join(tasks)}")
        for way, tasks in by_protocol.items()
    ]
    if view:
        rows += _list_making(view)
    return Sheet(columns, tuple(rows))


def _describe_best(results: Results, ranking: Ranking) -> str:
    beside = " beside base" if results.bases else ""
    shown = f"{len(results.trained)}{beside}; above: the one with most results"
    whole = ranking.whole
    if whole is None or not whole.is_tested:
        return f"{shown}. Which is best cannot be tested."
    good = [ranking.producers[n] for n in sorted(whole.as_good_as_best)]
    if len(good) == len(ranking.producers):
        return f"{shown}. None can be told from the others."
    if len(good) == 1:
        return f"{shown}. Best: {good[0]}."
    return f"{shown}. Best, and not told apart: {_join_names(good)}."


def _list_making(view: StoreView) -> Iterator[tuple[Value, Value]]:
    """Lists the seeds of training, and the days on which scores were made."""
    seeds = {
        str(artifact.manifest.config["seed"])
        for artifact in view.trained
        if "seed" in artifact.manifest.config
    }
    if seeds:
        yield "Training seeds", _join_names(sorted(seeds, key=lambda seed: (len(seed), seed)))
    made = [score.artifact.manifest.created for score in view.scores.values()]
    days = sorted({when[:10] for when in made if when})
    if days:
        yield "Scored", days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _write_points(points: float) -> str:
    return set_minus(f"{points:+.1f}")


def _write_count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _join_names(found: Iterable[str]) -> str:
    names = list(dict.fromkeys(name for name in found if name))
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
