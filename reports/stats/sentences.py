"""Two checkpoints by a metric whose score is the mean of its sentences' scores."""

from typing import TYPE_CHECKING

from reports.stats.bootstrap import (
    LEAST_UNITS,
    compute_percentile_interval,
    compute_two_sided_p,
    draw_weights,
)
from reports.stats.paired import Difference

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TEST = "paired bootstrap"


def compare_sentences(before: "NDArray[np.float64]", after: "NDArray[np.float64]") -> Difference:
    """Compare two (n,) scores of the same sentences, in the metric's own units.

    Standard error, interval and p by the paired bootstrap over sentences, resampled as chrF++ is.
    """
    n, changes = len(before), after - before
    points = float(changes.mean())
    if n < LEAST_UNITS:
        why = f"a bootstrap needs {LEAST_UNITS} items"
        return Difference(points, None, None, None, n, n, TEST, why)
    draws = (draw_weights(n) @ changes) / n
    stderr = float(draws.std(ddof=1))
    if stderr == 0:
        p, why = (1.0, "no item changed") if points == 0 else (None, "every resample agrees")
        return Difference(points, 0.0, None, p, n, n, TEST, why)
    p = compute_two_sided_p(draws, points, n)
    return Difference(points, stderr, compute_percentile_interval(draws, n), p, n, n, TEST)
