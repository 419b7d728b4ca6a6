"""Compute what answering by habit would score on a score's own items."""

from contextlib import suppress

from core.contract.record import Unreadable
from reports.stats.answers import AnswerHabits, find_habits
from reports.stats.intervals import compute_p_above_chance
from reports.store.model import Score
from reports.store.samples import count_answers


def read_habits(score: Score) -> AnswerHabits | None:
    """The habits that the samples show; None where accuracy is not the score, and for unreadable
    samples."""
    if score.metric == "accuracy":
        with suppress(Unreadable):
            return find_habits(count_answers(score))
    return None


def compute_p_above(score: Score, rate: float) -> float:
    """The exact one-sided p of so many right answers where each is right in `rate` percent."""
    return compute_p_above_chance(round(score.score * score.n / 100), score.n, rate)


def beats_habit(score: Score) -> bool:
    """Tell whether an accuracy is above chance and above the majority rate (exact binomial, 5%)."""
    habits = read_habits(score)
    rates = [score.chance or 0.0, habits.majority_rate if habits else 0.0]
    return compute_p_above(score, max(rates)) < 0.05
