"""Resampling of units: the weights, the interval and the p-value of a bootstrap."""

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from core.statistics import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 4_000
"""So many that Holm's correction over 54 languages can still reach 5%: the least p is 1/4001."""
LEAST_UNITS = 12
"""With fewer items a bootstrap interval covers less than 93% (8 items: 88%; see docs/log.md)."""
SEED = 20250101
_MATRIX = 2_000
"""Units up to which the weights of every resample are kept as a matrix (at most 32 MB)."""


@lru_cache(maxsize=8)
def draw_weights(units: int, resamples: int = RESAMPLES, seed: int = SEED) -> "NDArray[np.float32]":
    """Draw how often each unit is in each resample: (resamples, units), each row sums to `units`.

    Drawing with replacement is multinomial; the same call gives the same weights, so that two
    checkpoints are resampled alike.
    """
    import numpy as np

    draws = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), resamples)
    weights = draws.astype(np.float32)
    weights.setflags(write=False)
    return weights


def draw_ratios(
    sums: "Floats", sizes: "Floats", resamples: int = RESAMPLES, seed: int = SEED
) -> "Floats":
    """Resampled ratios sum(sums) / sum(sizes) over clusters: (resamples,).

    `sums` and `sizes` have one entry a cluster (Cameron, Gelbach and Miller 2008, the pairs cluster
    bootstrap). They are whole numbers, which float32 sums exactly. Of many clusters those with the
    same sum and size are exchangeable, so that only the counts of the distinct kinds are drawn: the
    same distribution, at a cost that does not grow with them.
    """
    import numpy as np

    if len(sums) <= _MATRIX:
        weights = draw_weights(len(sums), resamples, seed)
        above = weights @ sums.astype(np.float32)
        if sizes.max() == 1:  # of single items each resample has as many
            return np.asarray(above / np.float64(len(sums)))
        return np.asarray(above / (weights @ sizes.astype(np.float32)).astype(np.float64))
    # Each kind as one whole number, by sum and then by size: counted, where sorting takes longer.
    least, width = sums.min(), sizes.max() + 1
    counts = np.bincount(((sums - least) * width + sizes).astype(np.int64))
    kinds = np.flatnonzero(counts)
    counts, total = counts[kinds], len(sums)
    draws = np.random.default_rng(seed).multinomial(total, counts / total, resamples)
    ratios: Floats = (draws @ (kinds // width + least)) / (draws @ (kinds % width))
    return ratios


def compute_percentile_interval(
    draws: "Floats", units: int, level: float = 0.95, least: int = LEAST_UNITS
) -> Interval | None:
    """The expanded percentile interval of a bootstrap (Hesterberg 2015, section 4.3).

    The plain percentile interval is too short by about sqrt((n-1)/n) and by z in place of t; its
    tail probability is therefore taken at Phi(-sqrt(n/(n-1)) t). For hundreds of units the two
    are the same. None for fewer units than `least`: no interval rather than one that covers less
    than it says.
    """
    import numpy as np
    from scipy import special

    if units < least:
        return None
    t = special.stdtrit(units - 1, (1 + level) / 2)
    tail = float(special.ndtr(-math.sqrt(units / (units - 1)) * t))
    low, high = np.quantile(draws, (tail, 1 - tail))
    return Interval(float(low), float(high))


def compute_two_sided_p(draws: "Floats", estimate: float, units: int) -> float:
    """The share of resamples as far from the estimate as the estimate is from zero.

    (c + 1) / (B + 1) with c the number of |d* - d| >= |d| (Davison and Hinkley 1997, section 4.4),
    then widened for few units as `compute_percentile_interval` is. Where the resamples are skewed
    the two may differ at the edge: the interval excludes zero, and p is a little above 5%.
    sacrebleu centres the absolute differences instead, which rejects about twice as often as its
    level says when the sign of the difference is free; see docs/log.md.
    """
    import numpy as np
    from scipy import special

    beyond = int(np.count_nonzero(np.abs(draws - estimate) >= abs(estimate) - 1e-12))
    plain = (beyond + 1) / (len(draws) + 1)
    z = special.ndtri(plain / 2)
    return float(2 * special.stdtr(units - 1, z * math.sqrt((units - 1) / units)))
