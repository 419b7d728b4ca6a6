"""How often the sentences on base score and gain are false, on languages whose truth is known.

Each function repeats an experiment and returns shares. The tests run them short, `scripts/bench
statistics` long.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from reports.stats import correlation
from reports.stats.correlation import BaseAndGain
from reports.stats.decoupled import Noise

Source = Literal["samples", "stderr", "bound", "nothing"]
"""What a report knows: the samples, the scores' standard errors, a bound of them, or nothing."""
SOURCES: tuple[Source, ...] = ("samples", "stderr", "bound", "nothing")
UNITS = 40
"""Independent parts of a test; each has UNITS times the variance of the score's item noise."""


@dataclass(frozen=True)
class World:
    """Languages whose true gain correlates by `r` with their true base score.

    `gain_sd` and `noise` (of a score, by its items) are in points. `shared` is the part of an
    item's noise that all languages have alike, `paired` that which base and trained score have
    alike. `shape` is the distribution of true base scores.
    """

    languages: int = 54
    r: float = 0.0
    gain_sd: float = 9.6
    noise: float = 0.6
    shared: float = 0.0
    paired: float = 0.5
    base_sd: float = 13.0
    shape: Literal["normal", "uniform", "skewed"] = "normal"

    @property
    def slope(self) -> float:
        return self.r * self.gain_sd / self.base_sd


def measure(draw: np.random.Generator, world: World, source: Source) -> BaseAndGain:
    """What a report computes from one draw of the languages and their items."""
    n = world.languages
    true = _standard(draw, world)
    gain = world.gain_sd * (world.r * true + np.sqrt(1 - world.r**2) * draw.normal(size=n))
    alike = _noise(draw, world)
    sides = [
        np.sqrt(world.paired) * alike + np.sqrt(1 - world.paired) * _noise(draw, world)
        for _ in range(2)
    ]
    before = 50 + world.base_sd * true[:, None] + sides[0]
    after = 50 + (world.base_sd * true + gain)[:, None] + sides[1]
    base, points = before.mean(axis=1), (after - before).mean(axis=1)
    if source == "samples":
        masks = correlation.draw_halves(UNITS)
        masks = masks / masks.sum(axis=1, keepdims=True)
        parts = [
            correlation.pair_halves(masks @ b, masks @ a)
            for b, a in zip(before, after, strict=True)
        ]
        return correlation.relate_base_and_gain(base.tolist(), points.tolist(), parts)
    variances = np.full(n, world.noise**2)
    noise = {
        "stderr": Noise(variances, variances),
        "bound": Noise(2 * variances, 2 * variances, exact=False),
        "nothing": None,
    }[source]
    return correlation.relate_base_and_gain(base.tolist(), points.tolist(), [], noise=noise)


def _standard(draw: np.random.Generator, world: World) -> Any:
    """True base scores with mean 0 and variance 1."""
    if world.shape == "uniform":
        return draw.uniform(-np.sqrt(3), np.sqrt(3), world.languages)
    if world.shape == "skewed":
        return draw.exponential(size=world.languages) - 1
    return draw.normal(size=world.languages)


def _noise(draw: np.random.Generator, world: World) -> Any:
    """(languages, UNITS) noise of the parts of a test."""
    own, alike = draw.normal(size=(world.languages, UNITS)), draw.normal(size=(1, UNITS))
    scale = world.noise * np.sqrt(UNITS)
    return scale * (np.sqrt(1 - world.shared) * own + np.sqrt(world.shared) * alike)


def count_sentences(
    times: int, world: World, source: Source, seed: int = 21
) -> dict[correlation.verdict.Relation, float]:
    """The share of draws in which each relation is concluded."""
    draw = np.random.default_rng(seed)
    counted = Counter(measure(draw, world, source).relation for _ in range(times))
    return {relation: count / times for relation, count in counted.items()}


def false_sentences(times: int, world: World, source: Source) -> float:
    """The share of sentences that claim a relation where there is none."""
    assert world.r == 0
    said = count_sentences(times, world, source)
    return said.get("lower", 0) + said.get("higher", 0)


def right_sentences(times: int, world: World, source: Source) -> float:
    """The share of sentences that say so where languages with a lower base score do gain more."""
    assert world.r < 0
    return count_sentences(times, world, source).get("lower", 0)


def cover(times: int, world: World, source: Source, seed: int = 22) -> dict[str, float]:
    """How often the intervals of slope and correlation hold the truth, where there is one."""
    draw = np.random.default_rng(seed)
    held: dict[str, list[bool]] = {"slope": [], "r": []}
    for _ in range(times):
        found = measure(draw, world, source).decoupled
        for name, estimate, truth in (("slope", found.slope, world.slope), ("r", found.r, world.r)):
            if estimate and estimate.interval:
                held[name].append(estimate.interval.low <= truth <= estimate.interval.high)
    return {name: float(np.mean(found)) for name, found in held.items()}


def bound_misses(times: int, world: World, seed: int = 23) -> float:
    """How often the noise that would explain what is seen is said to be more than there is.

    Where there is no relation, noise is all that makes one; a table does not tell how large it is.
    """
    draw = np.random.default_rng(seed)
    found = [measure(draw, world, "nothing").decoupled.explained_by for _ in range(times)]
    return sum(sd is not None and sd > world.noise for sd in found) / times


def false_spreads(
    times: int, languages: int, gain_sd: float, noise: float, seed: int = 24
) -> float:
    """How often languages are said to come closer together, or not, where they spread as before."""
    world = World(languages, r=-gain_sd / 26, gain_sd=gain_sd, noise=noise)
    draw = np.random.default_rng(seed)
    said = [measure(draw, world, "samples").closer for _ in range(times)]
    return sum("lie" in sentence for sentence in said) / times
