"""Gains on groups of items, over languages that share the items."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reports.stats.crossed import Contrast, UnitScores, compare_producers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Changes = Mapping[str, tuple[Sequence[str], "Floats"]]
"""By language: the ids (n,) of the items of a group, and the change of each item (n,) in points:
-100, 0 or 100 where an item is right or wrong."""


def compute_mean_change(changes: Changes) -> Contrast:
    """The mean over languages of the mean change of a group of items, with interval and test.

    As between two producers (`crossed`): items and languages are both counted as chance, and with
    few languages the items alone. Raises ValueError without a language.
    """
    import numpy as np

    cells = {
        language: _make_unit_scores(ids, np.asarray(values, np.float64))
        for language, (ids, values) in changes.items()
    }
    return compare_producers({"group": cells}).find_difference(1, 0)


def contrast_groups(first: Changes, second: Changes) -> Contrast:
    """The mean change on `first` minus that on `second`, over the languages that have both.

    The two groups share no item. Each item counts with its distance from its own group's mean, so
    that the variance is that of two independent samples of items (Welch), and languages that gain
    much on both groups do not widen it. Raises ValueError without such a language.
    """
    import numpy as np

    cells = {}
    for language in first.keys() & second.keys():
        sides = [(first[language], 1.0), (second[language], -1.0)]
        n = sum(len(ids) for (ids, _), _ in sides)
        points = sum(sign * float(np.mean(values)) for (_, values), sign in sides)
        parts = [
            sign * n / len(ids) * (np.asarray(values, np.float64) - np.mean(values))
            for (ids, values), sign in sides
        ]
        ids = [id_ for (own, _), _ in sides for id_ in own]
        cells[language] = _make_unit_scores(ids, np.concatenate(parts) + points)
    return compare_producers({"groups": cells}).find_difference(1, 0)


def _make_unit_scores(ids: Sequence[str], values: "Floats") -> UnitScores:
    import numpy as np

    return UnitScores(tuple(ids), np.stack([np.zeros(len(ids)), values]), np.ones(len(ids)))
