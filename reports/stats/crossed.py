"""Means over languages and tasks that share their items: all pairs of producers, and their ranks.

The benchmarks are parallel: an item that is hard is hard in every language. Languages are not
independent then, and an interval over languages alone is too short. Here the variance is that over
languages plus that over items minus that of both together, which the two count twice (two-way
clustering: Cameron, Gelbach and Miller 2011, Journal of Business and Economic Statistics 29(2)).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from core.statistics import Interval, adjust_holm
from reports.stats.bootstrap import LEAST_UNITS, SEED
from reports.stats.languages import LEAST

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS = 4_000


@dataclass(frozen=True)
class UnitScores:
    """The scores of several producers on one task in one language, split over the items.

    `units` (U,) names the independent units, items or passages, alike in every language; `sums`
    (producers, U) and `sizes` (U,) are such that a producer's score is sum(sums) / sum(sizes).
    """

    units: tuple[str, ...]
    sums: "Floats"
    sizes: "Floats"
    replicas: "Mapping[int, Floats]" = field(default_factory=dict)
    """Place of a producer that was trained from several seeds -> the sums of each seed's
    checkpoint, (seeds, U), whose mean over the seeds is the producer's row of `sums`."""

    @property
    def scores(self) -> "Floats":
        """The score of each producer: (producers,)."""
        scores: Floats = self.sums.sum(axis=1) / self.sizes.sum()
        return scores

    @property
    def influence(self) -> "Floats":
        """Measures how far each unit moves each producer's score (linearised): (producers, U)."""
        return self._move(self.sums)

    def compute_influence_of_seeds(self, producer: int) -> "Floats":
        """Measures the same for each seed of one producer: (seeds, U)."""
        return self._move(self.replicas[producer])

    def _move(self, sums: "Floats") -> "Floats":
        import numpy as np

        scores = sums.sum(axis=1) / self.sizes.sum()
        moved: Floats = (sums - np.outer(scores, self.sizes)) / self.sizes.sum()
        return moved


@dataclass(frozen=True)
class Contrast:
    """One producer minus another, in points. Without an interval, `why` says why.

    `p_holm` is corrected over all pairs (Holm 1979); `mde` is the smallest difference that would
    be found four times of five.
    """

    first: int
    second: int
    points: float
    stderr: float | None = None
    interval: Interval | None = None
    p: float | None = None
    p_holm: float | None = None
    mde: float | None = None
    why: str = ""

    def turn(self) -> "Contrast":
        """The second minus the first."""
        return replace(
            self,
            first=self.second,
            second=self.first,
            points=0.0 - self.points,  # which is not -0.0 where they are equal
            interval=self.interval and Interval(-self.interval.high, -self.interval.low),
        )


@dataclass(frozen=True)
class SeedVariance:
    """Variances (producers,) of the means over training seeds; 0 for a producer of one seed.

    `own` is over seeds, `both` the part of it that items bring, which that over items holds too.
    `terms` is each variance's square over its degrees of freedom, summed (Satterthwaite 1946).
    """

    own: "Floats"
    both: "Floats"
    terms: "Floats"

    def keep(self, which: Sequence[int]) -> "SeedVariance":
        """The variances of some of the producers."""
        which = list(which)
        return SeedVariance(self.own[which], self.both[which], self.terms[which])


@dataclass(frozen=True)
class Variance:
    """Covariances (producers, producers) of the means: over items, over languages, over both."""

    items: "Floats"
    languages: "Floats | None"
    """None where the languages are too few to stand for others: they are taken as they are."""
    both: "Floats"
    seeds: SeedVariance | None = None
    """None where no producer has several seeds; and where languages stand for others, since every
    language has checkpoints of its own, so that the variance over languages holds theirs."""

    def compute_of_difference(self, a: int, b: int) -> float:
        """The variance of producer `a` minus producer `b`.

        Never below that over items, over languages or over seeds alone, between which an estimate
        by subtraction may fall for few of either.
        """

        def between(covariance: "Floats") -> float:
            return float(covariance[a, a] + covariance[b, b] - 2 * covariance[a, b])

        items = between(self.items)
        if self.seeds is not None:
            seeds = float(self.seeds.own[a] + self.seeds.own[b])
            return max(items, seeds, items + seeds - float(self.seeds.both[a] + self.seeds.both[b]))
        if self.languages is None:
            return items
        languages = between(self.languages)
        return max(items, languages, items + languages - between(self.both))

    def find_df(self, a: int, b: int, units: int) -> float:
        """The degrees of freedom of that variance, for so many units: fewer where seeds decide."""
        if self.seeds is None:
            return units - 1
        items = float(self.items[a, a] + self.items[b, b] - 2 * self.items[a, b])
        terms = items**2 / (units - 1) + float(self.seeds.terms[a] + self.seeds.terms[b])
        return max(1.0, self.compute_of_difference(a, b) ** 2 / terms) if terms > 0 else units - 1

    @property
    def whole(self) -> "Floats":
        """The covariance of all producers, with negative eigenvalues taken as zero."""
        import numpy as np

        if self.seeds is not None:
            # As of a difference: not below what the seeds alone bring.
            more = np.maximum(self.seeds.own - self.seeds.both, 0)
            more = np.maximum(more, self.seeds.own - np.diag(self.items))
            with_seeds: Floats = self.items + np.diag(more)
            return with_seeds
        if self.languages is None:
            return self.items
        values, vectors = np.linalg.eigh(self.items + self.languages - self.both)
        covariance: Floats = (vectors * np.maximum(values, 0)) @ vectors.T
        return covariance


@dataclass(frozen=True)
class Comparison:
    """Several producers on the same cells. `scores` (producers,) are means over tasks of means
    over languages; `units` is how many independent things the variance rests on."""

    scores: "Floats"
    variance: Variance
    languages: int
    units: int

    @property
    def over_languages(self) -> bool:
        """Tell whether the intervals hold for other languages of the kind, or for these alone."""
        return self.variance.languages is not None

    @cached_property
    def pairs(self) -> tuple[Contrast, ...]:
        """Every pair, the first named before the second, with p corrected over all of them."""
        count = len(self.scores)
        found = [self._contrast(a, b) for a in range(count) for b in range(a + 1, count)]
        adjusted = iter(adjust_holm([c.p for c in found if c.p is not None]))
        return tuple(c if c.p is None else replace(c, p_holm=next(adjusted)) for c in found)

    @property
    def is_tested(self) -> bool:
        """Says whether any pair could be tested: with too few items nothing can be concluded."""
        return any(pair.p is not None for pair in self.pairs)

    def keep(self, which: Sequence[int]) -> "Comparison":
        """The comparison of some of the producers, with p corrected over their pairs alone."""
        import numpy as np

        at = np.ix_(which, which)
        own, languages = self.variance, self.variance.languages
        variance = Variance(
            own.items[at],
            None if languages is None else languages[at],
            own.both[at],
            own.seeds and own.seeds.keep(which),
        )
        return replace(self, scores=self.scores[list(which)], variance=variance)

    def find_difference(self, producer: int, other: int) -> Contrast:
        """The pair in this order."""
        first, second = sorted((producer, other))
        # Before this pair stand those of all producers before its first.
        before = first * len(self.scores) - first * (first + 1) // 2
        found = self.pairs[before + second - first - 1]
        return found if found.first == producer else found.turn()

    @property
    def best(self) -> int:
        """The producer with the highest mean (of equals the first)."""
        return int(self.scores.argmax())

    @cached_property
    def as_good_as_best(self) -> frozenset[int]:
        """The best, and those that cannot be told from it at 5% with all pairs tested together.

        Where nothing differs, a producer is missing in at most 5% of data sets, since Holm's
        correction holds whichever pair is looked at.
        """
        others = [n for n in range(len(self.scores)) if n != self.best]
        told = {n for n in others if (self.find_difference(n, self.best).p_holm or 0) < 0.05}
        untested = {n for n in others if self.find_difference(n, self.best).p_holm is None}
        return frozenset({self.best, *others}) - (told - untested)

    @cached_property
    def ranks(self) -> tuple[Interval, ...]:
        """From which place to which each producer comes in 95% of draws, 1 for the best.

        Drawn from a normal distribution with the covariance of the means; with seeds, from
        Student's t with the fewest degrees of freedom of any pair. Equals share the better place at
        the low end and the worse one at the high end.
        """
        import numpy as np
        from scipy import stats

        random = np.random.default_rng(SEED)
        count = len(self.scores)
        moved = random.multivariate_normal(
            np.zeros(count), self.variance.whole, DRAWS, method="eigh"
        )
        if self.variance.seeds is not None and count > 1:
            df = min(
                self.variance.find_df(a, b, self.units)
                for a in range(count)
                for b in range(a + 1, count)
            )
            moved *= np.sqrt(df / random.chisquare(df, (DRAWS, 1)))
        draws = self.scores + moved
        # What differs by rounding is equal.
        draws = -np.round(draws, 9)
        places = [stats.rankdata(draws, method=ties, axis=1) for ties in ("min", "max")]
        low = np.quantile(places[0], 0.025, axis=0, method="inverted_cdf")
        high = np.quantile(places[1], 0.975, axis=0, method="inverted_cdf")
        return tuple(Interval(float(a), float(b)) for a, b in zip(low, high, strict=True))

    def _contrast(self, a: int, b: int) -> Contrast:
        from scipy import special

        points = float(self.scores[a] - self.scores[b])
        stderr = self.variance.compute_of_difference(a, b) ** 0.5
        if self.units < (LEAST if self.over_languages else LEAST_UNITS):
            why = f"a test needs {LEAST_UNITS} independent items, or {LEAST} languages"
            return Contrast(a, b, points, stderr, why=why)
        if stderr < 1e-9:
            if abs(points) < 1e-9:
                return Contrast(a, b, 0.0, 0.0, p=1.0, why="no item differs")
            return Contrast(a, b, points, 0.0, why="every item differs alike")
        # As stats.t.ppf and stats.t.sf compute them, whose checks take longer than that: a page has
        # a pair of producers for each cell.
        df = self.variance.find_df(a, b, self.units)
        t = float(special.stdtrit(df, 0.975))
        return Contrast(
            a,
            b,
            points,
            stderr,
            Interval(points - t * stderr, points + t * stderr),
            p=float(2 * special.stdtr(df, -abs(points) / stderr)),
            mde=(t + float(special.stdtrit(df, 0.8))) * stderr,
        )


@dataclass(frozen=True)
class _Placed:
    """The units of several cells in one order, and the place in it of each cell's own units."""

    every: tuple[str, ...]
    of_each: "Mapping[tuple[str, ...], NDArray[np.int64]]"


def compare_producers(cells: Mapping[str, Mapping[str, UnitScores]]) -> Comparison:
    """Compares producers by their mean over tasks of the mean over languages.

    `cells` is task -> language -> scores, with the same producers in each. Tasks with the same
    units (FLORES in both directions) share them. With `LEAST` languages or more the languages
    stand for others of their kind; with fewer the result is of these alone. Intervals and p are
    Student's t. A producer with several seeds is their mean, and what is said of it holds for other
    seeds, too; of one with a single seed it does not. Such a producer has as many seeds on every
    task of a language. Raises ValueError without a cell.
    """
    import numpy as np

    names = sorted({language for of_task in cells.values() for language in of_task})
    if not names:
        raise ValueError("a comparison needs a score of each producer")
    # Tasks with the same units have one number.
    numbers: dict[tuple[str, ...], int] = {}
    by_unit: dict[int, Floats] = {}
    by_both: dict[tuple[int, str], Floats] = {}
    by_language: dict[str, Floats] = {}
    of_seeds = _SeedParts()
    means = []
    for of_task in cells.values():
        # Most languages have the same units: thousands of names are gone through once.
        placed = _place_units(tuple(dict.fromkeys(cell.units for cell in of_task.values())))
        number = numbers.setdefault(placed.every, len(numbers))
        share = 1 / (len(cells) * len(of_task))
        means.append(np.mean([cell.scores for cell in of_task.values()], axis=0))
        none = np.zeros((len(placed.every), len(means[-1])))
        for language, cell in of_task.items():
            moved = share * (cell.scores - means[-1])
            by_language[language] = by_language.get(language, 0.0) + moved
            at = placed.of_each[cell.units]
            influence = share * cell.influence.T
            by_unit.setdefault(number, none.copy())[at] += influence
            by_both.setdefault((number, language), none.copy())[at] += influence
            of_seeds.add(language, number, cell, share, at, len(placed.every))
    over_languages = len(names) >= LEAST
    least = min(map(len, numbers))
    return Comparison(
        scores=np.mean(means, axis=0),
        variance=Variance(
            items=np.sum([_compute_covariance(found) for found in by_unit.values()], axis=0),
            languages=_compute_covariance(np.stack([*by_language.values()]))
            if over_languages
            else None,
            both=np.sum([_compute_covariance(found) for found in by_both.values()], axis=0),
            seeds=None if over_languages else of_seeds.compute(len(means[-1])),
        ),
        languages=len(names),
        units=min(len(names), least) if over_languages else least,
    )


class _SeedParts:
    """Gathers what each seed of a producer brings to the mean, language by language."""

    def __init__(self) -> None:
        self._scores: dict[tuple[str, int], Floats] = {}
        self._units: dict[tuple[str, int], dict[int, Floats]] = {}

    def add(
        self,
        language: str,
        number: int,
        cell: UnitScores,
        share: float,
        at: "NDArray[np.int64]",
        units: int,
    ) -> None:
        """Add one task's part: `share` of its scores, with its units' places among `units`."""
        import numpy as np

        for producer, sums in cell.replicas.items():
            which = language, producer
            scores = share * sums.sum(axis=1) / cell.sizes.sum()
            self._scores[which] = self._scores.get(which, 0.0) + scores
            parts = self._units.setdefault(which, {})
            parts.setdefault(number, np.zeros((len(sums), units)))[:, at] += (
                share * cell.compute_influence_of_seeds(producer)
            )

    def compute(self, producers: int) -> SeedVariance | None:
        """The variances over seeds, which are of one language each; None without seeds."""
        import numpy as np

        if not self._scores:
            return None
        found = SeedVariance(np.zeros(producers), np.zeros(producers), np.zeros(producers))
        for (language, producer), scores in self._scores.items():
            seeds = len(scores)
            own = float(scores.var(ddof=1)) / seeds
            found.own[producer] += own
            found.terms[producer] += own**2 / (seeds - 1)
            for parts in self._units[language, producer].values():
                rest, count = parts - parts.mean(axis=0), parts.shape[1]
                both = float((rest**2).sum()) / (seeds * (seeds - 1)) * count / max(count - 1, 1)
                found.both[producer] += both
                found.terms[producer] += both**2 / (seeds - 1) / max(count - 1, 1)
        return found


@lru_cache(maxsize=64)
def _place_units(of_cells: tuple[tuple[str, ...], ...]) -> _Placed:
    """Put the units of several cells in one order: all of them, and where those of each stand."""
    import numpy as np

    every = tuple(sorted(set().union(*of_cells)))
    places = {unit: n for n, unit in enumerate(every)}
    of_each = {units: np.array([places[unit] for unit in units], np.int64) for units in of_cells}
    return _Placed(every, of_each)


def _compute_covariance(parts: "Floats") -> "Floats":
    """The covariance of a sum of independent parts (count, producers)."""
    count = len(parts)
    scatter: Floats = parts.T @ parts * (count / max(count - 1, 1))
    return scatter


def split_over_sentences(counts: "Sequence[NDArray[np.int32]]") -> "Floats":
    """chrF++ of several producers (each (n, 24) counts) as (producers, n) shares of sentences.

    A corpus score is no mean over sentences; these are its jackknife pseudo-values (Efron and
    Tibshirani 1993, section 11.5), moved so that their mean is the corpus score.
    """
    import numpy as np

    from reports.stats.chrf import compute_chrf

    shares = []
    for own in counts:
        total = own.sum(axis=0, dtype=np.int64)
        whole, n = float(compute_chrf(total)), len(own)
        pseudo = n * whole - (n - 1) * compute_chrf(total - own)
        shares.append(pseudo - pseudo.mean() + whole)
    return np.stack(shares)
