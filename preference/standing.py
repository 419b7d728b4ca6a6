"""Add up a rater's events: which choice stands, and which waits for the rater's word.

A choice says from which page it comes, at which turn of that page, and what the page had seen of
its subject (an item, or the guesses). A page's later choice stands in for its own earlier one, and
a choice made in sight of another one for that one. A choice made without having seen the one that
stands is a conflict: it is kept as `held`, counts for nothing, and the rater is asked. So neither
the network's order nor a second device, tab or file can put one choice over another in silence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from preference.chain import Event

# The subject of the guesses at the end; any other subject is an item's id.
GUESSES = "guesses"
# What an event says of other events, beside what the rater said.
_LINKS = ("supersedes", "unseen", "undone", "comment_sha256")


@dataclass(frozen=True)
class HeldChoice:
    """Holds what a page sends: a `vote`, the `guess`, or an `undo` of the page's own vote on an
    item.

    page: its id; turn: which of its choices, from 1, or None where nobody counts (no script);
    seen: key of the latest event on the subject when the page was made, "" if there was none.
    """

    kind: str
    page: str
    turn: int | None
    seen: str
    body: Mapping[str, Any]


@dataclass
class Sitting:
    """Holds what a slot's events add up to. votes: those that stand, in the order of the
    choices; held: subject -> choices that wait for the rater's word; latest: subject -> its
    latest event's key.
    """

    nonce: str | None = None
    pair_nonce: str | None = None
    votes: dict[str, Event] = field(default_factory=dict)
    guesses: Event | None = None
    held: dict[str, list[Event]] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)
    receipt: str | None = None
    withdrawn: bool = False
    on_paper: bool = False

    def find_standing(self, subject: str) -> Event | None:
        """The choice that counts."""
        return self.guesses if subject == GUESSES else self.votes.get(subject)

    def list_choices(self, subject: str) -> list[Event]:
        """The choice that counts, and those that wait."""
        standing = self.find_standing(subject)
        return ([standing] if standing else []) + self.held.get(subject, [])

    def take(self, event: Event) -> None:
        """Adds the slot's next event."""
        subject = find_subject(event)
        if event.kind in ("enrol", "packet"):
            self.nonce, self.pair_nonce = event.body["nonce"], event.body["pair_nonce"]
            self.on_paper = event.kind == "packet"
        elif event.kind == "withdraw":
            self.withdrawn = True
        if event.kind not in ("vote", "guess", "held", "undo"):
            return
        gone = {event.body.get("undone"), *event.body.get("supersedes", ())}
        held = [e for e in self.held.pop(subject, []) if e.hash not in gone]
        if event.kind == "vote":
            self.votes.pop(subject, None)
            self.votes[subject] = event
        elif event.kind == "guess":
            self.guesses = event
        elif event.kind == "held":
            held = [e for e in held if find_page(e) != find_page(event)] + [event]
        elif subject in self.votes and self.votes[subject].hash in gone:
            del self.votes[subject]
        if held:
            self.held[subject] = held
        self.latest[subject], self.receipt = event.idempotency, event.hash


def find_subject(event: Event) -> str:
    """The item that a vote, a held choice or an undo is about, or the guesses."""
    return str(event.body.get("item", GUESSES))


def find_page(event: Event) -> str:
    """The page that an event came from; its idempotency key is PAGE:TURN."""
    return event.idempotency.rpartition(":")[0]


def _turn(event: Event) -> int:
    last = event.idempotency.rpartition(":")[2]
    return int(last) if last.isdecimal() else 0


def fold_sitting(events: Iterable[Event]) -> Sitting:
    """Folds a slot's events, oldest first."""
    sitting = Sitting()
    for event in events:
        sitting.take(event)
    return sitting


def place_choice(
    events: Sequence[Event], comments: Mapping[int, str], choice: HeldChoice
) -> Event | tuple[str, str, dict[str, Any]] | None:
    """Decide what becomes of a choice, given its slot's events and the comments on them by seq:
    (kind, idempotency, body) of the event to append, or the event that says it already, or None
    for an undo of what does not stand.
    """
    sitting, subject = fold_sitting(events), str(choice.body.get("item", GUESSES))
    of_page = [e for e in events if find_page(e) == choice.page]
    own = [e for e in of_page if find_subject(e) == subject]
    turn = choice.turn
    for event in own[-1:] if turn is None else [e for e in own if _turn(e) == turn]:
        if _read_event(event, comments, choice) == choice.body:
            return event  # Its answer was lost, and it was sent again.
    if turn is None or any(_turn(e) == turn for e in of_page):
        turn = max((_turn(e) for e in of_page), default=0) + 1
    elif own and turn < _turn(own[-1]):
        return own[-1]  # Overtaken on its way by a later choice of the same page.
    idempotency = f"{choice.page}:{turn}"
    there, standing = sitting.list_choices(subject), sitting.find_standing(subject)
    if choice.kind == "undo":
        mine = [e for e in there if find_page(e) == choice.page]
        return ("undo", idempotency, {**choice.body, "undone": mine[-1].hash}) if mine else None
    seen = max(
        (e.seq for e in events if e.idempotency == choice.seen and find_subject(e) == subject),
        default=0,
    )
    known = [e for e in there if find_page(e) == choice.page or e.seq <= seen]
    if standing is None or standing in known:
        links = {"supersedes": [e.hash for e in known]} if known else {}
        return choice.kind, idempotency, {**choice.body, **links}
    for event in there:
        if _read_event(event, comments, choice).items() >= choice.body.items():
            return event  # Another page said the same and perhaps more: nothing to ask about.
    return "held", idempotency, {**choice.body, "unseen": standing.hash}


def _read_event(event: Event, comments: Mapping[int, str], choice: HeldChoice) -> dict[str, Any]:
    """Read what an event keeps, as a choice of that kind says it; nothing where it is of
    another.
    """
    if event.kind != choice.kind and (event.kind != "held" or choice.kind == "undo"):
        return {}
    said = {name: value for name, value in event.body.items() if name not in _LINKS}
    if "comment_sha256" in event.body:
        # Of a comment that was deleted since, nothing speaks against its being the same.
        words = comments.get(event.seq, choice.body.get("comment"))
        said |= {"comment": words} if words else {}
    return said


def find_out_of_place(events: Iterable[Event]) -> list[str]:
    """Find what in a slot's events, oldest first, does not follow from the ones before: a choice
    that takes another one's place and does not say so, or an undo of what does not stand.
    """
    sitting, problems = Sitting(), []
    for event in events:
        standing = sitting.find_standing(find_subject(event))
        stands = standing.hash if standing else None
        there = {e.hash for e in sitting.list_choices(find_subject(event))}
        where = f"event {event.seq} of slot {event.slot + 1}"
        named = event.body.get("supersedes", [])
        if event.kind in ("vote", "guess"):
            if standing is not None and stands not in named:
                problems.append(f"{where}: it takes the place of event {standing.seq} unsaid")
            if not set(named) <= there:
                problems.append(f"{where}: what it supersedes does not stand there")
        elif event.kind == "held" and event.body.get("unseen") != stands:
            problems.append(f"{where}: it waits beside a choice that does not stand")
        elif event.kind == "undo" and event.body.get("undone") not in there:
            problems.append(f"{where}: it takes back what does not stand")
        sitting.take(event)
    return problems
