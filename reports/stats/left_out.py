"""Measures how well a surface predicts mixtures that were left out of its fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.stats.surface import Surface, SurfaceError, lay_out_runs, solve_terms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ALONE = 0.95
"""From this share on a mixture is one source alone: rows are whole, so a little may be missing."""
_SAME = 0.09
"""Runs of which no share differs by more are of one mixture: of few rows shares are not exact."""


@dataclass(frozen=True)
class PredictionError:
    """The error of predicting what was left out, and that of guessing the mean of all else.

    Both are root mean squares over runs, in points.
    """

    error: float
    of_mean: float


@dataclass(frozen=True)
class LeftOutErrors:
    """The errors on blends, and on sources alone; None where fewer than two runs can be spared.

    Sources alone are the corners of what can be mixed. All else lies on one side of them, so that a
    prediction goes beyond what it is made from, and errs more.
    """

    blends: PredictionError | None
    alone: PredictionError | None


def measure_left_out(surface: Surface) -> LeftOutErrors:
    """Leaves each mixture out in turn, with all of its runs, and predicts it from the others."""
    blends: list[list[int]] = []
    alone: list[list[int]] = []
    for places in _group_runs(surface):
        single = max(surface.runs[places[0]].shares) >= ALONE
        (alone if single else blends).append(places)
    return LeftOutErrors(_measure(surface, blends), _measure(surface, alone))


def _group_runs(surface: Surface) -> list[list[int]]:
    """Groups the places of the runs by mixture, whatever their sizes and seeds."""
    groups: list[list[int]] = []
    for place, run in enumerate(surface.runs):
        for group in groups:
            pairs = zip(surface.runs[group[0]].shares, run.shares, strict=True)
            if all(abs(one - other) <= _SAME for one, other in pairs):
                group.append(place)
                break
        else:
            groups.append([place])
    return groups


def _measure(surface: Surface, mixtures: Sequence[Sequence[int]]) -> PredictionError | None:
    import numpy as np

    missed: list[float] = []
    guessed: list[float] = []
    for places in mixtures:
        rest = [run for n, run in enumerate(surface.runs) if n not in places]
        terms, gains = lay_out_runs(rest, surface.pairs, surface.sized)
        try:
            weights, _ = solve_terms(terms, gains)
        except SurfaceError:
            continue  # this one is needed
        own = [surface.runs[n] for n in places]
        left_out, truth = lay_out_runs(own, surface.pairs, surface.sized)
        missed += list(left_out @ weights - truth)
        guessed += list(gains.mean() - truth)
    if len(missed) < 2:
        return None
    error, of_mean = (float(np.sqrt(np.mean(np.square(some)))) for some in (missed, guessed))
    return PredictionError(error, of_mean)
