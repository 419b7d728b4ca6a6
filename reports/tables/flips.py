"""The items that training flipped, from wrong to right or back, and in how many languages.

The benchmarks are parallel: an item has the same id in every language.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING

from core.contract.record import Unreadable
from core.tasks import is_translation, show_task
from reports.store.samples import read_qualities
from reports.tables.results import Results
from reports.tables.sheet import PRODUCER, TASK, Column, Sheet, Value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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

    `before` and `after` (items, languages) are each item's value in each language: 100 or 0 for
    right or wrong, or chrF++; NaN where the language lacks the item. `luck_gained` and `luck_lost`
    are the numbers of languages that no item reaches by luck; `left_out` are languages whose
    samples cannot be read.
    """

    task: str
    producer: str
    ids: tuple[str, ...]
    languages: tuple[str, ...]
    before: "NDArray[np.float64]"
    after: "NDArray[np.float64]"
    luck_gained: int
    luck_lost: int
    left_out: tuple[str, ...] = ()

    @cached_property
    def items(self) -> tuple[ItemFlips, ...]:
        """Every item by itself, in the order of the benchmark."""
        return tuple(map(self.make_item, range(len(self.ids))))

    def make_item(self, place: int) -> ItemFlips:
        """Make one item of its row."""
        pairs = [
            (name, before, after)
            for name, before, after in zip(
                self.languages, self.before[place].tolist(), self.after[place].tolist(), strict=True
            )
            if before == before  # not a number where the language lacks it
        ]
        return ItemFlips(
            task=self.task,
            producer=self.producer,
            id=self.ids[place],
            languages=tuple(name for name, _, _ in pairs),
            before=fmean(before for _, before, _ in pairs),
            after=fmean(after for _, _, after in pairs),
            gained=tuple(name for name, before, after in pairs if after > before),
            lost=tuple(name for name, before, after in pairs if after < before),
        )


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
    ids, before, after = _join(list(values.values()))
    up, down = (
        find_luck(_compute_shares(sign * (after - before)), len(ids)) for sign in (1.0, -1.0)
    )
    return TaskFlips(task, producer, ids, tuple(values), before, after, up, down, tuple(left_out))


def _join(
    values: Sequence[tuple[Mapping[str, float], Mapping[str, float]]],
) -> tuple[tuple[str, ...], "NDArray[np.float64]", "NDArray[np.float64]"]:
    """Joins each language's values before and after by the ids of the items that both have."""
    import numpy as np

    shared = [
        before if before.keys() == after.keys() else before.keys() & after.keys()
        for before, after in values
    ]
    ids = tuple(
        dict.fromkeys(
            id_
            for (before, _), both in zip(values, shared, strict=True)
            for id_ in before
            if id_ in both
        )
    )
    nan = float("nan")
    sides = []
    for side in (0, 1):
        columns = [
            [pair[side][id_] if id_ in both else nan for id_ in ids]
            for pair, both in zip(values, shared, strict=True)
        ]
        sides.append(np.array(columns, np.float64).T)
    return ids, sides[0], sides[1]


def _compute_shares(changes: "NDArray[np.float64]") -> list[float]:
    """Computes for each language (a column) the share of its items that changed upwards."""
    import numpy as np

    flipped = (changes > 0).sum(axis=0)
    return list(map(float, flipped / np.maximum((~np.isnan(changes)).sum(axis=0), 1)))


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
    import numpy as np

    translated = is_translation(found.task)
    moved = found.after - found.before
    gained, lost = (moved > 0).sum(axis=1), (moved < 0).sum(axis=1)
    change = np.nanmean(found.after, axis=1) - np.nanmean(found.before, axis=1)
    for direction, sign, own in (("gained", 1, gained), ("lost", -1, lost)):
        by = (-sign * (gained - lost), -sign * change) if translated else (-sign * change, -own)
        # The last key is the first to order by; of equals, the first item.
        order = np.lexsort(by)
        for place in [n for n in order if own[n]][:MOST]:
            if not translated or sign * change[place] > 0:
                yield direction, found.make_item(int(place))


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
