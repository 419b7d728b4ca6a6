"""Studies drawn from a known truth: to check that the tests hold their level, and to plan."""

from typing import Any

import numpy as np


def null_study(
    rng: np.random.Generator,
    *,
    prompts: int,
    raters: int,
    spread: float,
    ties: float = 0.3,
    shift: float = 0.0,
) -> Any:
    """Scores of +1, 0 and -1, shape (raters, prompts), of a study in which no arm is better.

    Each prompt has a preference of its own that all raters share, normal with deviation `spread`
    (on the logit scale) and mean `shift` (0: the null hypothesis); that is what makes votes on one
    prompt correlated. ties: share of ties.
    """
    leaning = rng.normal(shift, spread, prompts)
    wins = rng.random((raters, prompts)) < 1 / (1 + np.exp(-leaning))
    tied = rng.random((raters, prompts)) < ties
    return np.where(tied, 0.0, np.where(wins, 1.0, -1.0))
