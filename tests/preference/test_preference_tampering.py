"""What someone who can write the files might do to them: each is named, without a traceback."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_study import enrolled, field, prepared, vote_all
from starlette.testclient import TestClient
from test_preference_verify import edit_json, longer, rechain

from preference import cli
from preference.ballots import NAME
from preference.closing import close, open_ballots
from preference.pack import read_pack
from preference.rater_app import RaterApp, make_vote_body
from preference.standing import GUESSES, HeldChoice
from preference.unblinding import unblind
from preference.verify import inspect, verify

WORDS = "only for the researcher"


@pytest.fixture
def study(tmp_path: Path) -> tuple[Path, Path]:
    """A closed study with a comment and guesses."""
    pack_dir, key = prepared(tmp_path)
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    screen = enrolled(pack, ballots, 0)[0]
    body = make_vote_body(screen, "a", {"comment": WORDS})
    ballots.take(0, [HeldChoice("vote", f"vote:{'0' * 16}", 1, "", body)])
    ballots.take(
        0, [HeldChoice("guess", f"guess:{'1' * 16}", 1, "", {GUESSES: {screen.item: "a"}})]
    )
    ballots.close_file()
    vote_all(pack_dir, longer, slots=1)
    close(pack_dir)
    return pack_dir, key


def problems(pack: Path, key: Path) -> str:
    return "\n".join(problem for check in inspect(pack, key) for problem in check.problems)


def change_guess(guesses: dict[str, str]) -> Callable[[dict[str, Any]], None]:
    return lambda body: body.update(guesses=guesses)


@pytest.mark.parametrize(
    ("kind", "change", "named"),
    [
        ("guess", change_guess({"0" * 16: "a"}), "it guesses on 0000000000000000"),
        ("guess", change_guess({"0" * 16: "trained"}), "its guesses is {'0000000000000000'"),
        ("guess", lambda body: body.update(guesses=["a"]), "its guesses is ['a']"),
        ("vote", lambda body: body.update(note="words"), "it also says note"),
        ("vote", lambda body: body.update(choice="A"), "its choice is 'A'"),
        ("vote", lambda body: body.update(item=[1]), "its item is [1]"),
        ("vote", lambda body: body.update(place=True), "its place is True"),
        ("vote", lambda body: body.update(verdict_a="fine"), "its verdict_a is 'fine'"),
        ("vote", lambda body: body.pop("a"), "it lacks a"),
        ("enrol", lambda body: body.update(nonce="7"), "its nonce is '7'"),
        ("close", lambda body: body.update(why="tired"), "it also says why"),
    ],
)
def test_an_event_that_no_program_wrote_is_named_though_all_hashes_fit(
    study: tuple[Path, Path], kind: str, change: Callable[[dict[str, Any]], None], named: str
) -> None:
    pack, key = study
    assert problems(pack, key) == ""
    rechain(pack, change, head=True, of=kind)
    assert named in problems(pack, key)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE comments SET text='I liked beta'", "is not what its rater sent"),
        ("UPDATE comments SET salt='00'", "is not what its rater sent"),
        ("INSERT INTO comments VALUES (3, '00', 'put into a mouth')", "comment 3 is not"),
        ("INSERT INTO comments VALUES (999, '00', 'from nobody')", "comment 999 is not"),
        ("UPDATE events SET body=x'ff' WHERE seq=2", "event 2 was changed: it holds what is no"),
        ("UPDATE events SET slot='x' WHERE seq=2", "event 2 was changed: it holds what is no"),
        ("UPDATE events SET at=3.5 WHERE seq=2", "event 2 (vote of slot 1) was changed"),
        ("DELETE FROM comments", ""),
    ],
)
def test_every_changed_row_is_named_and_a_deleted_comment_is_counted(
    study: tuple[Path, Path], statement: str, named: str
) -> None:
    pack, key = study
    checks = [check.name for check in verify(pack, key)]
    assert "comments: 1 kept of 1 sent" in checks
    db = sqlite3.connect(pack / NAME)
    db.execute(statement)
    db.commit()
    db.close()
    found = problems(pack, key)
    assert named in found
    assert bool(named) == bool(found)
    if not named:
        assert "comments: 0 kept of 1 sent" in [check.name for check in inspect(pack, key)]


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (lambda pack, key: (pack / NAME).write_bytes(b"hello" * 900), 2),
        (lambda pack, key: edit_json(pack / "pack.json", lambda v: v.pop("study")), 1),
        (lambda pack, key: edit_json(key, lambda v: v.update(plan=None)), 2),
        (lambda pack, key: edit_json(key, lambda v: v.update(dropped=3)), 2),
        (lambda pack, key: edit_json(key, lambda v: v["settings"].update(slots="2")), 2),
        (lambda pack, key: edit_json(key, lambda v: v.update(arms=[1, 2])), 2),
    ],
    ids=["votes", "pack", "plan", "dropped", "settings", "arms"],
)
def test_a_spoilt_file_is_said_in_a_sentence(
    study: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path, Path], object],
    status: int,
) -> None:
    pack, key = study
    spoil(pack, key)
    assert cli.main(["verify", str(pack), "--key", str(key)]) == status
    assert capsys.readouterr().err.startswith("kakugo-preference: ")


@pytest.mark.parametrize("change", ["delete", "empty", "repeats", "trained"])
def test_a_changed_key_among_the_published_files_does_not_verify(
    study: tuple[Path, Path], tmp_path: Path, change: str
) -> None:
    out = tmp_path / "result"
    unblind(*study, out)
    shutil.copytree(out, tmp_path / "kept")
    key = out / "key.json"
    if change == "delete":
        key.unlink()
    elif change == "empty":
        key.write_text("", "utf-8")
    elif change == "repeats":
        edit_json(key, lambda value: value["settings"].update(repeats=77))
    else:
        edit_json(key, lambda value: value.update(trained=7))
    assert cli.main(["verify", str(out)]) == 1
    assert cli.main(["verify", str(tmp_path / "kept")]) == cli.UNHELD


@pytest.mark.parametrize("key", ["words that would be published", "0" * 15, "0" * 17, "A" * 16])
def test_a_page_cannot_put_words_into_the_published_name_of_a_vote(
    tmp_path: Path, key: str
) -> None:
    pack_dir, _ = prepared(tmp_path)
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    token = ballots.invite(0)
    client = TestClient(RaterApp(pack, ballots).make_app(), base_url="http://study.test")
    client.post("/start", data={"token": token})
    client.post("/enrol", data={"form": field(client.get("/consent").text, "form")})
    page = client.get("/rate").text
    fields = {name: field(page, name) for name in ("form", "item", "idempotency")}
    refused = client.post("/vote", data=fields | {"idempotency": key, "choice": "a"})
    assert refused.status_code == 400
    assert client.post("/vote", data=fields | {"choice": "a"}).status_code == 200
    assert key not in str(ballots.list_rows())
    ballots.close_file()
