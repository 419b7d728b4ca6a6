"""A study that ends once enough is known: told to raters, bound by the plan, and weighed again."""

import csv
import io
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chromium import click_through
from phones import link, phone
from small_study import enrolled, field, prepared
from starlette.testclient import TestClient
from study_server import Server
from test_preference_browser import assert_usable

from preference import cli
from preference.backup import back_up
from preference.ballots import NAME, Ballots
from preference.closing import close, open_ballots
from preference.errors import AnswersError, BallotError, StudyStateError, VerificationError
from preference.key import read_key
from preference.looking import find_word, look, tell_enough, watch
from preference.pack import COMMITMENT, PACK, pack_of, read_pack
from preference.packet import write_packet
from preference.rater_app import RaterApp, make_vote_body
from preference.rule import make_word
from preference.screens import Screen
from preference.standing import HeldChoice
from preference.unblinding import unblind
from preference.verify import inspect, verify
from reports import cli as report_cli

PROMPTS = 40


def prefer_southern(pack: dict[str, Any], screen: Screen, slot: int = 0) -> str:
    """Chooses the southern arm, whose texts say `nrehtuos`; of a check, which has none, neither."""
    sides = ["nrehtuos" in pack["texts"][text] for text in (screen.a, screen.b)]
    return "equal" if sides[0] == sides[1] else "ab"[sides[1]]


def vote_in_turn(
    pack_dir: Path, most: int, choose: Callable[[dict[str, Any], Screen, int], str], slots: int = 2
) -> None:
    """The raters vote side by side on their next items, until each has `most` votes."""
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    sheets = [enrolled(pack, ballots, slot) for slot in range(slots)]
    done = [len(ballots.fold_sitting(slot).votes) for slot in range(slots)]
    for place in range(min(done), min(most, len(sheets[0]))):
        for slot, sheet in enumerate(sheets):
            body = make_vote_body(sheet[place], choose(pack, sheet[place], slot), {})
            ballots.take(slot, [HeldChoice("vote", f"vote:{sheet[place].item}", 1, "", body)])
    ballots.close_file()


def is_told(pack_dir: Path) -> bool:
    ballots = open_ballots(pack_dir, read_pack(pack_dir))
    try:
        return ballots.is_enough()
    finally:
        ballots.close_file()


@pytest.fixture
def study(tmp_path: Path) -> tuple[Path, Path]:
    """Pack and key of a panel of two."""
    return prepared(tmp_path, PROMPTS, stop="panel")


@pytest.fixture
def told(study: tuple[Path, Path]) -> tuple[Path, Path]:
    """The same, whose raters have been told that enough is known."""
    pack, key = study
    vote_in_turn(pack, 36, prefer_southern)
    assert look(pack, key).told
    return study


def recompute(out: Path) -> list[float]:
    """The evidence after each prompt of a panel, from the published votes.csv and the order in
    which prompts were complete, by the formula in `evidence.py`."""
    rows = list(csv.DictReader(io.StringIO((out / "votes.csv").read_text("utf-8"))))
    by_prompt: dict[str, list[int]] = {}
    for row in rows:
        if row["kind"] == "main":
            score = {"trained": 1, "base": -1, "equal": 0}[row["choice"]]
            by_prompt.setdefault(row["question"], []).append(score)
    whole = [scores for scores in by_prompt.values() if len(scores) == 2]
    one, other, squares, alone = 1.0, 1.0, 30.0, 30.0
    found = []
    for scores in whole:  # All of them alike here, so that their order is no matter.
        share = math.tanh(math.atanh(0.2) * sum(scores) / max(1, squares / alone))
        one, other = one * (1 + share), other * (1 - share)
        squares += sum(scores) ** 2
        alone += sum(map(abs, scores))
        found.append((one + other) / 2)
    return found


def test_raters_are_told_when_enough_is_known_and_anyone_can_weigh_it_again(
    study: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, key = study
    vote_in_turn(pack, 12, prefer_southern)
    assert cli.main(["look", str(pack), "--key", str(key)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Go on: ")
    assert not is_told(pack)
    vote_in_turn(pack, 36, prefer_southern)
    assert cli.main(["look", str(pack), "--key", str(key)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Enough is known: ")
    # One bit: no arm, and no figure but counts.
    assert not {"southern", "northern", "trained", "base", "e ="} & set(said.split())
    assert cli.main(["close", str(pack)]) == 0
    out = tmp_path / "result"
    result = unblind(pack, key, out)
    stopping = result["stopping"]
    by_hand = recompute(out)
    assert stopping["prompts"] == len(by_hand) < PROMPTS
    assert stopping["e"] == pytest.approx(max(by_hand), rel=1e-9)
    assert result["primary"]["p"] == pytest.approx(1 / max(by_hand), rel=1e-9)
    passed = next(number for number, e in enumerate(by_hand, 1) if e >= 20)
    assert 2 * passed <= stopping["reached_at"] <= stopping["told_at"] < stopping["planned"] == 80
    assert result["estimate"]["net"]["value"] == 1
    low = result["estimate"]["net"]["interval"]["low"]
    assert 0 < low < 1 == result["estimate"]["net"]["interval"]["high"]
    assert result["estimate"]["wins"]["interval"] is None
    assert "estimate.wins.interval" in result["gaps"]
    # Nobody is blamed for what was not needed.
    assert "left" not in {warning["name"] for warning in result["warnings"]}
    assert result["study"]["finished"] == 2
    assert "raters were told at vote" in (out / "summary.txt").read_text("utf-8")
    assert any(check.name.startswith("stopping rule: raters told") for check in verify(pack, key))
    assert cli.main(["verify", str(out)]) == cli.UNHELD


def test_a_study_that_never_gets_there_says_so(study: tuple[Path, Path], tmp_path: Path) -> None:
    pack, key = study

    def alternate(pack: dict[str, Any], screen: Screen, slot: int) -> str:
        return "ab"[screen.place % 2]

    vote_in_turn(pack, 45, alternate)
    assert not look(pack, key).enough
    close(pack)
    result = unblind(pack, key, tmp_path / "result")
    assert result["stopping"]["reached_at"] is result["stopping"]["told_at"] is None
    assert result["primary"]["p"] > 0.05
    assert result["stopping"]["prompts"] == PROMPTS


def test_enough_that_the_votes_do_not_give_is_named(study: tuple[Path, Path]) -> None:
    """By one who holds the key, and thus the word, and could not wait."""
    pack, key = study
    vote_in_turn(pack, 8, prefer_southern)
    tell_enough(pack, make_word(read_key(key).secret))
    close(pack)
    with pytest.raises(VerificationError, match=r"told enough at vote 1\d, and up to there"):
        verify(pack, key)


def test_a_word_that_is_not_the_studys_is_refused_and_named(study: tuple[Path, Path]) -> None:
    pack, key = study
    vote_in_turn(pack, 4, prefer_southern)
    with pytest.raises(BallotError, match="not the study's"):
        tell_enough(pack, "0" * 64)
    ballots = open_ballots(pack, read_pack(pack))
    ballots.tell_enough("0" * 64)  # As the server could do, which cannot make the word.
    ballots.close_file()
    close(pack)
    said = " ".join(p for check in inspect(pack, key) for p in check.problems)
    assert "the word for enough is not the key's" in said


def test_the_pack_knows_the_word_and_cannot_say_it(study: tuple[Path, Path]) -> None:
    pack, key = study
    word = make_word(read_key(key).secret)
    assert all(
        word not in path.read_text("utf-8") for path in pack.iterdir() if path.suffix == ".json"
    )


def test_a_rater_who_withdraws_afterwards_is_no_fault(
    study: tuple[Path, Path], tmp_path: Path
) -> None:
    pack, key = study
    vote_in_turn(pack, 36, lambda *seen: "equal" if seen[2] else prefer_southern(*seen))
    assert look(pack, key).told
    ballots = open_ballots(pack, read_pack(pack))
    ballots.withdraw(0)
    ballots.close_file()
    close(pack)
    names = [check.name for check in verify(pack, key)]
    assert any("since a rater withdrew, this cannot be weighed again" in name for name in names)
    # The panel is the one who is left, and all of their prompts count.
    result = unblind(pack, key, tmp_path / "result")
    assert result["stopping"]["prompts"] == result["stopping"]["votes"]


def test_the_key_may_lie_on_another_machine_than_the_votes(
    study: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, key = study
    vote_in_turn(pack, 6, prefer_southern)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in (PACK, COMMITMENT):
        shutil.copyfile(pack / name, copy / name)
    back_up(pack, copy / NAME)
    assert find_word(copy, key) is None
    vote_in_turn(pack, 36, prefer_southern)
    (copy / NAME).unlink()
    back_up(pack, copy / NAME)
    assert cli.main(["look", str(copy), "--key", str(key), "--word"]) == 0
    word = capsys.readouterr().out.split()[-1]
    assert not is_told(pack)
    assert cli.main(["enough", str(pack), "--word", word]) == 0
    assert is_told(pack)


def test_looking_again_and_again_ends_once_enough_is_known(study: tuple[Path, Path]) -> None:
    pack, key = study
    vote_in_turn(pack, 1, prefer_southern)
    places = iter((6, 9, 36))
    said: list[str] = []
    found = watch(
        pack, key, wait=lambda: vote_in_turn(pack, next(places), prefer_southern), say=said.append
    )
    assert found.told
    assert [line.split(":")[0] for line in said] == ["Go on"] * 3 + ["Enough is known"]


def test_a_study_without_a_rule_refuses_to_be_looked_at(tmp_path: Path) -> None:
    pack, key = prepared(tmp_path)
    assert "enough" not in read_pack(pack)
    assert "stretches" not in read_pack(pack)
    vote_in_turn(pack, 4, prefer_southern)
    with pytest.raises(StudyStateError, match=r"no stopping rule.*prepare --stop"):
        look(pack, key)
    with pytest.raises(StudyStateError, match="no stopping rule"):
        tell_enough(pack, "0" * 64)
    ballots = open_ballots(pack, read_pack(pack))
    ballots.tell_enough("0" * 64)
    ballots.close_file()
    close(pack)
    with pytest.raises(VerificationError, match="the plan has no stopping rule"):
        verify(pack, key)


def test_the_rule_is_bound_by_the_commitment(tmp_path: Path) -> None:
    commitments = set()
    for number, more in enumerate(({}, {"stop": "panel"}, {"stop": "panel", "worth": 0.7})):
        pack, key = prepared(tmp_path / str(number), 8, **more)
        published = json.loads((pack / COMMITMENT).read_text("utf-8"))
        assert ("stopping" in published["plan"]) == bool(more)
        commitments.add(published["commitment"])
        assert pack_of(read_key(key)) == read_pack(pack)
    assert len(commitments) == 3


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (
            {"stop": "speakers", "raters": 4},
            r"--raters 4.*Remedy: 10 raters or more, or --stop panel",
        ),
        ({"stop": "panel", "worth": 0.5}, r"--worth 0.5: allowed are 0.52 to 0.95"),
        ({"stop": "nobody"}, "--stop nobody: it takes speakers or panel"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_at_the_door(
    tmp_path: Path, options: dict[str, Any], named: str
) -> None:
    with pytest.raises(AnswersError, match=named):
        prepared(tmp_path, **options)


def test_a_panel_sees_the_same_prompts_in_the_same_part(study: tuple[Path, Path]) -> None:
    pack_dir, _ = study
    pack = read_pack(pack_dir)
    ballots = Ballots(pack_dir / NAME, pack["commitment"])
    sheets = [enrolled(pack, ballots, slot) for slot in range(2)]
    ballots.close_file()
    parts = []
    for slot, sheet in enumerate(sheets):
        twins = pack["twins"][slot]
        place = {screen.item: screen.place for screen in sheet}
        assert all(abs(place[one] - place[two]) > 10 for one, two in twins.items())
        kept = [s for s in sheet if s.item not in twins]
        of: dict[int, set[str]] = {}
        for screen in kept:
            of.setdefault(pack["stretches"][screen.item], set()).add(screen.prompt)
        assert [pack["stretches"][s.item] for s in sheet] == sorted(
            pack["stretches"][s.item] for s in sheet
        )
        parts.append(of)
    # A check shows a prompt once more, in a part that is the rater's own.
    common = [{p for p in parts[0][n] if p in parts[1][n]} for n in parts[0]]
    assert [len(prompts) for prompts in common] == [10, 10, 10, 10]
    assert [s.prompt for s in sheets[0]] != [s.prompt for s in sheets[1]]


def test_raters_read_that_it_is_enough(told: tuple[Path, Path]) -> None:
    pack_dir, _ = told
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    client = TestClient(
        RaterApp(pack, ballots).make_app(), base_url="http://study.test", follow_redirects=True
    )
    token = ballots.invite(0)
    assert pack["settings"]["messages"]["intro_early"] in client.get(f"/i/{token}").text
    client.post("/start", data={"token": token})
    page = client.get("/rate").text
    # The last question comes all the same; it does not ask for more votes.
    assert 'name="choice"' not in page
    assert pack["settings"]["messages"]["guess_title"] in page
    items = {part.split('"')[0] for part in page.split('name="guess-')[1:]}
    page = client.post(
        "/guess",
        data={
            "form": field(page, "form"),
            "idempotency": field(page, "idempotency"),
            "seen": "",
            **{f"guess-{item}": "unknown" for item in items},
        },
    ).text
    assert pack["settings"]["messages"]["enough_text"] in page
    assert 'max="36" value="36"' in page
    ballots.close_file()


def test_who_comes_after_it_is_enough_is_thanked_and_not_taken_in(tmp_path: Path) -> None:
    pack_dir, key = prepared(tmp_path, PROMPTS, stop="panel", raters=4)
    vote_in_turn(pack_dir, 36, prefer_southern)
    assert look(pack_dir, key).told
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    client = TestClient(
        RaterApp(pack, ballots).make_app(), base_url="http://study.test", follow_redirects=True
    )
    token = ballots.invite(2)
    sorry = pack["settings"]["messages"]["enough"]
    assert sorry in client.get(f"/i/{token}").text
    assert sorry in client.post("/start", data={"token": token}).text
    assert ballots.fold_sitting(2).nonce is None
    with pytest.raises(StudyStateError, match="enough is known already"):
        ballots.enrol(3)
    ballots.close_file()
    with pytest.raises(StudyStateError, match="enough is known already"):
        write_packet(pack_dir, 4)
    # It can be closed without a word about those who rated less than all.
    assert cli.main(["close", str(pack_dir)]) == 0
    assert verify(pack_dir, key)


def test_the_report_says_what_gave_p(told: tuple[Path, Path], tmp_path: Path) -> None:
    pack, key = told
    close(pack)
    store = tmp_path / "store"
    assert cli.main(["unblind", str(pack), "--key", str(key), "--store", str(store)]) == 0
    out = tmp_path / "out"
    assert report_cli.main(["--store", str(store), "--format", "markdown", "--out", str(out)]) == 0
    text = " ".join("".join(p.read_text("utf-8") for p in out.iterdir()).split())
    assert "votes could end once enough was known about these raters: e = " in text
    assert "of 80; p is 1 / e" in text


@pytest.mark.slow
def test_the_page_that_says_enough_on_a_phone(browser: Any, told: tuple[Path, Path]) -> None:
    """Dark, and with letters of twice the size; no step of it needs JavaScript."""
    pack_dir, _ = told
    server = Server(pack_dir)
    try:
        page = phone(browser, color_scheme="dark", java_script_enabled=False).new_page()
        page.goto(link(pack_dir, server.address))
        click_through(page, "button.main")
        for item in page.query_selector_all("input[value=unknown]"):
            item.check()
        click_through(page, "button.main")
        assert read_pack(pack_dir)["settings"]["messages"]["enough_text"] in page.inner_text("main")
        page = phone(browser, color_scheme="dark").new_page()
        page.goto(link(pack_dir, server.address))
        assert_usable(page, "invitation")
        click_through(page, "button.main")
        assert_usable(page, "enough")
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    finally:
        server.kill()
