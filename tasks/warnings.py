"""Warns a reader of a score about the items that were asked."""

from collections import defaultdict
from collections.abc import Sequence

from core.text import fold
from tasks.benchmark import Benchmark, Item
from tasks.data import Read

FEW = 20
_NAMED = 5


def warn_of_labels(shots: Sequence[Item], items: Sequence[Item], limit: int | None) -> list[str]:
    """Warns of shots of one label, and of labels that do not occur in the first `limit` items."""
    if not shots or not shots[0].label:
        return []
    found = []
    if len({item.label for item in shots}) == 1:
        found.append(f"all {len(shots)} shots have the same label, {shots[0].label!r}")
    scored = {item.label for item in items[:limit]}
    known = {item.label for item in [*shots, *items]}
    if limit is not None and scored < known:
        found.append(
            f"only {len(scored)} of the {len(known)} labels occur in the {limit} scored items: so "
            "low a limit does not represent the task"
        )
    return found


def warn_of_number(benchmark: Benchmark, data: Read, scored: int) -> list[str]:
    """Warns of a set that is not whole, and of too few scored items."""
    found = []
    rows = len(data.rows) + len(data.left_out)
    whole = benchmark.complete is None or rows == benchmark.complete
    if data.name != "embedded" and not whole:
        found.append(f"the set has {rows} rows; as published it has {benchmark.complete}")
    if scored < FEW:
        found.append(f"only {scored} items are scored: too few to tell two models apart")
    return found


def warn_of_answers(items: Sequence[Item]) -> list[str]:
    """Warns of items whose right answer cannot be told from a wrong one."""
    equal = sum(len(set(item.choices)) < len(item.choices) for item in items)
    if not equal:
        return []
    return [f"{equal} items have two equal answers, of which the first is taken as the model's"]


def warn_of_shots(shots: Sequence[Item], items: Sequence[Item]) -> list[str]:
    """Warns of items whose answer stands in the prompt, as they equal a shot; their ids may
    differ."""
    seen = {fold(text) for item in shots for text in _take_asked(item)}
    equal = [item.id for item in items if any(fold(text) in seen for text in _take_asked(item))]
    if not equal:
        return []
    return [
        f"{len(equal)} scored items equal a shot, so that the prompt holds their answer: "
        f"{_name_first(equal)}"
    ]


def warn_of_sides(items: Sequence[Item]) -> list[str]:
    """Warns of translations of a sentence into itself, as where one file stands in place of
    another."""
    same = [item.id for item in items if item.target and fold(item.source) == fold(item.target)]
    if not same:
        return []
    return [f"{len(same)} sentences are the same in both languages: {_name_first(same)}"]


def warn_of_left_out(data: Read, shots: int) -> list[str]:
    """Warns of rows that could not be asked, by what they lack."""
    rows = len(data.rows) + len(data.left_out)
    places: dict[str, list[str]] = defaultdict(list)
    for row in data.left_out:
        places[", ".join(row.columns)].append(row.place)
    found = [
        f"{len(where)} of {rows} rows are left out, since {columns} is empty or invisible: "
        f"{_name_first(where)}"
        for columns, where in places.items()
    ]
    if any(row.position < shots for row in data.left_out):
        found.append("a row that is left out is among the first, so the shots are not the paper's")
    return found


def _take_asked(item: Item) -> tuple[str, ...]:
    """Returns the text that is asked, with its translation: a sentence may be translated twice."""
    return (item.query, item.target) if item.target else (item.query,)


def _name_first(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
