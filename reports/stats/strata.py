"""Two checkpoints on the same answers that were rated and are balanced by stratum."""

from typing import TYPE_CHECKING

from core.statistics import draw_whole_clusters, draw_within_strata, score_weights
from reports.stats.bootstrap import (
    LEAST_UNITS,
    RESAMPLES,
    SEED,
    compute_percentile_interval,
    compute_two_sided_p,
)
from reports.stats.paired import Difference

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

TEST = "paired bootstrap within classes"
BY_PASSAGE = "paired bootstrap by passage"


def compare_strata(
    before: "Floats",
    after: "Floats",
    strata: "Ints",
    guessing: float = 0.0,
    clusters: "Ints | None" = None,
) -> Difference:
    """Compares two scores of the same items (`core.statistics.score_weights`), in points.

    `before` and `after` are (n,) qualities from 0 to 1, `strata` (n,) the class of each item, which
    is that of its right answer or its phenomenon. Standard error, interval and p by the paired
    bootstrap that keeps the number of items of each class: McNemar's test is of plain accuracy, and
    says nothing of a mean over classes. Where items share a passage, `clusters` (n,) numbers the
    passages without gaps, and these are resampled whole. Not covered: seeds of training.
    """
    n = len(before)
    units = n if clusters is None else int(clusters.max()) + 1
    test = TEST if clusters is None else BY_PASSAGE
    sides = [score_weights(_weigh_once(n), side, strata, guessing) for side in (before, after)]
    points = float(sides[1][0] - sides[0][0])
    if n < 2:
        return Difference(points, None, None, None, n, units, test, "one item has no spread")
    weights = (
        draw_within_strata(strata, RESAMPLES, SEED)
        if clusters is None
        else draw_whole_clusters(clusters, RESAMPLES, SEED)
    )
    draws = score_weights(weights, after, strata, guessing) - score_weights(
        weights, before, strata, guessing
    )
    stderr = float(draws.std(ddof=1))
    if stderr == 0:
        p, why = (None, "every resample agrees") if points else (1.0, _say_equal(before, after))
        return Difference(points, 0.0, None, p, n, units, test, why)
    if units < LEAST_UNITS:
        why = f"a bootstrap needs {LEAST_UNITS} {'items' if clusters is None else 'passages'}"
        return Difference(points, stderr, None, None, n, units, test, why)
    p = compute_two_sided_p(draws, points, units)
    interval = compute_percentile_interval(draws, units)
    return Difference(points, stderr, interval, p, n, units, test)


def split_strata(qualities: "Floats", strata: "Ints", guessing: float) -> "Floats":
    """Splits the score of each checkpoint over its items: (checkpoints, n), whose mean is the
    score; zeros for one that is not above guessing."""
    import numpy as np

    n = qualities.shape[1]
    sizes = np.bincount(strata)
    weights = n / (np.count_nonzero(sizes) * sizes[strata])
    shares = 100 * (qualities * weights - guessing) / (1 - guessing)
    above = shares.mean(axis=1, keepdims=True) > 0
    split: Floats = np.where(above, shares, 0.0)
    return split


def _weigh_once(n: int) -> "Floats":
    import numpy as np

    return np.ones((1, n))


def _say_equal(before: "Floats", after: "Floats") -> str:
    return "no item changed" if (before == after).all() else "neither is above guessing"
