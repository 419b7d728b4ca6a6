"""Two checkpoints on the same answers that were rated and are balanced by stratum."""

from typing import TYPE_CHECKING

from core.statistics import draw_within_strata, score_weights
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


def compare_strata(
    before: "Floats", after: "Floats", strata: "Ints", guessing: float = 0.0
) -> Difference:
    """Compares two scores of the same items (`core.statistics.score_weights`), in points.

    `before` and `after` are (n,) qualities from 0 to 1, `strata` (n,) the class of each item, which
    is that of its right answer or its phenomenon. Standard error, interval and p by the paired
    bootstrap that keeps the number of items of each class: McNemar's test is of plain accuracy, and
    says nothing of a mean over classes. Not covered: items that share a passage; seeds of training.
    """
    n = len(before)
    sides = [score_weights(_weigh_once(n), side, strata, guessing) for side in (before, after)]
    points = float(sides[1][0] - sides[0][0])
    if n < 2:
        return Difference(points, None, None, None, n, n, TEST, "one item has no spread")
    weights = draw_within_strata(strata, RESAMPLES, SEED)
    draws = score_weights(weights, after, strata, guessing) - score_weights(
        weights, before, strata, guessing
    )
    stderr = float(draws.std(ddof=1))
    if stderr == 0:
        p, why = (None, "every resample agrees") if points else (1.0, _say_equal(before, after))
        return Difference(points, 0.0, None, p, n, n, TEST, why)
    if n < LEAST_UNITS:
        why = f"a bootstrap needs {LEAST_UNITS} items"
        return Difference(points, stderr, None, None, n, n, TEST, why)
    p = compute_two_sided_p(draws, points, n)
    return Difference(points, stderr, compute_percentile_interval(draws, n), p, n, n, TEST)


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
