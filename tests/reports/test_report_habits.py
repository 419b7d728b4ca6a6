"""A score that needs no reading of the question is told from one that does."""

from collections import Counter
from dataclasses import replace

import pytest

from reports.report import Report
from reports.stats.answers import MOST_LABELS, find_habits
from reports.store.model import StoreView
from reports.tables import habits
from reports.tables.precision import tabulate_precision


def test_always_one_answer_is_the_majority_rate_and_balanced_chance() -> None:
    found = find_habits(
        {("travel", "science"): 51, ("travel", "travel"): 80, ("travel", "health"): 70}
    )
    assert found
    assert found.majority_rate == pytest.approx(100 * 80 / 201)
    assert (found.said, found.said_share) == ("travel", 100)
    assert found.balanced == pytest.approx(100 / 3)


def test_balanced_accuracy_is_the_mean_over_labels() -> None:
    found = find_habits(Counter(zip("AABBBC", "AAABBB", strict=True)))
    assert found
    assert found.balanced == pytest.approx(100 * (2 / 3 + 2 / 3) / 2)
    assert (found.said, found.said_share) == ("B", 50)
    assert find_habits({}) is None
    texts = [f"an answer of its own {n}" for n in range(MOST_LABELS + 1)]
    assert find_habits({(text, text): 1 for text in texts}) is None


def test_a_base_that_gives_one_answer_does_not_beat_its_habit(
    view: StoreView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """23.9% on SIB-200 is above the chance of seven labels, and what always `science` scores."""
    found = next(score for score in view.scores.values() if score.task == "sib200")
    score = replace(found, score=100 * 48 / 201, n=201, chance=100 / 7)
    said = {("science", "science"): 48} | {("science", f"label {n}"): 25 for n in range(5)}
    said["science", "other"] = 28
    monkeypatch.setattr(habits, "count_answers", lambda score: said)
    assert habits.compute_p_above(score, score.chance or 0) < 0.05
    assert not habits.beats_habit(score)
    said = {("science", "science"): 90, ("a", "a"): 60, ("a", "b"): 51}
    assert habits.beats_habit(replace(score, score=100 * 150 / 201))


def test_precision_tells_the_majority_rate_beside_chance(view: StoreView) -> None:
    sheet = tabulate_precision(Report.from_store(view).panels)
    names = [column.name for column in sheet.columns]
    rows = [dict(zip(names, row, strict=True)) for row in sheet.rows]
    choices = [row for row in rows if row["chance"] is not None]
    assert choices
    for row in choices:
        assert row["said_most"] in ("A", "B")
        assert 0 <= row["said_most_share"] <= 100
        assert row["majority"] is not None
    assert all(row["majority"] is None for row in rows if row["chance"] is None)
