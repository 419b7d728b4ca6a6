"""The study's statistics, on plain numbers. The unit of every test is the prompt, never the vote.

Votes of several raters on one prompt are not independent: a binomial test on pooled votes rejects a
true null hypothesis in 9 to 19% of studies with five raters instead of 5% (`scripts/bench
preference` simulates it). So raters are averaged first, and signs are flipped prompt by prompt.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from core.statistics import LEVEL, RESAMPLES, compute_wilson


@dataclass(frozen=True)
class ConfidenceInterval:
    """A confidence interval at LEVEL, and how it was made."""

    low: float
    high: float
    method: str


def compute_sign_test(wins: int, losses: int) -> float | None:
    """Exact two-sided binomial p of wins against losses, ties left out; None without either."""
    return float(stats.binomtest(wins, wins + losses).pvalue) if wins + losses else None


def compute_upper_tail(successes: int, n: int, chance: float) -> float:
    """Exact probability of so many successes or more of n, each by chance."""
    return float(stats.binom.sf(successes - 1, n, chance))


def compute_two_sided(successes: int, n: int) -> float:
    """Exact two-sided binomial p against one half; 1 for n = 0."""
    return float(stats.binomtest(successes, n).pvalue) if n else 1.0


def compute_wilson_interval(successes: int, n: int) -> ConfidenceInterval | None:
    """Wilson score interval of a proportion; None for n = 0."""
    found = compute_wilson(successes, n, LEVEL)
    return ConfidenceInterval(found.low, found.high, "Wilson") if found else None


def compute_bca(
    values: Sequence[float], *, resamples: int = RESAMPLES, seed: int = 0
) -> ConfidenceInterval | None:
    """BCa bootstrap interval of the mean over prompts (Efron 1987). None where the values are all
    equal or fewer than two: then the bootstrap has nothing to say."""
    array = np.asarray(values, dtype=float)
    if len(array) < 2 or np.ptp(array) == 0:
        return None
    result = stats.bootstrap(
        (array,), np.mean, n_resamples=resamples, batch=1000, confidence_level=LEVEL, method="BCa",
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    low, high = (float(bound) for bound in result.confidence_interval)
    return (
        ConfidenceInterval(low, high, "BCa bootstrap over prompts")
        if math.isfinite(low + high)
        else None
    )


@dataclass(frozen=True)
class Agreement:
    """Krippendorff's nominal alpha between raters, with a bootstrap interval."""

    alpha: float
    interval: ConfidenceInterval | None
    raters: int
    prompts: int


def compute_agreement(
    ratings: Mapping[str, Mapping[str, str]], *, seed: int = 0
) -> Agreement | None:
    """ratings: rater -> prompt -> category. None for fewer than two raters, no prompt that two have
    rated, or no variation at all (alpha is then undefined)."""
    import evalica
    import pandas as pd

    prompts = sorted({prompt for row in ratings.values() for prompt in row})
    shared = [p for p in prompts if sum(p in row for row in ratings.values()) >= 2]
    seen = {row[p] for row in ratings.values() for p in shared if p in row}
    if len(ratings) < 2 or not shared or len(seen) < 2:
        return None
    codes = {category: float(code) for code, category in enumerate(sorted(seen))}
    frame = pd.DataFrame(
        [[codes[row[p]] if p in row else np.nan for p in shared] for row in ratings.values()]
    )
    alpha = float(evalica.alpha(frame, distance="nominal").alpha)
    drawn = evalica.alpha_bootstrap(frame, distance="nominal", n_resamples=2000, random_state=seed)
    low, high = float(drawn.low), float(drawn.high)
    interval = (
        ConfidenceInterval(low, high, "KALPHA bootstrap") if math.isfinite(low + high) else None
    )
    return Agreement(alpha, interval, len(ratings), len(shared))


@dataclass(frozen=True)
class BangIndex:
    """Bang's index (2004): 0 where guesses are chance, 1 where all are right, -1 all wrong."""

    index: float
    interval: ConfidenceInterval
    right: int
    wrong: int
    unknown: int


def compute_bang(right: int, wrong: int, unknown: int) -> BangIndex | None:
    """Bang's blinding index of an arm: (right - wrong) / n, "don't know" counted in n, with its
    normal interval. Guesses of one rater are not independent, so it is a description."""
    n = right + wrong + unknown
    if n == 0:
        return None
    r, w = right / n, wrong / n
    spread = float(stats.norm.ppf(0.5 + LEVEL / 2)) * math.sqrt(
        (r * (1 - r) + w * (1 - w) + 2 * r * w) / n
    )
    interval = ConfidenceInterval(max(-1.0, r - w - spread), min(1.0, r - w + spread), "normal")
    return BangIndex(r - w, interval, right, wrong, unknown)


def compute_power(
    prompts: int, win_share: float, *, ties: float = 0.0, alpha: float = 0.05
) -> float:
    """Probability that one rater's study comes out significant, by the exact two-sided sign test.

    win_share: of the decisive votes, how many go to the better arm; ties: share of ties. Exact sum
    over the number of decisive votes.
    """
    decisive = np.arange(prompts + 1)
    weights = stats.binom.pmf(decisive, prompts, 1 - ties)
    # The largest number of losses that is significant; -1 where none is.
    most = stats.binom.ppf(alpha / 2, decisive, 0.5)
    most = np.where(stats.binom.cdf(most, decisive, 0.5) > alpha / 2, most - 1, most)
    found = stats.binom.sf(decisive - most - 1, decisive, win_share)
    found = found + stats.binom.cdf(most, decisive, win_share)
    return float(np.sum(weights * np.where(most < 0, 0.0, found)))


def find_needed_share(
    prompts: int, *, ties: float = 0.0, alpha: float = 0.05, wanted: float = 0.8
) -> float | None:
    """The smallest share of decisive votes, in whole percent, that is found with power `wanted`;
    None where even 100% is not."""
    for percent in range(50, 101):
        if compute_power(prompts, percent / 100, ties=ties, alpha=alpha) >= wanted:
            return percent / 100
    return None
