"""Two checkpoints on the same multiple-choice items: the difference, its interval and its test."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.statistics import Interval, flip_signs_exactly
from reports.stats.bootstrap import LEAST_UNITS, compute_percentile_interval, draw_ratios

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Difference:
    """After minus before, in points of a 0-100 score.

    `units` is the number of independent units: items, or clusters of items. What cannot be
    computed is None, and `why` says so.
    """

    points: float
    stderr: float | None
    interval: Interval | None
    p: float | None
    n: int
    units: int
    test: str
    why: str = ""


def compare_accuracy(before: "Bools", after: "Bools", clusters: "Ints | None" = None) -> Difference:
    """The paired difference of two accuracies over `n` items, in points.

    `before` and `after` are (n,) booleans, `clusters` (n,) cluster numbers (None: every item on
    its own). Standard error: linearised for clusters (Miller 2024, arXiv 2411.00640, section 2.2,
    with the K/(K-1) correction). Interval: paired bootstrap over clusters. Test:
    `flip_signs_exactly`.
    Not covered: the seed of training.
    """
    import numpy as np

    n = len(before)
    changes = after.astype(np.int64) - before.astype(np.int64)
    if clusters is None:
        sums, sizes = changes, np.ones(n, np.int64)
    else:
        _, code = np.unique(clusters, return_inverse=True)
        sizes = np.bincount(code)
        sums = np.rint(np.bincount(code, weights=changes)).astype(np.int64)
    units = len(sums)
    test = "McNemar, exact" if units == n else "sign flips by passage, exact"
    points = 100.0 * float(changes.sum()) / n
    if units < 2:
        what = "one item" if n == 1 else "one passage"
        return Difference(points, None, None, None, n, units, test, f"{what} has no spread")
    residuals = sums - points / 100 * sizes
    stderr = 100 * math.sqrt(units / (units - 1) * float(np.sum(residuals**2))) / n
    p = flip_signs_exactly(sums)
    if stderr == 0 and points == 0:
        return Difference(0.0, 0.0, None, 1.0, n, units, test, "no item changed")
    if stderr == 0:
        return Difference(points, 0.0, None, p, n, units, test, "every item changed alike")
    draws = 100 * draw_ratios(sums.astype(np.float64), sizes.astype(np.float64))
    interval = compute_percentile_interval(draws, units)
    why = "" if interval else f"an interval needs {LEAST_UNITS} independent items"
    return Difference(points, stderr, interval, p, n, units, test, why)


def compute_half_accuracies(
    correct: "Bools", clusters: "Ints | None", halves: "Floats"
) -> "Floats":
    """Accuracy (0-100) in each half: `halves` is (splits, clusters) of 0 and 1; result (splits,).

    NaN where a half is empty.
    """
    import numpy as np

    code = np.arange(len(correct)) if clusters is None else clusters
    sums = np.bincount(code, weights=correct, minlength=halves.shape[1])
    sizes = np.bincount(code, minlength=halves.shape[1])
    with np.errstate(invalid="ignore"):
        shares: Floats = 100 * (halves @ sums) / (halves @ sizes)
    return shares
