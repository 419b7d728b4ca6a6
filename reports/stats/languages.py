"""A mean over languages, and how far it would move with other languages."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.statistics import Interval
from reports.stats.bootstrap import RESAMPLES, compute_percentile_interval, draw_weights

LEAST = 7
"""Languages that an interval needs: with four it covers 88%, with two it is just their range."""


@dataclass(frozen=True)
class Mean:
    """A mean over `n` languages; `interval` is None for fewer than `LEAST` or equal values."""

    value: float
    interval: Interval | None
    n: int


def average_over_languages(values: Sequence[float]) -> Mean:
    """The mean with the bootstrap interval over languages (Efron and Tibshirani 1993).

    It says how far the mean would move for other languages of the same kind; the items within a
    language count through their scores alone. Raises ValueError for no value.
    """
    import numpy as np

    if not values:
        raise ValueError("a mean needs at least one value")
    array = np.asarray(values, np.float64)
    n = len(array)
    if n < LEAST or float(np.ptp(array)) == 0:
        return Mean(float(array.mean()), None, n)
    draws = draw_weights(n, RESAMPLES).astype(np.float64) @ array / n
    return Mean(float(array.mean()), compute_percentile_interval(draws, n, least=LEAST), n)


def compute_ratio(sums: Sequence[float], sizes: Sequence[float]) -> tuple[float, Interval | None]:
    """Compute the ratio of two means over the same languages, with a bootstrap over languages.

    No interval for fewer than `LEAST`. `sizes` are above zero. Raises ValueError for no value.
    """
    import numpy as np

    if not sums:
        raise ValueError("a ratio needs at least one value")
    above, below = np.asarray(sums, np.float64), np.asarray(sizes, np.float64)
    n, ratio = len(above), float(above.sum() / below.sum())
    if n < LEAST:
        return ratio, None
    weights = draw_weights(n, RESAMPLES).astype(np.float64)
    draws = (weights @ above) / (weights @ below)
    return ratio, compute_percentile_interval(draws, n, least=LEAST)
