"""Scores items that are balanced by stratum, and says how sure the score is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.statistics import draw_within_strata, score_weights

RESAMPLES = 1000


@dataclass(frozen=True)
class StrataScore:
    """A score from 0 to 100. `stderr` and the 95% `interval` are of the bootstrap; None for one
    item."""

    score: float
    stderr: float | None
    interval: tuple[float, float] | None


def score_resampled(
    qualities: Sequence[float], strata: Sequence[str], guessing: float, seed: int = 0
) -> StrataScore:
    """Computes the score of items (`core.statistics.score_weights`), resampled within strata, so
    that each resample has as many items of each."""
    values = np.asarray(qualities, np.float64)
    _, numbers = np.unique(np.asarray(strata), return_inverse=True)
    once = np.ones((1, len(values)))
    score = float(score_weights(once, values, numbers, guessing)[0])
    if len(values) < 2:
        return StrataScore(score, None, None)
    draws = score_weights(draw_within_strata(numbers, RESAMPLES, seed), values, numbers, guessing)
    low, high = np.percentile(draws, [2.5, 97.5])
    return StrataScore(score, float(np.std(draws, ddof=1)), (float(low), float(high)))
