"""The votes: an append-only, hash-chained table in SQLite that survives kill -9.

An event's hash covers the one before it, and the first one covers the commitment, so that nothing
can be changed, left out or exchanged between studies once the head of the chain is published.
An event is acknowledged only after it is on disk (synchronous=FULL). Nothing is ever updated: a
later vote on an item says which one it stands in for, and an undo takes one back (see `standing`).

Two things are deleted, and then are gone from the disk: all that a rater did, when they withdraw,
and a comment, when it is asked for, or its vote is taken back or replaced. `chain.py` says why both
leave the chain whole.
"""

import hashlib
import json
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.lines import read_json_lines
from preference.chain import (
    Event,
    EventRow,
    as_event,
    hash_comment,
    hash_event,
    hash_payload,
)
from preference.commitment import write_canonical
from preference.errors import BallotError, StudyStateError, WithdrawnError
from preference.standing import HeldChoice, Sitting, find_subject, fold_sitting, place_choice
from preference.votes_file import (
    close_votes,
    note_deletion,
    open_votes,
    wipe,
    wipe_what_was_left,
)

NAME, DELETIONS = "votes.sqlite", "deletions.jsonl"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS study (commitment TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY, slot INTEGER NOT NULL, payload TEXT NOT NULL, hash TEXT NOT NULL,
    salt TEXT, at TEXT, kind TEXT, idempotency TEXT, body TEXT,
    UNIQUE (slot, idempotency)
);
CREATE TABLE IF NOT EXISTS comments (
    seq INTEGER PRIMARY KEY, salt TEXT NOT NULL, text TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS invitations (
    token_sha256 TEXT PRIMARY KEY, slot INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS sessions (session_sha256 TEXT PRIMARY KEY, slot INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sheets (slot INTEGER PRIMARY KEY, name TEXT NOT NULL);
"""
_LAST_KIND = "SELECT kind FROM events ORDER BY seq DESC LIMIT 1"
_WORDS = "SELECT c.seq, c.text FROM comments c JOIN events USING (seq) WHERE slot=?"
_COLUMNS = "seq, slot, payload, hash, salt, at, kind, idempotency, body"
_FORMAT = 2


@dataclass(frozen=True)
class Comment:
    """A rater's words on one vote, the event `seq`. `hash` is what the vote keeps of them."""

    seq: int
    slot: int
    salt: str
    text: str
    hash: str

    @property
    def genuine(self) -> bool:
        """Tell whether these are the words that were sent with the vote."""
        return hash_comment(self.salt, self.text) == self.hash


@dataclass(frozen=True)
class Deletions:
    """Slots of raters who withdrew, and hashes of comments that were deleted, as they are noted
    beside the votes for a backup that is older."""

    withdrawn: tuple[int, ...]
    comments: frozenset[str]


@dataclass(frozen=True)
class Seat:
    """A session, its slot, what became of it so far, and whether the study is closed. sheet: the
    name under which the rater's browsers keep what was not sent yet. enough: raters are told that
    enough is known."""

    session: str
    slot: int
    sitting: Sitting
    closed: bool
    sheet: str
    enough: bool = False


class Ballots:
    """One study's votes. Safe for several threads and several processes.

    clock: time as an ISO string, for tests. Raises StudyStateError if the file belongs to another
    study.
    """

    def __init__(self, path: Path, commitment: str, clock: Callable[[], str] | None = None) -> None:
        self._clock = clock or (lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
        # Readers have a connection of their own: in WAL they need not wait for a write's sync.
        self._lock, self._reading = threading.Lock(), threading.Lock()
        self._commitment, self._path = commitment, path
        self._db = open_votes(path)
        self._reader = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        with self._writing():
            self._check_format(path)
            for statement in _SCHEMA.split(";"):
                self._db.execute(statement)
            row = self._db.execute("SELECT commitment FROM study").fetchone()
            if row is None:
                self._db.execute("INSERT INTO study VALUES (?)", (commitment,))
        if row is not None and row[0] != commitment:
            self.close_file()
            raise StudyStateError(
                f"{path} holds the votes of another study. Remedy: a directory for each study"
            )
        wipe_what_was_left(self._db)

    def close_file(self) -> None:
        """Closes the database file (not the study)."""
        self._reader.close()
        close_votes(self._db)

    # Invitations and sessions. Only hashes of tokens are kept: a copy of the file opens nothing.

    def invite(
        self, slot: int, drawn: Callable[[int, int], str] | None = None, *, once: bool = False
    ) -> str:
        """A new token for a slot; earlier ones of the slot end, and so do its sessions. drawn: the
        token by slot and number of earlier links, else by chance; once: the slot's latest one as it
        is, where it has one."""
        sitting = self.fold_sitting(slot)
        if sitting.withdrawn:
            raise WithdrawnError(f"rater {slot + 1} has withdrawn from the study")
        if sitting.on_paper:
            raise BallotError(
                f"slot {slot + 1} is rated on an offline packet; it can have no link as well"
            )
        draw = drawn or (lambda slot, before: secrets.token_urlsafe(18))
        with self._writing():
            self._check_open()
            (before,) = self._db.execute(
                "SELECT count(*) FROM invitations WHERE slot=?", (slot,)
            ).fetchone()
            if once and before:
                return draw(slot, before - 1)
            token = draw(slot, before)
            self._end(slot)
            self._db.execute("INSERT INTO invitations VALUES (?, ?, 0)", (_hash_token(token), slot))
        return token

    def has_live_link(self, slot: int) -> bool:
        """Tell whether a slot has a link that opens it."""
        return bool(self._read("SELECT 1 FROM invitations WHERE slot=? AND revoked=0", slot))

    def revoke(self, slot: int) -> None:
        """Ends a slot's links and sessions. Its votes stay."""
        with self._writing():
            if not self.has_live_link(slot):
                raise BallotError(f"slot {slot + 1} has no link that could be revoked")
            self._end(slot)

    def end_links(self, slot: int) -> None:
        """Ends a slot's links and sessions, if it has any."""
        with self._writing():
            self._end(slot)

    def find_invited(self, token: str) -> tuple[int, bool] | None:
        """(slot, revoked) of a token, or None for an unknown one. Changes nothing."""
        row = self._read(
            "SELECT slot, revoked FROM invitations WHERE token_sha256=?", _hash_token(token)
        )
        return (row[0][0], bool(row[0][1])) if row else None

    def begin(self, token: str) -> str:
        """A session for an invitation. An earlier session of the slot, on another device, ends."""
        with self._writing():
            row = self._db.execute(
                "SELECT slot, revoked FROM invitations WHERE token_sha256=?", (_hash_token(token),)
            ).fetchone()
            if row is None or row[1]:
                raise BallotError(
                    "this invitation is not known"
                    if row is None
                    else "this invitation was withdrawn"
                )
            session = secrets.token_urlsafe(24)
            self._db.execute("DELETE FROM sessions WHERE slot=?", (row[0],))
            self._db.execute("INSERT INTO sessions VALUES (?, ?)", (_hash_token(session), row[0]))
            # Drawn by chance and for good: shown to no other rater, and known after a withdrawal.
            sheet = (row[0], secrets.token_hex(8))
            self._db.execute("INSERT OR IGNORE INTO sheets VALUES (?, ?)", sheet)
        return session

    def find_slot(self, session: str) -> int | None:
        """The slot of a session, or None."""
        row = self._read("SELECT slot FROM sessions WHERE session_sha256=?", _hash_token(session))
        return row[0][0] if row else None

    def find_seat(self, session: str) -> Seat | None:
        """All that a page needs to know of a session, in one look."""
        slot = self.find_slot(session)
        if slot is None:
            return None
        (sheet,) = self._read("SELECT name FROM sheets WHERE slot=?", slot)[0]
        return Seat(
            session, slot, self.fold_sitting(slot), self.is_closed(), sheet, self.is_enough()
        )

    # Events.

    def enrol(self, slot: int, kind: str = "enrol", body: Mapping[str, Any] | None = None) -> Event:
        """Draws the slot's nonce, and its pair's unless the other rater has one; once for all."""
        with self._writing():
            for event in self._select_events("WHERE slot=? AND kind IN ('enrol', 'packet')", slot):
                return event
            if self._db.execute("SELECT 1 FROM events WHERE kind='enough'").fetchone():
                raise StudyStateError("enough is known already; no further rater is needed")
            other = slot ^ 1
            drawn = [
                e.body["pair_nonce"]
                for e in self._select_events("WHERE slot=? AND kind IN ('enrol', 'packet')", other)
            ]
            nonces = {
                "nonce": secrets.token_hex(16),
                "pair_nonce": drawn[0] if drawn else secrets.token_hex(16),
            }
            return self._append(slot, kind, "enrol", {**(body or {}), **nonces})

    def take(self, slot: int, choices: Sequence[HeldChoice]) -> list[Event]:
        """Places a page's choices, all or none; returns the events that keep them, without those
        that were there before. See `standing` for what stands and what waits."""
        with self._writing():
            events = list(self._select_events("WHERE slot=?", slot))
            before = len(events)
            for choice in choices:
                found = place_choice(events, dict(self._db.execute(_WORDS, (slot,))), choice)
                if isinstance(found, tuple):
                    events.append(self._append(slot, *found))
            return events[before:]

    def undo(self, slot: int, key: str) -> bool:
        """Takes back the slot's last vote if it is the one with this idempotency key; says whether
        that one is taken back, now or before."""
        with self._writing():
            for _ in self._select_events("WHERE slot=? AND idempotency=?", slot, f"undo:{key}"):
                return True
            last = list(fold_sitting(self._select_events("WHERE slot=?", slot)).votes.values())[-1:]
            if [vote.idempotency for vote in last] != [key]:
                return False
            body = {"item": find_subject(last[0]), "undone": last[0].hash}
            self._append(slot, "undo", f"undo:{key}", body)
            return True

    def tell_enough(self, word: str) -> Event:
        """Tells raters that enough is known; once for all. word: what shows that the holder of the
        key says so. Votes that are on their way are still taken."""
        with self._writing():
            for event in self._select_events("WHERE kind='enough'"):
                return event
            return self._append(-1, "enough", "enough", {"word": word})

    def close_study(self) -> Event:
        """The last event; nothing is taken after it. Raises StudyStateError if closed already."""
        with self._writing():
            event = self._append(-1, "close", "close", {})
        self._wipe()
        return event

    # What is deleted.

    def withdraw(self, slot: int) -> Event:
        """Ends a rater's part for good and deletes all that they did: choices, times, comments.
        Stubs of their events remain in the chain. Raises StudyStateError once it is closed."""
        with self._writing():
            for event in self._select_events("WHERE slot=? AND kind='withdraw'", slot):
                return event
            self._check_open()
            self._db.execute(
                "DELETE FROM comments WHERE seq IN (SELECT seq FROM events WHERE slot=?)", (slot,)
            )
            self._db.execute(
                "UPDATE events SET salt=NULL, at=NULL, kind=NULL, idempotency=NULL, body=NULL"
                " WHERE slot=?",
                (slot,),
            )
            note_deletion(self._db)
            event = self._append(slot, "withdraw", "withdraw", {}, at="")
            _note_deletions(self._path, [{"withdrawn": slot}])
        self._wipe()
        return event

    def list_comments(self) -> list[Comment]:
        """The comments that were not deleted, in the order of their votes."""
        rows = self._read(
            "SELECT c.seq, ifnull(e.slot, -1), c.salt, c.text, ifnull(e.body, '') FROM comments c"
            " LEFT JOIN events e USING (seq) ORDER BY c.seq"
        )
        return [
            Comment(seq, slot, str(salt), str(text), _read_comment_hash(body))
            for seq, slot, salt, text, body in rows
        ]

    def read_words(self, slot: int) -> dict[int, str]:
        """Event's number -> its comment, of one rater."""
        return dict(self._read(_WORDS, slot))

    def forget(self, numbers: Sequence[int]) -> bool:
        """Deletes the comments of these events, salt and all, also of a closed study; what was
        voted stays. False where another program kept the old pages from being cleared just now."""
        gone = [{"comment": one.hash} for one in self.list_comments() if one.seq in set(numbers)]
        with self._writing():
            for seq in numbers:
                self._db.execute("DELETE FROM comments WHERE seq=?", (seq,))
            note_deletion(self._db)
            _note_deletions(self._path, gone)
        return self._wipe()

    # Reading.

    def is_closed(self) -> bool:
        """Tell whether the study is closed: its last event says so, since nothing follows it."""
        return self._read(_LAST_KIND) == [("close",)]

    def is_enough(self) -> bool:
        """Tell whether raters are told that enough is known."""
        return bool(self._read("SELECT 1 FROM events WHERE slot=-1 AND kind='enough'"))

    def find_head(self) -> tuple[int, str]:
        """Number of events and the hash of the last one (of the commitment where there is none)."""
        row = self._read("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")
        return (row[0][0], row[0][1]) if row else (0, self._commitment)

    def fold_sitting(self, slot: int) -> Sitting:
        """Tell what has become of a slot so far."""
        return fold_sitting(self._read_events("WHERE slot=?", slot))

    def list_events(self) -> list[Event]:
        """The whole chain, oldest first."""
        return self._read_events("")

    def list_rows(self) -> list[EventRow]:
        """The chain as stored, for `verify`, which trusts no JSON in it."""
        return [EventRow(*row) for row in self._read(f"SELECT {_COLUMNS} FROM events ORDER BY seq")]

    def _append(
        self,
        slot: int,
        kind: str,
        idempotency: str,
        body: Mapping[str, Any],
        *,
        at: str | None = None,
    ) -> Event:
        self._check_open()
        if self._db.execute(
            "SELECT 1 FROM events WHERE slot=? AND kind='withdraw'", (slot,)
        ).fetchone():
            raise WithdrawnError(f"rater {slot + 1} has withdrawn; nothing of theirs is taken")
        row = self._db.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        seq, previous = (row[0] + 1, row[1]) if row else (1, self._commitment)
        kept = dict(body)
        if words := kept.pop("comment", None):
            salt = secrets.token_hex(16)
            kept["comment_sha256"] = hash_comment(salt, words)
            self._db.execute("INSERT INTO comments VALUES (?, ?, ?)", (seq, salt, words))
        # Who takes a vote back, or puts another in its place, takes its comment back.
        for gone in [kept.get("undone"), *kept.get("supersedes", ())]:
            self._db.execute(
                "DELETE FROM comments WHERE seq IN"
                " (SELECT seq FROM events WHERE slot=? AND hash=?)",
                (slot, gone),
            )
        at = self._clock() if at is None else at
        text, salt = write_canonical(kept).decode("utf-8"), secrets.token_hex(16)
        payload = hash_payload(salt, at, kind, idempotency, text)
        own = hash_event(previous, seq, slot, payload)
        self._db.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (seq, slot, payload, own, salt, at, kind, idempotency, text),
        )
        return Event(seq, at, slot, kind, idempotency, kept, own)

    def _check_open(self) -> None:
        if self._db.execute(_LAST_KIND).fetchone() == ("close",):
            raise StudyStateError("the study is closed; no vote is taken any more")

    def _check_format(self, path: Path) -> None:
        (found,) = self._db.execute("PRAGMA user_version").fetchone()
        if found != _FORMAT and self._db.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise StudyStateError(
                f"{path} was written by another version of this program (format {found}, this one"
                f" reads {_FORMAT}). Remedy: go on with the version that began the study"
            )
        self._db.execute(f"PRAGMA user_version={_FORMAT}")

    def _read_events(self, where: str, *values: Any) -> list[Event]:
        with self._reading:
            return list(self._select_events(where, *values, db=self._reader))

    def _select_events(
        self, where: str, *values: Any, db: sqlite3.Connection | None = None
    ) -> Iterator[Event]:
        rows = (db or self._db).execute(
            f"SELECT {_COLUMNS} FROM events {where} ORDER BY seq", values
        )
        for row in rows.fetchall():
            yield as_event(EventRow(*row))

    def _end(self, slot: int) -> None:
        self._db.execute("UPDATE invitations SET revoked=1 WHERE slot=?", (slot,))
        self._db.execute("DELETE FROM sessions WHERE slot=?", (slot,))

    def _read(self, query: str, *values: Any) -> list[Any]:
        with self._reading:
            return self._reader.execute(query, values).fetchall()

    def _wipe(self) -> bool:
        with self._lock:
            return wipe(self._db)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


def read_deletions(votes: Path) -> Deletions:
    """Read what was deleted of a study, by the path of its votes."""
    path = votes.with_name(DELETIONS)
    rows = [line.value for line in read_json_lines(path)] if path.exists() else []
    return Deletions(
        tuple(dict.fromkeys(int(row["withdrawn"]) for row in rows if "withdrawn" in row)),
        frozenset(str(row["comment"]) for row in rows if "comment" in row),
    )


def _note_deletions(votes: Path, rows: Sequence[Mapping[str, int | str]]) -> None:
    path = votes.with_name(DELETIONS)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as out:
        out.writelines(f"{json.dumps(row)}\n" for row in rows)
        out.flush()
        os.fsync(out.fileno())


def _read_comment_hash(body: str) -> str:
    """Give the hash that a vote keeps of its comment; "" where it keeps none."""
    try:
        return str(json.loads(body).get("comment_sha256", ""))
    except (ValueError, TypeError, AttributeError):
        return ""


def _hash_token(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
