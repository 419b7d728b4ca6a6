"""The common statistics against statsmodels, scipy, and the counting of all patterns."""

import itertools
import math
import warnings
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from core.statistics import adjust_holm, compute_wilson, flip_signs_exactly, flip_signs_sampled

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from statsmodels.stats.contingency_tables import mcnemar
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.proportion import proportion_confint


def test_wilson_is_statsmodels_and_widens_with_the_design_effect() -> None:
    for successes, n in ((0, 5), (101, 201), (897, 897)):
        expected = proportion_confint(successes, n, method="wilson")
        assert compute_wilson(successes, n) == pytest.approx(expected)
    expected = proportion_confint(50, 100, method="wilson")
    assert compute_wilson(100, 200, design_effect=2) == pytest.approx(expected)
    assert compute_wilson(100, 200, design_effect=0.5) == compute_wilson(100, 200), "never narrower"
    assert compute_wilson(0, 0) is None


def test_wilson_is_scipys_to_the_last_bit() -> None:
    """Kept scores and studies were computed with scipy's; computed again they are the same."""
    for n in (1, 2, 7, 80, 201, 897):
        for successes in range(n + 1):
            expected = stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")
            assert compute_wilson(successes, n) == tuple(expected)


def test_holm_is_statsmodels() -> None:
    ps = np.random.default_rng(7).beta(0.4, 2, 54).tolist()
    assert adjust_holm(ps) == pytest.approx(multipletests(ps, method="holm")[1].tolist())
    assert adjust_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjust_holm([]) == []


def enumerated(scores: Sequence[float]) -> float:
    """The sign-flip test by counting all sign patterns."""
    observed = abs(sum(scores))
    sums = [
        abs(sum(s * x for s, x in zip(signs, scores, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(scores))
    ]
    return sum(value >= observed - 1e-12 for value in sums) / len(sums)


@pytest.mark.parametrize(
    "scores", [[1, 1, 0, -1, 1, 0.5], [1 / 3, -1, 1, 1, 2 / 3, 1, 1, 0], [1.0] * 5]
)
def test_sampled_sign_flips_are_exact_for_few_prompts(scores: list[float]) -> None:
    assert flip_signs_sampled(scores) == pytest.approx(enumerated(scores))


def test_sampled_sign_flips_of_many_prompts_are_near_the_normal_limit() -> None:
    rng = np.random.default_rng(1)
    scores = rng.choice([-1.0, 0.0, 1.0], 80, p=[0.28, 0.3, 0.42])
    z = scores.sum() / math.sqrt((scores**2).sum())
    assert flip_signs_sampled(scores.tolist()) == pytest.approx(
        math.erfc(abs(z) / math.sqrt(2)), abs=0.015
    )


def test_sampled_sign_flips_have_nothing_to_say_of_ties_alone() -> None:
    assert flip_signs_sampled([0.0] * 10) is None
    assert flip_signs_sampled([]) is None


@pytest.mark.parametrize("score", [1.0, -1.0, 1 / 3])
def test_sampled_sign_flips_of_one_prompt_say_nothing_against_chance(score: float) -> None:
    assert flip_signs_sampled([score]) == 1.0 == pytest.approx(enumerated([score]))


def test_sampled_sign_flips_do_not_depend_on_which_arm_is_called_trained() -> None:
    scores = [1, 1, 0, -1, 1, 0.5, 1, -0.5, 1, 1, 1, 0, -1, 1, 1, 1]
    assert flip_signs_sampled(scores) == pytest.approx(
        flip_signs_sampled([-s for s in scores]), abs=0.01
    )


@pytest.mark.parametrize("seed", range(8))
def test_sign_flips_of_single_items_are_mcnemars_exact_test(seed: int) -> None:
    draw = np.random.default_rng(seed)
    before, after = (draw.random(97) < chance for chance in (0.4, 0.42 + 0.03 * seed))
    table = [[int((b & a).sum()) for a in (after, ~after)] for b in (before, ~before)]
    expected = mcnemar(table, exact=True).pvalue
    assert flip_signs_exactly(after.astype(int) - before.astype(int)) == pytest.approx(expected)


def test_sign_flips_of_whole_numbers_are_the_share_of_all_patterns() -> None:
    sums = np.array([3, -1, 2, 2, 0, 1, -2, 4])
    expected = enumerated(sums.tolist())
    assert flip_signs_exactly(sums) == pytest.approx(expected)
    assert flip_signs_exactly(-sums) == pytest.approx(expected)
    assert flip_signs_exactly(np.array([0, 0, 1, -1])) == 1.0


@pytest.mark.parametrize("seed", range(4))
def test_both_tests_by_sign_flips_agree(seed: int) -> None:
    """To the last digit where all patterns are tried, within the draws' own error elsewhere."""
    draw = np.random.default_rng(seed)
    few, many = (draw.choice([-1, 0, 1], n, p=[0.2, 0.3, 0.5]) for n in (12, 60))
    assert flip_signs_sampled(few.tolist()) == pytest.approx(flip_signs_exactly(few))
    exact = flip_signs_exactly(many)
    error = 5 * math.sqrt(exact * (1 - exact / 2) / 9999) + 2 / 9999
    assert flip_signs_sampled(many.tolist()) == pytest.approx(exact, abs=error)
