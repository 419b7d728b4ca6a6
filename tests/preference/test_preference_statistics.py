"""Every statistic against an implementation of its own, or a published value."""

import math

import numpy as np
import pytest
from scipy import stats

from core.statistics import flip_signs_sampled
from preference.statistics import (
    compute_agreement,
    compute_bang,
    compute_bca,
    compute_power,
    compute_sign_test,
    compute_wilson_interval,
    find_needed_share,
)


def test_sign_test_and_wilson_by_their_formulas() -> None:
    n, k = 20, 15
    tail = sum(math.comb(n, i) for i in range(k, n + 1)) / 2**n
    assert compute_sign_test(k, n - k) == pytest.approx(2 * tail)
    assert compute_sign_test(0, 0) is None
    interval = compute_wilson_interval(k, n)
    assert interval is not None
    low, high = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert (interval.low, interval.high, interval.method) == (low, high, "Wilson")
    assert compute_wilson_interval(0, 0) is None


def test_bca_against_its_formula() -> None:
    """Efron's bias correction and acceleration, computed here from their definitions."""
    from scipy.stats import norm

    rng = np.random.default_rng(0)
    values = rng.choice([-1.0, 0.0, 1.0], 80, p=[0.15, 0.25, 0.6])
    drawn = rng.choice(values, (20_000, 80)).mean(axis=1)
    below = (np.sum(drawn < values.mean()) + np.sum(drawn <= values.mean())) / (2 * len(drawn))
    jack = (values.sum() - values) / 79
    spread = jack.mean() - jack
    acceleration = (spread**3).sum() / (6 * (spread**2).sum() ** 1.5)
    z0 = norm.ppf(below)
    z = z0 + norm.ppf([0.025, 0.975])
    low, high = np.quantile(drawn, norm.cdf(z0 + z / (1 - acceleration * z)))
    interval = compute_bca(values.tolist())
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.02)
    assert compute_bca([1.0, 1.0, 1.0]) is None


def test_alpha_is_krippendorffs_own_example() -> None:
    """Nominal alpha of the 2011 paper's example A, two observers and ten units: 0.095."""
    one = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    two = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    found = compute_agreement(
        {
            name: {str(u): str(v) for u, v in enumerate(row)}
            for name, row in (("a", one), ("b", two))
        }
    )
    assert found is not None
    assert found.alpha == pytest.approx(0.095, abs=0.0005)
    assert found.interval is not None
    assert found.interval.low < found.alpha < found.interval.high


def test_alpha_of_one_rater_or_of_one_answer_is_a_gap() -> None:
    assert compute_agreement({"a": {"1": "x", "2": "y"}}) is None
    assert compute_agreement({"a": {"1": "x"}, "b": {"1": "x"}}) is None


def test_bang_by_hand() -> None:
    index = compute_bang(30, 10, 20)
    assert index is not None
    assert index.index == pytest.approx(20 / 60)
    variance = (0.5 * 0.5 + (1 / 6) * (5 / 6) + 2 * 0.5 / 6) / 60
    assert index.interval.high - index.index == pytest.approx(1.959964 * math.sqrt(variance))
    assert compute_bang(0, 0, 0) is None


def test_power_of_eighty_prompts() -> None:
    """The known needs: 67% of decisive votes without ties; with 30% ties, about 69%."""
    assert find_needed_share(80) == 0.67
    assert find_needed_share(80, ties=0.3) in (0.69, 0.70)
    assert find_needed_share(3) is None
    # Summed over every outcome, by the test itself.
    found = sum(
        stats.binom.pmf(n, 20, 0.7) * stats.binom.pmf(w, n, 0.7)
        for n in range(1, 21)
        for w in range(n + 1)
        if (compute_sign_test(w, n - w) or 1) <= 0.05
    )
    assert compute_power(20, 0.7, ties=0.3) == pytest.approx(found)


@pytest.mark.parametrize("raters", [1, 3, 5])
def test_the_primary_test_holds_its_level_with_correlated_raters(raters: int) -> None:
    """Null studies in which raters agree prompt by prompt; scripts/bench preference draws more."""
    from preference.simulation import simulate_null_study

    rng = np.random.default_rng(raters)
    rejected = 0
    for _ in range(200):
        scores = simulate_null_study(rng, prompts=80, raters=raters, spread=1.0).mean(axis=0)
        p = flip_signs_sampled(scores.tolist(), resamples=499, seed=int(rng.integers(2**31)))
        rejected += p is not None and p <= 0.05
    # 10 expected; 4 standard errors above are 22.
    assert rejected <= 22
