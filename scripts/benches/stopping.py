"""The rule that ends a study early: its level under every correlation, and the votes that it spares

Level: share of studies without any preference that are called enough, looked at after every eighth
vote. Saved: votes on average at a true 60:40, beside the fixed plan whose exact sign test finds it
as often. Many studies at once, in arrays; a few are held against `preference/evidence.py`.
"""

import json
import math
from typing import Any, NamedTuple

import numpy as np

from core.output import guard_output
from preference.rule import StoppingRule
from preference.simulation import CastScore, Truth, find_stop
from preference.statistics import compute_power

STUDIES = 1000
STEP = 8
ENOUGH = math.log(20)
# Deviations on the logit scale of what a rater's votes, and a prompt's, have in common.
SPREADS = (
    (0.0, 0.0),
    (0.5, 0.0),
    (1.5, 0.0),
    (0.0, 1.5),
    (0.3, 0.7),
    (0.5, 1.0),
    (1.5, 1.5),
    (0.5, 2.5),
)
# Raters, prompts, and votes of each rater.
SPEAKERS = ((12, 80, 80), (24, 80, 20), (60, 80, 8))
PANELS = ((1, 200, 200), (2, 100, 100), (4, 80, 80))


class Drawn(NamedTuple):
    """Votes of many studies in their order: raters, prompts and scores, each (studies, votes)."""

    raters: Any
    prompts: Any
    scores: Any


def draw_studies(truth: Truth, studies: int, seed: int) -> Drawn:
    """Studies as `preference.simulation.draw_scores` draws them, all at once."""
    rng = np.random.default_rng(seed)
    leaning = rng.normal(0, truth.rater_spread, (studies, truth.raters))
    if truth.balanced:
        half = truth.raters // 2
        leaning[:, half : 2 * half] = -leaning[:, :half]
        leaning[:, 2 * half :] = 0
    easy = rng.normal(0, truth.prompt_spread, (studies, truth.prompts))
    shape = (studies, truth.raters, truth.each)
    if truth.each == truth.prompts:
        prompts = np.broadcast_to(np.arange(truth.prompts), shape)
    else:
        ranks = rng.random((studies, truth.raters, truth.prompts)).argsort(axis=2)
        prompts = ranks[:, :, : truth.each]
    raters = np.broadcast_to(np.arange(truth.raters)[None, :, None], shape)
    if truth.side_by_side:
        prompts, raters = prompts.swapaxes(1, 2), raters.swapaxes(1, 2)
    prompts, raters = prompts.reshape(studies, -1), raters.reshape(studies, -1)
    start = math.log(truth.share / (1 - truth.share))
    lean = np.take_along_axis(leaning, raters, 1) + np.take_along_axis(easy, prompts, 1)
    wins = rng.random(lean.shape) < 1 / (1 + np.exp(-start - lean))
    scores = np.where(wins, 1, -1) * (rng.random(lean.shape) >= truth.ties)
    return Drawn(raters, prompts, scores)


def find_stops(over: str, truth: Truth, drawn: Drawn, step: int) -> Any:
    """Votes after which each study is enough, shape (studies,); 0 where it never is."""
    studies, votes = drawn.scores.shape
    stops = np.zeros(studies, dtype=int)
    row = np.arange(studies)
    sides = {"prompts": (drawn.prompts, truth.prompts), "raters": (drawn.raters, truth.raters)}
    if over == "panel":
        del sides["raters"]
    kept = {
        name: (np.zeros((studies, of)), np.zeros((studies, of)), np.full((studies, of), votes))
        for name, (_, of) in sides.items()
    }
    for place in range(votes):
        score = drawn.scores[:, place]
        for name, (which, _) in sides.items():
            totals, decisive, order = kept[name]
            at = which[:, place]
            totals[row, at] += score
            decisive[row, at] += np.abs(score)
            order[row, at] = np.minimum(order[row, at], place)
        whole = (place + 1) % truth.raters == 0 if over == "panel" else (place + 1) % step == 0
        if whole or place == votes - 1:
            enough = np.all([_weigh(*of) >= ENOUGH for of in kept.values()], axis=0)
            stops[(stops == 0) & enough] = place + 1
    return stops


def _weigh(totals: Any, decisive: Any, order: Any) -> Any:
    rank = np.argsort(order, axis=1)
    totals, decisive = (np.take_along_axis(a, rank, 1) for a in (totals, decisive))
    before = [np.cumsum(a, axis=1) - a for a in (totals**2, decisive)]
    share = np.tanh(math.atanh(0.2) / np.maximum(1, (30 + before[0]) / (30 + before[1])) * totals)
    sums = [np.log1p(sign * share).sum(axis=1) for sign in (1, -1)]
    return np.logaddexp(*sums) - math.log(2)


def compare_with_the_program() -> int:
    """Stops of some studies, by both; returns how many. Raises AssertionError where they differ."""
    compared = 0
    for over, truth in (
        ("speakers", Truth(24, 40, 10, share=0.65, rater_spread=0.3, prompt_spread=0.5)),
        ("panel", Truth(2, 100, 100, share=0.65, prompt_spread=0.5)),
    ):
        drawn = draw_studies(truth, 5, seed=2)
        for study, stop in enumerate(find_stops(over, truth, drawn, step=1)):
            scores = [
                CastScore(int(rater), f"q{prompt}", int(score))
                for rater, prompt, score in zip(*(part[study] for part in drawn), strict=True)
            ]
            assert (find_stop(StoppingRule(over), scores) or 0) == stop, (over, study)
            compared += 1
    return compared


def measure_levels() -> dict[str, float]:
    """What was drawn, in words -> share of null studies that were called enough."""
    levels = {}
    for over, sizes in (("speakers", SPEAKERS), ("panel", PANELS)):
        for raters, prompts, each in sizes:
            for rater_spread, prompt_spread in SPREADS:
                for side_by_side in (True, False) if over == "speakers" else (True,):
                    if raters == 1 and rater_spread:
                        continue
                    truth = Truth(
                        raters,
                        prompts,
                        each,
                        rater_spread=rater_spread,
                        prompt_spread=prompt_spread,
                        balanced=over == "panel",
                        side_by_side=side_by_side,
                    )
                    stops = find_stops(over, truth, draw_studies(truth, STUDIES, seed=1), STEP)
                    pace = "side by side" if side_by_side else "one after the other"
                    name = (
                        f"{over}, {raters} raters x {each} of {prompts} prompts, {pace}, rater"
                        f" {rater_spread:g}, prompt {prompt_spread:g}"
                    )
                    levels[name] = float(np.mean(stops > 0))
                    print(f"level {levels[name]:.3f}: {name}", flush=True)
    return levels


def measure_savings() -> dict[str, dict[str, float]]:
    """What was drawn -> power, votes on average, and those of the fixed plan with that power."""
    saved = {}
    for over, raters, prompts, each in (
        ("panel", 1, 480, 480),
        ("panel", 2, 240, 240),
        ("panel", 4, 120, 120),
        ("speakers", 24, 80, 20),
        ("speakers", 60, 80, 8),
        ("speakers", 120, 80, 4),
    ):
        truth = Truth(raters, prompts, each, share=0.6, ties=0.0)
        drawn = draw_studies(truth, STUDIES, seed=3)
        stops = find_stops(over, truth, drawn, step=2)
        most = raters * each
        power = float(np.mean(stops > 0))
        votes = float(np.mean(np.where(stops, stops, most)))
        fixed = find_fixed_votes(power)
        name = f"{over}, {raters} raters, {most} votes at most"
        saved[name] = {"power": power, "votes": votes, "fixed": fixed, "ratio": votes / fixed}
        print(
            f"{name}: power {power:.3f}, {votes:.0f} votes on average; the fixed plan needs {fixed}"
            f" ({1 - votes / fixed:.0%} fewer)",
            flush=True,
        )
    return saved


def find_fixed_votes(power: float) -> int:
    """The fewest votes with which the exact sign test finds 60:40 so often."""
    return next(votes for votes in range(20, 2000) if compute_power(votes, 0.6) >= power)


def main() -> None:
    compared = compare_with_the_program()
    saved = measure_savings()
    levels = measure_levels()
    print(
        json.dumps(
            {
                "bench": "stopping",
                "studies": STUDIES,
                "compared": compared,
                "largest_level": max(levels.values()),
                "level": levels,
                "saved": saved,
                "ratio": saved["panel, 2 raters, 480 votes at most"]["ratio"],
            }
        )
    )


if __name__ == "__main__":
    guard_output("scripts/bench")
    main()
