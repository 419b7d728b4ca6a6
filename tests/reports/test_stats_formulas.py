"""Each formula against an independent implementation: scipy, statsmodels, sacrebleu, or by hand."""

import warnings
from math import comb

import numpy as np
import pytest
from sacrebleu.metrics import CHRF
from scipy import stats
from simulations import pairs, passages, sentences

from core.statistics import _split_evenly
from reports.stats import bootstrap, chrf, correlation, intervals, languages, multiple, paired

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.power import NormalIndPower

WORDS = ["the", "river", "rises", "every", "spring", "and", "fields", "beside", "it", "stay"]
WORDS += ["under", "water", "for", "many", "days"]


def texts(seed: int, n: int = 40) -> tuple[list[str], list[str], list[str]]:
    """Two systems' hypotheses and the references."""
    draw = np.random.default_rng(seed)
    references = [" ".join(draw.permutation(WORDS)) for _ in range(n)]
    sides = [
        [" ".join(w if draw.random() < skill else "na" for w in r.split()) for r in references]
        for skill in (0.5, 0.54)
    ]
    return sides[0], sides[1], references


def sentence_counts(hypothesis: str, reference: str) -> list[int]:
    """sacrebleu's own 24 counts of one sentence, as the scoring keeps them."""
    return CHRF(word_order=2)._extract_corpus_statistics([hypothesis], [[reference]])[0]


def counts(hypotheses: list[str], references: list[str]) -> np.ndarray:
    return np.array([sentence_counts(*p) for p in zip(hypotheses, references, strict=True)])


def test_the_standard_error_of_single_items_is_the_paired_t_tests() -> None:
    before, after = pairs(np.random.default_rng(3), 150, 0.4, 0.5)
    found = paired.compare_accuracy(before, after)
    expected = stats.ttest_rel(100.0 * after, 100.0 * before)
    assert found.stderr == pytest.approx(expected._standard_error)
    low, high = expected.confidence_interval(0.95)
    assert found.interval is not None
    assert found.interval == pytest.approx((low, high), abs=100 / 150), "within one item"
    assert (found.n, found.units, found.test) == (150, 150, "McNemar, exact")


def test_the_clustered_standard_error_is_statsmodels() -> None:
    from statsmodels.regression.linear_model import OLS

    before, after, clusters = passages(np.random.default_rng(4), 0.05)
    found = paired.compare_accuracy(before, after, clusters)
    change = 100.0 * (after.astype(int) - before.astype(int))
    fit = OLS(change, np.ones_like(change)).fit(
        cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False}
    )
    units = len(set(clusters))
    assert found.stderr == pytest.approx(fit.bse[0] * np.sqrt(units / (units - 1)))
    assert (found.units, found.test) == (units, "sign flips by passage, exact")


@pytest.mark.parametrize("count", [1, 2, 3, 8, 201, 900])
def test_chances_of_heads_are_exact(count: int) -> None:
    exact = [comb(count, heads) / 2**count for heads in range(count + 1)]
    assert _split_evenly(count) == pytest.approx(exact, rel=1e-13)


def test_drawing_kinds_of_clusters_is_drawing_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after, clusters = passages(np.random.default_rng(5), 0.05)
    change = after.astype(float) - before.astype(float)
    sums, sizes = np.bincount(clusters, weights=change), np.bincount(clusters).astype(float)
    exact = bootstrap.draw_ratios(sums, sizes)
    monkeypatch.setattr(bootstrap, "_MATRIX", 0)
    fast = bootstrap.draw_ratios(sums, sizes)
    weights = bootstrap.draw_weights(len(sums)).astype(float)
    slow = (weights @ sums) / (weights @ sizes)
    assert exact == pytest.approx(slow, abs=1e-12)
    assert fast.mean() == pytest.approx(slow.mean(), abs=5e-4)
    assert fast.std() == pytest.approx(slow.std(), rel=0.03)
    assert stats.ks_2samp(fast, slow).pvalue > 0.001


def test_the_bootstrap_interval_is_scipys_widened_for_few_units() -> None:
    values = np.random.default_rng(6).normal(8, 6, 54)
    found = languages.average_over_languages(values.tolist())
    result = stats.bootstrap((values,), np.mean, n_resamples=9999, method="percentile", rng=1)
    assert found.interval == pytest.approx(tuple(result.confidence_interval), abs=0.25)
    few = languages.average_over_languages(values[:8].tolist())
    low, high = stats.t.interval(0.95, 7, values[:8].mean(), stats.sem(values[:8]))
    assert few.interval is not None
    assert few.interval.high - few.interval.low == pytest.approx(high - low, rel=0.2)


def test_too_few_for_an_interval_get_none_and_the_reason() -> None:
    assert languages.average_over_languages([3.0, 9.0, 4.0, 7.0, 1.0, 2.0]).interval is None
    before, after = pairs(np.random.default_rng(3), 11, 0.4, 0.5)
    found = paired.compare_accuracy(before, after)
    assert (found.interval, found.why) == (None, "an interval needs 12 independent items")
    assert found.p is not None, "the exact test holds for any number of items"
    said, _, references = texts(1, n=11)
    some = chrf.compare_chrf(counts(said, references), counts(references, references))
    assert (some.interval, some.p, some.why) == (None, None, "a bootstrap needs 12 items")


def test_resampled_chrf_is_sacrebleus_corpus_score() -> None:
    before, _, references = texts(1, n=12)
    weights = bootstrap.draw_weights(12)[:60].astype(int)
    metric = CHRF(word_order=2)
    slow = [
        metric.corpus_score(
            [before[place] for place in np.repeat(np.arange(12), row)],
            [[references[place] for place in np.repeat(np.arange(12), row)]],
        ).score
        for row in weights
    ]
    ours = counts(before, references)
    (found,) = chrf.score_resamples(ours)
    assert found[:60] == pytest.approx(slow, abs=1e-9)
    # Others beside it change nothing.
    beside = chrf.score_resamples(ours[::-1], ours, 2 * ours)
    assert [len(draws) for draws in beside] == [len(found)] * 3
    assert (beside[1] == found).all()
    assert (beside[0] != found).any()


@pytest.mark.parametrize("seed", range(3))
def test_the_paired_bootstrap_is_sacrebleus_on_sacrebleus_resamples(seed: int) -> None:
    from sacrebleu.significance import PairedTest

    before, after, references = texts(seed)
    test = PairedTest(
        [("base", before), ("trained", after)],
        {"chrF": CHRF(word_order=2, references=[references])},
        references=None,
        test_type="bs",
        n_samples=1000,
    )
    theirs = test()[1]["chrF2++"]
    # The same 1000 resamples (sacrebleu's seed), scored by our formula, all at once.
    indices = np.random.default_rng(12345).choice(40, size=(1000, 40), replace=True)
    weights = np.stack([np.bincount(row, minlength=40) for row in indices])
    ours = [chrf.compute_chrf(weights @ counts(side, references)) for side in (before, after)]
    assert ours[1].mean() == pytest.approx(theirs[1].mean, abs=1e-4)
    gap = abs(chrf.compute_chrf(counts(after, references).sum(axis=0)) - theirs[0].score)
    apart = np.abs(ours[1] - ours[0])
    p = (np.sum(apart - apart.mean() > gap) + 1) / 1001
    assert p == pytest.approx(theirs[1].p_value, abs=0.0021)


@pytest.mark.parametrize("hypothesis", ["", "a", "?!", "  ", "ئۇيغۇر"])
def test_chrf_of_odd_texts_is_sacrebleus(hypothesis: str) -> None:
    expected = CHRF(word_order=2).corpus_score([hypothesis], [["The river rises."]]).score
    found = chrf.compute_chrf(np.array(sentence_counts(hypothesis, "The river rises.")))
    assert found == pytest.approx(expected)


def test_the_design_effect_of_equal_twins_is_two() -> None:
    correct = np.random.default_rng(1).random(500) < 0.4
    twins, clusters = np.repeat(correct, 2), np.repeat(np.arange(500), 2)
    assert intervals.compute_design_effect(twins, clusters) == pytest.approx(
        2 * 500 / 499 * 999 / 1000
    )
    assert intervals.compute_design_effect(correct, None) == 1.0
    assert intervals.compute_design_effect(np.ones(4, bool), np.array([0, 0, 1, 1])) == 1.0


def test_chance_and_the_detectable_effect() -> None:
    assert intervals.compute_p_above_chance(70, 201, 25.0) == pytest.approx(
        stats.binom.sf(69, 201, 0.25)
    )
    # One group of n units whose spread is 1: stderr 1/sqrt(n).
    power = NormalIndPower(ddof=0).power(
        intervals.compute_minimum_detectable(0.1), nobs1=100, alpha=0.05, ratio=0
    )
    assert power == pytest.approx(0.8, abs=1e-4)


def test_the_correction_is_statsmodels() -> None:
    ps = np.random.default_rng(7).beta(0.4, 2, 54).tolist()
    expected = multipletests(ps, method="fdr_bh")[1].tolist()
    assert multiple.adjust_benjamini_hochberg(ps) == pytest.approx(expected)
    assert multiple.adjust_benjamini_hochberg([]) == []


def test_oldhams_correlation_is_that_of_gain_and_mean() -> None:
    draw = np.random.default_rng(8)
    base, after = draw.normal(40, 8, 30), draw.normal(48, 5, 30)
    found = correlation.correlate_oldham(base.tolist(), (after - base).tolist())
    expected = stats.pearsonr(after - base, (after + base) / 2)
    assert found.r == pytest.approx(expected.statistic)
    # Pitman's test of equal variances is the same (Pitman 1939).
    f = base.var() / after.var()
    rho = np.corrcoef(base, after)[0, 1]
    assert found.r == pytest.approx((1 - f) / np.sqrt((1 + f) ** 2 - 4 * f * rho**2))


def test_one_split_is_pearsons_r_between_the_halves() -> None:
    draw = np.random.default_rng(9)
    halves = []
    for _ in range(12):
        before, after = pairs(draw, 50, draw.uniform(0.3, 0.6), 0.6)
        masks = correlation.draw_halves(50)
        assert (masks[:20] + masks[20:] == 1).all()
        scores = [paired.compute_half_accuracies(side, None, masks) for side in (before, after)]
        first, second = masks[0] == 1, masks[20] == 1
        assert scores[0][0] == pytest.approx(100 * before[first].mean())
        found = correlation.pair_halves(*scores)
        assert found.gain[0] == pytest.approx(100 * (after[second].mean() - before[second].mean()))
        halves.append(found)
    one = [correlation.Halves(h.base[:1], h.gain[:1]) for h in halves]
    expected = stats.pearsonr([h.base[0] for h in one], [h.gain[0] for h in one]).statistic
    assert correlation.split_half(one).r == pytest.approx(expected)


def test_what_cannot_be_computed_is_none_with_a_reason() -> None:
    yes, no = np.array([True]), np.array([False])
    one = paired.compare_accuracy(no, yes)
    assert (one.points, one.stderr, one.p, one.why) == (100.0, None, None, "one item has no spread")
    same = np.array([True, False, True])
    tie = paired.compare_accuracy(same, same)
    assert (tie.points, tie.interval, tie.p, tie.why) == (0.0, None, 1.0, "no item changed")
    alike = paired.compare_accuracy(~np.array([True, True]), np.array([True, True]))
    assert (alike.points, alike.interval, alike.why) == (100.0, None, "every item changed alike")
    counted = sentences(np.random.default_rng(0), 3, 0.0)[0]
    assert chrf.compare_chrf(counted, counted).p == 1.0
    assert chrf.compare_chrf(counted[:1], counted[:1]).why == "one item has no spread"
    assert languages.average_over_languages([3.0]).interval is None
    for x, why in (([1.0, 2.0], "needs three"), ([1.0] * 5, "all values are equal")):
        found = correlation.relate_base_and_gain(x, x, [])
        assert found.pearson.r is None
        assert why in found.conclusion
    three = correlation.correlate_pearson([1, 2, 3], [1, 3, 2])
    assert (three.interval, three.why) == (None, "an interval needs four languages")


def test_conclusions_follow_from_what_is_not_coupled() -> None:
    draw = np.random.default_rng(10)
    base = draw.uniform(20, 70, 54)
    closing = correlation.relate_base_and_gain(base.tolist(), (30 - 0.4 * base).tolist(), [])
    assert closing.conclusion.startswith("Languages with a lower base score gain more")
    # Noise alone: the naive r is far from zero, and Oldham's is not.
    truth = draw.uniform(45, 50, 54)
    before, after = truth + draw.normal(0, 4, 54), truth + draw.normal(0, 4, 54)
    coupled = correlation.relate_base_and_gain(before.tolist(), (after - before).tolist(), [])
    assert coupled.pearson.interval is not None
    assert coupled.pearson.interval.high < 0
    assert "contains minus the base score" in coupled.conclusion


def test_three_points_on_a_line_give_a_coefficient_without_a_warning() -> None:
    """Warnings are errors in tests: scipy's interval of three points adds infinities."""
    found = correlation.correlate_pearson([3.0, 3.0, 2.0], [-1.0, -1.0, 2.0])
    assert found.r == -1
    assert (found.interval, found.why) == (None, "an interval needs four languages")
