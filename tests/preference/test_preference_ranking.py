"""A ranking of more than two arms: against another fit, under a known truth, and from studies."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize
from small_study import answers, prepared, vote_all

from preference import cli
from preference.closing import close
from preference.errors import BallotError
from preference.ranking import PairVote, fit_davidson, rank_arms
from preference.screens import Screen
from preference.tournament import rank_results
from preference.unblinding import unblind


def fit_by_likelihood(counts: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Davidson's model by maximum likelihood with a general optimiser, with one tie more a pair."""
    size = len(counts[0])
    wins, ties = counts[0], np.triu(counts[1], 1)
    ties = ties + np.triu((wins + wins.T + ties) > 0, 1)

    def weigh(values: NDArray[np.float64]) -> float:
        strengths = np.append(values[:-1], -values[:-1].sum())
        tie = np.log(2) + values[-1]
        total = 0.0
        for i in range(size):
            for j in range(size):
                mean = (strengths[i] + strengths[j]) / 2
                whole = np.logaddexp(np.logaddexp(strengths[i], strengths[j]), tie + mean)
                total -= wins[i, j] * (strengths[i] - whole)
                if i < j:
                    total -= ties[i, j] * (tie + mean - whole)
        return total

    found = optimize.minimize(weigh, np.zeros(size), method="BFGS", options={"gtol": 1e-8}).x
    return np.append(found[:-1], -found[:-1].sum()), float(np.exp(found[-1]))


def draw_round_robin(
    rng: np.random.Generator, strengths: list[float], prompts: int, tie: float, spread: float = 0.0
) -> list[PairVote]:
    """Every pair on every prompt. spread: of what each arm's answers to one prompt have of their
    own, the same in all pairs."""
    votes = []
    for prompt in range(prompts):
        own = np.array(strengths) + rng.normal(0, spread, len(strengths))
        for i in range(len(strengths)):
            for j in range(i + 1, len(strengths)):
                odds = np.exp([own[i], own[j], np.log(2 * tie) + (own[i] + own[j]) / 2])
                score = int(rng.choice([1, -1, 0], p=odds / odds.sum()))
                votes.append(PairVote(f"q{prompt}", f"arm {i}", f"arm {j}", score))
    return votes


@pytest.mark.parametrize("seed", range(5))
def test_strengths_are_those_of_another_fit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = np.zeros((2, 4, 4))
    counts[0] = rng.integers(0, 30, (4, 4)) * (1 - np.eye(4))
    counts[1] = np.triu(rng.integers(0, 15, (4, 4)), 1)
    counts[:, 0, 3] = counts[:, 3, 0] = 0  # A pair that was never shown.
    strengths, tie = fit_davidson(counts)
    wanted, wanted_tie = fit_by_likelihood(counts)
    assert strengths == pytest.approx(wanted, abs=1e-4)
    assert tie == pytest.approx(wanted_tie, abs=1e-4)


def test_two_arms_have_the_ratio_of_their_wins() -> None:
    counts = np.zeros((2, 2, 2))
    counts[0, 0, 1], counts[0, 1, 0], counts[1, 0, 1] = 30, 10, 20
    strengths, _ = fit_davidson(counts)
    # With one tie more; the likelihood of two arms is met where the expected scores are the seen.
    wanted, _ = fit_by_likelihood(counts)
    assert strengths == pytest.approx(wanted, abs=1e-4)
    assert strengths[0] > 0


def test_an_arm_that_won_everything_has_a_strength() -> None:
    votes = [PairVote(f"q{n}", "one", "two", 1) for n in range(10)]
    ranking = rank_arms(votes, resamples=50)
    assert [arm.arm for arm in ranking.arms] == ["one", "two"]
    assert np.isfinite([arm.strength for arm in ranking.arms]).all()
    assert ranking.certain == 1
    assert (ranking.arms[0].wins, ranking.arms[0].losses, ranking.arms[1].losses) == (10, 0, 10)


def test_a_prompt_counts_once_however_many_raters_voted_on_it() -> None:
    once = [PairVote("p", "one", "two", 1), PairVote("q", "one", "two", -1)]
    many = [PairVote("p", "one", "two", 1)] * 5 + [PairVote("q", "one", "two", -1)]
    found = [[a.strength for a in rank_arms(votes, resamples=20).arms] for votes in (once, many)]
    assert found[0] == pytest.approx([0, 0], abs=1e-6)
    assert found[1] == pytest.approx([0, 0], abs=1e-6)


def test_arms_that_never_met_have_no_ranking() -> None:
    votes = [PairVote("p", "a", "b", 1), PairVote("p", "c", "d", 1)]
    with pytest.raises(BallotError, match=r"a, b and c, d were never compared.*Remedy"):
        rank_arms(votes, resamples=10)


def test_arms_alike_are_not_told_apart() -> None:
    """Three equal arms and a worse one: places within them are open, the last is certain."""
    votes = draw_round_robin(np.random.default_rng(4), [0.3, 0.3, 0.3, -2.0], 60, tie=0.4)
    ranking = rank_arms(votes, resamples=300)
    by_name = {arm.arm: arm for arm in ranking.arms}
    assert by_name["arm 3"].rank_low == by_name["arm 3"].rank_high == 4
    # Two of the three, which differ by chance, could be either way around.
    assert ranking.arms[1].rank_high == 3
    assert ranking.arms[2].rank_low == 2


@pytest.mark.long
def test_intervals_hold_the_truth_where_prompts_lean() -> None:
    """Answers to one prompt are alike in all of its pairs, so that votes hang together. The truth
    is the strength over very many prompts."""
    truth = [0.6, 0.0, -0.6]
    many = draw_round_robin(np.random.default_rng(1), truth, 20_000, tie=0.4, spread=1.0)
    wanted = {arm.arm: arm.strength for arm in rank_arms(many, resamples=1).arms}
    held = total = ranked = 0
    for study in range(60):
        votes = draw_round_robin(np.random.default_rng(100 + study), truth, 80, 0.4, spread=1.0)
        for arm in rank_arms(votes, resamples=300, seed=study).arms:
            held += arm.low <= wanted[arm.arm] <= arm.high
            ranked += arm.rank_low <= 1 + int(arm.arm[-1]) <= arm.rank_high
            total += 1
    # 171 at 95%; the arms of a study hang together: 4 deviations of 60 such below are 162.
    assert held >= 155
    assert ranked >= 165


ARMS = ("northern", "southern", "western")


def prefer(better: str, worse: str) -> Any:
    """Prefers one arm's texts (their names are written backwards) on three prompts of four."""

    def choose(pack: dict[str, Any], screen: Screen, slot: int) -> str:
        wanted = better if hash_prompt(pack["prompts"][screen.prompt]) else worse
        on = [wanted[::-1] in pack["texts"][text] for text in (screen.a, screen.b)]
        return "equal" if on[0] == on[1] else "ab"[on[1]]

    return choose


def hash_prompt(prompt: str) -> bool:
    return int(prompt.removeprefix("Question number ").rstrip("?")) % 4 != 0


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three studies: each pair of three arms, of which the later is better."""
    folder = tmp_path_factory.mktemp("tournament")
    out = []
    for base, trained in (
        ("northern", "southern"),
        ("northern", "western"),
        ("southern", "western"),
    ):
        place = folder / f"{base}-{trained}"
        place.mkdir()
        pack, key = prepared(
            place,
            base=f"{base}={answers(place, base)}",
            trained=f"{trained}={answers(place, trained)}",
        )
        vote_all(pack, prefer(trained, base))
        close(pack)
        unblind(pack, key, place / "result")
        out.append(place / "result")
    return out


def test_three_studies_give_one_ranking(
    results: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cli.main(["rank", *map(str, results), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "1. western" in said
    with (out / "ranking.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["arm"] for row in rows] == ["western", "southern", "northern"]
    assert [int(row["rank"]) for row in rows] == [1, 2, 3]
    assert [(row["wins"], row["ties"], row["losses"]) for row in rows] == [
        ("24", "0", "8"), ("16", "0", "16"), ("8", "0", "24"),
    ]  # fmt: skip
    with (out / "pairs.csv").open(encoding="utf-8") as lines:
        pairs = list(csv.DictReader(lines))
    single = [json.loads((path / "result.json").read_text("utf-8")) for path in results]
    assert [float(pair["p"]) for pair in pairs] == [one["primary"]["p"] for one in single]
    assert all(float(pair["p_holm"]) >= float(pair["p"]) for pair in pairs)
    content = json.loads((out / "ranking.json").read_text("utf-8"))
    assert content["rankings"]["Swahili"]["prompts"] == 8
    # The same again, digit for digit.
    assert rank_results(results, tmp_path / "again")
    assert (tmp_path / "again" / "ranking.csv").read_bytes() == (out / "ranking.csv").read_bytes()


def test_a_ranking_takes_no_forged_study_and_nothing_that_is_none(
    results: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = Path(shutil.copytree(results[0], tmp_path / "forged"))
    result = json.loads((forged / "result.json").read_text("utf-8"))
    result["primary"]["p"] = 0.0001
    (forged / "result.json").write_text(json.dumps(result), "utf-8")
    assert cli.main(["rank", str(forged), str(results[1]), "--out", str(tmp_path / "out")]) == 1
    assert "result.json is not what" in capsys.readouterr().err
    assert cli.main(["rank", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "name the folder that unblind wrote" in capsys.readouterr().err


def test_two_checkpoints_of_one_name_are_refused(results: list[Path], tmp_path: Path) -> None:
    file = answers(tmp_path, "western")
    record = json.dumps({"recorded": {"revision": "another"}}) + "\n"
    file.write_text(record + file.read_text("utf-8"), "utf-8")
    pack, key = prepared(tmp_path, trained=f"western={file}")
    vote_all(pack, prefer("western", "northern"))
    close(pack)
    unblind(pack, key, tmp_path / "result")
    with pytest.raises(BallotError, match="western is not the same checkpoint in"):
        rank_results([*results, tmp_path / "result"], tmp_path / "out")
