"""Base score against gain: the published correlation, and what may be concluded.

The gain contains minus the base score, so that noise in the base alone makes the two correlate
negatively. What is concluded rests on estimates that are free of it (`decoupled`); Pearson's r is
what papers print, and Oldham's answers another question: do the languages come closer together?
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from core.statistics import Interval
from reports.stats import verdict
from reports.stats.bootstrap import SEED
from reports.stats.decoupled import (
    Decoupled,
    Noise,
    TestedEstimate,
    decouple_halves,
    decouple_noise,
)

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
    """The correlations of one task, and in words what may be concluded."""

    pearson: Correlation
    oldham: Correlation
    spearman: Correlation
    decoupled: Decoupled
    by_halves: bool
    """Whether `decoupled` comes from the samples; otherwise from what is known of the noise."""
    noise_known: bool
    """Whether it is known, or bounded, how large the scores' item noise is."""
    languages: tuple[str, ...] = ()
    one_item: float | None = None
    """The variance of one item of a base score, mean over languages; None if not an accuracy."""

    @property
    def split_half(self) -> Correlation:
        """The correlation by halves of the items; without samples only the reason."""
        if not self.by_halves:
            return Correlation(None, None, None, 0, "not every language has its samples")
        return _as_correlation(self.decoupled.r, self.decoupled)

    @property
    def corrected(self) -> Correlation:
        """The correlation of true scores, where the noise is known."""
        return _as_correlation(self.decoupled.r if self.noise_known else None, self.decoupled)

    @property
    def slope(self) -> Correlation:
        """The slope of true gain on true base score, where the noise is known."""
        return _as_correlation(self.decoupled.slope if self.noise_known else None, self.decoupled)

    @property
    def relation(self) -> verdict.Relation:
        return verdict.relate(self)

    @property
    def conclusion(self) -> str:
        return verdict.conclude(self)

    @property
    def closer(self) -> str:
        return verdict.compare_spreads(self)


def correlate_pearson(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Pearson's r with Fisher's z interval (Fisher 1921) and Student's p, by scipy."""
    from scipy import stats

    lacking = _find_lack(x, y)
    if lacking:
        return Correlation(None, None, None, len(x), lacking)
    found = stats.pearsonr(x, y)
    # Of three points it has no width that a number can say, and scipy warns.
    interval = None
    if len(x) > 3:
        low, high = found.confidence_interval(0.95)
        interval = Interval(float(low), float(high))
    why = "" if interval else "an interval needs four languages"
    return Correlation(float(found.statistic), interval, float(found.pvalue), len(x), why)


def correlate_spearman(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Spearman's rank correlation, with the interval of Bonett and Wright (2000).

    Fisher's z has the variance (1 + r^2/2) / (n - 3) there.
    """
    from scipy import stats

    lacking = _find_lack(x, y)
    if lacking:
        return Correlation(None, None, None, len(x), lacking)
    found = stats.spearmanr(x, y)
    r, n = float(found.statistic), len(x)
    interval = (
        _compute_fisher_interval(r, math.sqrt((1 + r * r / 2) / (n - 3)))
        if n > 3 and abs(r) < 1
        else None
    )
    return Correlation(r, interval, float(found.pvalue), n)


def correlate_oldham(base: Sequence[float], gain: Sequence[float]) -> Correlation:
    """The gain against the mean of base and trained score (Oldham 1962; Bland and Altman 1986).

    Zero when base and trained scores spread equally over languages; negative when training brings
    the languages closer together.
    """
    return correlate_pearson([b + g / 2 for b, g in zip(base, gain, strict=True)], gain)


def split_half(halves: Sequence["Halves"]) -> Correlation:
    """The correlation of true base score and true gain, from disjoint halves of the items.

    The base of one half against the gain on the other, corrected for attenuation: divided by what
    the halves of base and of gain correlate among themselves (Spearman 1904). `decoupled` has the
    slope beside it.
    """
    if not halves:
        return Correlation(None, None, None, 0, "no samples")
    found = _decouple_halves(halves)
    return _as_correlation(found.r, found)


def _decouple_halves(halves: Sequence["Halves"]) -> Decoupled:
    import numpy as np

    base, gain = np.stack([h.base for h in halves]), np.stack([h.gain for h in halves])
    lacking = _find_lack(base.mean(axis=1).tolist(), gain.mean(axis=1).tolist())
    return Decoupled(len(halves), why=lacking) if lacking else decouple_halves(base, gain)


def _as_correlation(found: TestedEstimate | None, of: Decoupled) -> Correlation:
    if found is None:
        return Correlation(None, None, None, of.n, of.why)
    return Correlation(found.value, found.interval, found.p, of.n, of.why)


@dataclass(frozen=True)
class Halves:
    """Holds one language's base score in one half and gain in the other, (2 x SPLITS,) each."""

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


def relate_base_and_gain(
    base: Sequence[float],
    gain: Sequence[float],
    halves: Sequence[Halves],
    noise: Noise | None = None,
    languages: Sequence[str] = (),
    accuracy: bool = False,
) -> BaseAndGain:
    """All of them over languages: `base` and `gain` are their scores and gains in points.

    `halves` has one entry a language, or is empty where samples are lacking; then `noise` is what
    else is known of the scores' noise. `languages` and `accuracy` (whether the scores are shares of
    items) are for the words alone.
    """
    import numpy as np

    lacking = _find_lack(base, gain)
    by_halves = len(halves) == len(base)
    if lacking:
        free = Decoupled(len(base), why=lacking)
    elif by_halves:
        free = _decouple_halves(halves)
    else:
        free = decouple_noise(np.asarray(base, np.float64), np.asarray(gain, np.float64), noise)
    return BaseAndGain(
        pearson=correlate_pearson(base, gain),
        oldham=correlate_oldham(base, gain),
        spearman=correlate_spearman(base, gain),
        decoupled=free,
        by_halves=by_halves,
        noise_known=by_halves or noise is not None,
        languages=tuple(languages),
        one_item=math.fsum(b * (100 - b) for b in base) / len(base) if accuracy else None,
    )


def _compute_fisher_interval(r: float, stderr: float) -> Interval:
    z, reach = math.atanh(max(-0.999999, min(0.999999, r))), 1.959963984540054 * stderr
    return Interval(math.tanh(z - reach), math.tanh(z + reach))


def _find_lack(x: Sequence[float], y: Sequence[float]) -> str:
    """Say why no coefficient can be computed; "" when one can."""
    if len(x) < 3:
        return f"{len(x)} language{'s' * (len(x) != 1)}, and a correlation needs three"
    if max(x) == min(x) or max(y) == min(y):
        return "all values are equal"
    return ""
