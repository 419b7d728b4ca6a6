"""Studies drawn from a known truth: to check that the tests hold their level, and to plan."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from preference.design import StudyPrompt, share_parts
from preference.evidence import Tally
from preference.rule import StoppingRule
from preference.votes import Guess, Vote


def simulate_null_study(
    rng: np.random.Generator,
    *,
    prompts: int,
    raters: int,
    spread: float,
    ties: float = 0.3,
    shift: float = 0.0,
) -> Any:
    """Scores of +1, 0 and -1, shape (raters, prompts), of a study in which no arm is better.

    Each prompt has a preference of its own that all raters share, normal with deviation `spread`
    (on the logit scale) and mean `shift` (0: the null hypothesis); that is what makes votes on one
    prompt correlated. ties: share of ties.
    """
    leaning = rng.normal(shift, spread, prompts)
    wins = rng.random((raters, prompts)) < 1 / (1 + np.exp(-leaning))
    tied = rng.random((raters, prompts)) < ties
    return np.where(tied, 0.0, np.where(wins, 1.0, -1.0))


def simulate_parts(
    rng: np.random.Generator,
    *,
    prompts: int,
    raters: int,
    part: int,
    spread: float,
    taste: float = 0.0,
    ties: float = 0.3,
    shift: float = 0.0,
) -> Any:
    """The sum of each prompt's scores, shape (prompts,), of a study in which each pair of raters
    gets `part` prompts, dealt as studies deal them.

    As `simulate_null_study`; besides, each rater leans to one arm on all prompts alike, normal with
    deviation `taste` and mean 0 (someone who likes long answers).
    """
    questions = [StudyPrompt(str(number), str(number % 8)) for number in range(prompts)]
    parts = share_parts(rng.bytes(32), "", questions, pairs=(raters + 1) // 2, part=part)
    leaning = rng.normal(shift, spread, prompts)
    sums = np.zeros(prompts, dtype=np.int64)
    for rater in range(raters):
        own = np.array([int(prompt.question) for prompt in parts[rater // 2]])
        felt = leaning[own] + rng.normal(0, taste)
        wins = rng.random(len(own)) < 1 / (1 + np.exp(-felt))
        tied = rng.random(len(own)) < ties
        sums[own] += np.where(tied, 0, np.where(wins, 1, -1))
    return sums


def draw_votes(
    rng: np.random.Generator,
    *,
    prompts: int = 80,
    raters: int = 2,
    clickers: int = 0,
    shift: float = 0.0,
    repeats: int = 8,
    checks: int = 3,
    guesses: int = 4,
) -> tuple[list[Vote], list[Guess]]:
    """A whole study: main votes, hidden repeats, checks and guesses. The first `clickers` raters
    click at random; the others read.

    Who reads has an opinion of each pair, normal: part of it (deviation 1.5, mean `shift`) is
    shared by all, part (0.7) their own; from one time to the next it moves (0.3), and within 0.4 of
    nothing they call the two equal. They miss 3 checks of 100 and guess the arms by chance. So they
    repeat themselves in about six of seven, and their alpha is 0.4 to 0.5.
    """
    shared = rng.normal(shift, 1.5, prompts)
    votes: list[Vote] = []
    guessed: list[Guess] = []
    sides = np.empty(0, dtype=str)
    for number in range(raters):
        rater, clicks = f"rater {number + 1}", number < clickers
        opinion = shared + rng.normal(0, 0.7, prompts)
        # Mirrored pairs of raters, as in `design.py`.
        if number % 2 == 0:
            sides = rng.permutation(["a", "b"] * ((prompts + 1) // 2))
        for kind, places in (
            ("main", range(prompts)),
            ("repeat", rng.permutation(prompts)[:repeats]),
        ):
            for q in places:
                felt = opinion[q] + rng.normal(0, 0.3)
                choice = "equal" if abs(felt) < 0.4 else "trained" if felt > 0 else "base"
                choice = str(rng.choice(["trained", "base", "equal"])) if clicks else choice
                on_a = (sides[q] == "a") ^ (number % 2 == 1) ^ (kind == "repeat")
                votes.append(Vote(rater, f"q{q}", "all", choice, "a" if on_a else "b", kind))  # type: ignore[arg-type]
        for n in range(checks):
            passed = bool(rng.random() < (1 / 3 if clicks else 0.97))
            votes.append(Vote(rater, f"q{n}", "all", "equal", None, "check", passed))
        for _ in range(guesses):
            side, guess = rng.choice(["a", "b"]), rng.choice(["a", "b", "unknown"])
            guessed.append(Guess(rater, str(side), str(guess)))  # type: ignore[arg-type]
    return votes, guessed


class CastScore(NamedTuple):
    """A vote as it comes in: +1, 0 or -1 of a rater on a prompt."""

    rater: int
    prompt: str
    score: int


@dataclass(frozen=True)
class Truth:
    """A study to draw from. Each of `raters` votes on `each` of the `prompts`.

    share: of decisive votes for the trained arm, where nothing else leans; ties: share of ties.
    rater_spread, prompt_spread: deviations (on the logit scale) of what all votes of a rater, or on
    a prompt, have in common. balanced: raters' leanings sum to nothing, so that this panel has
    none. side_by_side: all vote at one pace; else one after the other.
    """

    raters: int
    prompts: int
    each: int
    share: float = 0.5
    ties: float = 0.3
    rater_spread: float = 0.0
    prompt_spread: float = 0.0
    balanced: bool = False
    side_by_side: bool = True


def draw_scores(rng: np.random.Generator, truth: Truth) -> list[CastScore]:
    """The votes of one study, in the order in which they come in."""
    leaning = rng.normal(0, truth.rater_spread, truth.raters)
    if truth.balanced:
        # Pairs that lean to opposite sides, as much.
        half = truth.raters // 2
        leaning = np.concatenate([leaning[:half], -leaning[:half], np.zeros(truth.raters % 2)])
    easy = rng.normal(0, truth.prompt_spread, truth.prompts)
    start = math.log(truth.share / (1 - truth.share))
    # A panel goes through the prompts in common parts; here the parts are single prompts.
    every = truth.each == truth.prompts
    order = [
        np.arange(truth.prompts) if every else rng.permutation(truth.prompts)[: truth.each]
        for _ in range(truth.raters)
    ]
    places = [(place, rater) for place in range(truth.each) for rater in range(truth.raters)]
    if not truth.side_by_side:
        places.sort(key=lambda where: where[1])
    scores = []
    for place, rater in places:
        prompt = int(order[rater][place])
        wins = rng.random() < 1 / (1 + math.exp(-start - leaning[rater] - easy[prompt]))
        tied = rng.random() < truth.ties
        scores.append(CastScore(rater, f"q{prompt}", 0 if tied else 1 if wins else -1))
    return scores


def find_stop(rule: StoppingRule, scores: Sequence[CastScore]) -> int | None:
    """The number of votes after which a rule says enough; None where it never does."""
    needed: dict[str, int] = {}
    for one in scores:
        needed[one.prompt] = needed.get(one.prompt, 0) + 1
    tally = Tally(rule, needed)
    for number, one in enumerate(scores, 1):
        tally.take(*one)
        # A tie changes nothing.
        if one.score and tally.is_enough():
            return number
    return None
