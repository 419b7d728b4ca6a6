"""Rank more than two arms by votes on pairs of them: Davidson's model, with intervals over prompts.

    P(i preferred to j) = s_i / (s_i + s_j + t),   P(equal) = t / (s_i + s_j + t),
    t = 2 v sqrt(s_i s_j)

(Davidson 1970; fitted by the iteration of Newman 2023, as `evalica` has it). Strengths s are given
as logarithms whose mean is 0. A prompt has the same weight in a pair however many raters voted on
it there. Votes on one prompt hang together, in all pairs: so whole prompts are drawn anew for the
intervals of strengths and ranks. Each pair gets one tie more than it had, so that an arm which won
or lost everything has a strength at all.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.statistics import LEVEL
from preference.errors import BallotError

RESAMPLES = 1000


class PairVote(NamedTuple):
    """A vote on two arms: the score is +1 where `one` was preferred, -1 where `other` was, 0 for
    equal."""

    question: str
    one: str
    other: str
    score: int


@dataclass(frozen=True)
class RankedArm:
    """An arm's place among all, from 1, and its strength, each with an interval at LEVEL."""

    arm: str
    rank: int
    rank_low: int
    rank_high: int
    strength: float
    low: float
    high: float
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True)
class ArmRanking:
    """All arms, the best first; tie: the model's v; prompts: how many were drawn from; certain:
    the share of resamples in which the best arm is the same."""

    arms: tuple[RankedArm, ...]
    tie: float
    prompts: int
    votes: int
    certain: float


def rank_arms(
    votes: Sequence[PairVote], *, seed: int = 0, resamples: int = RESAMPLES
) -> ArmRanking:
    """Ranks the arms. Raises BallotError where some arms were never compared with the others, not
    even through others."""
    names = sorted({name for vote in votes for name in (vote.one, vote.other)})
    _check_connected(names, votes)
    tensor, questions = _count_outcomes(names, votes)
    strengths, tie = fit_davidson(tensor.sum(axis=0))
    rng = np.random.default_rng(seed)
    drawn = np.array(
        [
            fit_davidson(
                np.tensordot(
                    rng.multinomial(len(questions), np.full(len(questions), 1 / len(questions))),
                    tensor,
                    axes=1,
                )
            )[0]
            for _ in range(resamples)
        ]
    )
    places = 1 + (drawn[:, None, :] > drawn[:, :, None]).sum(axis=2)
    ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    lows, highs = np.quantile(drawn, ends, axis=0)
    low_places, high_places = np.quantile(places, ends, axis=0, method="inverted_cdf")
    order = np.argsort(-strengths, kind="stable")
    arms = tuple(
        RankedArm(
            names[at],
            1 + int((strengths > strengths[at]).sum()),
            int(low_places[at]),
            int(high_places[at]),
            float(strengths[at]),
            float(lows[at]),
            float(highs[at]),
            *_count_votes(names[at], votes),
        )
        for at in order
    )
    certain = float(np.mean(places[:, order[0]] == 1))
    return ArmRanking(arms, tie, len(questions), len(votes), certain)


def fit_davidson(counts: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Log strengths (arms,) of mean 0, and v. counts: shape (2, arms, arms); [0, i, j] how often i
    was preferred to j, [1, i, j] for i < j how often they were called equal. Of a pair that was
    never shown, both are 0."""
    import evalica

    wins, ties = counts[0], np.triu(counts[1], 1)
    # One tie more in each pair that was shown.
    ties = ties + np.triu((wins + wins.T + ties) > 0, 1)
    first, second, winners, weights = [], [], [], []
    for matrix, outcome in ((wins, evalica.Winner.X), (ties, evalica.Winner.Draw)):
        for one, other in zip(*np.nonzero(matrix), strict=True):
            first.append(int(one))
            second.append(int(other))
            winners.append(outcome)
            weights.append(float(matrix[one, other]))
    fitted = evalica.newman(first, second, winners, weights=weights, tolerance=1e-8, limit=5000)
    scores = fitted.scores.sort_index()
    strengths = np.zeros(len(wins))
    strengths[scores.index.to_numpy()] = np.log(scores.to_numpy())
    return strengths - strengths.mean(), float(fitted.v)


def _count_outcomes(
    names: Sequence[str], votes: Sequence[PairVote]
) -> tuple[NDArray[np.float64], list[str]]:
    """Weighted outcomes by prompt, shape (prompts, 2, arms, arms): those of a pair on a prompt sum
    to one."""
    place = {name: at for at, name in enumerate(names)}
    questions = sorted({vote.question for vote in votes})
    number = {question: at for at, question in enumerate(questions)}
    tensor = np.zeros((len(questions), 2, len(names), len(names)))
    for vote in votes:
        one, other = place[vote.one], place[vote.other]
        if vote.score == 0:
            tensor[number[vote.question], 1, min(one, other), max(one, other)] += 1
        else:
            better, worse = (one, other) if vote.score > 0 else (other, one)
            tensor[number[vote.question], 0, better, worse] += 1
    wins, ties = tensor[:, 0], tensor[:, 1]
    shown = wins + wins.swapaxes(1, 2) + ties + ties.swapaxes(1, 2)
    return tensor / np.maximum(shown, 1)[:, None], questions


def _count_votes(name: str, votes: Sequence[PairVote]) -> tuple[int, int, int]:
    scores = [v.score if v.one == name else -v.score for v in votes if name in (v.one, v.other)]
    return scores.count(1), scores.count(0), scores.count(-1)


def _check_connected(names: Sequence[str], votes: Sequence[PairVote]) -> None:
    beside: dict[str, set[str]] = defaultdict(set)
    for vote in votes:
        beside[vote.one].add(vote.other)
        beside[vote.other].add(vote.one)
    reached, waiting = set(names[:1]), list(names[:1])
    while waiting:
        for other in beside[waiting.pop()] - reached:
            reached.add(other)
            waiting.append(other)
    if apart := [name for name in names if name not in reached]:
        raise BallotError(
            f"{', '.join(sorted(reached))} and {', '.join(apart)} were never compared, not even"
            " through other arms, so that they have no common ranking. Remedy: a study of one of"
            " these beside one of those"
        )
