"""Means over languages that share items: level, coverage and ranks, by simulation."""

from typing import Any

import numpy as np
import pytest

from reports.stats.chrf import compute_chrf
from reports.stats.crossed import Comparison, UnitScores, compare_producers, split_over_sentences
from reports.stats.languages import average_over_languages
from reports.stats.replicates import estimate_replicated


def simulate(
    generator: np.random.Generator,
    producers: int = 2,
    languages: int = 12,
    items: int = 60,
    shared: float = 0.8,
    spread: float = 0.0,
    effect: tuple[float, ...] = (),
) -> dict[str, UnitScores]:
    """Answers of producers to one parallel task, by language.

    In logits, `shared` is the standard deviation of what an item does to a producer in every
    language, `spread` that of what a language does; `effect` is added to the first producers.
    """
    item = generator.normal(0, shared, (producers, 1, items))
    language = generator.normal(0, spread, (producers, languages, 1))
    added = np.zeros((producers, 1, 1))
    added[: len(effect), 0, 0] = effect
    logit = item + language + added
    right = generator.random(logit.shape) < 1 / (1 + np.exp(-logit))
    units = tuple(map(str, range(items)))
    return {
        f"l{n}": UnitScores(units, 100.0 * right[:, n], np.ones(items)) for n in range(languages)
    }


def compare(generator: np.random.Generator, **how: Any) -> Comparison:
    return compare_producers({"task": simulate(generator, **how)})


@pytest.mark.parametrize(
    "how",
    [
        {"shared": 0.8},
        {"shared": 0.0},
        {"shared": 0.8, "spread": 0.4},
        {"shared": 0.0, "spread": 0.4},
        {"shared": 0.8, "languages": 3},
        {"shared": 0.8, "languages": 40, "items": 100},
    ],
    ids=str,
)
def test_an_interval_over_shared_items_covers_as_often_as_it_says(how: dict[str, Any]) -> None:
    generator, rounds = np.random.default_rng(3), 300
    pairs = [compare(generator, **how).pairs[0] for _ in range(rounds)]
    covered = sum(p.interval is not None and p.interval.low <= 0 <= p.interval.high for p in pairs)
    # 95% within three standard deviations of the simulation's own noise (1.3 points).
    assert 0.912 <= covered / rounds <= 0.988


def test_an_interval_over_languages_alone_is_too_short_where_they_share_items() -> None:
    generator, covered = np.random.default_rng(3), 0
    for _ in range(100):
        cells = simulate(generator, shared=0.8, languages=40, items=100).values()
        mean = average_over_languages([float(c.scores[0] - c.scores[1]) for c in cells])
        assert mean.interval
        covered += mean.interval.low <= 0 <= mean.interval.high
    assert covered < 85, "which is why items are counted, too"


def test_the_best_is_not_told_from_its_equals() -> None:
    generator = np.random.default_rng(4)
    whole = [compare(generator, producers=5, spread=0.3).as_good_as_best for _ in range(200)]
    told = sum(len(found) < 5 for found in whole) / len(whole)
    assert told <= 0.05 + 2 * 0.0154


def test_a_worse_producer_is_told_and_ranks_hold_the_true_ones() -> None:
    generator = np.random.default_rng(5)
    effect = (0.0, 1.5, 1.5, -1.5)
    held = 0
    for _ in range(40):
        found = compare(generator, producers=4, shared=0.3, effect=effect)
        assert 3 not in found.as_good_as_best
        assert found.as_good_as_best & {1, 2}
        low, high = zip(*found.ranks, strict=True)
        assert high[3] == 4
        held += low[1] <= 1.5 <= high[1] and low[0] <= 3 <= high[0]
    assert held >= 36


def test_the_same_scores_are_equal_and_share_their_places() -> None:
    units = tuple("abcdefghijklmnop")
    one = np.arange(16.0)
    found = compare_producers({"t": {"l": UnitScores(units, np.stack([one, one]), np.ones(16))}})
    (pair,) = found.pairs
    assert (pair.points, pair.p_holm, pair.why) == (0.0, 1.0, "no item differs")
    assert [f"{one.points:+.1f}" for one in (pair, pair.turn())] == ["+0.0", "+0.0"]
    assert found.ranks == ((1, 2), (1, 2))
    assert found.as_good_as_best == {0, 1}


def test_too_few_items_give_no_interval() -> None:
    units = ("a", "b", "c")
    sums = np.array([[1.0, 0, 1], [0, 0, 1]])
    (pair,) = compare_producers({"t": {"l": UnitScores(units, sums, np.ones(3))}}).pairs
    assert pair.interval is None
    assert pair.why == "a test needs 12 independent items, or 7 languages"
    assert pair.points == pytest.approx(1 / 3)


def test_one_language_is_the_paired_standard_error_of_its_items() -> None:
    """With one language and one task nothing is crossed: the standard error is the textbook's."""
    generator = np.random.default_rng(6)
    sums = generator.random((2, 400)) * 100
    units = tuple(map(str, range(400)))
    found = compare_producers({"t": {"l": UnitScores(units, sums, np.ones(400))}})
    difference = sums[0] - sums[1]
    (pair,) = found.pairs
    assert pair.stderr == pytest.approx(difference.std(ddof=1) / 20, rel=0.05)
    assert pair.points == pytest.approx(difference.mean())
    assert found.find_difference(1, 0).points == pytest.approx(-pair.points)


def test_sentences_share_out_a_corpus_score_with_its_spread() -> None:
    generator = np.random.default_rng(7)
    # hypothesis, reference and match of eight orders; matches are fewer than both
    counts = generator.integers(20, 60, (300, 24))
    counts[:, 2::3] = np.minimum(counts[:, ::3], counts[:, 1::3]) // 2
    shares = split_over_sentences([counts.astype(np.int32)])
    assert shares.mean() == pytest.approx(float(compute_chrf(counts.sum(axis=0))))
    weights = generator.multinomial(300, np.full(300, 1 / 300), 2000)
    whole = compute_chrf(weights @ counts)
    assert shares.std(ddof=1) / 300**0.5 == pytest.approx(whole.std(ddof=1), rel=0.1)


def test_a_difference_is_found_by_its_place_among_many_pairs() -> None:
    found = compare(np.random.default_rng(5), producers=9)
    for a in range(9):
        for b in range(9):
            if a != b:
                pair = found.find_difference(a, b)
                assert (pair.first, pair.second) == (a, b)
                assert pair.points == pytest.approx(found.scores[a] - found.scores[b])


def simulate_seeds(
    generator: np.random.Generator,
    seeds: tuple[int, ...],
    languages: int = 1,
    items: int = 80,
    of_seeds: float = 1.0,
) -> dict[str, dict[str, UnitScores]]:
    """Scores of producers of so many seeds each on two tasks; all of them are equally good.

    In points, an item does the same to all with a deviation of 30, and to one checkpoint with 20; a
    seed moves all items of both tasks by `of_seeds`.
    """
    cells: dict[str, dict[str, UnitScores]] = {"a": {}, "b": {}}
    item = {task: generator.normal(50, 30, items) for task in cells}
    for n in range(languages):
        moved = [generator.normal(0, of_seeds, (count, 1)) for count in seeds]
        for task in cells:
            parts = [item[task] + one + generator.normal(0, 20, (len(one), items)) for one in moved]
            cells[task][f"l{n}"] = UnitScores(
                tuple(f"{task}{i}" for i in range(items)),
                np.stack([part.mean(axis=0) for part in parts]),
                np.ones(items),
                {place: part for place, part in enumerate(parts) if len(part) > 1},
            )
    return cells


@pytest.mark.parametrize(
    "how",
    [
        {"seeds": (1, 3), "of_seeds": 0.0},
        {"seeds": (3, 3)},
        {"seeds": (3, 3), "of_seeds": 5.0},
        {"seeds": (5, 5), "languages": 3},
        {"seeds": (3, 5), "languages": 2, "of_seeds": 3.0},
        {"seeds": (3, 3), "languages": 10, "of_seeds": 3.0},
    ],
    ids=str,
)
def test_an_interval_over_groups_of_seeds_covers_as_often_as_it_says(how: dict[str, Any]) -> None:
    generator, rounds = np.random.default_rng(6), 400
    pairs = [compare_producers(simulate_seeds(generator, **how)).pairs[0] for _ in range(rounds)]
    covered = sum(p.interval is not None and p.interval.low <= 0 <= p.interval.high for p in pairs)
    # The floor of the variance, and df that are estimated, make it a little wider.
    assert 0.917 <= covered / rounds <= 0.995


def test_an_interval_over_items_alone_is_too_short_where_seeds_differ() -> None:
    generator, covered = np.random.default_rng(6), 0
    for _ in range(100):
        cells = simulate_seeds(generator, (3, 3), of_seeds=5.0)
        bare = {
            task: {name: UnitScores(c.units, c.sums, c.sizes) for name, c in own.items()}
            for task, own in cells.items()
        }
        interval = compare_producers(bare).pairs[0].interval
        assert interval
        covered += interval.low <= 0 <= interval.high
    assert covered < 80, "which is why seeds are counted, too"


def test_equal_groups_of_seeds_are_not_told_apart_and_share_their_places() -> None:
    generator, rounds = np.random.default_rng(7), 150
    found = [
        compare_producers(simulate_seeds(generator, (3, 3, 3, 1), of_seeds=0.0))
        for _ in range(rounds)
    ]
    told = sum(len(one.as_good_as_best) < 4 for one in found) / rounds
    assert told <= 0.05 + 2 * 0.018
    seeded = [
        compare_producers(simulate_seeds(generator, (3, 3, 3), of_seeds=4.0)) for _ in range(rounds)
    ]
    told = sum(len(one.as_good_as_best) < 3 for one in seeded) / rounds
    assert told <= 0.05 + 2 * 0.018
    held = sum(all(r.low <= 2 <= r.high for r in one.ranks) for one in seeded) / rounds
    assert held >= 0.9


def test_a_group_against_one_checkpoint_is_the_analysis_of_variance_of_seeds_and_items() -> None:
    generator = np.random.default_rng(8)
    cell = simulate_seeds(generator, (1, 4))["a"]["l0"]
    (pair,) = compare_producers({"a": {"l0": cell}}).pairs
    gains = cell.replicas[1] - cell.sums[0]
    alone = estimate_replicated(gains)
    assert pair.interval
    assert pair.points == pytest.approx(-alone.points)
    assert (pair.stderr, pair.p, pair.mde) == pytest.approx((alone.stderr, alone.p, alone.mde))
    kept = compare_producers(simulate_seeds(generator, (1, 4, 3))).keep([1, 2]).pairs[0]
    assert kept.interval
