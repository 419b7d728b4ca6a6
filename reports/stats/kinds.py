"""Gains against what is known of their languages: by group, and along a measure.

Languages are the cases here, and p is by permutation: as often as the gains, dealt out at random
to the languages, look as much like a relation. Languages of one family are taken for as different
as any others, which they are not (see docs/log.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from core.statistics import Interval
from reports.stats.bootstrap import SEED, compute_percentile_interval
from reports.stats.languages import LEAST

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

PERMUTATIONS = 9_999
"""So many that Holm's correction over 400 questions can still reach 5%: the least p is 1/10,000."""
RESAMPLES = 2_000
LEAST_OF_GROUP = 5
"""Languages that a group needs to be compared with others; with three that spread otherwise than
the rest, up to a third of data sets show a difference where there is none (docs/log.md)."""


@dataclass(frozen=True)
class Relation:
    """Says whether gains go with something that is known of `n` languages.

    `rho` is Spearman's, of a measure, with its interval; groups have none. Without a p, `why` says
    why.
    """

    n: int
    p: float | None = None
    rho: float | None = None
    interval: Interval | None = None
    why: str = ""


def compare_groups(gains: Sequence[float], groups: Sequence[str]) -> Relation:
    """Tests whether the mean gains of groups of languages differ.

    By permutation of Fisher's F and of Welch's statistic (1951; Pauly, Brunner and Konietschke
    2015), of which the larger p counts: where groups spread unequally, each of them rejects too
    often by itself, but hardly ever both. Groups of fewer than `LEAST_OF_GROUP` languages are left
    out.
    """
    import numpy as np

    large = sorted({name for name in groups if groups.count(name) >= LEAST_OF_GROUP})
    kept = [place for place, name in enumerate(groups) if name in large]
    values = np.array([gains[place] for place in kept], np.float64)
    if len(large) < 2:
        return Relation(len(kept), why=f"no two groups of {LEAST_OF_GROUP} languages")
    if len(values) < LEAST:
        return Relation(len(kept), why=f"a test needs {LEAST} languages")
    if np.ptp(values) == 0:
        return Relation(len(kept), why="all gains are equal")
    code = np.array([large.index(groups[place]) for place in kept])
    members = np.eye(len(large))[code]
    order = _draw_orders(len(values), PERMUTATIONS)
    drawn = values[order]
    ps = [
        _count_extreme_share(statistic(drawn, members), statistic(values[None], members)[0])
        for statistic in (_compute_fisher, _compute_welch)
    ]
    return Relation(len(kept), max(ps))


def relate_measure(gains: Sequence[float], measures: Sequence[float]) -> Relation:
    """Correlates gains with a measure of their languages, by ranks (Spearman 1904).

    The interval is a bootstrap over languages.
    """
    import numpy as np
    from scipy import stats

    n = len(gains)
    if n == 0:
        return Relation(n, why="not known of any of these languages")
    if n < LEAST:
        return Relation(n, why=f"an interval needs {LEAST} languages")
    x, y = (np.asarray(values, np.float64) for values in (measures, gains))
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return Relation(n, why="all values are equal")
    ranks = [stats.rankdata(values) for values in (x, y)]
    rho = float(_correlate(*(one[None] for one in ranks))[0])
    drawn = _correlate(ranks[0][None], ranks[1][_draw_orders(n, PERMUTATIONS)])
    p = _count_extreme_share(np.abs(drawn), abs(rho))
    picked = np.random.default_rng(SEED).integers(0, n, (RESAMPLES, n))
    again = _correlate(*(stats.rankdata(values[picked], axis=1) for values in (x, y)))
    interval = compute_percentile_interval(again[np.isfinite(again)], n, least=LEAST)
    return Relation(n, p, rho, interval)


@lru_cache(maxsize=16)
def _draw_orders(n: int, permutations: int) -> "Ints":
    """Draws random orders of `n` languages: (permutations, n)."""
    import numpy as np

    orders: Ints = np.random.default_rng(SEED).random((permutations, n)).argsort(axis=1)
    return orders


def _count_extreme_share(drawn: "Floats", found: float) -> float:
    """The share of permutations that are at least as extreme, what was found among them."""
    import numpy as np

    return (int(np.count_nonzero(drawn >= found - 1e-9)) + 1) / (len(drawn) + 1)


def _compute_fisher(values: "Floats", members: "Floats") -> "Floats":
    """Between over within sum of squares of many data sets, which grows with Fisher's F."""
    import numpy as np

    means = values @ members / members.sum(axis=0)
    centre = values.mean(axis=1, keepdims=True)
    between = (members.sum(axis=0) * (means - centre) ** 2).sum(axis=1)
    whole = ((values - centre) ** 2).sum(axis=1)
    ratio: Floats = between / np.maximum(whole - between, 1e-12 * whole)
    return ratio


def _compute_welch(values: "Floats", members: "Floats") -> "Floats":
    """Welch's statistic of many data sets (sets, n) with the same groups (n, groups) of 0 and 1."""
    import numpy as np

    sizes = members.sum(axis=0)
    means = values @ members / sizes
    squares = values**2 @ members - sizes * means**2
    # A group whose gains are all equal would weigh without bound.
    floor = 1e-6 * values.var(axis=1, keepdims=True)
    weights = sizes / np.maximum(squares / (sizes - 1), floor)
    total = weights.sum(axis=1, keepdims=True)
    centre = (weights * means).sum(axis=1, keepdims=True) / total
    groups = len(sizes)
    between = (weights * (means - centre) ** 2).sum(axis=1) / (groups - 1)
    spare = ((1 - weights / total) ** 2 / (sizes - 1)).sum(axis=1)
    statistic: Floats = between / (1 + 2 * (groups - 2) / (groups**2 - 1) * spare)
    return statistic


def _correlate(x: "Floats", y: "Floats") -> "Floats":
    """Pearson's r of each row of two (sets, n) arrays; NaN where one does not vary."""
    import numpy as np

    x, y = (values - values.mean(axis=1, keepdims=True) for values in (x, y))
    with np.errstate(invalid="ignore", divide="ignore"):
        r: Floats = (x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    return r
