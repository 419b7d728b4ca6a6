"""Warnings beside p: rarely false on healthy studies, mostly there for raters who click at random.

The thresholds of `warnings.py` rest on these simulations.
"""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_study import enrolled, prepared, vote_all

from preference import cli
from preference.analysis import analyse
from preference.closing import close, open_ballots
from preference.output import draw_figure, summarise
from preference.pack import read_pack
from preference.rater_app import make_vote_body
from preference.screens import Screen
from preference.simulation import draw_votes
from preference.standing import HeldChoice
from preference.statistics import compute_agreement
from preference.votes import Guess, Vote
from preference.warnings import find_warnings
from reports import cli as report_cli


def named(
    votes: list[Vote], guesses: list[Guess], study: dict[str, int] | None = None
) -> list[str]:
    rated: dict[str, dict[str, str]] = {}
    for vote in votes:
        if vote.kind == "main":
            rated.setdefault(vote.rater, {})[vote.question] = vote.choice
    found = find_warnings(votes, guesses, compute_agreement(rated), study or {})
    return [warning.name for warning in found]


def share_of_studies(count: int, seed: int, **options: Any) -> dict[str, float]:
    """Warning, or "any", to the share of simulated studies that get it. One rater is no fault of
    theirs, so that warning is left out."""
    rng = np.random.default_rng(seed)
    counts: Counter[str] = Counter()
    for _ in range(count):
        names = [name for name in named(*draw_votes(rng, **options)) if name != "raters"]
        counts.update(names + ["any"] * bool(names))
    return {name: number / count for name, number in counts.items()}


def test_healthy_studies_are_seldom_warned_of() -> None:
    """60 studies of each kind, 240 in all: about one in twenty, with any warning at all."""
    shares = [
        share_of_studies(60, 11, raters=raters, shift=shift).get("any", 0)
        for raters, shift in ((1, 0.0), (2, 0.0), (2, 0.8), (3, 0.0))
    ]
    assert np.mean(shares) <= 0.05, shares


@pytest.mark.parametrize("raters", [1, 2, 3])
def test_random_clicks_are_named_in_four_of_five_studies(raters: int) -> None:
    shares = share_of_studies(60, 12, raters=raters, clickers=raters)
    assert shares["any"] == 1
    assert shares["repeats"] >= 0.8
    # One rater has three checks: by chance one in four passes two.
    assert shares["checks"] >= (0.8 if raters > 1 else 0.6)
    if raters > 1:
        assert shares["agreement"] >= 0.8


def test_one_random_rater_among_good_ones_is_named() -> None:
    """By name, which the share of all raters would hide."""
    rng = np.random.default_rng(13)
    found = 0
    for _ in range(40):
        votes, guesses = draw_votes(rng, raters=3, clickers=1)
        warnings = {w.name: w for w in find_warnings(votes, guesses, None, {})}
        of = [set(warnings[n].figures["raters"]) for n in ("checks", "repeats") if n in warnings]
        found += any("rater 1" in raters for raters in of)
    assert found / 40 >= 0.8


def one_side(rater: str, side: str, count: int = 40) -> list[Vote]:
    """A rater who always takes one side."""
    return [
        Vote(rater, f"q{n}", "all", "trained" if "ab"[n % 2] == side else "base", "ab"[n % 2])  # type: ignore[arg-type]
        for n in range(count)
    ]


def test_liking_a_side_is_seen_even_where_two_raters_hide_it() -> None:
    assert "position" in named(one_side("r1", "a"), [])
    assert "position" in named(one_side("r1", "a") + one_side("r2", "b"), [])
    fair = [Vote("r1", f"q{n}", "all", "trained", "ab"[n % 2]) for n in range(40)]  # type: ignore[arg-type]
    assert "position" not in named(fair, [])


def healthy(**options: Any) -> tuple[list[Vote], list[Guess]]:
    votes, guesses = draw_votes(np.random.default_rng(3), **options)
    assert named(votes, guesses) == []
    return votes, guesses


def test_each_other_reason_is_named_with_its_figures() -> None:
    votes, guesses = healthy(raters=2)
    told = [Guess(g.rater, g.trained_side, g.trained_side) for g in guesses]
    assert named(votes, told) == ["blinding"]
    wrong = [Guess(g.rater, g.trained_side, "b" if g.trained_side == "a" else "a") for g in guesses]
    assert named(votes, wrong) == ["blinding"], "always wrong is telling, too"
    assert named(votes, guesses, {"enrolled": 3, "withdrawn": 1, "finished": 2}) == ["left"]
    assert named(votes, guesses, {"enrolled": 3, "withdrawn": 0, "finished": 2}) == ["left"]
    assert named(votes, guesses, {"enrolled": 2, "withdrawn": 0, "finished": 2}) == []
    assert named([v for v in votes if v.kind == "main"], guesses) == ["unchecked"]
    assert named([v for v in votes if v.rater == "rater 1"], []) == ["raters"]
    failing = [
        Vote(v.rater, v.question, v.category, v.choice, None, "check", n % 3 == 0)
        for n, v in enumerate(v for v in votes if v.kind == "check")
    ]
    kept = [v for v in votes if v.kind != "check"]
    assert named(kept + failing, guesses) == ["checks"]
    few = [v for v in votes if int(v.question[1:]) < 20 or v.kind == "check"]
    assert "prompts" in named(few, guesses)
    assert named([], []) == []


def clicked(pack: dict[str, Any], screen: Screen, slot: int) -> str:
    """A rater whose finger rests on one side."""
    return "a" if slot == 0 else "b"


@pytest.fixture(scope="module")
def doubtful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a study that nobody should believe."""
    folder = tmp_path_factory.mktemp("doubtful")
    pack, key = prepared(folder, count=24, repeats=4, checks=3, guesses=0)
    vote_all(pack, clicked)
    close(pack)
    unblind = ["unblind", str(pack), "--key", str(key), "--store", str(folder / "store")]
    assert cli.main(unblind) == 0
    return folder / "store"


def test_warnings_head_the_summary_and_stand_beside_p(doubtful: Path) -> None:
    folder = next((doubtful / "preference").iterdir())
    result = json.loads((folder / "result.json").read_text("utf-8"))
    names = [warning["name"] for warning in result["warnings"]]
    assert {"repeats", "position", "prompts"} <= set(names)
    assert all(warning["sentence"] and "figures" in warning for warning in result["warnings"])
    lines = (folder / "summary.txt").read_text("utf-8").split("\n")
    head = lines[2 : 2 + len(names)]
    assert head == [f"WARNING ({w['name']}): {w['sentence']}" for w in result["warnings"]]
    assert [rater["warnings"] for rater in result["raters"]] == [
        [w["name"] for w in result["warnings"] if rater["rater"] in w["figures"].get("raters", {})]
        for rater in result["raters"]
    ]
    assert "sign test" in (own := next(line for line in lines if line.startswith("  rater 2:")))
    assert "repeats, position)" in own
    (test,) = [line for line in lines if line.startswith("primary test")]
    assert test.endswith(f"(warnings: {', '.join(names)})")
    assert f"{len(names)} warnings" in (folder / "figure.svg").read_text("utf-8")


def test_every_form_of_the_report_shows_them(
    doubtful: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forms = ("csv", "markdown", "html", "latex", "svg")
    options = [option for form in forms for option in ("--format", form)]
    assert report_cli.main(["--store", str(doubtful), *options, "--out", str(tmp_path)]) == 0
    capsys.readouterr()
    assert report_cli.main(["--store", str(doubtful)]) == 0
    terminal = capsys.readouterr().out
    with (tmp_path / "preference.csv").open(encoding="utf-8") as lines:
        (row,) = csv.DictReader(lines)
    assert list(row)[list(row).index("p") - 1] == "warnings"
    assert "repeats: Prompts shown twice" in row["warnings"]
    for name in ("report.md", "report.html", "latex/preference.tex"):
        text = (tmp_path / name).read_text("utf-8")
        assert "Warning, Swahili (repeats): Prompts shown twice" in text.replace("\\", ""), name
    assert "Warning, Swahili (repeats): Prompts shown twice" in " ".join(terminal.split())
    assert "warnings" in (tmp_path / "figures" / "preference.svg").read_text("utf-8")


@pytest.mark.parametrize("columns", ["50", "60", "80"])
def test_a_narrow_terminal_leaves_out_no_warning(
    doubtful: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: str,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert report_cli.main(["--store", str(doubtful)]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert "Warning, Swahili (repeats)" in " ".join(" ".join(lines).split())
    heads = [line for line in lines if line.split()[-1:] == ["p"]]
    assert all("Warnings" in line for line in heads)
    assert heads or int(columns) < 80


def test_several_studies_are_compared_with_their_warnings(
    doubtful: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(next((doubtful / "preference").iterdir()))
    assert cli.main(["compare", folder, folder, "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("WARNING: ") == 2
    with (tmp_path / "comparison.csv").open(encoding="utf-8") as lines:
        assert all("Prompts shown twice" in row["warnings"] for row in csv.DictReader(lines))


def test_verdicts_are_averaged_over_prompts_raters_first(tmp_path: Path) -> None:
    votes = [
        Vote("r1", "q1", "all", "trained", "a", base_verdict="bad", trained_verdict="good"),
        Vote("r2", "q1", "all", "trained", "b", base_verdict="good", trained_verdict="good"),
        Vote("r1", "q2", "all", "equal", "a", base_verdict="bad"),
        Vote("r1", "q3", "all", "equal", "b", trained_verdict="bad"),
        Vote("r1", "q1", "all", "equal", "b", "repeat", None, "bad", "bad"),
    ]
    found = analyse(votes, study={})["verdicts"]
    assert (found["base"]["value"], found["base"]["judged"]) == (pytest.approx(0.25), 3)
    assert (found["trained"]["value"], found["trained"]["prompts"]) == (pytest.approx(0.5), 2)
    assert (found["difference"]["value"], found["difference"]["judged"]) == (pytest.approx(0.5), 2)
    assert "called good: trained 50.0%" in summarise(analyse(votes, study={}))
    none = analyse([Vote("r1", "q1", "all", "equal", "a")], study={})
    assert none["verdicts"] is None
    assert "verdicts" in none["gaps"]
    draw_figure([none])


def test_a_choice_that_was_never_decided_is_told_at_the_close_and_beside_p(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack_dir, key = prepared(tmp_path)
    vote_all(pack_dir, lambda pack, screen, slot: "a")
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    screen = enrolled(pack, ballots, 1)[0]
    late = make_vote_body(screen, "b", {"comment": "from my other phone"})
    ballots.take(1, [HeldChoice("vote", "vote:later", 1, "", late)])
    ballots.close_file()
    assert cli.main(["close", str(pack_dir)]) == 2
    assert "rater 2 has rated 11 of 11 and has to decide on 1" in capsys.readouterr().err
    assert cli.main(["close", str(pack_dir), "--unfinished"]) == 0
    assert "On 1 of what they were asked" in capsys.readouterr().out
    out = tmp_path / "result"
    assert cli.main(["unblind", str(pack_dir), "--key", str(key), "--out", str(out)]) == 0
    assert "WARNING (undecided): On 1 of what they were asked" in capsys.readouterr().out
    assert cli.main(["comments", str(pack_dir), "--key", str(key)]) == 0
    assert "does not count: chosen differently before, and never decided" in (
        capsys.readouterr().out
    )
    with (pack_dir / "comments.csv").open(encoding="utf-8", newline="") as lines:
        assert [row["stands"] for row in csv.DictReader(lines)] == ["waiting"]
    assert cli.main(["verify", str(out)]) == cli.UNHELD


@pytest.mark.parametrize("votes", [0, 1, 2, 3])
def test_a_study_that_is_closed_after_few_votes_has_a_result_that_verifies(
    tmp_path: Path, votes: int
) -> None:
    pack_dir, key = prepared(tmp_path, 3, repeats=0, checks=0, guesses=0)
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    for number, screen in enumerate(enrolled(pack, ballots, 0)[:votes]):
        body = make_vote_body(screen, "ab"[number % 2], {})
        ballots.take(0, [HeldChoice("vote", f"vote:{number}", 1, "", body)])
    ballots.close_file()
    assert cli.main(["close", str(pack_dir), "--unfinished"]) == 0
    out = tmp_path / "result"
    assert cli.main(["unblind", str(pack_dir), "--key", str(key), "--out", str(out)]) == 0
    result = json.loads((out / "result.json").read_text("utf-8"))
    assert result["votes"] == votes
    # Whichever arm stood on which side, so few votes give nothing below 2 in 2^votes.
    p = result["primary"]["p"]
    assert p is None if votes == 0 else 2 / 2**votes - 1e-9 <= p <= 1
    assert cli.main(["verify", str(out)]) == cli.UNHELD
