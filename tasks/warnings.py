"""What a reader of a score should know of the items that were asked."""

from collections.abc import Sequence

from tasks.benchmark import Benchmark, Item
from tasks.data import Read
from tasks.protocol import SHOTS

FEW = 20


def of_labels(shots: Sequence[Item], items: Sequence[Item], limit: int | None) -> list[str]:
    """Shots of one label, and labels that do not occur in the first `limit` items."""
    if not shots[0].label:
        return []
    found = []
    if len({item.label for item in shots}) == 1:
        found.append(f"all {SHOTS} shots bear one label, {shots[0].label!r}")
    scored = {item.label for item in items[:limit]}
    known = {item.label for item in [*shots, *items]}
    if limit is not None and scored < known:
        found.append(
            f"only {len(scored)} of the {len(known)} labels occur in the {limit} scored items: so "
            "low a limit does not represent the task"
        )
    return found


def of_number(benchmark: Benchmark, data: Read, scored: int) -> list[str]:
    """A set that is not whole, and too few scored items."""
    found = []
    if data.name != "embedded" and len(data.rows) != benchmark.complete:
        found.append(f"the set has {len(data.rows)} rows; as published it has {benchmark.complete}")
    if scored < FEW:
        found.append(f"only {scored} items are scored: too few to tell two models apart")
    return found


def of_answers(items: Sequence[Item]) -> list[str]:
    """Items whose right answer cannot be told from a wrong one."""
    equal = sum(len(set(item.choices)) < len(item.choices) for item in items)
    if not equal:
        return []
    return [f"{equal} items have two equal answers, of which the first is taken as the model's"]
