"""A response surface of gain over what a mixture holds: the best mixture, and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

from core.statistics import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEAST_FREE = 4
"""With fewer runs than this beyond the terms, the spread of the runs is hardly known."""
ILL_CONDITIONED = 30.0
"""From here on shares move together too much (Belsley, Kuh and Welsch 1980, chapter 3)."""
_DRAWS = 800
_MOST_CANDIDATES = 300
_SAME_SIZE = 0.02


class SurfaceError(ValueError):
    """The runs do not determine a surface; the message says why, and what would."""


@dataclass(frozen=True)
class MixtureRun:
    """One training: its shares of tokens by source (0-1, of sum 1), its tokens and its gain."""

    shares: tuple[float, ...]
    tokens: float
    gain: float


@dataclass(frozen=True)
class Prediction:
    """A mixture of which the surface says something, and what it says, in points."""

    shares: tuple[float, ...]
    gain: float
    interval: Interval


@dataclass(frozen=True)
class Surface:
    """A fitted surface: gain = sum of b_i share_i + sum of b_ij share_i share_j + g log2 tokens.

    `pairs` are the blends with a term of their own (Scheffé 1958, J. R. Stat. Soc. B 20(2)), none
    where the runs are too few for them; `sized` tells whether tokens have a term. `inverse` is
    (X'X)^-1 (terms x terms), `spread` the standard deviation of a run around the surface with
    `free` degrees of freedom, in points. `conditioning` is the scaled condition number of X.
    """

    sources: tuple[str, ...]
    runs: tuple[MixtureRun, ...]
    pairs: tuple[tuple[int, int], ...]
    sized: bool
    weights: "Array"
    inverse: "Array"
    spread: float
    free: int
    conditioning: float

    @cached_property
    def largest(self) -> float:
        """The tokens of the largest run, for which mixtures are compared."""
        return max(run.tokens for run in self.runs)

    @cached_property
    def candidates(self) -> "Array":
        """The mixtures that are compared (candidates x sources): a lattice within the runs.

        No source's share goes beyond the least and the largest that some run had, and no two
        sources stand together that never did in a run.
        """
        import numpy as np

        seen = np.array([run.shares for run in self.runs])
        low, high = seen.min(axis=0) - 0.05, seen.max(axis=0) + 0.05
        kept = [
            point
            for point in list_lattice(len(self.sources))
            if all(low <= point)
            and all(point <= high)
            and all(
                _check_blended(seen, one, other)
                for one, other in combinations(np.flatnonzero(point).tolist(), 2)
            )
        ]
        return np.array([*kept, *seen]) if len(kept) < 3 else np.array(kept)

    def predict(self, shares: "Array", tokens: float) -> "Array":
        """Predict the gain (points x) of mixtures (points x sources) of a size."""
        predicted: Array = self.lay_out(shares, tokens) @ self.weights
        return predicted

    def lay_out(self, shares: "Array", tokens: float) -> "Array":
        """Lay out the terms (points x terms) of mixtures (points x sources) of one size."""
        import numpy as np

        return _lay_out(shares, np.full(len(shares), tokens), self.pairs, self.sized)

    @cached_property
    def _errors(self) -> "Array":
        """Draws of what the fitted weights are wrong by, in their own scale (draws x terms)."""
        import numpy as np

        random = np.random.default_rng(0)
        root = np.linalg.cholesky(self.inverse + 1e-12 * np.eye(len(self.inverse)))
        normal = random.standard_normal((_DRAWS, len(root))) @ root.T
        scale = np.sqrt(random.chisquare(self.free, _DRAWS) / self.free)
        errors: Array = normal / scale[:, None]
        return errors

    @cached_property
    def best(self) -> Prediction:
        """The candidate of the highest predicted gain, at the largest size.

        The interval is 95% and holds for all candidates at once, since the best is chosen from
        them: its height alone would favour the luckiest.
        """
        import numpy as np

        terms = self.lay_out(self.candidates, self.largest)
        found = terms @ self.weights
        errors = np.sqrt(_compute_variances(terms, self.inverse))
        reach = float(np.quantile(np.max(np.abs(self._errors @ terms.T) / errors, axis=1), 0.95))
        place = int(np.argmax(found))
        half = reach * self.spread * float(errors[place])
        gain = float(found[place])
        return Prediction(
            tuple(map(float, self.candidates[place])), gain, Interval(gain - half, gain + half)
        )

    @cached_property
    def in_question(self) -> "Array":
        """The candidates (some x sources) that cannot be told from the best.

        Those left out are worse, all of them with 95%, if the surface has the right form: the
        largest of the differences between any two candidates decides, in their standard errors
        (Tukey's studentised range, by simulation over correlated predictions).
        """
        import numpy as np

        terms = self.lay_out(self.candidates, self.largest)
        drawn = self._errors @ terms.T
        largest = np.zeros(len(drawn))
        for place in range(len(terms) - 1):
            apart = terms[place + 1 :] - terms[place]
            errors = np.maximum(np.sqrt(_compute_variances(apart, self.inverse)), 1e-9)
            distance = np.abs(drawn[:, place + 1 :] - drawn[:, [place]]) / errors
            largest = np.maximum(largest, distance.max(axis=1))
        reach = self.spread * float(np.quantile(largest, 0.95))
        behind = self.lay_out(np.array([self.best.shares]), self.largest) - terms
        errors = np.sqrt(np.maximum(_compute_variances(behind, self.inverse), 0))
        kept: Array = self.candidates[behind @ self.weights <= reach * errors + 1e-9]
        return kept

    @cached_property
    def per_doubling(self) -> Prediction | None:
        """The gain that twice the tokens add, with its 95% interval; None at one size."""
        from scipy import stats

        if not self.sized:
            return None
        gain = float(self.weights[-1])
        half = (
            float(stats.t.ppf(0.975, self.free)) * self.spread * float(self.inverse[-1, -1]) ** 0.5
        )
        return Prediction((), gain, Interval(gain - half, gain + half))

    @cached_property
    def moving_together(self) -> tuple[str, str] | None:
        """The two sources whose shares moved together most, where their effects mix; else None."""
        import numpy as np

        if self.conditioning < ILL_CONDITIONED or len(self.sources) < 3:
            return None
        related = np.abs(np.corrcoef(np.array([run.shares for run in self.runs]).T))
        np.fill_diagonal(related, 0)
        one, other = np.unravel_index(int(np.nanargmax(related)), related.shape)
        return self.sources[one], self.sources[other]


def fit_surface(sources: Sequence[str], runs: Sequence[MixtureRun]) -> Surface:
    """Fits gains by least squares over the shares, their products and the doublings of tokens.

    Every gain must be a mean over the same languages and tasks: for such a table the fixed effects
    of a mixed model with languages and tasks at random are those of least squares over the means.
    Products are fitted where the runs are enough for all of them, which their number decides and
    not their gains, so that intervals hold. Raises SurfaceError where the runs do not determine
    the shares' effects.
    """
    import numpy as np

    runs = tuple(runs)
    seen = np.array([run.shares for run in runs]) if runs else np.zeros((0, len(sources)))
    if len(sources) < 2 or len({tuple(np.round(row, 2)) for row in seen}) < 2:
        raise SurfaceError("a surface needs two mixtures of two sources or more")
    sizes = [run.tokens for run in runs]
    sized = max(sizes) > (1 + _SAME_SIZE) ** 2 * min(sizes)
    blends = tuple(
        pair for pair in combinations(range(len(sources)), 2) if _check_blended(seen, *pair)
    )
    for pairs in (blends, ()):
        terms, gains = lay_out_runs(runs, pairs, sized)
        free = len(runs) - terms.shape[1]
        if free < LEAST_FREE:
            if pairs:
                continue
            raise SurfaceError(
                f"{len(runs)} runs for {terms.shape[1]} terms; at least "
                f"{terms.shape[1] + LEAST_FREE} are needed. Remedy: kakugo -m sweep=design"
            )
        try:
            weights, inverse = solve_terms(terms, gains)
        except SurfaceError:
            if pairs:
                continue
            raise
        rest = gains - terms @ weights
        scaled = terms / np.linalg.norm(terms, axis=0)
        return Surface(
            tuple(sources),
            runs,
            pairs,
            sized,
            weights,
            inverse,
            float(np.sqrt(rest @ rest / free)),
            free,
            float(np.linalg.cond(scaled)),
        )
    raise AssertionError("the straight surface is fitted or refused")


def trace_source(surface: Surface, source: int, steps: int) -> list[tuple[float, Prediction]]:
    """Trace the gain from the best mixture while one source's share goes over what was trained.

    The others keep their proportions (Cox 1971, Biometrika 58(1), 155-159); where the best has no
    other source, they are even. Gives shares (0-1) with predictions at the largest size, each with
    its own 95% interval.
    """
    import numpy as np
    from scipy import stats

    seen = np.array([run.shares for run in surface.runs])
    others = np.array(surface.best.shares)
    others[source] = 0
    if others.sum() < 1e-9:
        others = seen.mean(axis=0)
        others[source] = 0
    others /= others.sum()
    found = []
    reach = float(stats.t.ppf(0.975, surface.free)) * surface.spread
    for share in np.linspace(seen[:, source].min(), seen[:, source].max(), steps):
        mixture = (1 - share) * others
        mixture[source] = share
        terms = surface.lay_out(mixture[None], surface.largest)
        gain = float((terms @ surface.weights)[0])
        half = reach * float(_compute_variances(terms, surface.inverse)[0]) ** 0.5
        point = Prediction(tuple(map(float, mixture)), gain, Interval(gain - half, gain + half))
        found.append((float(share), point))
    return found


def _lay_out(
    shares: "Array", tokens: "Array", pairs: Sequence[tuple[int, int]], sized: bool
) -> "Array":
    """Lay out the terms (points x terms) of mixtures (points x sources) of sizes (points)."""
    import numpy as np

    columns = [*shares.T, *(shares[:, one] * shares[:, other] for one, other in pairs)]
    # Doublings from about a million, so that this column is of the size of the others.
    return np.stack([*columns, np.log2(tokens) - 20] if sized else columns, axis=1)


def list_lattice(sources: int) -> list["Array"]:
    """List mixtures (of sum 1) in even steps, of tenths where that makes not too many."""
    import numpy as np

    found: list[Any] = []
    for steps in (10, 8, 6, 5, 4, 3, 2):
        found = [np.array(point) / steps for point in _split(steps, sources)]
        if len(found) <= _MOST_CANDIDATES:
            break
    return found


def _split(whole: int, parts: int) -> list[tuple[int, ...]]:
    if parts == 1:
        return [(whole,)]
    return [
        (first, *rest)
        for first in range(whole, -1, -1)
        for rest in _split(whole - first, parts - 1)
    ]


def _check_blended(seen: "Array", one: int, other: int) -> bool:
    return bool(((seen[:, one] > 0.02) & (seen[:, other] > 0.02)).any())


def lay_out_runs(
    runs: Sequence[MixtureRun], pairs: Sequence[tuple[int, int]], sized: bool
) -> tuple["Array", "Array"]:
    """Lays out the terms (runs x terms) of runs, and their gains (runs)."""
    import numpy as np

    shares = np.array([run.shares for run in runs], np.float64)
    tokens = np.array([run.tokens for run in runs], np.float64)
    gains = np.array([run.gain for run in runs], np.float64)
    return _lay_out(shares, tokens, pairs, sized), gains


def _compute_variances(terms: "Array", inverse: "Array") -> "Array":
    """Compute the variances of sums of terms (rows), in that of a run."""
    variances: Array = ((terms @ inverse) * terms).sum(axis=1)
    return variances


def solve_terms(terms: "Array", gains: "Array") -> tuple["Array", "Array"]:
    """Solve by least squares: the weights, and (X'X)^-1. Raises SurfaceError without full rank."""
    import numpy as np

    if len(terms) < terms.shape[1] or np.linalg.matrix_rank(terms, tol=1e-3) < terms.shape[1]:
        raise SurfaceError(
            "shares moved together in all runs, so that their effects cannot be told apart. "
            "Remedy: kakugo -m sweep=design"
        )
    inverse = np.asarray(np.linalg.inv(terms.T @ terms), np.float64)
    return inverse @ terms.T @ gains, inverse
