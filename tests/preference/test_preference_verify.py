"""Close, unblind, verify: what was tampered with is named."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_study import prepared, vote_all

from preference import cli
from preference.ballots import NAME
from preference.chain import hash_event, hash_payload
from preference.closing import close, open_ballots
from preference.commitment import hash_canonical
from preference.errors import StudyStateError, VerificationError
from preference.pack import read_pack
from preference.screens import Screen
from preference.standing import HeldChoice
from preference.unblinding import unblind
from preference.verify import verify


def longer(pack: dict[str, Any], screen: Screen, slot: int) -> str:
    """Prefers `nrehtuos` (the southern arm's texts), whatever side it is on; the check has none."""
    texts = pack["texts"][screen.a], pack["texts"][screen.b]
    if ("nrehtuos" in texts[0]) == ("nrehtuos" in texts[1]):
        return "equal"
    return "a" if "nrehtuos" in texts[0] else "b"


@pytest.fixture
def closed(tmp_path: Path) -> tuple[Path, Path]:
    pack, key = prepared(tmp_path)
    vote_all(pack, longer)
    close(pack)
    return pack, key


def test_a_study_from_votes_to_result(closed: tuple[Path, Path], tmp_path: Path) -> None:
    pack, key = closed
    out = tmp_path / "result"
    result = unblind(pack, key, out)
    assert result["counts"] == {"wins": 16, "ties": 0, "losses": 0}
    assert result["estimate"]["net"]["value"] == 1
    # All eight prompts one way: 2 of 2^8 sign patterns are as extreme.
    assert result["primary"]["p"] == pytest.approx(2 / 2**8)
    assert result["position"]["chose_a"] == result["position"]["chose_b"] == 8
    # Over the two of a pair, the trained arm stood on A once a prompt.
    assert [r["trained_as_a"] + r["trained_as_b"] for r in result["raters"]] == [8, 8]
    assert sum(r["trained_as_a"] for r in result["raters"]) == 8
    assert "all raters, trained on A in 8 of 16" in (out / "summary.txt").read_text("utf-8")
    assert result["repeats"]["same_answer"] == result["repeats"]["pairs"] == 4
    assert result["study"]["trained"] == "southern"
    assert json.loads((out / "result.json").read_text("utf-8")) == json.loads(json.dumps(result))
    assert cli.main(["verify", str(out)]) == cli.UNHELD
    assert {check.name for check in verify(pack, key)} >= {"commitment", "pack", "vote chain"}


def test_no_result_before_the_close(tmp_path: Path) -> None:
    pack, key = prepared(tmp_path)
    vote_all(pack, longer)
    with pytest.raises(StudyStateError, match="is open; nothing can be unblinded"):
        unblind(pack, key, tmp_path / "result")
    assert not (tmp_path / "result").exists()


def test_closed_is_closed(closed: tuple[Path, Path]) -> None:
    pack, _ = closed
    ballots = open_ballots(pack, read_pack(pack))
    with pytest.raises(StudyStateError, match="closed"):
        ballots.take(0, [HeldChoice("vote", "late", 1, "", {"item": "x"})])
    before = ballots.find_head()
    ballots.close_file()
    assert close(pack)["head"] == before[1], "closing again changes nothing"


def edit_json(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    value = json.loads(path.read_text("utf-8"))
    change(value)
    path.write_text(json.dumps(value), "utf-8")


def edit_vote(pack: Path) -> None:
    db = sqlite3.connect(pack / NAME)
    query = """SELECT seq, body FROM events WHERE body LIKE '%"choice":"a"%' LIMIT 1"""
    seq, body = db.execute(query).fetchone()
    changed = body.replace('"choice":"a"', '"choice":"b"')
    db.execute("UPDATE events SET body=? WHERE seq=?", (changed, seq))
    db.commit()
    db.close()


def drop_vote(pack: Path) -> None:
    db = sqlite3.connect(pack / NAME)
    db.execute("DELETE FROM events WHERE seq=5")
    db.commit()
    db.close()


def rechain(
    pack: Path, change: Callable[[dict[str, Any]], None], *, head: bool, of: str = "vote"
) -> None:
    """Someone with the file who computes the whole chain anew, and perhaps the head as well."""
    commitment = json.loads((pack / "commitment.json").read_text("utf-8"))["commitment"]
    db = sqlite3.connect(pack / NAME)
    previous = commitment
    changed = False
    for seq, slot, salt, at, kind, key, body in db.execute(
        "SELECT seq, slot, salt, at, kind, idempotency, body FROM events ORDER BY seq"
    ).fetchall():
        if kind == of and not changed:
            value = json.loads(body)
            change(value)
            body, changed = json.dumps(value, sort_keys=True, separators=(",", ":")), True
        payload = hash_payload(salt, at, kind, key, body)
        previous = hash_event(previous, seq, slot, payload)
        db.execute(
            "UPDATE events SET body=?, payload=?, hash=? WHERE seq=?",
            (body, payload, previous, seq),
        )
    db.commit()
    db.close()
    if head:
        edit_json(pack / "closed.json", lambda value: value.update(head=previous))


def change_choice(value: dict[str, Any]) -> None:
    value["choice"] = "equal" if value["choice"] != "equal" else "a"


def swap_sides(value: dict[str, Any]) -> None:
    value["a"], value["b"] = value["b"], value["a"]


def another_pack(pack: Path) -> None:
    """The pack with two texts exchanged, and its published hash made to fit."""

    def exchange(value: dict[str, Any]) -> None:
        one, two, *_ = value["texts"]
        value["texts"][one], value["texts"][two] = value["texts"][two], value["texts"][one]

    edit_json(pack / "pack.json", exchange)
    fresh = json.loads((pack / "pack.json").read_text("utf-8"))
    edit_json(
        pack / "commitment.json", lambda value: value.update(pack_sha256=hash_canonical(fresh))
    )


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (lambda pack, key: edit_vote(pack), "vote chain: event"),
        (lambda pack, key: drop_vote(pack), "vote chain: event 5 is missing"),
        (
            lambda pack, key: rechain(pack, change_choice, head=False),
            "vote chain: closed.json has",
        ),
        (lambda pack, key: rechain(pack, swap_sides, head=True), "votes and order: event"),
        (
            lambda pack, key: rechain(pack, lambda v: v.update(place=99), head=True),
            "in another order",
        ),
        (
            lambda pack, key: edit_json(key, lambda v: v["arms"].reverse()),
            "commitment: the key gives",
        ),
        (
            lambda pack, key: edit_json(key, lambda v: v.update(trained=0)),
            "commitment: the key gives",
        ),
        (
            lambda pack, key: edit_json(key, lambda v: v.update(secret="00" * 32)),
            "commitment: the key gives",
        ),
        (
            lambda pack, key: edit_json(key, lambda v: v["plan"].update(primary="none")),
            "commitment: the",
        ),
        (
            lambda pack, key: edit_json(pack / "pack.json", lambda v: v["slots"].reverse()),
            "pack: pack.json is not",
        ),
        (lambda pack, key: another_pack(pack), "pack: texts is not what the key gives"),
    ],
    ids=[
        "vote",
        "deletion",
        "rechained",
        "sides",
        "order",
        "names",
        "trained",
        "secret",
        "plan",
        "slots",
        "texts",
    ],
)
def test_tampering_is_caught_and_named(
    closed: tuple[Path, Path], tamper: Callable[[Path, Path], None], named: str
) -> None:
    pack, key = closed
    verify(pack, key)
    tamper(pack, key)
    with pytest.raises(VerificationError) as raised:
        verify(pack, key)
    assert named in str(raised.value)


def test_a_whole_other_history_differs_from_what_was_published(closed: tuple[Path, Path]) -> None:
    """Who rewrites votes, chain and head alike is caught by the head that was published."""
    pack, key = closed
    published = json.loads((pack / "closed.json").read_text("utf-8"))["head"]
    rechain(pack, change_choice, head=True)
    verify(pack, key)
    with pytest.raises(VerificationError, match="published elsewhere was head"):
        verify(pack, key, head=published)


def test_the_published_result_verifies_without_the_database(
    closed: tuple[Path, Path], tmp_path: Path
) -> None:
    pack, key = closed
    out = tmp_path / "result"
    unblind(pack, key, out)
    shutil.rmtree(pack)
    verify(out, out / "key.json")
    votes = out / "votes.jsonl"
    votes.write_text(
        votes.read_text("utf-8").replace('"choice": "a"', '"choice": "equal"', 1), "utf-8"
    )
    with pytest.raises(VerificationError, match="vote chain"):
        verify(out, out / "key.json")
    assert cli.main(["verify", str(out)]) == 1
