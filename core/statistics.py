"""Statistics that more than one package needs, on plain numbers.

scipy is imported when it is needed: importing this module costs nothing.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVEL = 0.95
RESAMPLES = 9999


class Interval(NamedTuple):
    """Both ends of an interval, in the units of the estimate."""

    low: float
    high: float


def compute_wilson(
    successes: int, n: int, level: float = LEVEL, design_effect: float = 1.0
) -> Interval | None:
    """Returns Wilson's score interval of a proportion (Wilson 1927; Brown, Cai and DasGupta 2001).

    `design_effect` is how much clusters widen the variance: the interval is that of n divided by
    it (Korn and Graubard 1998). None for n = 0.
    """
    from scipy import special

    if not n:
        return None
    size, share = n / max(design_effect, 1.0), successes / n
    z = float(special.ndtri(0.5 + level / 2))
    scale = 2 * (size + z**2)
    centre = (2 * size * share + z**2) / scale
    reach = z / scale * math.sqrt(4 * size * share * (1 - share) + z**2)
    low = 0.0 if successes == 0 else centre - reach
    high = 1.0 if successes == n else centre + reach
    return Interval(low, high)


def score_weights(
    weights: "NDArray[np.floating]",
    qualities: "NDArray[np.float64]",
    strata: "NDArray[np.int64]",
    guessing: float = 0.0,
) -> "NDArray[np.float64]":
    """Computes the score (0-100) of items under each row of `weights` (rows, n): the mean quality
    (0 to 1) of each stratum, the mean of these, and what of it is above `guessing` (0 to 1).

        100 max((mean - guessing) / (1 - guessing), 0)

    With the right answers as strata and one over their number as `guessing` it is the balanced
    accuracy, normalised (SEA-HELM, arXiv 2502.14301); with one stratum and 0 it is a mean. A
    stratum that a row gives no weight has no part in its mean; NaN where none has any.
    """
    import numpy as np

    members = np.zeros((len(strata), int(strata.max()) + 1))
    members[np.arange(len(strata)), strata] = 1.0
    with np.errstate(invalid="ignore"):
        means = (weights @ (members * qualities[:, None])) / (weights @ members)
    there = ~np.isnan(means)
    sums = np.where(there, means, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore"):
        mean = sums / there.sum(axis=1)
    scores: NDArray[np.float64] = 100 * np.maximum((mean - guessing) / (1 - guessing), 0.0)
    return scores


def score_strata(qualities: Sequence[float], strata: Sequence[str], guessing: float = 0.0) -> float:
    """Computes the score (0-100) of items, each counted once (see `score_weights`)."""
    import numpy as np

    _, numbers = np.unique(np.asarray(strata), return_inverse=True)
    once = np.ones((1, len(numbers)))
    return float(score_weights(once, np.asarray(qualities, np.float64), numbers, guessing)[0])


def draw_within_strata(
    strata: "NDArray[np.int64]", resamples: int, seed: int
) -> "NDArray[np.float32]":
    """Draws how often each item is in each resample that keeps the number of items of each stratum:
    (resamples, n). The same call gives the same weights."""
    import numpy as np

    rng = np.random.default_rng(seed)
    weights = np.zeros((resamples, len(strata)), np.float32)
    for stratum in np.unique(strata):
        at = np.flatnonzero(strata == stratum)
        weights[:, at] = rng.multinomial(len(at), np.full(len(at), 1 / len(at)), resamples)
    return weights


def draw_whole_clusters(
    clusters: "NDArray[np.int64]", resamples: int, seed: int
) -> "NDArray[np.float32]":
    """Draws how often each item is in each resample that takes clusters whole, as many as there
    are: (resamples, n). `clusters` (n,) are numbered from 0 without gaps. The same call gives the
    same weights."""
    import numpy as np

    count = int(clusters.max()) + 1
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), resamples)
    return draws.astype(np.float32)[:, clusters]


def adjust_holm(ps: Sequence[float]) -> list[float]:
    """Returns adjusted p-values that bound the chance of any false claim (Holm 1979), in their
    order."""
    order = sorted(range(len(ps)), key=lambda place: ps[place])
    adjusted = [0.0] * len(ps)
    so_far = 0.0
    for rank, place in enumerate(order):
        so_far = max(so_far, (len(ps) - rank) * ps[place])
        adjusted[place] = min(1.0, so_far)
    return adjusted


@lru_cache(maxsize=512)
def _split_evenly(count: int) -> "NDArray[np.float64]":
    """Computes the chances of 0 to `count` heads among so many fair coins. A report asks for the
    same few counts thousands of times."""
    import numpy as np

    # From the middle, where most is, outwards: a factor a step.
    middle = (count + 1) // 2
    steps = np.arange(middle, count)
    half = np.cumprod(np.append(1.0, (count - steps) / (steps + 1)))
    whole = np.concatenate([half[count - 2 * middle + 1 :][::-1], half])
    chances: NDArray[np.float64] = whole / whole.sum()
    chances.setflags(write=False)
    return chances


def flip_signs_exactly(sums: "NDArray[np.int64]") -> float:
    """Returns the two-sided exact p of the hypothesis that each unit's change is as likely as
    its opposite.

    `sums` holds whole numbers, one a unit. The statistic is |sum|; its distribution over all 2^k
    sign patterns (Fisher 1935; Good 2005, chapter 3) is the convolution of one scaled binomial
    for each size of change, so that nothing is sampled. For changes of -1, 0 and 1 it is
    McNemar's exact test.
    """
    import numpy as np

    counts = np.bincount(np.abs(sums))
    chances = np.ones(1)
    for size, count in enumerate(counts.tolist()):
        if not size or not count:
            continue
        spread = np.zeros(2 * size * count + 1)
        spread[:: 2 * size] = _split_evenly(count)
        chances = np.convolve(chances, spread)
    reach = len(chances) // 2
    far = abs(int(sums.sum()))
    if far == 0:
        return 1.0
    return min(1.0, 2 * float(chances[: reach - far + 1].sum()))


def flip_signs_sampled(
    scores: Sequence[float], *, resamples: int = RESAMPLES, seed: int = 0
) -> float | None:
    """Returns the p of the same hypothesis for scores that are no whole numbers, such as means.

    Exact where 2**n <= resamples, else Monte Carlo with the observed signs counted among the draws
    (so never 0). None without any score other than 0.

    A published study is verified by computing it again, draw by draw: so its test stays this one,
    although means of a few raters could be scaled to whole numbers.
    """
    import numpy as np
    from scipy import stats

    values = np.asarray(scores, dtype=float)
    if not values.any():
        return None
    if len(values) == 1:
        return 1.0  # Both signs are as extreme; scipy wants two observations.
    result = stats.permutation_test(
        (values,),
        lambda x, axis: np.mean(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        batch=1000,
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)
