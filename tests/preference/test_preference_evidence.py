"""The e-values that say when votes are enough: by hand, by another formula, and by simulation."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from preference.evidence import Tally, VoteCluster, weigh_clusters
from preference.rule import StoppingRule
from preference.simulation import Truth, draw_scores, find_stop
from preference.statistics import compute_power

WORTH = 0.6


def weigh(totals: list[tuple[int, int, int]], centre: float = 0.0) -> float:
    return float(weigh_clusters([VoteCluster(*total) for total in totals], WORTH, [centre])[0])


def weigh_by_definition(totals: list[tuple[int, int, int]], centre: float = 0.0) -> float:
    """The same in a loop, factor by factor, as the formula stands in `evidence.py`."""
    squares = alone = 30.0
    one = other = 1.0
    for total, votes, decisive in totals:
        apart = total - centre * votes
        share = math.tanh(math.atanh(2 * WORTH - 1) / max(1, squares / alone) * apart)
        one, other = one * (1 + share), other * (1 - share)
        squares += apart**2
        # The scores of the cluster one by one: +1, -1 and 0.
        wins = (decisive + total) // 2
        scores = [1] * wins + [-1] * (decisive - wins) + [0] * (votes - decisive)
        alone += sum((score - centre) ** 2 for score in scores)
    return (one + other) / 2


def test_the_evidence_is_the_product_of_its_bets() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        totals = []
        for _ in range(12):
            scores = rng.choice([-1, 0, 1], 5)
            totals.append((int(scores.sum()), 5, int(np.abs(scores).sum())))
        for centre in (0.0, 0.3, -0.7):
            assert math.exp(weigh(totals, centre)) == pytest.approx(
                weigh_by_definition(totals, centre)
            )


def test_single_votes_give_walds_likelihood_ratio_of_both_sides() -> None:
    """60:40 or 40:60 against a coin, ties left out: the mixture of two binomial likelihoods."""
    votes = [1] * 37 + [-1] * 15 + [0] * 20
    np.random.default_rng(0).shuffle(votes)
    given = math.exp(weigh([(score, 1, abs(score)) for score in votes]))
    likely = [stats.binom.pmf(37, 52, share) for share in (0.6, 0.4)]
    assert given == pytest.approx(sum(likely) / 2 / stats.binom.pmf(37, 52, 0.5))


def test_any_order_of_signs_has_a_mean_of_one() -> None:
    """Exact: over all signs of eight clusters of fixed sizes, as under no preference."""
    sizes = [(3, 4, 3), (0, 2, 0), (1, 1, 1), (5, 6, 5), (2, 4, 4), (1, 3, 3), (4, 4, 4), (2, 2, 2)]
    weighed = [
        math.exp(weigh([(s * t, v, d) for (t, v, d), s in zip(sizes, signs, strict=True)]))
        for signs in np.array(np.meshgrid(*[[-1, 1]] * 8)).T.reshape(-1, 8)
    ]
    assert np.mean(weighed) == pytest.approx(1)
    assert np.max(weighed) > 2


def test_a_vote_that_is_taken_back_or_changed_leaves_no_trace() -> None:
    rule = StoppingRule("speakers")
    one, other = Tally(rule, {}), Tally(rule, {})
    for rater, prompt, score in ((0, "p", 1), (1, "p", 1), (0, "q", -1), (1, "q", 0)):
        one.take(rater, prompt, score)
        other.take(rater, prompt, -score)
        other.take(rater, prompt, None)
        other.take(rater, prompt, 0)
        other.take(rater, prompt, score)
    assert one.weigh() == other.weigh()
    assert one.scores == other.scores


def test_in_a_panel_a_prompt_counts_once_all_have_voted() -> None:
    tally = Tally(StoppingRule("panel"), {"p": 2, "q": 2})
    for prompt in "pq":
        tally.take(0, prompt, 1)
    assert tally.weigh() == {"prompts": 0.0}
    assert tally.find_interval() is None
    for prompt in "pq":
        tally.take(1, prompt, 1)
    # On the first prompt, both signs are bet on alike; the second agrees with it.
    assert tally.weigh()["prompts"] > 0
    tally.take(0, "p", None)
    assert tally.weigh() == {"prompts": 0.0}


def test_two_raters_of_one_mind_never_speak_for_speakers() -> None:
    """The evidence rater by rater doubles with each rater at most."""
    tally = Tally(StoppingRule("speakers"), {})
    for rater in range(2):
        for prompt in range(200):
            tally.take(rater, f"q{prompt}", 1)
    assert math.exp(tally.weigh()["prompts"]) > 1e6
    assert math.exp(tally.weigh()["raters"]) < 2


def test_the_interval_is_what_the_evidence_does_not_speak_against() -> None:
    """Its ends by a root finder on the definition's loop."""
    tally = Tally(StoppingRule("panel"), {})
    scores = [1] * 60 + [-1] * 20 + [0] * 20
    np.random.default_rng(1).shuffle(scores)
    for number, score in enumerate(scores):
        tally.take(0, f"q{number}", score)
    interval = tally.find_interval()
    assert interval is not None
    totals = [(score, 1, abs(score)) for score in scores]

    def beyond(centre: float) -> float:
        return weigh_by_definition(totals, centre) - 20

    low, high = (optimize.brentq(beyond, *ends) for ends in ((-0.5, 0.4), (0.4, 0.95)))
    assert low - 1 / 400 <= interval.low <= low
    assert high <= interval.high <= high + 1 / 400


# Deviations of what a rater's and a prompt's votes have in common, on the logit scale.
CORRELATED = [(1.5, 0.0), (0.0, 1.5), (0.5, 1.0), (1.5, 1.5)]


@pytest.mark.long
@pytest.mark.parametrize("side_by_side", [True, False])
@pytest.mark.parametrize(("rater_spread", "prompt_spread"), CORRELATED)
def test_without_a_preference_enough_is_called_in_one_study_of_twenty_at_most(
    rater_spread: float, prompt_spread: float, side_by_side: bool
) -> None:
    """Looked at after every vote; `scripts/bench stopping` draws more studies, of more kinds."""
    truth = Truth(
        24,
        40,
        10,
        rater_spread=rater_spread,
        prompt_spread=prompt_spread,
        side_by_side=side_by_side,
    )
    rng = np.random.default_rng(5)
    called = sum(
        find_stop(StoppingRule("speakers"), draw_scores(rng, truth)) is not None for _ in range(150)
    )
    # 7.5 at a level of 5%; 3 standard errors above are 15.5.
    assert called <= 15


@pytest.mark.long
@pytest.mark.parametrize("raters", [1, 2, 4])
def test_a_panel_without_a_preference_is_called_enough_as_rarely(raters: int) -> None:
    """Prompts lean, and raters, whose leanings cancel within the panel."""
    spread = 1.0 if raters > 1 else 0.0
    truth = Truth(raters, 120, 120, rater_spread=spread, prompt_spread=1.5, balanced=True)
    rng = np.random.default_rng(6)
    called = sum(
        find_stop(StoppingRule("panel"), draw_scores(rng, truth)) is not None for _ in range(200)
    )
    # 10 at a level of 5%; 3 standard errors above are 19.
    assert called <= 19


def test_the_simulation_finds_a_rule_that_looks_too_often() -> None:
    """The fixed plan's test, looked at after every vote: far beyond its level."""
    rng = np.random.default_rng(7)
    truth = Truth(1, 200, 200)
    called = 0
    for _ in range(60):
        total = np.cumsum([one.score for one in draw_scores(rng, truth)])
        decisive = np.cumsum(np.abs(np.diff(total, prepend=0)))
        z = np.abs(total) / np.sqrt(np.maximum(decisive, 1))
        called += bool(np.any(z[20:] > 1.96))
    assert called > 12


@pytest.mark.long
def test_at_sixty_to_forty_three_votes_in_ten_are_spared() -> None:
    """Beside the fixed plan whose exact sign test finds 60:40 as often."""
    truth = Truth(1, 360, 360, share=0.6, ties=0.0)
    rng = np.random.default_rng(8)
    stops = [find_stop(StoppingRule("panel"), draw_scores(rng, truth)) for _ in range(200)]
    power = np.mean([stop is not None for stop in stops])
    votes = np.mean([stop or 360 for stop in stops])
    assert power > 0.85
    fixed = next(
        n for n in range(150, 400) if min(compute_power(m, 0.6) for m in range(n, n + 12)) >= power
    )
    assert votes < 0.7 * fixed


@pytest.mark.long
def test_the_interval_holds_the_truth_where_votes_stop_early() -> None:
    """Stopped at the first vote that is enough, where a fixed interval would be too far out."""
    truth = Truth(1, 240, 240, share=0.7, ties=0.2)
    rng = np.random.default_rng(9)
    held = 0
    for _ in range(150):
        scores = draw_scores(rng, truth)
        stop = find_stop(StoppingRule("panel"), scores) or len(scores)
        tally = Tally(StoppingRule("panel"), {})
        for one in scores[:stop]:
            tally.take(*one)
        interval = tally.find_interval()
        held += interval is not None and interval.low <= 0.8 * 0.4 <= interval.high
    # 142.5 at 95%; 3 standard errors below are 134.
    assert held >= 135
