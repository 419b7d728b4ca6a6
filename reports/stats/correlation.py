"""Base score against gain: the published correlation, and those that share no noise with it.

The gain contains minus the base score, so that noise in the base alone makes the two correlate
negatively (Oldham 1962). Beside the naive r stand two that do not: the gain against the mean of
both scores, and base and gain from disjoint halves of the items.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from core.statistics import Interval
from reports.stats.bootstrap import SEED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SPLITS = 20


@dataclass(frozen=True)
class Correlation:
    """One coefficient over `n` languages. Without a value, `why` says what is lacking."""

    r: float | None
    interval: Interval | None
    p: float | None
    n: int
    why: str = ""


@dataclass(frozen=True)
class BaseAndGain:
    """The four correlations of one task, and in words what may be concluded."""

    pearson: Correlation
    oldham: Correlation
    split_half: Correlation
    spearman: Correlation

    @property
    def conclusion(self) -> str:
        return conclude(self)


def pearson(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Pearson's r with Fisher's z interval (Fisher 1921) and Student's p, by scipy."""
    from scipy import stats

    lacking = _lacking(x, y)
    if lacking:
        return Correlation(None, None, None, len(x), lacking)
    found = stats.pearsonr(x, y)
    low, high = found.confidence_interval(0.95)
    interval = None if len(x) < 4 else Interval(float(low), float(high))
    why = "" if interval else "an interval needs four languages"
    return Correlation(float(found.statistic), interval, float(found.pvalue), len(x), why)


def spearman(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Spearman's rank correlation, with the interval of Bonett and Wright (2000).

    Fisher's z has the variance (1 + r^2/2) / (n - 3) there.
    """
    from scipy import stats

    lacking = _lacking(x, y)
    if lacking:
        return Correlation(None, None, None, len(x), lacking)
    found = stats.spearmanr(x, y)
    r, n = float(found.statistic), len(x)
    interval = _fisher(r, math.sqrt((1 + r * r / 2) / (n - 3))) if n > 3 and abs(r) < 1 else None
    return Correlation(r, interval, float(found.pvalue), n)


def oldham(base: Sequence[float], gain: Sequence[float]) -> Correlation:
    """The gain against the mean of base and trained score (Oldham 1962; Bland and Altman 1986).

    Zero when base and trained scores spread equally over languages; negative when training brings
    the languages closer together.
    """
    return pearson([b + g / 2 for b, g in zip(base, gain, strict=True)], gain)


def split_half(halves: Sequence["Halves"]) -> Correlation:
    """The base score of one half of the items against the gain on the other half.

    The mean of Fisher's z over `SPLITS` random splits in both directions; its standard error by
    the jackknife over languages (Efron and Tibshirani 1993, chapter 11), with Student's t, since
    a mean over splits varies less than one coefficient. The halves share no item, so that noise
    of the items cannot couple them (Blomqvist 1977).
    """
    import numpy as np
    from scipy import stats

    if not halves:
        return Correlation(None, None, None, 0, "no samples")
    base = np.stack([h.base for h in halves])
    gain = np.stack([h.gain for h in halves])
    n = len(halves)
    lacking = _lacking(base[:, 0].tolist(), gain[:, 0].tolist())
    if lacking:
        return Correlation(None, None, None, n, lacking)
    every = np.ones((1, n))
    z = _mean_z(every, base, gain)[0]
    if not np.isfinite(z):
        return Correlation(None, None, None, n, "a half has no item, or no spread")
    r = math.tanh(float(z))
    left_out = _mean_z(1 - np.eye(n), base, gain)
    if n < 4 or not np.isfinite(left_out).all():
        return Correlation(r, None, None, n, "an interval needs four languages")
    stderr = math.sqrt((n - 1) / n * float(((left_out - left_out.mean()) ** 2).sum()))
    reach = float(stats.t.ppf(0.975, n - 1)) * stderr
    p = float(2 * stats.t.sf(abs(float(z)) / stderr, n - 1)) if stderr else None
    return Correlation(r, Interval(math.tanh(z - reach), math.tanh(z + reach)), p, n)


def _mean_z(weights: "Floats", x: "Floats", y: "Floats") -> "Floats":
    """Fisher's z of each weighting (w, n) of the languages, mean over the columns of x and y."""
    import numpy as np

    total = weights.sum(axis=1, keepdims=True)
    mean_x, mean_y = weights @ x / total, weights @ y / total
    with np.errstate(invalid="ignore", divide="ignore"):
        across = np.sqrt(
            (weights @ x**2 / total - mean_x**2) * (weights @ y**2 / total - mean_y**2)
        )
        r = (weights @ (x * y) / total - mean_x * mean_y) / across
    z: Floats = np.arctanh(np.clip(r, -0.999999, 0.999999)).mean(axis=1)
    return z


@dataclass(frozen=True)
class Halves:
    """Of one language: base score in one half and gain in the other, (2 x SPLITS,) each."""

    base: "Floats"
    gain: "Floats"


@lru_cache(maxsize=8)
def draw_halves(units: int) -> "Floats":
    """`SPLITS` random halves of the units and their complements: (2 x SPLITS, units) of 0 and 1."""
    import numpy as np

    order = np.random.default_rng(SEED).random((SPLITS, units)).argsort(axis=1).argsort(axis=1)
    first = (order < units // 2).astype(np.float64)
    return np.concatenate([first, 1 - first])


def pair_halves(base: "Floats", trained: "Floats") -> Halves:
    """Scores in `draw_halves`' halves, in its order, as base of one half and gain of the other."""
    import numpy as np

    return Halves(base, np.roll(trained - base, SPLITS))


def base_and_gain(
    base: Sequence[float], gain: Sequence[float], halves: Sequence[Halves]
) -> BaseAndGain:
    """All four; `halves` has one entry a language, or is empty where samples are lacking."""
    lacking = Correlation(None, None, None, len(halves), "not every language has its samples")
    return BaseAndGain(
        pearson=pearson(base, gain),
        oldham=oldham(base, gain),
        split_half=split_half(halves) if len(halves) == len(base) else lacking,
        spearman=spearman(base, gain),
    )


def conclude(found: BaseAndGain) -> str:
    """One plain sentence: whether low-base languages gain more, and how far that can be trusted."""
    naive, own = found.pearson, found.oldham
    if naive.r is None or naive.interval is None or own.interval is None:
        return f"Nothing can be concluded: {naive.why or own.why}."
    clear = [c for c in (own, found.split_half) if c.interval and _sign(c.interval)]
    signs = {_sign(c.interval) for c in clear if c.interval}
    tested = [c for c in (own, found.split_half) if c.interval]
    if len(clear) == len(tested) and len(signs) == 1:
        side = "lower" if signs == {-1} else "higher"
        half = "" if found.split_half.interval else " (no samples: by Oldham's correlation alone)"
        return (
            f"Languages with a {side} base score gain more; shared noise does not explain it{half}."
        )
    if _sign(naive.interval):
        return (
            "Base and gain correlate, but the gain contains minus the base score; what is free of "
            "that does not settle it."
        )
    return "No relation between base score and gain can be told from these languages."


def _sign(interval: Interval) -> int:
    return (interval.low > 0) - (interval.high < 0)


def _fisher(r: float, stderr: float) -> Interval:
    z, reach = math.atanh(max(-0.999999, min(0.999999, r))), 1.959963984540054 * stderr
    return Interval(math.tanh(z - reach), math.tanh(z + reach))


def _lacking(x: Sequence[float], y: Sequence[float]) -> str:
    """Why no coefficient can be computed; "" when one can."""
    if len(x) < 3:
        return f"{len(x)} language{'s' * (len(x) != 1)}, and a correlation needs three"
    if max(x) == min(x) or max(y) == min(y):
        return "all values are equal"
    return ""
