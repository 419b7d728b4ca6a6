"""The mixtures to train next: those that tell most of what is in question, for what they cost."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.stats.surface import Surface

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SAME_SIZE = 0.05


@dataclass(frozen=True)
class NextRun:
    """A training to be made: its shares of tokens by source (0-1), and its tokens.

    `error` is what is left of the standard error of the differences in question after it and those
    before it in the list, as a share of what it is now (0-1).
    """

    shares: tuple[float, ...]
    tokens: float
    error: float


def suggest_runs(surface: Surface, many: int = 4) -> list[NextRun]:
    """Suggests the runs that narrow most what is in question, for each token that they train on.

    In question are the differences between the best mixture and those that cannot be told from it.
    A run with terms x takes (d'Ax)^2 / (1 + x'Ax) from the variance of a difference d, where A is
    (X'X)^-1 (Sherman and Morrison 1950). They are chosen one after the other, none twice; a run may
    be a second seed of a mixture that was trained. Cost is in tokens, with which the time on GPUs
    grows. Empty where nothing is in question.
    """
    import numpy as np

    apart = _list_differences(surface)
    if not len(apart):
        return []
    points, tokens = _list_points(surface)
    inverse = surface.inverse
    at_first = _sum_variances(apart, inverse)
    found: list[NextRun] = []
    taken_before: list[int] = []
    for _ in range(min(many, len(points))):
        spread = points @ inverse
        taken = ((spread @ apart.T) ** 2).sum(axis=1)
        worth = taken / (1 + np.einsum("ij,ij->i", spread, points)) / tokens
        worth[taken_before] = 0.0
        place = int(np.argmax(worth))
        taken_before.append(place)
        chosen = points[place]
        step = inverse @ chosen
        inverse = inverse - np.outer(step, step) / (1 + chosen @ step)
        left = float(np.sqrt(_sum_variances(apart, inverse) / at_first))
        shares = tuple(map(float, chosen[: len(surface.sources)]))
        found.append(NextRun(shares, float(tokens[place]), left))
    return found


def expect_to_tell(surface: Surface) -> bool:
    """Tell whether as many runs again would likely find differences in what is in question.

    The noncentrality of the F test over all differences in question is estimated without bias,
    r (F - 1) of rank r, and doubles with the runs; True where the test's power would then be half
    or more. False means that the mixtures are alike, or that only runs of less chance could tell:
    of more items, languages or tokens.
    """
    import numpy as np
    from scipy import stats

    apart = _list_differences(surface)
    if not len(apart):
        return False
    # Differences that are alike count once: a base of the space that they span.
    _, sizes, base = np.linalg.svd(apart, full_matrices=False)
    base = base[sizes > 1e-6 * sizes[0]]
    rank = len(base)
    found = base @ surface.weights
    explained = found @ np.linalg.solve(base @ surface.inverse @ base.T, found)
    centre = explained / max(surface.spread, 1e-12) ** 2 - rank
    if centre <= 0:
        return False
    free = surface.free + len(surface.runs)
    reach = stats.f.ppf(0.95, rank, free)
    return bool(stats.ncf.sf(reach, rank, free, 2 * centre) >= 0.5)


def _list_differences(surface: Surface) -> "NDArray[np.float64]":
    """Lists the differences in terms (some x terms) of the best from each that is in question."""
    import numpy as np

    best = surface.lay_out(np.array([surface.best.shares]), surface.largest)
    apart = best - surface.lay_out(surface.in_question, surface.largest)
    return np.asarray(apart[np.abs(apart).max(axis=1) > 1e-9], np.float64)


def _list_points(surface: Surface) -> tuple["NDArray[np.float64]", "NDArray[np.float64]"]:
    """Lists the terms (points x terms) and tokens of every candidate at every size of the runs."""
    import numpy as np

    sizes: list[list[float]] = []
    for size in sorted(run.tokens for run in surface.runs):
        if sizes and size <= (1 + _SAME_SIZE) * sizes[-1][0]:
            sizes[-1].append(size)
        else:
            sizes.append([size])
    means = [float(np.mean(alike)) for alike in sizes]
    points = np.concatenate([surface.lay_out(surface.candidates, size) for size in means])
    return points, np.repeat(means, len(surface.candidates))


def _sum_variances(apart: "NDArray[np.float64]", inverse: "NDArray[np.float64]") -> float:
    import numpy as np

    return float(np.einsum("ij,jk,ik->", apart, inverse, apart))
