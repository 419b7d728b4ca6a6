"""How often tests reject and intervals cover, on data whose truth is known.

Each function repeats an experiment `times` times and returns a share. The tests run them short,
`scripts/bench statistics` long.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from core.statistics import compute_wilson, flip_signs_exactly
from reports.stats import bits, bootstrap, chrf, correlation, intervals, languages, paired

ITEMS, PASSAGES, SENTENCES, LANGUAGES = 201, 300, 200, 54


def pairs(draw: np.random.Generator, n: int, before: float, after: float) -> tuple[Any, Any]:
    """Two checkpoints on `n` items that share how hard an item is."""
    hard = draw.normal(0, 0.15, n)
    return draw.random(n) < before + hard, draw.random(n) < after + hard


def passages(draw: np.random.Generator, effect: float) -> tuple[Any, Any, Any]:
    """One or two or four questions a passage; a passage moves all of its questions at once."""
    clusters = np.repeat(np.arange(PASSAGES), draw.choice([1, 2, 4], PASSAGES))
    hard = draw.normal(0, 0.15, PASSAGES)[clusters]
    moved = draw.normal(0, 0.2, PASSAGES)[clusters]
    n = len(clusters)
    return (
        draw.random(n) < 0.4 + hard - moved / 2,
        draw.random(n) < 0.4 + effect + hard + moved / 2,
        clusters,
    )


def sentences(draw: np.random.Generator, n: int, effect: float) -> tuple[Any, Any]:
    """chrF++ counts of two systems on `n` sentences: (n, 24) each."""
    length = draw.integers(40, 200, n)
    hard = draw.normal(0, 0.6, n)
    sides = []
    for shift in (0.0, effect):
        skill = 1 / (1 + np.exp(-(hard + shift + draw.normal(0, 0.7, n))))
        counts = np.zeros((n, 24), np.int64)
        for order in range(8):
            size = np.maximum(length - order if order < 6 else length // 6 - order + 6, 1)
            said = np.maximum((size * draw.uniform(0.8, 1.2, n)).astype(np.int64), 1)
            counts[:, 3 * order] = said
            counts[:, 3 * order + 1] = size
            share = skill ** (0.4 + 0.3 * (order if order < 6 else order - 4))
            counts[:, 3 * order + 2] = draw.binomial(np.minimum(said, size), share)
        sides.append(counts)
    return sides[0], sides[1]


def _share(times: int, seed: int, once: Callable[[np.random.Generator], bool]) -> float:
    draw = np.random.default_rng(seed)
    return sum(once(draw) for _ in range(times)) / times


def mcnemar_level(times: int, seed: int = 1, n: int = ITEMS) -> float:
    """Exact, therefore at most 5%, and less the fewer items changed."""

    def once(draw: np.random.Generator) -> bool:
        before, after = pairs(draw, n, 0.45, 0.45)
        return flip_signs_exactly(after.astype(int) - before.astype(int)) < 0.05

    return _share(times, seed, once)


def passage_level(times: int, seed: int = 2) -> float:
    def once(draw: np.random.Generator) -> bool:
        before, after, clusters = passages(draw, 0.0)
        return flip_signs_exactly(_sums(before, after, clusters)) < 0.05

    return _share(times, seed, once)


def unclustered_level(times: int, seed: int = 2) -> float:
    """McNemar on the same items as if no two shared a passage: what clustering is for."""

    def once(draw: np.random.Generator) -> bool:
        before, after, _ = passages(draw, 0.0)
        return flip_signs_exactly(after.astype(int) - before.astype(int)) < 0.05

    return _share(times, seed, once)


def passage_coverage(times: int, seed: int = 3) -> float:
    def once(draw: np.random.Generator) -> bool:
        before, after, clusters = passages(draw, 0.05)
        found = paired.compare_accuracy(before, after, clusters)
        assert found.interval
        return found.interval.low <= TRUTH_PASSAGES <= found.interval.high

    return _share(times, seed, once)


def items_coverage(times: int, seed: int = 4, n: int = ITEMS) -> float:
    def once(draw: np.random.Generator) -> bool:
        before, after = pairs(draw, n, 0.4, 0.5)
        found = paired.compare_accuracy(before, after)
        assert found.interval
        return found.interval.low <= TRUTH_ITEMS <= found.interval.high

    return _share(times, seed, once)


def wilson_coverage(times: int, seed: int = 5) -> float:
    """Over accuracies from 25% to 95%: at a single one the coverage of any such interval swings."""

    def once(draw: np.random.Generator) -> bool:
        truth = draw.uniform(0.25, 0.95)
        interval = compute_wilson(int(draw.binomial(ITEMS, truth)), ITEMS)
        assert interval
        return interval.low <= truth <= interval.high

    return _share(times, seed, once)


def clustered_score_coverage(times: int, seed: int = 12, clustered: bool = True) -> float:
    """Wilson's interval of one accuracy whose items share passages, widened for it or not."""

    def once(draw: np.random.Generator) -> bool:
        clusters = np.repeat(np.arange(PASSAGES), draw.choice([1, 2, 4], PASSAGES))
        correct = draw.random(len(clusters)) < 0.5 + draw.normal(0, 0.25, PASSAGES)[clusters]
        effect = intervals.compute_design_effect(correct, clusters if clustered else None)
        interval = compute_wilson(int(correct.sum()), len(correct), design_effect=effect)
        assert interval
        return interval.low <= 0.5 <= interval.high

    return _share(times, seed, once)


def chrf_level(times: int, seed: int = 6, n: int = SENTENCES) -> float:
    def once(draw: np.random.Generator) -> bool:
        p = chrf.compare_chrf(*sentences(draw, n, 0.0)).p
        return p is not None and p < 0.05

    return _share(times, seed, once)


def sacrebleu_level(times: int, seed: int = 6, n: int = SENTENCES) -> float:
    """sacrebleu's way to a p, from the same resamples."""

    def once(draw: np.random.Generator) -> bool:
        before, after = sentences(draw, n, 0.0)
        gap = float(chrf.compute_chrf(after.sum(axis=0)) - chrf.compute_chrf(before.sum(axis=0)))
        draws = chrf.score_resamples(before, after)
        apart = np.abs(draws[1] - draws[0])
        return bool((np.sum(apart - apart.mean() > abs(gap)) + 1) / (len(apart) + 1) < 0.05)

    return _share(times, seed, once)


def chrf_coverage(times: int, seed: int = 7, n: int = SENTENCES) -> float:
    truth = _truth_chrf()

    def once(draw: np.random.Generator) -> bool:
        found = chrf.compare_chrf(*sentences(draw, n, 0.3))
        assert found.interval
        return found.interval.low <= truth <= found.interval.high

    return _share(times, seed, once)


def detected(times: int, seed: int = 8) -> float:
    """How often an effect of the minimum detectable size is found: 80% by its definition."""
    draw = np.random.default_rng(0)
    errors = [
        paired.compare_accuracy(*pairs(draw, ITEMS, 0.4, 0.5)).stderr or 0.0 for _ in range(200)
    ]
    effect = intervals.compute_minimum_detectable(float(np.mean(errors))) / 100

    def once(draw: np.random.Generator) -> bool:
        before, after = pairs(draw, ITEMS, 0.45 - effect / 2, 0.45 + effect / 2)
        found = paired.compare_accuracy(before, after)
        assert found.stderr
        return abs(found.points) > 1.959964 * found.stderr

    return _share(times, seed, once)


def mean_coverage(times: int, seed: int = 9, n: int = LANGUAGES) -> float:
    def once(draw: np.random.Generator) -> bool:
        found = languages.average_over_languages(draw.normal(8, 6, n).tolist()).interval
        assert found
        return found.low <= 8 <= found.high

    return _share(times, seed, once)


def _scores(draw: np.random.Generator, languages_: int) -> tuple[Any, Any, Any]:
    """Gains that do not depend on the base, measured with the noise of `ITEMS` items."""
    base = draw.uniform(0.3, 0.6, languages_)
    gain = draw.normal(0.08, 0.03, languages_)
    halves = correlation.draw_halves(ITEMS)
    measured = []
    for b, g in zip(base, gain, strict=True):
        before, after = draw.random(ITEMS) < b, draw.random(ITEMS) < b + g
        scores = [paired.compute_half_accuracies(x, None, halves) for x in (before, after)]
        measured.append((100 * before.mean(), 100 * after.mean(), correlation.pair_halves(*scores)))
    return zip(*measured, strict=True)  # type: ignore[return-value]


def naive_level(times: int, seed: int = 10) -> float:
    """Pearson's r of base and gain, where base does not matter: coupled, so far above 5%."""

    def once(draw: np.random.Generator) -> bool:
        before, after, _ = _scores(draw, LANGUAGES)
        found = correlation.correlate_pearson(
            before, [a - b for b, a in zip(before, after, strict=True)]
        )
        assert found.interval
        return not found.interval.low <= 0 <= found.interval.high

    return _share(times, seed, once)


def split_half_level(times: int, seed: int = 10) -> float:
    def once(draw: np.random.Generator) -> bool:
        found = correlation.split_half(list(_scores(draw, LANGUAGES))[2])
        assert found.interval
        return not found.interval.low <= 0 <= found.interval.high

    return _share(times, seed, once)


def correlation_coverage(times: int, kind: str, seed: int = 11, n: int = LANGUAGES) -> float:
    """Pearson's or Spearman's interval at rho = -0.5 in a normal population."""
    rho = -0.5
    truth = rho if kind == "pearson" else 6 / np.pi * np.arcsin(rho / 2)

    def once(draw: np.random.Generator) -> bool:
        x = draw.normal(size=n)
        y = rho * x + np.sqrt(1 - rho**2) * draw.normal(size=n)
        found = getattr(correlation, f"correlate_{kind}")(x.tolist(), y.tolist()).interval
        return bool(found.low <= truth <= found.high)

    return _share(times, seed, once)


def _sums(before: Any, after: Any, clusters: Any) -> Any:
    changes = after.astype(np.int64) - before.astype(np.int64)
    return np.rint(np.bincount(clusters, weights=changes)).astype(np.int64)


def _truth_chrf() -> float:
    before, after = sentences(np.random.default_rng(0), 100_000, 0.3)
    return float(chrf.compute_chrf(after.sum(axis=0)) - chrf.compute_chrf(before.sum(axis=0)))


def _truth(shift: float, seed: int = 0) -> float:
    """The mean effect on a population of the passages above, in points (chances are clipped)."""
    draw = np.random.default_rng(seed)
    hard, moved = draw.normal(0, 0.15, 1_000_000), draw.normal(0, 0.2, 1_000_000)
    after, before = 0.4 + shift + hard + moved / 2, 0.4 + hard - moved / 2
    return float(100 * (np.clip(after, 0, 1) - np.clip(before, 0, 1)).mean())


def _truth_items() -> float:
    hard = np.random.default_rng(0).normal(0, 0.15, 1_000_000)
    return float(100 * (np.clip(0.5 + hard, 0, 1) - np.clip(0.4 + hard, 0, 1)).mean())


TRUTH_PASSAGES, TRUTH_ITEMS = _truth(0.05), _truth_items()
RESAMPLES = bootstrap.RESAMPLES


def documents(draw: np.random.Generator, n: int, effect: float) -> tuple[Any, Any, Any]:
    """Nats of base and trained and bytes of `n` documents: long ones are many times short ones, and
    each has its own difficulty and its own change around `effect` bits per byte."""
    sizes = np.ceil(draw.lognormal(6, 0.9, n))
    hardness = draw.normal(1.4, 0.3, n)
    change = effect + draw.normal(0, 0.08, n)
    return (
        hardness * sizes * math.log(2),
        (hardness + change) * sizes * math.log(2),
        sizes,
    )


def bits_coverage(times: int, seed: int = 21, n: int = 123) -> float:
    def once(draw: np.random.Generator) -> bool:
        found = bits.compare_bits(*documents(draw, n, -0.02)).interval
        return found is not None and found.low <= -0.02 <= found.high

    return _share(times, seed, once)


def bits_level(times: int, seed: int = 22, n: int = 123) -> float:
    def once(draw: np.random.Generator) -> bool:
        p = bits.compare_bits(*documents(draw, n, 0.0)).p
        return p is not None and p < 0.05

    return _share(times, seed, once)
