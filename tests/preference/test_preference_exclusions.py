"""Raters whom a published rule leaves out, how long votes took, and the page that shows it all."""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chromium import open_context
from small_study import enrolled, prepared
from test_preference_browser import assert_usable

from preference import cli
from preference.ballots import NAME, Ballots
from preference.chain import as_event
from preference.closing import close, read_closed_rows
from preference.comments import forget, read_remarks
from preference.commitment import hash_canonical
from preference.errors import AnswersError, StudyStateError
from preference.exclusions import find_excluded
from preference.key import read_key
from preference.pack import read_pack
from preference.rater_app import make_vote_body
from preference.reading import list_prompts, write_reader
from preference.screens import Screen
from preference.standing import HeldChoice
from preference.timing import BREAK, compute_median, measure_seconds
from preference.unblinding import unblind
from preference.verify import verify

Choose = Callable[[dict[str, Any], Screen, int], str]


def count_time(step: list[float]) -> Iterator[str]:
    """Times that go on by the seconds in `step`, which may be changed."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    while True:
        now += timedelta(seconds=step[0])
        yield now.isoformat(timespec="milliseconds")


def vote_all_timed(
    pack_dir: Path, choose: Choose, seconds: list[float], comments: dict[int, str] | None = None
) -> None:
    """Every item of every rater, each after so many seconds of that rater."""
    pack = read_pack(pack_dir)
    step = [1.0]
    clock = count_time(step)
    ballots = Ballots(pack_dir / NAME, pack["commitment"], lambda: next(clock))
    for slot, pause in enumerate(seconds):
        step[0] = pause
        for screen in enrolled(pack, ballots, slot):
            words = {"comment": (comments or {}).get(slot, "")}
            body = make_vote_body(screen, choose(pack, screen, slot), words)
            ballots.take(slot, [HeldChoice("vote", f"vote:{screen.item}", 1, "", body)])
    ballots.close_file()


def find_right(pack: dict[str, Any], screen: Screen) -> str | None:
    """The side that answers the question, where the other one does not: in a check."""
    texts = [pack["texts"][text] for text in (screen.a, screen.b)]
    asked = pack["prompts"][screen.prompt].removeprefix("Question number ").rstrip("?")
    right = [text.endswith(f" of {asked}.") for text in texts]
    return None if right[0] == right[1] else "ab"[right[1]]


def read_carefully(pack: dict[str, Any], screen: Screen, slot: int) -> str:
    """Prefers southern texts, and in a check the one that answers the question."""
    return find_right(pack, screen) or "ab"["nrehtuos" in pack["texts"][screen.b]]


def click_left(pack: dict[str, Any], screen: Screen, slot: int) -> str:
    """As above, but for the second rater, who chooses A, and in a check the wrong answer."""
    if slot != 1:
        return read_carefully(pack, screen, slot)
    return {"a": "b", "b": "a", None: "a"}[find_right(pack, screen)]


@pytest.fixture
def careless(tmp_path: Path) -> tuple[Path, Path]:
    """Three raters, of whom the second takes two seconds a vote and always chooses A."""
    pack, key = prepared(
        tmp_path, 16, raters=3, checks=4, exclude=("checks=0.67", "seconds=8"), verdicts=True
    )
    vote_all_timed(pack, click_left, [30.0, 2.0, 45.0], {0: "sawa", 2: "<b>nzuri</b>"})
    close(pack)
    return pack, key


def test_seconds_are_those_between_two_events_of_a_rater(careless: tuple[Path, Path]) -> None:
    pack, _ = careless
    events = [as_event(row) for row in read_closed_rows(pack)[0]]
    for slot, seconds in enumerate((30.0, 2.0, 45.0)):
        found = measure_seconds([e for e in events if e.slot == slot])
        assert len(found) == len(read_pack(pack)["slots"][slot])
        assert set(found.values()) == {seconds}
        assert compute_median(found.values()) == seconds
    assert compute_median([]) is None


def test_a_pause_is_no_time_that_a_vote_took(tmp_path: Path) -> None:
    pack, _ = prepared(tmp_path)
    vote_all_timed(pack, read_carefully, [BREAK, BREAK + 1])
    close(pack)
    events = [as_event(row) for row in read_closed_rows(pack)[0]]
    assert len(measure_seconds([e for e in events if e.slot == 0])) == 11
    assert measure_seconds([e for e in events if e.slot == 1]) == {}


def test_a_rater_is_left_out_by_the_plan_and_all_can_see_it(
    careless: tuple[Path, Path], tmp_path: Path
) -> None:
    pack, key = careless
    published = json.loads((pack / "commitment.json").read_text("utf-8"))
    assert published["plan"]["exclusions"] == {"checks": 0.67, "seconds": 8}
    assert "less than 8 seconds in the median" in published["plan"]["excluded"]
    out = tmp_path / "store" / "preference" / read_pack(pack)["study"]
    result = unblind(pack, key, out)
    why = result["excluded"]["rater 2"]
    assert why == "passed 0 of 4 checks and took 2.0 seconds a vote in the median"
    assert list(result["excluded"]) == ["rater 2"]
    assert [row["rater"] for row in result["raters"]] == ["rater 1", "rater 3"]
    assert result["votes"] == 32
    assert result["estimate"]["net"]["value"] == 1
    # With everyone: the second rater's choice of A is southern on half of the prompts or nearly so.
    whole = result["with_excluded"]
    assert whole["votes"] == 48
    assert 0.5 < whole["net"]["value"] < 0.9
    text = (out / "summary.txt").read_text("utf-8")
    assert f"left out, as the plan said before: rater 2, who {why}" in text
    assert "with everyone: net preference +0." in text
    with (out / "votes.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["kind"] for row in rows if row["rater"] == "rater 2"} == {"excluded"}
    assert {row["kind"] for row in rows if row["rater"] == "rater 1"} == {"main", "repeat", "check"}
    assert verify(out, out / "key.json")


def test_nobody_is_left_out_whom_no_rule_names(tmp_path: Path) -> None:
    """A study without rules says nothing of them, as before there were any."""
    pack, key = prepared(tmp_path, 16, checks=4)
    vote_all_timed(pack, click_left, [30.0, 2.0])
    close(pack)
    result = unblind(pack, key, tmp_path / "result")
    assert "excluded" not in result
    assert "with_excluded" not in result
    assert result["votes"] == 32


def test_a_rule_that_nobody_meets_says_nobody(tmp_path: Path) -> None:
    pack, key = prepared(tmp_path, 16, exclude=("seconds=8",))
    vote_all_timed(pack, read_carefully, [30.0, 20.0])
    close(pack)
    result = unblind(pack, key, tmp_path / "result")
    assert result["excluded"] == {}
    assert "with_excluded" not in result
    assert "left out, as the plan said before: nobody" in (
        tmp_path / "result" / "summary.txt"
    ).read_text("utf-8")


@pytest.mark.parametrize("rule", ["checks", "checks=2", "seconds=-1", "mood=1", "seconds=nan"])
def test_a_rule_that_is_none_is_refused(tmp_path: Path, rule: str) -> None:
    with pytest.raises(AnswersError, match="it takes checks=SHARE, above 0 to 1, and seconds="):
        prepared(tmp_path, exclude=(rule,))


def test_rules_look_at_nothing_that_depends_on_the_arms(careless: tuple[Path, Path]) -> None:
    """The same events with the arms exchanged leave out the same raters."""
    from dataclasses import replace

    pack, key_path = careless
    key = read_key(key_path)
    events = [as_event(row) for row in read_closed_rows(pack)[0]]
    other = replace(key, trained=1 - key.trained)
    assert find_excluded(key, events) == find_excluded(other, events)
    assert hash_canonical(dict(key.plan)) == hash_canonical(dict(other.plan))


def test_the_page_has_disagreements_first_and_no_script(
    careless: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    pack, key_path = careless
    assert cli.main(["read", str(pack), "--key", str(key_path)]) == 0
    path = pack / "reader.html"
    assert str(path) in capsys.readouterr().out
    assert path.stat().st_mode & 0o077 == 0
    text = path.read_text("utf-8")
    assert "<script" not in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "&lt;b&gt;nzuri&lt;/b&gt;" in text
    assert "<b>nzuri" not in text
    assert "Left out, as the plan said before: rater 2" in text
    assert "30 s" in text
    for name in ("northern", "southern"):
        assert name in text
    key = read_key(key_path)
    events = [as_event(row) for row in read_closed_rows(pack)[0]]
    prompts = list_prompts(key, events, read_remarks(pack, key_path))
    assert sorted(p.question for p in prompts) == sorted(row[0] for row in key.content.rows)
    assert all(len(prompt.votes) == 3 for prompt in prompts)
    # Two careful raters agree on every prompt; the third is left out.
    assert {p.net for p in prompts} == {1.0}
    # The rater who is left out chose A again, where the other answer stood then.
    assert any(vote.again not in (None, vote.chosen) for p in prompts for vote in p.votes)
    assert {p.unsteady for p in prompts} == {0}
    # An opened prompt's place in the page is its place in the list.
    assert text.index(f"Question {prompts[0].question},") < text.index(
        f"Question {prompts[-1].question},"
    )


def test_who_differs_comes_first(tmp_path: Path) -> None:
    pack, key_path = prepared(tmp_path, 8, raters=2, repeats=0, checks=0)
    split = {"Question number 3?", "Question number 6?"}

    def choose(pack: dict[str, Any], screen: Screen, slot: int) -> str:
        chosen = read_carefully(pack, screen, slot)
        if pack["prompts"][screen.prompt] in split and slot:
            return "b" if chosen == "a" else "a"
        return chosen

    vote_all_timed(pack, choose, [30.0, 90.0])
    with pytest.raises(StudyStateError, match="is open"):
        write_reader(pack, key_path)
    close(pack)
    events = [as_event(row) for row in read_closed_rows(pack)[0]]
    prompts = list_prompts(read_key(key_path), events)
    assert {p.prompt for p in prompts[:2]} == split
    assert [p.spread for p in prompts[:3]] == [1.0, 1.0, 0.0]
    assert [p.net for p in prompts[:3]] == [0.0, 0.0, 1.0]
    assert "1.5 min" in write_reader(pack, key_path).read_text("utf-8")


def test_a_comment_that_is_deleted_is_on_no_page(careless: tuple[Path, Path]) -> None:
    pack, key = careless
    assert "nzuri" in write_reader(pack, key).read_text("utf-8")
    forget(pack, rater=3)
    assert not (pack / "reader.html").exists()
    assert "nzuri" not in write_reader(pack, key).read_text("utf-8")


@pytest.mark.slow
def test_the_page_on_a_phone(browser: Any, careless: tuple[Path, Path]) -> None:
    pack, key = careless
    path = write_reader(pack, key)
    for options in ({}, {"color_scheme": "dark"}):
        page = open_context(browser, 360, 740, **options).new_page()
        page.goto(path.as_uri())
        for summary in page.query_selector_all("summary")[:2]:
            summary.click()
        assert_usable(page, "reader")
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
