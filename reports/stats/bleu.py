"""BLEU from sacrebleu's counts of each sentence, for many resamples at once."""

from typing import TYPE_CHECKING, Any

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

    Floats = NDArray[np.float64]

COUNTS = 10
"""Tokens of the hypothesis and of the reference, then the matches of four orders and the n-grams
of the hypothesis of four orders."""
TEST = "paired bootstrap"


def compute_bleu(counts: "NDArray[Any]") -> "Floats":
    """Compute corpus BLEU (0-100) of summed counts; the last axis is `COUNTS` long.

    Papineni et al. 2002, with one reference and sacrebleu's default smoothing: an order without a
    match counts as half a match, the next such order as a quarter, and so on.
    """
    import numpy as np

    sums = np.asarray(counts, np.float64)
    own, reference, matches, totals = sums[..., 0], sums[..., 1], sums[..., 2:6], sums[..., 6:]
    empty = (matches == 0) & (totals > 0)
    smoothed = np.where(empty, 0.5 ** np.cumsum(empty, axis=-1), matches)
    precision = smoothed / np.maximum(totals, 1)
    with np.errstate(divide="ignore"):
        mean = np.exp(np.log(precision).mean(axis=-1))
    longer = np.where(own < reference, reference / np.maximum(own, 1), 1.0)
    return np.where(matches.any(axis=-1), 100 * np.exp(1 - longer) * mean, 0.0)


def compare_bleu(before: "NDArray[Any]", after: "NDArray[Any]") -> Difference:
    """Compare two corpora of translations of the same sentences, in points of BLEU.

    `before` and `after` are (n, `COUNTS`). Standard error, interval and p by the paired bootstrap
    over sentences (Koehn 2004), resampled as chrF++ is.
    """
    n = len(before)
    points = float(compute_bleu(after.sum(axis=0)) - compute_bleu(before.sum(axis=0)))
    if n < LEAST_UNITS:
        why = f"a bootstrap needs {LEAST_UNITS} items"
        return Difference(points, None, None, None, n, n, TEST, why)
    weights = draw_weights(n)
    draws = compute_bleu(weights @ after) - compute_bleu(weights @ before)
    stderr = float(draws.std(ddof=1))
    if stderr == 0:
        p, why = (1.0, "no item changed") if points == 0 else (None, "every resample agrees")
        return Difference(points, 0.0, None, p, n, n, TEST, why)
    p = compute_two_sided_p(draws, points, n)
    return Difference(points, stderr, compute_percentile_interval(draws, n), p, n, n, TEST)
