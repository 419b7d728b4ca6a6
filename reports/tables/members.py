"""Seeds of one training, made one member of each table that compares producers."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from statistics import fmean

from core.tasks import show_task
from reports.store.model import StoreView
from reports.tables.replicates import find_training, strip_seed
from reports.tables.results import Result, Results

Cell = tuple[str, str]
"""A language's name, and a task."""


@dataclass(frozen=True)
class _SeedGroup:
    """Producers that are seeds of one, and the name without the seed."""

    name: str
    producers: tuple[str, ...]


def merge_seeds(view: StoreView, results: Results) -> Results:
    """Gives the results with one producer in place of those that are seeds of one.

    Its score is the mean over the seeds, which `Result.seeds` holds. A seed that lacks what at
    least two others have is left out of the mean everywhere, and `unmerged` names it; where fewer
    than two seeds share anything, all stay what they were.
    """
    rows: dict[str, dict[Cell, Result]] = defaultdict(dict)
    for row in results.rows:
        rows[row.producer][row.language.name, row.task] = row
    left_out: list[str] = []
    merged: dict[str, list[Result]] = {}
    names: dict[str, str] = {}
    for group in _find_groups(view, results):
        scored = {
            one: {cell for cell, row in rows[one].items() if row.score is not None}
            for one in group.producers
        }
        kept = _choose_seeds(scored)
        if len(kept) < 2:
            continue
        shared = set.intersection(*(scored[one] for one in kept))
        left_out += [
            f"{one}: not in the mean of {group.name}, as it lacks {_show_first(shared - has)}"
            for one, has in scored.items()
            if one not in kept
        ]
        name = f"{group.name}, {len(kept)} seeds"
        names |= dict.fromkeys(group.producers, name)
        cells = dict.fromkeys(cell for one in kept for cell in rows[one])
        merged[name] = [_merge(name, [rows[one].get(cell) for one in kept]) for cell in cells]
    if not names:
        return results
    made: list[Result] = []
    for row in results.rows:
        if row.producer not in names:
            made.append(row)
        else:  # all of it where its first seed stands
            made += merged.pop(names[row.producer], ())
    equal = frozenset(names.get(one, one) for one in results.equal)
    return replace(
        results,
        rows=tuple(made),
        equal=equal if len(equal) > 1 else frozenset(),
        unmerged=tuple(left_out),
    )


def find_member(members: Results, producer: str | None) -> str | None:
    """Finds the producer that stands for another, which may be a seed of it."""
    for row in members.rows:
        if any(seed.producer == producer for seed in row.seeds):
            return row.producer
    return producer


def _find_groups(view: StoreView, results: Results) -> list[_SeedGroup]:
    """Finds producers that are seeds of one in every language in which they are."""
    alike: dict[tuple[str, str], dict[str, object]] = defaultdict(dict)
    training_of = cache(partial(find_training, view))
    for row in results.rows:
        if row.record is not None and not row.is_base:
            seed, rest = training_of(row.record.artifact.manifest.checkpoint)
            if seed is not None:
                alike[row.language.name, rest][row.producer] = seed
    apart: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    seeds: dict[str, object] = {}
    for (language, rest), found in alike.items():
        seeds |= found
        for producer in found:
            apart[producer][language].add(rest)
    groups: list[list[str]] = []
    for found in alike.values():
        for producer in found:
            if any(producer in group for group in groups):
                continue
            fitting = [group for group in groups if _is_of(producer, group, apart, found)]
            if fitting:
                fitting[0].append(producer)
            else:
                groups.append([producer])
    return [
        _SeedGroup(
            min((strip_seed(one, seeds[one]) for one in group), key=len),
            tuple(sorted(group, key=_split_numbers)),
        )
        for group in groups
        if len(group) > 1
    ]


def _is_of(
    producer: str,
    group: list[str],
    apart: Mapping[str, Mapping[str, set[str]]],
    found: Mapping[str, object],
) -> bool:
    """Tells whether a producer is a seed of a group: in one language, and against it in none."""
    if not any(other in found for other in group):
        return False
    return all(
        apart[producer][language] == apart[other][language]
        for other in group
        for language in apart[producer].keys() & apart[other].keys()
    )


def _choose_seeds(scored: Mapping[str, set[Cell]]) -> list[str]:
    """Chooses two seeds or more that share most results; of such choices the one of most seeds."""
    order = sorted(scored, key=lambda one: -len(scored[one]))
    best: list[str] = []
    most = 0
    for first in order:
        for second in order:
            if first == second:
                continue
            shared = scored[first] & scored[second]
            kept = [one for one in scored if shared <= scored[one]]
            if (len(shared), len(kept)) > (most, len(best)):
                best, most = kept, len(shared)
    return best if most else []


def _merge(name: str, seeds: list[Result | None]) -> Result:
    """Makes one result of the seeds' of one cell; a gap where a seed has none."""
    there = [row for row in seeds if row is not None]
    first = there[0]
    one = replace(
        first,
        producer=name,
        gain=None,
        base=None,
        no_gain="",
        record=None,
        base_record=None,
        stderr=None,
    )
    lacking = next((row for row in there if row.score is None), None)
    if lacking is not None:
        reason = f"{lacking.producer}: {lacking.reason or lacking.state}"
        return replace(one, state=lacking.state, reason=reason, score=None)
    if len(there) < len(seeds):
        return replace(one, state="missing", reason="not every seed was run", score=None)
    scores = [row.score for row in there if row.score is not None]
    sizes = [row.size for row in there if row.size is not None]
    return replace(
        one, score=fmean(scores), seeds=tuple(there), size=fmean(sizes) if sizes else None
    )


def _show_first(cells: Iterable[Cell]) -> str:
    language, task = min(cells)
    return f"{show_task(task)} in {language}"


def _split_numbers(name: str) -> list[tuple[bool, int, str]]:
    """Splits a name so that seed 9 stands before seed 10."""
    parts = re.split(r"(\d+)", name)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]
