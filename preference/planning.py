"""Forecast what a study will find before anyone votes, by drawing studies from a known truth.

Assumed: votes on one prompt lean to one side by a normal deviation of 1 on the logit scale, and
those of one rater by 0.3, so that raters agree about as much as those of real pairs of answers do.
Not covered: raters who do not finish, and answers that are much alike (more ties: `ties`).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from core.statistics import flip_signs_sampled
from preference.errors import PreferenceError
from preference.rule import StoppingRule
from preference.simulation import Truth, draw_scores, find_stop

SHARES = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
PROMPT_SPREAD, RATER_SPREAD = 1.0, 0.3
_LEVEL, _FLIPS = 0.05, 499


@dataclass(frozen=True)
class StudyPlan:
    """A study as planned. each: prompts of one rater; rule: when votes are enough, or None."""

    prompts: int
    raters: int
    each: int
    ties: float
    rule: StoppingRule | None


@dataclass(frozen=True)
class Forecast:
    """Says what a plan gives at a true share of decisive votes: how often it finds a preference,
    and how many votes it takes on average."""

    share: float
    found: float
    votes: float


def make_study_plan(
    prompts: int, raters: int, part: int | None, ties: float, stop: str | None, worth: float
) -> StudyPlan:
    """A plan from what was asked for. Raises PreferenceError for what cannot be."""
    each = prompts if part is None else part
    if not (1 <= each <= prompts <= 1000 and 1 <= raters <= 200 and 0 <= ties < 1):
        raise PreferenceError(
            f"{raters} raters, {each} of {prompts} prompts, {ties:g} ties: allowed are 1 to 200"
            " raters, 1 to 1000 prompts, a --part of no more, and --ties of 0 to below 1"
        )
    if not 0.52 <= worth <= 0.95:
        raise PreferenceError(f"--worth {worth:g}: allowed are 0.52 to 0.95")
    if part is not None and stop == "panel":
        raise PreferenceError("--part with --stop panel: its raters all see all prompts here")
    rule = None if stop is None else StoppingRule(stop, worth=worth)
    return StudyPlan(prompts, raters, each, ties, rule)


def forecast_power(plan: StudyPlan, *, studies: int = 200, seed: int = 0) -> list[Forecast]:
    """A forecast for each of SHARES. The first is the level: there is no preference to find."""
    rng = np.random.default_rng(seed)
    rows = []
    for share in SHARES:
        truth = Truth(
            plan.raters,
            plan.prompts,
            plan.each,
            share=find_middle(share),
            ties=plan.ties,
            rater_spread=RATER_SPREAD,
            prompt_spread=PROMPT_SPREAD,
            # The fixed plan and a panel speak of these raters alone, who have no leaning then.
            balanced=plan.rule is None or plan.rule.over == "panel",
        )
        found = votes = 0
        for _ in range(studies):
            scores = draw_scores(rng, truth)
            if plan.rule is not None:
                stop = find_stop(plan.rule, scores)
                found += stop is not None
                votes += stop or len(scores)
                continue
            by_prompt: dict[str, list[int]] = {}
            for one in scores:
                by_prompt.setdefault(one.prompt, []).append(one.score)
            means = [sum(of) / len(of) for of in by_prompt.values()]
            p = flip_signs_sampled(means, resamples=_FLIPS, seed=int(rng.integers(2**31)))
            found += p is not None and p <= _LEVEL
            votes += len(scores)
        rows.append(Forecast(share, found / studies, votes / studies))
    return rows


def find_middle(share: float) -> float:
    """The share of a prompt and a rater that do not lean, where it is `share` over all of them."""
    spread = math.hypot(PROMPT_SPREAD, RATER_SPREAD)
    points, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()

    def miss(start: float) -> float:
        return float(weights @ (1 / (1 + np.exp(-start - spread * points)))) - share

    return 1 / (1 + math.exp(-float(optimize.brentq(miss, -10, 10))))


def describe_forecast(plan: StudyPlan, rows: list[Forecast]) -> list[str]:
    """Say what the forecast is, a line each."""
    most = plan.raters * plan.each
    test = (
        "sign flips over prompts" if plan.rule is None else f"stopping rule over {plan.rule.over}"
    )
    lines = [
        f"{plan.raters} raters, {plan.each} of {plan.prompts} prompts each, {plan.ties:.0%} ties,"
        f" {test} at 0.05; simulated, with votes that hang together by prompt and by rater"
    ]
    for row in rows:
        votes = "" if plan.rule is None else f", after {row.votes:.0f} of {most} votes on average"
        what = "no preference: called one in" if row.share == 0.5 else f"{row.share:.0%}: found in"
        lines.append(f"  {what} {row.found:.0%} of studies{votes}")
    return lines
