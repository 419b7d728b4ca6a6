"""What a study will find, before anyone votes: against exact figures, and on the command line."""

import math

import numpy as np
import pytest

from preference import cli
from preference.errors import PreferenceError
from preference.planning import (
    PROMPT_SPREAD,
    RATER_SPREAD,
    SHARES,
    describe_forecast,
    find_middle,
    forecast_power,
    make_study_plan,
)


@pytest.mark.parametrize("share", SHARES)
def test_the_share_over_all_prompts_is_what_was_asked_for(share: float) -> None:
    """By drawing leanings, where the program integrates."""
    middle = find_middle(share)
    rng = np.random.default_rng(0)
    leaning = rng.normal(0, math.hypot(PROMPT_SPREAD, RATER_SPREAD), 200_000)
    drawn = 1 / (1 + np.exp(-math.log(middle / (1 - middle)) - leaning))
    assert drawn.mean() == pytest.approx(share, abs=0.002)


@pytest.mark.long
def test_a_forecast_holds_the_level_and_grows_with_the_share_and_the_raters() -> None:
    found = {}
    for raters in (1, 4):
        plan = make_study_plan(80, raters, None, 0.3, None, 0.6)
        rows = forecast_power(plan, studies=100)
        found[raters] = [row.found for row in rows]
        assert found[raters][0] <= 0.12  # 5 expected of 100; three deviations above are 11.5.
        assert found[raters][-1] > 0.95
        assert all(row.votes == 80 * raters for row in rows)
    # By the exact sign test, one rater finds 70% of 56 decisive votes in about 85 of 100.
    assert 0.7 < found[1][SHARES.index(0.7)] < 0.97
    assert found[4][SHARES.index(0.65)] > found[1][SHARES.index(0.65)]


def test_a_forecast_with_a_rule_says_after_how_many_votes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = make_study_plan(30, 2, None, 0.2, "panel", 0.7)
    rows = forecast_power(plan, studies=5)
    assert rows[-1].votes <= rows[0].votes <= 60
    lines = describe_forecast(plan, rows)
    assert lines[0].startswith(
        "2 raters, 30 of 30 prompts each, 20% ties, stopping rule over panel"
    )
    assert lines[-1].endswith("of 60 votes on average")


@pytest.mark.parametrize(
    "options", [["--raters", "0"], ["--part", "90"], ["--stop", "panel", "--part", "4"],
                ["--stop", "panel", "--worth", "0.5"], ["--raters", "2", "--ties", "1"]],
)  # fmt: skip
def test_a_plan_that_cannot_be_is_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["power", *options]) == 2
    assert capsys.readouterr().err.startswith("kakugo-preference: ")
    with pytest.raises(PreferenceError):
        make_study_plan(80, 201, None, 0.3, None, 0.6)
