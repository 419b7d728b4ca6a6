"""The items that training flipped, from wrong to right or back, and in how many languages.

The benchmarks are parallel: an item has the same id in every language.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from core.contract.record import Unreadable
from core.tasks import is_translation, show_task
from reports.store.samples import read_qualities
from reports.tables.results import Results
from reports.tables.sheet import PRODUCER, TASK, Column, Sheet, Value

if TYPE_CHECKING:
    pass

MOST = 10
"""Items that a table shows of each direction, task and producer."""
FEWEST = 2
"""Languages below which no item can be flipped in several."""
NOTE = (
    "Gained: wrong under base and right under the producer; lost: the other way. Of translations: "
    "better and worse by the sentence's chrF++, which nearly every sentence is, so that they are "
    f"ordered by their mean change. The {MOST} items of each direction that were flipped in most "
    "languages; `kakugo-report items` has all. By luck: in fewer languages than this every item "
    "would be gained (or lost), in 95 of 100 cases, if each language's flips fell on its items at "
    "random. More than that says that the items matter, as hard ones always do, and no more."
)


@dataclass(frozen=True)
class ItemFlips:
    """One item under one producer, over the languages in which base has it, too.

    `before` and `after` are means over languages: percent right, or the sentence's chrF++.
    """

    task: str
    producer: str
    id: str
    languages: tuple[str, ...]
    before: float
    after: float
    gained: tuple[str, ...]
    lost: tuple[str, ...]

    @property
    def change(self) -> float:
        return self.after - self.before


@dataclass(frozen=True)
class TaskFlips:
    """All items of one task and producer.

    `luck_gained` and `luck_lost` are the numbers of languages that no item reaches by luck;
    `left_out` are languages whose samples cannot be read.
    """

    task: str
    producer: str
    items: tuple[ItemFlips, ...]
    luck_gained: int
    luck_lost: int
    left_out: tuple[str, ...] = ()


def find_flips(results: Results, task: str, producer: str) -> TaskFlips | None:
    """Join base and producer in every language by the items' ids; None for fewer than two
    languages."""
    left_out: list[str] = []
    values: dict[str, tuple[Mapping[str, float], Mapping[str, float]]] = {}
    for row in results.find_gained(task, producer):
        if row.record is None or row.base_record is None:
            continue
        try:
            values[row.language.name] = (
                read_qualities(row.base_record),
                read_qualities(row.record),
            )
        except Unreadable:
            left_out.append(row.language.name)
    if len(values) < FEWEST:
        return None
    items = tuple(_join(task, producer, values))
    up, down = (
        find_luck([_share(before, after, sign) for before, after in values.values()], len(items))
        for sign in (1, -1)
    )
    return TaskFlips(task, producer, items, up, down, tuple(left_out))


def _join(
    task: str,
    producer: str,
    values: Mapping[str, tuple[Mapping[str, float], Mapping[str, float]]],
) -> Iterator[ItemFlips]:
    ids = dict.fromkeys(id_ for before, after in values.values() for id_ in before if id_ in after)
    for id_ in ids:
        pairs = {
            language: (before[id_], after[id_])
            for language, (before, after) in values.items()
            if id_ in before and id_ in after
        }
        yield ItemFlips(
            task=task,
            producer=producer,
            id=id_,
            languages=tuple(pairs),
            before=fmean(before for before, _ in pairs.values()),
            after=fmean(after for _, after in pairs.values()),
            gained=tuple(name for name, (before, after) in pairs.items() if after > before),
            lost=tuple(name for name, (before, after) in pairs.items() if after < before),
        )


def _share(before: Mapping[str, float], after: Mapping[str, float], sign: int) -> float:
    """The share of the items of one language that were flipped in one direction."""
    shared = [id_ for id_ in before if id_ in after]
    return sum(sign * (after[id_] - before[id_]) > 0 for id_ in shared) / max(len(shared), 1)


def find_luck(shares: Sequence[float], items: int) -> int:
    """Find the least number of languages that not one of `items` reaches in 95 of 100 cases.

    Each language flips its `shares` of items, anywhere: an item's number of languages is then
    Poisson-binomial (Hong 2013), and of many items at most their sum of tails reach it.
    """
    from scipy import stats

    law = stats.poisson_binom(shares)
    return next(
        (k for k in range(len(shares) + 1) if items * float(law.sf(k - 1)) <= 0.05),
        len(shares) + 1,
    )


def list_most_flipped(found: TaskFlips) -> Iterator[tuple[str, ItemFlips]]:
    """Give the items that most languages gained, then those that most lost, each with its
    direction."""
    translated = is_translation(found.task)
    for direction, sign in (("gained", 1), ("lost", -1)):
        of_side = [one for one in found.items if (one.gained if sign > 0 else one.lost)]

        def rank(one: ItemFlips, sign: int = sign) -> tuple[float, float]:
            count = len(one.gained) - len(one.lost) if translated else 0
            own = len(one.gained if sign > 0 else one.lost)
            return (-sign * one.change, -sign * count) if translated else (-own, -sign * one.change)

        for one in sorted(of_side, key=rank)[:MOST]:
            if not translated or sign * one.change > 0:
                yield direction, one


def tabulate_flips(results: Results, producers: Sequence[str]) -> Sheet:
    """List the items that were flipped in most languages, of each task and producer."""
    columns = (
        TASK,
        PRODUCER,
        Column("direction", "Flip"),
        Column("item", "Item", code=True),
        Column("languages", "Languages", numeric=True),
        Column("gained", "Gained", numeric=True),
        Column("lost", "Lost", numeric=True),
        Column("by_luck", "By luck", numeric=True),
        Column("before", "Base", ".1f", numeric=True),
        Column("after", "After", ".1f", numeric=True),
        Column("which", "Flipped in", prose=True),
    )
    rows: list[tuple[Value, ...]] = []
    left: dict[str, Counter[str]] = defaultdict(Counter)
    for producer in producers:
        for task in results.tasks:
            found = find_flips(results, task, producer)
            if found is None:
                continue
            left[task].update(found.left_out)
            for direction, one in list_most_flipped(found):
                luck = found.luck_gained if direction == "gained" else found.luck_lost
                flipped = one.gained if direction == "gained" else one.lost
                rows.append(
                    (
                        *(task, producer, direction, one.id, len(one.languages)),
                        *(len(one.gained), len(one.lost)),
                        None if is_translation(task) else luck,
                        *(one.before, one.after, ", ".join(flipped)),
                    )
                )
    gaps = [
        f"{show_task(task)}: without {', '.join(names)}, whose samples cannot be read."
        for task, names in left.items()
        if names
    ]
    return Sheet(columns, tuple(rows), notes=(NOTE, *gaps))
