"""The chain of events: what a hash covers, and how an event is emptied without breaking it.

    payload = SHA256([salt, at, kind, idempotency, body])
    hash    = SHA256([hash of the event before, seq, slot, payload])

Everything that a rater did is in the payload. When they withdraw, all of it is deleted with its
salt; seq, slot, payload and hash remain, so that the chain holds and nobody can guess from a hash
what stood there. The slot remains because a stub has to be accounted for: only events of a slot
that withdrew, and says so in the chain, may be empty. That event bears no time.

A comment stands outside: the body holds its salted hash alone, so that one comment can be deleted.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from preference.commitment import hash_canonical, write_canonical

REMOVED = "removed"
"""The kind of an emptied event, whose own kind is gone."""
FIELDS = ("seq", "slot", "payload", "hash", "salt", "at", "kind", "idempotency", "body")


@dataclass(frozen=True)
class EventRow:
    """An event as stored: body is JSON text; what is None was deleted when its rater withdrew."""

    seq: int
    slot: int
    payload: str
    hash: str
    salt: str | None
    at: str | None
    kind: str | None
    idempotency: str | None
    body: str | None

    @property
    def readable(self) -> bool:
        """Tell whether its values are of the kinds that are written; SQLite and JSON take any."""
        texts = (self.salt, self.at, self.kind, self.idempotency, self.body)
        return (
            type(self.seq) is type(self.slot) is int
            and isinstance(self.payload, str)
            and isinstance(self.hash, str)
            and all(text is None or isinstance(text, str) for text in texts)
        )

    @property
    def emptied(self) -> bool:
        return (self.salt, self.at, self.kind, self.idempotency, self.body) == (None,) * 5


@dataclass(frozen=True)
class Event:
    """An event as read. slot is -1 for what concerns the whole study; of an emptied one, kind is
    REMOVED and the body empty."""

    seq: int
    at: str
    slot: int
    kind: str
    idempotency: str
    body: Mapping[str, Any]
    hash: str


def hash_payload(
    salt: str | None, at: str | None, kind: str | None, idempotency: str | None, body: str | None
) -> str:
    """SHA-256 of what an event says; body is its stored JSON."""
    return hash_canonical([salt, at, kind, idempotency, body])


def hash_event(previous: str, seq: int, slot: int, payload: str) -> str:
    """SHA-256 that ties an event to the one before it."""
    return hash_canonical([previous, seq, slot, payload])


def hash_comment(salt: str, text: str) -> str:
    """Hash a comment for its vote's body. The salt is deleted with the comment: the plain hash
    of a few words could be guessed."""
    return hashlib.sha256(write_canonical(["comment", salt, text])).hexdigest()


def as_event(row: EventRow) -> Event:
    """Raises ValueError for a body that is no JSON object."""
    if row.emptied:
        return Event(row.seq, "", row.slot, REMOVED, "", {}, row.hash)
    body = json.loads(row.body or "")
    if not isinstance(body, dict):
        raise ValueError("its body is no JSON object")
    return Event(
        row.seq, row.at or "", row.slot, row.kind or "", row.idempotency or "", body, row.hash
    )


def write_row(row: EventRow) -> str:
    """An event as a line of `votes.jsonl`: what its hash covers, and nothing of an emptied one but
    seq, slot and the two hashes."""
    kept = {name: value for name, value in asdict(row).items() if value is not None}
    if row.body is not None:
        kept["body"] = json.loads(row.body)
    return json.dumps(kept, ensure_ascii=False, sort_keys=True)


def read_row(value: Mapping[str, Any]) -> EventRow:
    """A line of `votes.jsonl`. Raises KeyError, TypeError or ValueError for what is none."""
    if unknown := value.keys() - set(FIELDS):
        raise ValueError(f"unknown fields {sorted(unknown)}")
    body = value.get("body")
    return EventRow(
        int(value["seq"]),
        int(value["slot"]),
        str(value["payload"]),
        str(value["hash"]),
        salt=value.get("salt"),
        at=value.get("at"),
        kind=value.get("kind"),
        idempotency=value.get("idempotency"),
        body=None if body is None else write_canonical(body).decode("utf-8"),
    )


def check_chain(rows: Sequence[EventRow], commitment: str) -> tuple[list[str], list[Event]]:
    """Say what is wrong with the hashes, and give the events that can be read."""
    problems: list[str] = []
    events: list[Event] = []
    previous = commitment
    for number, row in enumerate(rows, 1):
        if not row.readable:
            problems.append(f"event {number} was changed: it holds what is no text or number")
            continue
        if row.seq != number:
            problems.append(f"event {number} is missing or out of its place")
        what = f"event {row.seq} ({row.kind or REMOVED} of slot {row.slot + 1})"
        payload = row.payload
        if not row.emptied:
            payload = hash_payload(row.salt, row.at, row.kind, row.idempotency, row.body)
        if payload != row.payload or hash_event(previous, row.seq, row.slot, payload) != row.hash:
            problems.append(f"{what} was changed")
        previous = row.hash
        try:
            events.append(as_event(row))
        except ValueError:
            problems.append(f"event {row.seq} holds no JSON")
    return problems, events


def count_removed(events: Sequence[Event]) -> dict[int, int]:
    """Slot -> how many of its events were emptied, for each slot that withdrew."""
    counts = Counter(event.slot for event in events if event.kind == REMOVED)
    return {event.slot: counts[event.slot] for event in events if event.kind == "withdraw"}


def check_withdrawals(events: Sequence[Event]) -> list[str]:
    """Tell whether exactly the events of those who withdrew are empty: nobody's vote can be dropped
    under the name of a withdrawal, and nothing of a withdrawn rater is left."""
    when = {event.slot: event.seq for event in events if event.kind == "withdraw"}
    problems = []
    for event in events:
        where = f"event {event.seq} of rater {event.slot + 1}"
        if event.kind == REMOVED:
            if event.slot not in when:
                problems.append(f"{where} was emptied, and that rater never withdrew")
            elif event.seq > when[event.slot]:
                problems.append(f"{where} came after that rater had withdrawn")
        elif event.slot in when and event.kind != "withdraw":
            problems.append(f"{where}, who withdrew, still says what was to be deleted")
        elif event.kind == "withdraw" and (event.at or event.body):
            problems.append(f"{where}: a withdrawal says more than that it happened")
    return problems
