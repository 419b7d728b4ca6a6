"""Producers by tasks: means over the same languages, and each language on its own."""

from statistics import fmean

from core.tasks import show_task
from reports.tables.ranking import Ranking
from reports.tables.results import Result, Results
from reports.tables.sheet import LANGUAGE, PRODUCER, Column, Mark, Sheet, Value

PRINTED = ("belebele", "global_mmlu", "sib200", "flores_xx_en", "flores_en_xx")
"""The order of the tasks in the paper's Table 2."""


def tabulate_subsets(results: Results, ranking: Ranking) -> Sheet:
    """The mean score of each producer on each task, over the languages that all of them have, as in
    the paper's Table 2: its tasks first, in its order.

    A producer without any result on a task has no say in which languages those are.
    """
    tasks = sorted(results.tasks, key=lambda t: PRINTED.index(t) if t in PRINTED else len(PRINTED))
    columns = (
        PRODUCER,
        *(Column(task, show_task(task), ".1f", numeric=True) for task in tasks),
    )
    means: dict[str, dict[str, float]] = {}
    notes: dict[str, list[str]] = {}
    for task in tasks:
        scores = {
            producer: {
                r.language.name: r.score
                for r in results.find(task, producer)
                if r.score is not None
            }
            for producer in results.producers
        }
        scores = {producer: found for producer, found in scores.items() if found}
        shared = set.intersection(*map(set, scores.values())) if scores else set()
        every = set().union(*scores.values())
        means[task] = {
            producer: fmean(found[name] for name in shared)
            for producer, found in scores.items()
            if shared
        }
        if scores:
            said = f"mean of the {len(shared)} language{'s' * (len(shared) != 1)}"
            if every - shared:
                said += f" that all producers have; not counted: {_list_some(every - shared)}"
            notes.setdefault(said, []).append(show_task(task))
    rows = tuple(
        (producer, *(means[task].get(producer) for task in tasks))
        for producer in results.producers
        if any(producer in means[task] for task in tasks)
    )
    return Sheet(
        columns,
        rows,
        marks={
            (n, place): _mark_best(ranking, results.equal, task, str(row[0]))
            for n, row in enumerate(rows)
            for place, task in enumerate(tasks, start=1)
        },
        notes=(
            *_mark_note(ranking),
            *(f"{', '.join(names)}: {said}" for said, names in notes.items()),
            *_note_budget(results),
            # Where there is a gain, the table of means tells them.
            *(() if any(row.gain for row in results.rows) else results.notes),
        ),
    )


def tabulate_languages(results: Results, ranking: Ranking) -> Sheet:
    """Each producer's score in each language; a cell without one says what it is instead."""
    tasks = results.tasks
    columns = (
        LANGUAGE,
        PRODUCER,
        *(Column(task, show_task(task), ".1f", numeric=True) for task in tasks),
    )
    found = {(r.language.name, r.producer, r.task): r for r in results.rows}
    rows: list[tuple[Value, ...]] = []
    marks: dict[tuple[int, int], frozenset[Mark]] = {}
    for language in results.languages:
        own = [p for p in results.producers if any((language.name, p, t) in found for t in tasks)]
        for producer in own:
            for place, task in enumerate(tasks, start=2):
                mark = _mark_best(ranking, results.equal, task, producer, language.name)
                marks[len(rows), place] = mark
            scores = (found.get((language.name, producer, task)) for task in tasks)
            rows.append((language.name, producer, *map(_show_result, scores)))
    notes = (*_mark_note(ranking), *_note_budget(results), *results.unmerged)
    return Sheet(columns, tuple(rows), notes=notes, marks=marks)


def _mark_best(
    ranking: Ranking, equal: frozenset[str], task: str, producer: str, language: str | None = None
) -> frozenset[Mark]:
    """Tell how a producer's score stands out on a task: among all, and among those of equal
    budget.
    """
    groups: tuple[tuple[Mark, frozenset[str] | None], ...] = (("best", None), ("best_equal", equal))
    return frozenset(
        mark for mark, among in groups if producer in ranking.find_best(task, language, among)
    )


def _show_result(result: Result | None) -> Value:
    if result is None:
        return None
    return result.state if result.score is None else result.score


def _list_some(names: set[str]) -> str:
    some = sorted(names)
    return ", ".join(some[:8]) + (f" and {len(some) - 8} more" if len(some) > 8 else "")


def _mark_note(ranking: Ranking) -> tuple[str, ...]:
    """Says what bold means, where anything can be told apart."""
    if len(ranking.producers) < 2 or not ranking.cells:
        return ()
    return (
        "Bold: the best, and those that cannot be told from it (5%, all pairs tested together); "
        "where no producer can be told from the best, nothing is bold",
    )


def _note_budget(results: Results) -> list[str]:
    if not results.bases:
        return [
            "No producer is called base, so no gain can be computed: call the student before its "
            "training so"
        ]
    if not results.equal:
        return []
    return [
        f"Equal training budget: {', '.join(p for p in results.producers if p in results.equal)}"
    ]
