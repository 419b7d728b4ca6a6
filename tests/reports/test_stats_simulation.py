"""Levels and coverages by short simulation; `scripts/bench statistics` runs the same ones long.

The bands are what nominal rates give at these numbers of repetitions (4 standard errors), around
4-6% and 93-97%.
"""

import pytest
import simulations as sim


def test_the_exact_tests_hold_their_level() -> None:
    assert 0.02 < sim.mcnemar_level(1000) < 0.07
    assert 0.03 < sim.passage_level(1000) < 0.08


def test_ignoring_passages_or_taking_sacrebleus_p_rejects_too_often() -> None:
    assert sim.unclustered_level(1000) > sim.passage_level(1000)
    assert sim.sacrebleu_level(120, n=60) > 0.06


def test_an_interval_that_ignores_passages_covers_too_little() -> None:
    assert sim.clustered_score_coverage(500, clustered=False) < 0.93


def test_the_chrf_test_holds_its_level_and_its_interval_covers() -> None:
    assert 0.0 < sim.chrf_level(120, n=60) < 0.13
    assert sim.chrf_coverage(100, n=60) > 0.87


def test_the_test_of_bits_per_byte_holds_its_level() -> None:
    assert 0.03 < sim.bits_level(1000) < 0.075


def test_coupling_is_what_the_split_half_correlation_removes() -> None:
    assert sim.naive_level(40) > 0.15
    assert sim.split_half_level(40) < 0.15


@pytest.mark.parametrize(
    "coverage",
    [
        lambda: sim.items_coverage(400),
        lambda: sim.items_coverage(400, n=27),
        lambda: sim.passage_coverage(300),
        lambda: sim.bits_coverage(1000),
        lambda: sim.bits_coverage(1000, n=13),
        lambda: sim.wilson_coverage(1000),
        lambda: sim.clustered_score_coverage(500),
        lambda: sim.mean_coverage(300, n=14),
        lambda: sim.correlation_coverage(1000, "pearson"),
        lambda: sim.correlation_coverage(1000, "spearman"),
    ],
)
def test_intervals_cover_what_they_say(coverage: object) -> None:
    assert 0.91 < coverage() < 0.985  # type: ignore[operator]


def test_the_minimum_detectable_effect_is_found_four_times_in_five() -> None:
    assert 0.72 < sim.detected(400) < 0.86
