"""The items that training flipped, from wrong to right or back, and in how many languages.

The benchmarks are parallel: an item has the same id in every language.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from core.contract.record import Unreadable
from core.tasks import is_translation, show_task
from reports.store.model import Score
from reports.store.samples import find_shared, read_items
from reports.tables.results import Results
from reports.tables.sheet import PRODUCER, TASK, Column, Sheet, Value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

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
    before: "Floats"
    after: "Floats"
    luck_gained: int
    luck_lost: int
    left_out: tuple[str, ...] = ()

    @cached_property
    def means(self) -> "tuple[Floats, Floats]":
        """The mean of each item over the languages that have it, before and after: (items,)."""
        return _compute_means(self.before), _compute_means(self.after)

    @cached_property
    def items(self) -> tuple[ItemFlips, ...]:
        """Every item by itself, in the order of the benchmark."""
        return tuple(self.make_item(place) for place in range(len(self.ids)))

    def make_item(self, place: int) -> ItemFlips:
        """Make one item of its row."""
        import numpy as np

        before, after = self.before[place], self.after[place]

        def name(which: "NDArray[np.bool_]") -> tuple[str, ...]:
            return tuple(self.languages[number] for number in np.flatnonzero(which))

        return ItemFlips(
            task=self.task,
            producer=self.producer,
            id=self.ids[place],
            languages=name(~np.isnan(before)),
            before=float(self.means[0][place]),
            after=float(self.means[1][place]),
            gained=name(after > before),
            lost=name(after < before),
        )


def _compute_means(values: "Floats") -> "Floats":
    """The mean of each row without its NaN, whose sum does not hang on the order of languages."""
    import numpy as np

    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    # Whole numbers, as right and wrong are, add up exactly anyway, in a tenth of the time.
    whole = bool((filled == np.rint(filled)).all())
    sums = filled.sum(axis=1) if whole else np.array([math.fsum(row) for row in filled.tolist()])
    means: Floats = sums / known.sum(axis=1)
    return means


@dataclass(frozen=True)
class _Side:
    """One language on a task: the ids of the items that base and producer share, a pyarrow string
    array, and how good each item is (n,)."""

    ids: Any
    before: "Floats"
    after: "Floats"


def find_flips(results: Results, task: str, producer: str) -> TaskFlips | None:
    """Join base and producer in every language by the items' ids; None for fewer than two
    languages."""
    left_out: list[str] = []
    sides: dict[str, _Side] = {}
    for row in results.find_gained(task, producer):
        if row.record is None or row.base_record is None:
            continue
        try:
            sides[row.language.name] = _pair(row.base_record, row.record)
        except Unreadable:
            left_out.append(row.language.name)
    if len(sides) < FEWEST:
        return None
    ids, before, after = _join(list(sides.values()))
    up, down = (
        find_luck(_compute_shares(sign * (after - before)), len(ids)) for sign in (1.0, -1.0)
    )
    return TaskFlips(task, producer, ids, tuple(sides), before, after, up, down, tuple(left_out))


def _pair(base: Score, record: Score) -> _Side:
    """Take the items that both scores hold. Raises Unreadable."""
    import pyarrow as pa

    left, right = read_items(base), read_items(record)
    before, after, ids = left.qualities, right.qualities, left.asked.ids
    places = find_shared(left.asked, right.asked)
    if places[0] is not None:
        before, after = before[places[0]], after[places[1]]
        ids = ids.take(pa.array(places[0]))
    return _Side(ids, before, after)


def _join(sides: Sequence[_Side]) -> "tuple[tuple[str, ...], Floats, Floats]":
    """Lay the languages side by side: the ids of all items, and two matrices (items, languages)."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    every = sides[0].ids
    alike = all(side.ids.equals(every) for side in sides)
    if not alike:
        every = pc.unique(pa.chunked_array([side.ids for side in sides]))
    before, after = np.full((2, len(every), len(sides)), np.nan)
    for number, side in enumerate(sides):
        at = slice(None) if alike else pc.index_in(side.ids, value_set=every).to_numpy()
        before[at, number], after[at, number] = side.before, side.after
    return tuple(every.to_pylist()), before, after


def _compute_shares(changes: "Floats") -> list[float]:
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
    expected = items * law.sf(range(-1, len(shares)))
    return next((k for k, count in enumerate(expected) if count <= 0.05), len(shares) + 1)


def list_most_flipped(found: TaskFlips) -> Iterator[tuple[str, ItemFlips]]:
    """Give the items that most languages gained, then those that most lost, each with its
    direction."""
    import numpy as np

    translated = is_translation(found.task)
    gained = (found.after > found.before).sum(axis=1)
    lost = (found.after < found.before).sum(axis=1)
    for direction, sign, own in (("gained", 1, gained), ("lost", -1, lost)):
        change = sign * (found.means[1] - found.means[0])
        first, second = (change, sign * (gained - lost)) if translated else (own, change)
        # Sorted by the last key first, and equals stay in their order.
        order = np.lexsort((-second, -first))
        for place in order[own[order] > 0][:MOST].tolist():
            if not translated or change[place] > 0:
                yield direction, found.make_item(place)


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
