"""The seed of the training stands apart from the seed of the data."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.experiment import plan_experiment


def list_keys(config: Any, ledgers: Path) -> dict[str, str]:
    return {stage.label: stage.key for stage in plan_experiment(config, ledgers).stages}


def test_another_seed_of_training_trains_and_scores_and_makes_no_data(
    composed: Callable[..., Any], fixed: Path
) -> None:
    before = list_keys(composed(), fixed)
    after = list_keys(composed("++train.seed=7"), fixed)
    moved = {label for label in before if before[label] != after[label]}
    assert moved == {
        label for label in before if "train on" in label or label.startswith("Swahili: trained")
    }
    assert moved


def test_the_seed_that_counts_is_in_the_key_and_not_how_it_was_given(
    composed: Callable[..., Any], fixed: Path
) -> None:
    assert list_keys(composed("++train.seed=0"), fixed) == list_keys(composed(), fixed)
    both = list_keys(composed("seed=7"), fixed), list_keys(composed("++train.seed=7"), fixed)
    data = [label for label in both[0] if "topic" in label or "mixture" in label]
    assert data
    assert all(both[0][label] != both[1][label] for label in data)
