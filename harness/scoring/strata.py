"""Scores items that are balanced by stratum, and says how sure the score is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.statistics import draw_whole_clusters, draw_within_strata, score_weights

RESAMPLES = 1000


@dataclass(frozen=True)
class StrataScore:
    """A score from 0 to 100. `stderr` and the 95% `interval` are of the bootstrap; None for one
    item. `method` says how it was resampled."""

    score: float
    stderr: float | None
    interval: tuple[float, float] | None
    method: str = "bootstrap percentile within strata"


def score_resampled(
    qualities: Sequence[float],
    strata: Sequence[str],
    guessing: float,
    seed: int = 0,
    clusters: Sequence[str] | None = None,
) -> StrataScore:
    """Computes the score of items (`core.statistics.score_weights`), resampled within strata, so
    that each resample has as many items of each; where items share a cluster (a passage), by whole
    clusters, which bring items of several strata."""
    values = np.asarray(qualities, np.float64)
    _, numbers = np.unique(np.asarray(strata), return_inverse=True)
    once = np.ones((1, len(values)))
    score = float(score_weights(once, values, numbers, guessing)[0])
    if len(values) < 2:
        return StrataScore(score, None, None)
    found = StrataScore(score, None, None)
    _, places = np.unique(np.asarray(clusters or range(len(values))), return_inverse=True)
    if places.max() + 1 < len(values):
        found = replace(found, method="bootstrap percentile by passage")
        weights = draw_whole_clusters(places, RESAMPLES, seed)
    else:
        weights = draw_within_strata(numbers, RESAMPLES, seed)
    draws = score_weights(weights, values, numbers, guessing)
    low, high = np.percentile(draws, [2.5, 97.5])
    return replace(found, stderr=float(np.std(draws, ddof=1)), interval=(float(low), float(high)))
