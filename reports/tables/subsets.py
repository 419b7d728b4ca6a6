"""Producers by tasks: means over the same languages, and each language on its own."""

from collections.abc import Iterable, Mapping
from statistics import fmean

from reports.tables.results import Result, Results
from reports.tables.sheet import LANGUAGE, PRODUCER, TASK_NAMES, Column, Mark, Sheet, Value


def tabulate_subsets(results: Results) -> Sheet:
    """The mean score of each producer on each task, over the languages that all of them have.

    A producer without any result on a task has no say in which languages those are.
    """
    tasks = results.tasks
    columns = (
        PRODUCER,
        *(Column(task, TASK_NAMES.get(task, task), ".1f", numeric=True) for task in tasks),
    )
    means: dict[str, dict[str, float]] = {}
    notes: dict[str, list[str]] = {}
    for task in tasks:
        scores = {
            producer: {
                r.language.name: r.score for r in results.of(task, producer) if r.score is not None
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
                said += f" that all producers have; not counted: {_listed(every - shared)}"
            notes.setdefault(said, []).append(TASK_NAMES.get(task, task))
    rows = tuple(
        (producer, *(means[task].get(producer) for task in tasks))
        for producer in results.producers
        if any(producer in means[task] for task in tasks)
    )
    return Sheet(
        columns,
        rows,
        marks=mark_best(rows, [str(row[0]) for row in rows], len(columns), results.equal),
        notes=(
            *(f"{', '.join(names)}: {said}" for said, names in notes.items()),
            *_budget_note(results),
            # Where there is a gain, the table of means tells them.
            *(() if any(row.gain for row in results.rows) else results.notes),
        ),
    )


def tabulate_languages(results: Results) -> Sheet:
    """Each producer's score in each language; a cell without one says what it is instead."""
    tasks = results.tasks
    columns = (
        LANGUAGE,
        PRODUCER,
        *(Column(task, TASK_NAMES.get(task, task), ".1f", numeric=True) for task in tasks),
    )
    found = {(r.language.name, r.producer, r.task): r for r in results.rows}
    rows: list[tuple[Value, ...]] = []
    marks: dict[tuple[int, int], frozenset[Mark]] = {}
    for language in results.languages:
        own = [p for p in results.producers if any((language.name, p, t) in found for t in tasks)]
        block = tuple(
            (language.name, p, *(_shown(found.get((language.name, p, task))) for task in tasks))
            for p in own
        )
        for (row, column), mark in mark_best(block, own, len(columns), results.equal, 2).items():
            marks[row + len(rows), column] = mark
        rows += block
    return Sheet(columns, tuple(rows), notes=tuple(_budget_note(results)), marks=marks)


def mark_best(
    rows: Iterable[tuple[Value, ...]],
    producers: list[str],
    width: int,
    equal: frozenset[str],
    first: int = 1,
) -> Mapping[tuple[int, int], frozenset[Mark]]:
    """The best of each column, and the best among producers of equal budget; ties all count.

    Scores are compared as they are printed, so that two that look alike are marked alike.
    """
    rows = list(rows)
    marks: dict[tuple[int, int], frozenset[Mark]] = {}
    groups: tuple[tuple[Mark, list[int]], ...] = (
        ("best", list(range(len(rows)))),
        ("best_equal", [n for n, producer in enumerate(producers) if producer in equal]),
    )
    for column in range(first, width):
        for mark, places in groups:
            values = {
                n: round(value, 1)
                for n in places
                if isinstance(value := rows[n][column], int | float)
            }
            if len(values) < 2:
                continue
            best = max(values.values())
            for n, value in values.items():
                if value == best:
                    marks[n, column] = marks.get((n, column), frozenset()) | {mark}
    return marks


def _shown(result: Result | None) -> Value:
    if result is None:
        return None
    return result.state if result.score is None else result.score


def _listed(names: set[str]) -> str:
    some = sorted(names)
    return ", ".join(some[:8]) + (f" and {len(some) - 8} more" if len(some) > 8 else "")


def _budget_note(results: Results) -> list[str]:
    if not results.bases:
        return ["No producer is called base, so no gain can be computed"]
    if not results.equal:
        return []
    return [
        f"Equal training budget: {', '.join(p for p in results.producers if p in results.equal)}"
    ]
