"""The analysis on votes whose result is known, and on real human votes."""

import json
import math
from pathlib import Path

import pytest

from preference import cli
from preference.analysis import analyse
from preference.output import compare_studies, draw_figure, summarise
from preference.votes import Guess, Vote


def votes() -> list[Vote]:
    """Ten prompts, two raters: six won by both, two tied by one, two lost by both."""
    out = []
    for n in range(10):
        for rater in ("rater 1", "rater 2"):
            choice = (
                "trained"
                if n < 6
                else ("equal" if n < 8 and rater == "rater 2" else "trained" if n < 8 else "base")
            )
            out.append(Vote(rater, f"q{n}", "even" if n % 2 == 0 else "odd", choice, "ab"[n % 2]))  # type: ignore[arg-type]
    return out


def test_estimate_and_tests_by_hand() -> None:
    result = analyse(votes(), study={"language": "Swahili"})
    assert result["counts"] == {"wins": 14, "ties": 2, "losses": 4}
    assert result["estimate"]["net"]["value"] == pytest.approx((6 + 2 * 0.5 - 2) / 10)
    assert result["estimate"]["wins"]["value"] == pytest.approx(0.7)
    shares = [result["estimate"][k]["value"] for k in ("wins", "ties", "losses")]
    assert sum(shares) == pytest.approx(1)
    assert [r["sign_test_p"] for r in result["raters"]] == pytest.approx(
        [
            2 * sum(math.comb(10, k) for k in (8, 9, 10)) / 2**10,
            2 * sum(math.comb(8, k) for k in (6, 7, 8)) / 2**8,
        ]
    )
    assert result["position"]["trained_shown_as_a"] == 10
    assert [c["net"] for c in result["categories"]] == pytest.approx([0.5, 0.5])
    assert {"repeats", "checks", "blinding", "texts"} <= result["gaps"].keys()
    json.dumps(result, allow_nan=False)


def test_one_rater_that_ties_everything_gives_gaps_and_no_number() -> None:
    result = analyse([Vote("r", f"q{n}", "c", "equal", "a") for n in range(5)], study={})
    assert result["primary"]["p"] is None
    assert result["estimate"]["net"] == {"value": 0, "interval": None}
    assert result["gaps"]["primary"] == "no prompt on which one arm was preferred"
    assert result["gaps"]["agreement"] == "one rater"
    assert "not computed: primary" in summarise(result)
    empty = analyse([], study={})
    assert empty["estimate"]["net"]["value"] is None
    assert "no votes" in draw_figure([empty])


def test_repeats_and_checks_stay_out_of_the_estimate() -> None:
    more = [
        Vote("rater 1", "q0", "even", "base", "b", "repeat"),
        Vote("rater 1", "q1", "odd", "trained", "a", "repeat"),
        Vote("rater 1", "q2", "even", "equal", None, "check", True),
        Vote("rater 2", "q2", "even", "equal", None, "check", False),
    ]
    guesses = [
        Guess("rater 1", "a", "a"),
        Guess("rater 1", "b", "a"),
        Guess("rater 2", "b", "unknown"),
    ]
    result = analyse(votes() + more, guesses, study={})
    assert result["counts"] == analyse(votes(), study={})["counts"]
    assert (result["repeats"]["same_answer"], result["repeats"]["opposite_answer"]) == (1, 1)
    assert (result["checks"]["passed"], result["checks"]["shown"]) == (1, 2)
    assert result["checks"]["raters"] == {"rater 1": "1/1", "rater 2": "0/1"}
    assert result["blinding"]["all"]["index"] == 0
    assert result["blinding"]["trained_as_b"]["index"] == -0.5


def test_swapping_the_arms_turns_every_sign() -> None:
    other = {"trained": "base", "base": "trained", "equal": "equal"}
    turned = [
        Vote(v.rater, v.question, v.category, other[v.choice], v.trained_side) for v in votes()
    ]  # type: ignore[arg-type]
    one, two = analyse(votes(), study={}), analyse(turned, study={})
    assert two["estimate"]["net"]["value"] == pytest.approx(-one["estimate"]["net"]["value"])
    assert two["primary"]["p"] == pytest.approx(one["primary"]["p"])
    assert two["agreement"]["alpha"] == pytest.approx(one["agreement"]["alpha"])


@pytest.mark.parametrize(
    ("p", "shown"), [(0.0001, "p < 0.001"), (0.0312, "p = 0.031"), (None, "p not")]
)
def test_the_figure_is_well_formed_whatever_it_says(p: float | None, shown: str) -> None:
    from xml.etree import ElementTree

    result = analyse(votes(), study={"language": "<&>"})
    svg = ElementTree.fromstring(draw_figure([result | {"primary": result["primary"] | {"p": p}}]))
    assert any(shown in text for text in svg.itertext())


def test_several_languages_are_corrected_by_holm(tmp_path: Path) -> None:
    results = []
    for n, language in enumerate(("Swahili", "Yoruba <b>")):
        result = analyse(votes()[: 20 - 8 * n], study={"language": language})
        results.append(result)
        (tmp_path / str(n)).mkdir()
        (tmp_path / str(n) / "result.json").write_text(json.dumps(result), "utf-8")
    rows = compare_studies(results)
    p = [r["primary"]["p"] for r in results]
    assert min(r["p_holm"] for r in rows) == pytest.approx(2 * min(p))
    assert (
        cli.main(
            ["compare", str(tmp_path / "0"), str(tmp_path / "1"), "--out", str(tmp_path / "o")]
        )
        == 0
    )
    svg = (tmp_path / "o" / "figure.svg").read_text("utf-8")
    assert "Yoruba &lt;b&gt;" in svg
    assert "70%" in svg


def test_real_human_votes_run_through(
    real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = real_data / "mt_bench" / "human_preference_llmbar200.json"
    assert cli.main(["analyse", str(path), "--out", str(tmp_path), "--language", "English"]) == 0
    result = json.loads((tmp_path / "result.json").read_text("utf-8"))
    assert result["counts"] == {"wins": 99, "ties": 0, "losses": 101}
    assert result["prompts"] == 200
    # 99 of 200 by the exact binomial; one vote a prompt makes the sign flip the same test.
    exact = 2 * sum(math.comb(200, k) for k in range(100)) / 2**200
    assert result["raters"][0]["sign_test_p"] == pytest.approx(exact)
    assert result["primary"]["p"] == pytest.approx(exact, abs=0.02)
    assert "99" in capsys.readouterr().out


def test_bad_vote_files_say_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "v.jsonl"
    path.write_text(
        '{"question": 1, "rater": "r", "choice": "trained"}\n{"question": 2, "rater": "r",'
        ' "choice": "A"}'
    )
    assert cli.main(["analyse", str(path), "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "row 2" in error
    assert "allowed are trained, base, equal" in error


def test_only_votes_count_as_votes_whatever_else_a_file_holds(tmp_path: Path) -> None:
    """Rows as they come from a study of one's own: votes, repeats, checks and guesses."""
    rows = [
        {"question": "q1", "rater": "r", "choice": "trained", "trained_side": "a"},
        {"question": "q2", "rater": "r", "choice": "base", "kind": "main", "trained_side": "a"},
        {"question": "q1", "rater": "r", "choice": "trained", "kind": "repeat"},
        {"question": "q2", "rater": "r", "kind": "check", "passed": False},
        {"question": "q1", "rater": "r", "kind": "guess", "trained_side": "a", "guess": "a"},
        {"question": "q2", "rater": "r", "kind": "guess", "trained_side": "b", "guess": "unknown"},
    ]
    path = tmp_path / "v.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert cli.main(["analyse", str(path), "--out", str(tmp_path / "out")]) == 0
    result = json.loads((tmp_path / "out" / "result.json").read_text("utf-8"))
    assert result["counts"] == {"wins": 1, "ties": 0, "losses": 1}
    assert (result["repeats"]["pairs"], result["repeats"]["same_answer"]) == (1, 1)
    assert (result["checks"]["shown"], result["checks"]["passed"]) == (1, 0)
    assert result["position"]["chose_a"] == 1
    assert (result["blinding"]["all"]["right"], result["blinding"]["all"]["unknown"]) == (1, 1)
    assert "checks" in [warning["name"] for warning in result["warnings"]]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": 2, "rater": "r", "guess": "a"}, "row 2: it has no 'choice'"),
        (
            {"question": 2, "rater": "r", "choice": "base", "kind": "practice"},
            "row 2: kind is 'prac",
        ),
        ({"question": 2, "rater": "r", "choice": "a", "kind": "vote"}, "row 2: kind is 'vote'"),
        ({"question": 2, "rater": "r", "choice": "base", "kind": None}, "row 2: kind is None"),
        (
            {"question": 2, "rater": "r", "kind": "guess", "guess": "a"},
            "row 2: it has no 'trained_",
        ),
        (
            {"question": 2, "rater": "r", "kind": "check", "passed": "maybe"},
            "row 2: passed is 'may",
        ),
        ({"question": 2, "rater": "r", "choice": ["base"]}, "row 2: choice is ['base']"),
        ({"question": 1, "rater": "r", "choice": "base"}, "row 2: r has voted on this"),
        ("trained", "row 2: not an object"),
        ({"question": 2, "rater": None, "choice": "base"}, "row 2: rater is None"),
        ({"question": 2, "rater": "\u200b", "choice": "base"}, "row 2: rater is '"),
        ({"question": 2, "rater": float("nan"), "choice": "base"}, "row 2: rater is nan"),
        ({"question": ["2"], "rater": "r", "choice": "base"}, "row 2: question is ['2']"),
        ({"seq": 3, "slot": 0, "kind": "guess", "body": {}}, "row 2: it has no"),
    ],
)
def test_rows_that_are_no_votes_are_refused_by_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], row: object, said: str
) -> None:
    path = tmp_path / "v.json"
    path.write_text(json.dumps([{"question": 1, "rater": "r", "choice": "trained"}, row]), "utf-8")
    assert cli.main(["analyse", str(path), "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "text", ["", "[]", '[{"question": 1, "rater": "r", "kind": "repeat", "choice": "base"}]']
)
def test_a_file_without_a_vote_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = tmp_path / "v.json"
    path.write_text(text, "utf-8")
    assert cli.main(["analyse", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "it holds no vote" in capsys.readouterr().err


def test_names_from_elsewhere_are_cleaned(tmp_path: Path) -> None:
    rows = [
        {"question": f"q{n}", "rater": "a\u202e\u2028b\ud800", "choice": "base"} for n in range(2)
    ]
    path = tmp_path / "v.json"
    path.write_text(json.dumps(rows), "utf-8")
    assert cli.main(["analyse", str(path), "--out", str(tmp_path / "out")]) == 0
    result = json.loads((tmp_path / "out" / "result.json").read_text("utf-8"))
    assert [rater["rater"] for rater in result["raters"]] == ["a b"]
