"""Base score against gain without the noise that the two share: slope and correlation.

The gain contains minus the base score, so that item noise e in the base alone gives the two the
covariance -var(e). Both estimates here are of true scores, those of endlessly many items:

    slope = cov(base, gain) / var(base)        r = cov(base, gain) / sqrt(var(base) var(gain))

with moments that are free of item noise, over languages. They come from disjoint halves of the
items (which are free of it also where languages share their items), or from known item noise that
is subtracted (Blomqvist 1977; Chiolero et al. 2013, doi 10.3389/fpubh.2013.00029).
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.statistics import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST = 5
"""Languages that an interval needs."""
MOST_NOISE = 5.0
"""The standard deviation, in points, that item noise of a score is taken to stay below where nobody
tells it: that of an accuracy of 100 items."""


@dataclass(frozen=True)
class Noise:
    """The variance of the item noise of each language's base and trained score, (n,) each.

    `exact`: it is known; otherwise it is at most this. Base and trained score are taken to have
    independent noise, which is more coupling than those of the same items have.
    """

    base: "Floats"
    trained: "Floats"
    exact: bool = True


@dataclass(frozen=True)
class TestedEstimate:
    """A value with its 95% interval and the p of the hypothesis that it is zero.

    A correlation has no value where the gains differ by no more than item noise.
    """

    value: float | None
    interval: Interval | None = None
    p: float | None = None


@dataclass(frozen=True)
class Decoupled:
    """Slope and correlation of true scores over `n` languages; without one, `why` says why.

    `without_one` bounds the correlation when any one language is left out; `decisive` are the
    places of languages without which the slope's interval holds zero, though with all of them it
    does not. `noise_share` is the part of the base scores' variance that is item noise, None where
    that is unknown, and `exact` tells whether it is known or at most so large.
    """

    n: int
    slope: TestedEstimate | None = None
    r: TestedEstimate | None = None
    without_one: Interval | None = None
    decisive: tuple[int, ...] = ()
    noise_share: float | None = None
    exact: bool = True
    explained_by: float | None = None
    """The least standard deviation of item noise in a base score, in points, that could make the
    slope; None where it is not clearly below zero even if there is no noise."""
    why: str = ""


@dataclass(frozen=True)
class _Moments:
    """Moments over languages free of item noise, one a weighting."""

    base: "Floats"
    both: "Floats"
    gain: "Floats"


@dataclass(frozen=True)
class _Slopes:
    """Slopes with standard errors and degrees of freedom, one a weighting."""

    value: "Floats"
    stderr: "Floats"
    freedom: "Floats"

    def find_below_zero(self) -> "NDArray[np.bool_]":
        """Tell whether each is below zero by a one-sided test at 5%."""
        from scipy import special

        found: NDArray[np.bool_] = (
            self.value + special.stdtrit(self.freedom, 0.95) * self.stderr < 0
        )
        return found


def decouple_halves(base: "Floats", gain: "Floats") -> Decoupled:
    """From disjoint halves of the items: (languages, 2 x splits) each, as `Halves` has them.

    Column s of `base` and of `gain` share no item, nor do columns s and s + splits of either.
    """
    import numpy as np

    n, columns = base.shape
    weights = _leave_one_out(n)
    other = np.roll(np.arange(columns), columns // 2)
    free = _Moments(
        *(
            _compute_covariance(weights, *pair).mean(axis=1)
            for pair in ((base, base[:, other]), (base, gain), (gain, gain[:, other]))
        )
    )
    return _decouple(base.mean(axis=1), gain.mean(axis=1), weights, [free])


def decouple_noise(base: "Floats", gain: "Floats", noise: Noise | None) -> Decoupled:
    """From scores (languages,) whose item noise is known or bounded, or is unknown (None).

    How far base and trained score share their noise is unknown: all of it, as where the same items
    move both alike, or nothing. The intervals hold those of both ends, and so cover more than 95%
    where noise is large. The value is that without sharing, with which the coupling is largest, and
    with the gain's variance as it is. With unknown noise nothing is corrected, and `explained_by`
    has to tell.
    """
    import numpy as np

    weights = _leave_one_out(len(base))
    x, g = base[:, None], gain[:, None]
    spread, both, gained = (
        _compute_covariance(weights, *pair)[:, 0] for pair in ((x, x), (x, g), (g, g))
    )
    plain = _Moments(spread, both, gained)
    if noise is None:
        found = _decouple(base, gain, weights, [plain])
        return replace(
            found, noise_share=None, decisive=_find_decisive_with_unknown(base, gain, found)
        )
    sizes = weights.sum(axis=1)
    of_base, of_trained = (weights @ each / sizes for each in (noise.base, noise.trained))
    corrections = [
        _Moments(spread - of_base, both + of_base, gained),
        _Moments(spread - of_base, both + of_base, gained - of_base - of_trained),
        _Moments(spread - of_base, both, gained),
    ]
    if not noise.exact:
        corrections.insert(0, plain)
    found = _decouple(base, gain, weights, corrections)
    share = float(noise.base.mean()) / float(np.var(base, ddof=1))
    return replace(found, noise_share=share, exact=noise.exact)


def _find_decisive_with_unknown(
    base: "Floats", gain: "Floats", found: Decoupled
) -> tuple[int, ...]:
    """Languages without which `MOST_NOISE` would do to make the slope, though not with them."""
    if found.explained_by is None or found.explained_by < MOST_NOISE:
        return found.decisive if find_side(found.slope) > 0 else ()
    held = _is_below_zero_with(base, gain, _leave_one_out(len(base))[1:], MOST_NOISE**2)
    return tuple(place for place, clear in enumerate(held) if not clear)


def _decouple(
    x: "Floats", g: "Floats", weights: "Floats", corrections: list[_Moments]
) -> Decoupled:
    """The estimates by the first of the corrections, with intervals that hold those of all."""
    import numpy as np

    n, first = len(x), corrections[0]
    spread = float(np.var(x, ddof=1))
    if not np.isfinite(first.base[0]):
        return Decoupled(n, why="a half of the items has no score")
    share = 1 - float(first.base[0]) / spread
    if any(not moments.base[0] > 0 for moments in corrections):
        return Decoupled(
            n,
            noise_share=share,
            explained_by=_find_explaining_noise(x, g),
            why="the base scores differ by no more than item noise",
        )
    slopes = [_compute_slopes(x, g, weights, moments) for moments in corrections]
    slope = _join_estimates([_as_slope(each, 0) for each in slopes])
    left_out = [
        _join_estimates([_as_slope(each, row) for each in slopes]) for row in range(1, n + 1)
    ]
    observed = float(np.var(g, ddof=1))
    r = _join_estimates(
        [_as_correlation(free, observed, of) for free, of in zip(corrections, slopes, strict=True)]
    )
    within = _compute_correlations(first)[1:]
    return Decoupled(
        n,
        slope=slope,
        r=r,
        without_one=(
            Interval(float(within.min()), float(within.max()))
            if np.isfinite(within).all()
            else None
        ),
        decisive=tuple(
            place
            for place, other in enumerate(left_out)
            if find_side(slope) and not find_side(other)
        ),
        noise_share=share,
        explained_by=_find_explaining_noise(x, g),
        why="" if r.value is not None else "the gains differ by no more than item noise",
    )


def find_side(estimate: TestedEstimate | None) -> int:
    """-1 or 1 where the interval lies on one side of zero, else 0."""
    found = estimate.interval if estimate else None
    return (found.low > 0) - (found.high < 0) if found else 0


def _leave_one_out(n: int) -> "Floats":
    """(n + 1, n) weights: all languages, and then without each of them."""
    import numpy as np

    return np.concatenate([np.ones((1, n)), 1 - np.eye(n)])


def _compute_covariance(weights: "Floats", x: "Floats", y: "Floats") -> "Floats":
    """Covariances of x and y, (languages, columns) each, over languages: a row a weighting."""
    sizes = weights.sum(axis=1, keepdims=True)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    found: Floats = (weights @ (x * y) - (weights @ x) * (weights @ y) / sizes) / (sizes - 1)
    return found


def _compute_slopes(x: "Floats", g: "Floats", weights: "Floats", free: _Moments) -> _Slopes:
    """The slope of each weighting.

    The gain minus (slope x base) has with the base the covariance that the shared noise gives it,
    and no other. That is tested by the least-squares slope of the one on the other, and the slopes
    that are not rejected are the interval. The standard error is the larger of the usual one and
    HC3, which holds where the spread differs over base scores (MacKinnon and White 1985); what the
    variance of the base itself adds is small, and that of a normal sample.
    """
    import numpy as np

    sizes = weights.sum(axis=1)
    x, g = ((values - (weights @ values / sizes)[:, None]) * weights for values in (x, g))
    squares = (x * x).sum(axis=1)
    plain = (x * g).sum(axis=1) / squares
    residuals = g - plain[:, None] * x
    leverage = (1 / sizes[:, None] + x * x / squares[:, None]) * weights
    with np.errstate(invalid="ignore", divide="ignore"):
        usual = (residuals**2).sum(axis=1) / (sizes - 2) / squares
        robust = ((x * residuals / (1 - leverage)) ** 2).sum(axis=1) / squares**2
        reliability = free.base * (sizes - 1) / squares
        slope = np.where(free.base > 0, free.both / free.base, np.nan)
        variance = np.maximum(usual, robust) + 2 * (plain - slope) ** 2 / (sizes - 1)
    return _Slopes(slope, np.sqrt(variance) / reliability, sizes - 2)


def _as_slope(found: _Slopes, row: int) -> TestedEstimate:
    from scipy import special

    slope, stderr, freedom = (
        float(each[row]) for each in (found.value, found.stderr, found.freedom)
    )
    if freedom + 2 < LEAST or not math.isfinite(stderr):
        return TestedEstimate(slope)
    reach = float(special.stdtrit(freedom, 0.975)) * stderr
    p = float(2 * special.stdtr(freedom, -abs(slope) / stderr)) if stderr else None
    return TestedEstimate(slope, Interval(slope - reach, slope + reach), p)


def _compute_correlations(free: _Moments) -> "Floats":
    """Compute the correlation under each weighting; NaN where the variance of base or gain is no
    more than noise.
    """
    import numpy as np

    with np.errstate(invalid="ignore", divide="ignore"):
        r = free.both / np.sqrt(free.base * free.gain)
    found: Floats = np.where((free.base > 0) & (free.gain > 0), np.clip(r, -1, 1), np.nan)
    return found


def _as_correlation(free: _Moments, observed: float, slopes: _Slopes) -> TestedEstimate:
    """The correlation of all languages, with an interval on Fisher's scale.

    Without noise and with equal spread it is Fisher's own, of standard error 1 / sqrt(n - 3).
    That grows as the slope's does, and by the noise in the `observed` variance of the gains. The
    interval holds zero where the slope's does, nearly always. Where the gains differ by no more
    than noise the correlation may be anything.
    """
    from scipy import special

    r = float(_compute_correlations(free)[0])
    freedom, stderr = float(slopes.freedom[0]), float(slopes.stderr[0])
    if freedom + 2 < LEAST:
        return TestedEstimate(r if math.isfinite(r) else None)
    if not math.isfinite(r):
        return TestedEstimate(None, Interval(-1.0, 1.0), 1.0)
    inner = max(-0.999999, min(0.999999, r))
    left = 1 - inner**2
    scale = math.sqrt(float(free.base[0]) / float(free.gain[0]))
    noise = observed / float(free.gain[0]) - 1
    spread = math.hypot(
        stderr * scale * math.sqrt(freedom / (freedom - 1) / left),
        inner / left * noise / math.sqrt(2 * (freedom + 1)),
    )
    z, reach = math.atanh(inner), 1.959963984540054 * spread
    p = float(2 * special.ndtr(-abs(z) / spread)) if spread else None
    return TestedEstimate(r, Interval(math.tanh(z - reach), math.tanh(z + reach)), p)


def _join_estimates(estimates: list[TestedEstimate]) -> TestedEstimate:
    """The first of them, with the interval that holds those of all and the largest p.

    p is 1 where they lie on both sides of zero.
    """
    held = [each.interval for each in estimates if each.interval]
    if len(held) < len(estimates):
        return TestedEstimate(estimates[0].value)
    signs = {math.copysign(1, each.value) for each in estimates if each.value is not None}
    ps = [each.p for each in estimates if each.p is not None]
    return TestedEstimate(
        estimates[0].value,
        Interval(min(i.low for i in held), max(i.high for i in held)),
        (1.0 if len(signs) > 1 else max(ps)) if len(ps) == len(estimates) else None,
    )


def _find_explaining_noise(x: "Floats", g: "Floats") -> float | None:
    """The least standard deviation of item noise that could make the slope that is seen.

    With it a one-sided test at 5% no longer finds the slope below zero; None where it does not
    without noise either. Noise makes slopes on that side alone, whence one side.
    """
    import numpy as np

    weights = np.ones((1, len(x)))
    spread, both = (
        float(_compute_covariance(weights, a[:, None], b[:, None])[0, 0])
        for a, b in ((x, x), (x, g))
    )
    if len(x) < LEAST or not _is_below_zero_with(x, g, weights, 0.0)[0]:
        return None
    # The slope itself is zero at -both, unless that is more than the base varies.
    low, high = 0.0, min(-both, spread)
    for _ in range(40):
        middle = (low + high) / 2
        if _is_below_zero_with(x, g, weights, middle)[0]:
            low = middle
        else:
            high = middle
    return math.sqrt(low)


def _is_below_zero_with(
    x: "Floats", g: "Floats", weights: "Floats", noise: float
) -> "NDArray[np.bool_]":
    """Tell whether the slope is below zero where item noise has this variance in each base
    score.
    """
    spread, both = (
        _compute_covariance(weights, a[:, None], b[:, None])[:, 0] for a, b in ((x, x), (x, g))
    )
    return _compute_slopes(
        x, g, weights, _Moments(spread - noise, both + noise, spread)
    ).find_below_zero()
