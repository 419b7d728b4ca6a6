"""What a rater takes back is gone from every byte, and what is left still verifies."""

import csv
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_study import enrolled, prepared

from preference import cli
from preference.ballots import NAME, Ballots
from preference.chain import EventRow, read_row, write_row
from preference.closing import close, open_ballots
from preference.comments import COMMENTS, forget, withdraw
from preference.errors import StudyStateError, VerificationError, WithdrawnError
from preference.messages import FOLDER, read_catalogue
from preference.pack import read_pack
from preference.packet import write_packet
from preference.questions import Correction, add_correction, make_draft
from preference.rater_app import make_vote_body
from preference.standing import HeldChoice
from preference.unblinding import unblind
from preference.verify import verify


def cast(pack: Path, ballots: Ballots, slot: int, *, rounds: int = 1) -> None:
    """Votes on every item with a comment, so often that the file's pages are split."""
    for turn in range(rounds):
        for n, screen in enumerate(enrolled(read_pack(pack), ballots, slot)):
            words = f"maneno ya siri {slot}-{turn}-{n} " + "ndefu " * (n % 9)
            extra = {"comment": words, "verdict_a": "good", "verdict_b": "bad"}
            seen = ballots.fold_sitting(slot).latest.get(screen.item, "")
            vote = make_vote_body(screen, "ab"[n % 2], extra)
            ballots.take(slot, [HeldChoice("vote", f"vote:{slot}:{turn}:{n}", 1, seen, vote)])


def holding(folder: Path, words: str) -> list[str]:
    """The files below a folder in whose bytes these words are."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if words.encode() in path.read_bytes()]


def clock() -> Iterator[str]:
    n = 0
    while True:
        yield f"2026-01-01T00:00:{n // 1000:02d}.{n % 1000:03d}+00:00"
        n += 1


def test_a_withdrawn_rater_leaves_no_word_vote_or_time(tmp_path: Path) -> None:
    pack, key = prepared(tmp_path, raters=3, verdicts=True)
    times = clock()
    ballots = Ballots(pack / NAME, read_pack(pack)["commitment"], clock=lambda: next(times))
    for slot in range(3):
        cast(pack, ballots, slot, rounds=12)
    events = [event for event in ballots.list_events() if event.slot == 1]
    nonce = str(ballots.fold_sitting(1).nonce)
    assert holding(pack, "maneno ya siri 1-")
    ballots.withdraw(1)
    gone = ["maneno ya siri 1-", nonce, "vote:1:", *(event.at for event in events)]
    assert [holding(pack, words) for words in gone] == [[]] * len(gone), "while it is in use"
    assert holding(pack, "maneno ya siri 0-"), "nobody else's words are touched"
    with pytest.raises(WithdrawnError, match="rater 2 has withdrawn"):
        ballots.take(1, [HeldChoice("vote", "vote:late", 1, "", {"item": "x"})])
    with pytest.raises(WithdrawnError):
        ballots.enrol(1)
    with pytest.raises(WithdrawnError):
        ballots.invite(1)
    ballots.close_file()
    close(pack)
    out = tmp_path / "result"
    result = unblind(pack, key, out)
    assert (result["study"]["enrolled"], result["study"]["withdrawn"]) == (3, 1)
    for words in gone:
        assert holding(pack, words) == []
        assert holding(out, words) == []
    assert holding(out, "maneno ya siri") == [], "nor is anybody's comment published"
    names = {check.name for check in verify(out, out / "key.json")}
    assert f"withdrawals: 1, rater 2 ({len(events)} events emptied)" in names
    stubs = [
        line for line in (out / "votes.jsonl").read_text("utf-8").split("\n") if '"slot": 1' in line
    ]
    assert len(stubs) == len(events) + 1
    for line in stubs[:-1]:
        assert set(json.loads(line)) == {"seq", "slot", "payload", "hash"}


def test_only_a_withdrawal_empties_an_event(tmp_path: Path) -> None:
    pack, key = prepared(tmp_path)
    ballots = open_ballots(pack, read_pack(pack))
    for slot in (0, 1):
        cast(pack, ballots, slot)
    ballots.withdraw(1)
    ballots.close_file()
    close(pack)
    db = sqlite3.connect(pack / NAME)
    empty = "UPDATE events SET salt=NULL, at=NULL, kind=NULL, idempotency=NULL, body=NULL"
    db.execute(f"{empty} WHERE seq=3")
    db.commit()
    with pytest.raises(VerificationError, match="event 3 of rater 1 was emptied, and that rater"):
        verify(pack, key)
    db.execute("UPDATE events SET slot=1 WHERE seq=3")
    db.commit()
    with pytest.raises(VerificationError, match=r"event 3 .* was changed"):
        verify(pack, key)
    db.close()


def test_what_a_withdrawn_rater_did_cannot_be_left_in_the_published_file(tmp_path: Path) -> None:
    pack, key = prepared(tmp_path)
    ballots = open_ballots(pack, read_pack(pack))
    cast(pack, ballots, 0)
    before = ballots.list_rows()
    ballots.withdraw(0)
    ballots.close_file()
    close(pack)
    out = tmp_path / "result"
    unblind(pack, key, out)
    path = out / "votes.jsonl"
    lines = path.read_text("utf-8").split("\n")
    path.write_text("\n".join([write_row(before[0]), *lines[1:]]), "utf-8")
    with pytest.raises(VerificationError, match="who withdrew, still says what was to be deleted"):
        verify(out, out / "key.json")


def test_comments_are_deleted_after_the_close_and_the_study_verifies_as_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, key = prepared(tmp_path, verdicts=True)
    ballots = open_ballots(pack, read_pack(pack))
    for slot in (0, 1):
        cast(pack, ballots, slot, rounds=3)
    first = ballots.list_comments()[0]
    ballots.close_file()
    head = close(pack)["head"]
    out = tmp_path / "result"
    assert cli.main(["unblind", str(pack), "--key", str(key), "--out", str(out)]) == 0
    assert str(pack / COMMENTS) in capsys.readouterr().out
    published = {path.name: path.read_bytes() for path in out.iterdir()}
    assert set(holding(tmp_path, first.text)) == {NAME, COMMENTS}

    assert cli.main(["forget", str(pack)]) == 0
    listed = capsys.readouterr().out
    assert f"comment {first.seq}: rater 1, {len(first.text)} characters" in listed
    assert "siri" not in listed
    assert cli.main(["forget", str(pack), "--comment", str(first.seq)]) == 0
    assert holding(tmp_path, first.text) == []
    assert holding(tmp_path, "maneno ya siri 0-0-") == [], "a later vote took its place"
    assert holding(tmp_path, "maneno ya siri 0-2-1")
    assert cli.main(["forget", str(pack), "--rater", "1"]) == 0
    assert holding(tmp_path, "maneno ya siri 0-") == []
    assert holding(tmp_path, "maneno ya siri 1-")
    assert cli.main(["forget", str(pack), "--comment", str(first.seq)]) == 2
    verify(pack, key, head=head)
    again = tmp_path / "again" / "result"
    unblind(pack, key, again)
    assert {path.name: path.read_bytes() for path in again.iterdir()} == published


def test_a_salt_hides_a_short_comment_and_goes_with_it(tmp_path: Path) -> None:
    pack, _ = prepared(tmp_path)
    ballots = open_ballots(pack, read_pack(pack))
    screen, other, *_ = enrolled(read_pack(pack), ballots, 0)
    votes = [
        HeldChoice("vote", f"vote:{s.item}", 1, "", make_vote_body(s, "a", {"comment": "ndiyo"}))
        for s in (screen, other)
    ]
    hashes = [event.body for event in ballots.take(0, votes)]
    assert hashes[0]["comment_sha256"] != hashes[1]["comment_sha256"]
    salt = ballots.list_comments()[1].salt
    vote = ballots.fold_sitting(0).votes[screen.item]
    assert not ballots.undo(0, vote.idempotency), "it is not the last one"
    assert ballots.undo(0, list(ballots.fold_sitting(0).votes.values())[-1].idempotency)
    ballots.close_file()
    assert [
        c.text for c in Ballots(pack / NAME, read_pack(pack)["commitment"]).list_comments()
    ] == ["ndiyo"]
    close(pack)
    assert holding(pack, salt) == []


def test_the_researcher_reads_comments_with_the_arms_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, key = prepared(tmp_path, verdicts=True)
    texts = read_pack(pack)["texts"]
    ballots = open_ballots(pack, read_pack(pack))
    for n, screen in enumerate(enrolled(read_pack(pack), ballots, 0)):
        # "nrehtuos" is in the texts of southern, "nrehtron" in those of northern.
        words = f"{n}: B is {'southern' if 'nrehtuos' in texts[screen.b] else 'northern'}"
        extra = {"comment": f"{words}\n=1+1 second line", "verdict_b": "good"}
        ballots.take(
            0, [HeldChoice("vote", f"vote:{n}", 1, "", make_vote_body(screen, "b", extra))]
        )
    ballots.close_file()
    command = ["comments", str(pack), "--key", str(key)]
    assert cli.main(command) == 2, "while the study is open, it would unblind"
    assert "is open; nothing can be unblinded" in capsys.readouterr().err
    close(pack)
    assert cli.main(command) == 0
    said = capsys.readouterr().out
    with (pack / COMMENTS).open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == len(enrolled_items(pack))
    for row in rows:
        name = row["comment"].split("B is ")[1].split("\n")[0]
        assert row["right"].startswith(name)
        assert row["chosen"] == row["right"]
        assert (row["verdict_left"], row["verdict_right"]) == ("", "good")
        assert f"B {row['right']}: {row['chosen']} preferred; {row['right']} is good" in said
    assert sum("to question" in row["left"] + row["right"] for row in rows) == 1, "the check"
    assert stat.S_IMODE((pack / COMMENTS).stat().st_mode) == 0o600


def enrolled_items(pack: Path) -> list[dict[str, str]]:
    return list(read_pack(pack)["slots"][0])


def test_files_with_peoples_words_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Under the most open umask there is, every file below that holds what a person did."""
    before = os.umask(0)
    try:
        pack, key = prepared(tmp_path, raters=3, verdicts=True)
        ballots = open_ballots(pack, read_pack(pack))
        for slot in (0, 1):
            cast(pack, ballots, slot)
        live = [NAME, f"{NAME}-wal", f"{NAME}-shm"]
        assert {n: stat.S_IMODE((pack / n).stat().st_mode) for n in live} == dict.fromkeys(
            live, 0o600
        )
        assert cli.main(["backup", str(pack), "--out", str(tmp_path / "copies" / "b.sqlite")]) == 0
        ballots.close_file()
        write_packet(pack, 3, tmp_path / "packet.html")
        close(pack)
        unblind(pack, key, tmp_path / "result")
        assert cli.main(["comments", str(pack), "--key", str(key)]) == 0
        draft = tmp_path / "corrected"
        make_draft(draft, "swahili", {"1": ("all", "One?")})
        add_correction(draft, "1", Correction("Moja, kwa maneno yangu?", "speaker"))
    finally:
        os.umask(before)
    private = ["votes.sqlite", "b.sqlite", "packet.html", COMMENTS, "corrections.jsonl", "key.json",
               "votes.jsonl", "votes.csv"]  # fmt: skip
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*.*")}
    assert {name: oct(found[name]) for name in private} == dict.fromkeys(private, "0o600")
    for path in tmp_path.rglob("*"):
        if path.is_file() and (b"siri" in path.read_bytes() or b'"choice"' in path.read_bytes()):
            assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_every_catalogue_promises_deletion_where_it_speaks_of_withdrawal() -> None:
    """The words for "delete" in each language, in the three places where a rater reads of it."""
    deletes = {"en": "deleted", "ar": "حذف", "gl": "borra", "sw": "fut", "yo": "rẹ́"}
    for path in sorted(FOLDER.glob("*.yaml")):
        messages = read_catalogue(path).messages
        for name in ("consent_free", "withdraw_text", "withdrawn"):
            # Arabic may be written with its vowels or without.
            said = "".join(
                c for c in messages[name] if unicodedata.category(c) != "Mn" or c == "\u0301"
            )
            assert deletes[path.stem] in said.casefold(), (path.stem, name)
    assert {path.stem for path in FOLDER.glob("*.yaml")} == deletes.keys()


def test_a_copy_without_its_wal_says_so_and_a_backup_is_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, key = prepared(tmp_path)
    ballots = open_ballots(pack, read_pack(pack))
    for slot in (0, 1):
        cast(pack, ballots, slot)
    events, head = ballots.find_head()
    half = tmp_path / "half"
    shutil.copytree(pack, half, ignore=shutil.ignore_patterns("*-wal", "*-shm"))
    both = tmp_path / "both"
    shutil.copytree(pack, both)
    for step in (["status"], ["close"], ["invite"], ["forget"], ["withdraw", "--rater", "1"]):
        assert cli.main([step[0], str(half), *step[1:]]) == 2, step
        said = capsys.readouterr().err
        assert "in use when it was copied" in said
        assert "Remedy: kakugo-preference backup" in said
    assert cli.main(["backup", str(half), "--out", str(tmp_path / "x")]) == 2
    assert "in use when it was copied" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
    copy = open_ballots(both, read_pack(both))
    assert copy.find_head() == (events, head)
    copy.close_file()

    out = tmp_path / "copy.sqlite"
    assert cli.main(["backup", str(pack), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert f"{events} events" in said
    assert head in said
    assert cli.main(["backup", str(pack), "--out", str(out)]) == 2
    assert "a backup replaces nothing" in capsys.readouterr().err
    assert [path.name for path in tmp_path.glob("*copy.sqlite*")] == ["copy.sqlite"]
    shutil.copy(out, half / NAME)
    ballots.close_file()
    assert cli.main(["close", str(half), "--unfinished"]) == 0
    verify(half, key)
    assert not (pack / f"{NAME}-wal").exists(), "closed by the last, it is one whole file"
    shutil.copytree(pack, tmp_path / "closed")
    assert cli.main(["status", str(tmp_path / "closed")]) == 0


def test_a_damaged_file_is_no_backup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack, _ = prepared(tmp_path)
    ballots = open_ballots(pack, read_pack(pack))
    cast(pack, ballots, 0)
    ballots.close_file()
    db = sqlite3.connect(pack / NAME)
    db.execute('UPDATE events SET body=replace(body, \'"choice":"a"\', \'"choice":"b"\')')
    db.commit()
    db.close()
    assert cli.main(["backup", str(pack), "--out", str(tmp_path / "b")]) == 2
    assert "do not hold together: event" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


def test_votes_of_another_version_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / NAME
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, at TEXT)")
    db.commit()
    db.close()
    with pytest.raises(StudyStateError, match="another version"):
        Ballots(path, "aa" * 32)


def test_withdrawing_for_a_rater_and_forgetting_in_an_open_study(tmp_path: Path) -> None:
    pack, key = prepared(tmp_path)
    ballots = open_ballots(pack, read_pack(pack))
    token = ballots.invite(1)
    for slot in (0, 1):
        cast(pack, ballots, slot)
    # The study is being served meanwhile: this connection stays open.
    assert forget(pack, rater=2)
    assert holding(pack, "siri 1-") == []
    withdraw(pack, 2)
    assert ballots.find_invited(token) == (1, True)
    assert ballots.fold_sitting(1).withdrawn
    ballots.close_file()
    close(pack)
    verify(pack, key)
    with pytest.raises(StudyStateError, match="closed"):
        withdraw(pack, 1)  # rater 1 is slot 0, and still takes part


def test_a_line_of_the_published_votes_says_all_that_its_hash_covers() -> None:
    row = EventRow(1, 0, "aa", "bb", "cc", "now", "vote", "vote:1", '{"item":"x"}')
    assert read_row(json.loads(write_row(row))) == row
    stub = EventRow(1, 0, "aa", "bb", None, None, None, None, None)
    assert read_row(json.loads(write_row(stub))) == stub
    with pytest.raises(ValueError, match="unknown fields"):
        read_row({**json.loads(write_row(stub)), "choice": "a"})


def test_a_server_killed_between_deleting_and_wiping_leaves_nothing_to_the_next_one(
    tmp_path: Path,
) -> None:
    pack, _ = prepared(tmp_path)
    ballots = open_ballots(pack, read_pack(pack))
    cast(pack, ballots, 1)
    ballots.close_file()
    killed = f"""
import os, signal
from pathlib import Path
from preference import ballots
from preference.closing import open_ballots
from preference.pack import read_pack
ballots.wipe = lambda db: os.kill(os.getpid(), signal.SIGKILL)
pack = Path({str(pack)!r})
open_ballots(pack, read_pack(pack)).withdraw(1)
"""
    done = subprocess.run([sys.executable, "-c", killed], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert holding(pack, "maneno ya siri 1-"), "the kill came in time"
    ballots = open_ballots(pack, read_pack(pack))
    assert holding(pack, "maneno ya siri 1-") == []
    assert ballots.fold_sitting(1).withdrawn
    ballots.close_file()
