"""List what raters wrote and judged, for the researcher alone: read unblinded, deleted on request.

A comment lies in `votes.sqlite` beside the chain, which holds only a salted hash of it. After the
close it is shown with the arms' names, in PACK/comments.csv; nothing of it is ever published.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from core.shell import quote_for_shell
from preference.ballots import Ballots, Comment
from preference.chain import Event, as_event
from preference.closing import open_ballots, read_closed_rows
from preference.design import RaterItem
from preference.errors import BallotError, VerificationError
from preference.files import write_text
from preference.invitations import find_slot
from preference.key import Key, read_key
from preference.output import make_printable, to_csv
from preference.pack import read_pack
from preference.standing import fold_sitting

COMMENTS, READER = "comments.csv", "reader.html"
_STANDS = {
    "replaced": "replaced by a later vote",
    "waiting": "does not count: chosen differently before, and never decided",
}
T = TypeVar("T")


@dataclass(frozen=True)
class Remark:
    """A vote on which its rater wrote or judged something. left, right: whose answer stood on side
    A and B; chosen: whose was preferred, or equal; stands: yes where it counts,
    replaced where a later vote took its place, waiting where it differs from the one that counts
    and the rater never said which holds."""

    number: int
    rater: int
    question: str
    category: str
    kind: str
    left: str
    right: str
    chosen: str
    verdict_left: str
    verdict_right: str
    stands: str
    comment: str


def list_remarks(
    key: Key, events: Sequence[Event], comments: Mapping[int, Comment]
) -> list[Remark]:
    """Every vote with a comment that is still kept or with a verdict, in the order of the votes."""
    name_of = {
        text: (question, str(key.arms[arm]["name"]))
        for text, (question, arm) in key.map_texts().items()
    }
    found = []
    for slot, items in enumerate(key.list_items()):
        own = [event for event in events if event.slot == slot]
        sitting = fold_sitting(own)
        stands = {event.seq: "yes" for event in sitting.votes.values()}
        stands |= {event.seq: "waiting" for held in sitting.held.values() for event in held}
        undone = {event.body.get("undone") for event in own if event.kind == "undo"}
        by_id = {item.id: item for item in items}
        found += [
            _make_remark(
                event,
                by_id[event.body["item"]],
                name_of,
                comments,
                stands.get(event.seq, "replaced"),
            )
            for event in own
            if event.kind in ("vote", "held")
            and "item" in event.body
            and event.hash not in undone
            and (event.seq in comments or {"verdict_a", "verdict_b"} & event.body.keys())
        ]
    return sorted(found, key=lambda remark: remark.number)


def _make_remark(
    event: Event,
    item: RaterItem,
    name_of: Mapping[str, tuple[str, str]],
    comments: Mapping[int, Comment],
    stands: str,
) -> Remark:
    names = {}
    for side in "ab":
        question, name = name_of[event.body[side]]
        # Of a check, one side is an answer to another question.
        names[side] = name if question == item.question else f"{name} (to question {question})"
    return Remark(
        number=event.seq,
        rater=event.slot + 1,
        question=item.question,
        category=item.category,
        kind=item.kind,
        left=names["a"],
        right=names["b"],
        chosen=names.get(event.body["choice"], "equal"),
        verdict_left=event.body.get("verdict_a", ""),
        verdict_right=event.body.get("verdict_b", ""),
        stands=stands,
        comment=comments[event.seq].text if event.seq in comments else "",
    )


def read_remarks(pack_dir: Path, key_path: Path) -> list[Remark]:
    """The remarks of a closed study. Raises StudyStateError while it is open, and
    VerificationError where a comment is not the one that was sent or the key is another's."""
    rows, _ = read_closed_rows(pack_dir)
    key, pack = read_key(key_path), read_pack(pack_dir)
    if key.commitment != pack["commitment"]:
        raise VerificationError(f"{key_path} is not the key of the pack in {pack_dir}")
    ballots = open_ballots(pack_dir, pack)
    try:
        comments = {comment.seq: comment for comment in ballots.list_comments()}
    finally:
        ballots.close_file()
    if changed := [str(seq) for seq, comment in comments.items() if not comment.genuine]:
        raise VerificationError(f"comments that were changed: {', '.join(changed)}")
    return list_remarks(key, [as_event(row) for row in rows], comments)


def write_remarks(pack_dir: Path, key_path: Path) -> Path:
    """PACK/comments.csv, readable by its owner alone."""
    found = read_remarks(pack_dir, key_path)
    header = [field.name for field in fields(Remark)]
    text = to_csv(header, [astuple(remark) for remark in found])
    return write_text(pack_dir / COMMENTS, text, secret=True)


def as_lines(found: Sequence[Remark]) -> list[str]:
    """Remarks for a terminal, each with its words below it."""
    lines = []
    for one in found:
        judged = [
            f"{name} is {verdict}"
            for name, verdict in ((one.left, one.verdict_left), (one.right, one.verdict_right))
            if verdict
        ]
        choice = "equal" if one.chosen == "equal" else f"{one.chosen} preferred"
        facts = [f"A {one.left}, B {one.right}: {choice}", *judged]
        facts += ["hidden repeat"] if one.kind == "repeat" else []
        facts += [_STANDS[one.stands]] if one.stands in _STANDS else []
        lines.append(
            f"{one.number}. rater {one.rater}, question {one.question} ({'; '.join(facts)})"
        )
        lines += [f"    {line}" for line in one.comment.split("\n") if line]
    return [make_printable(line) for line in lines]


def list_comments(pack_dir: Path) -> list[Comment]:
    """The comments of a study that is perhaps still open, by their numbers; unblinds nothing."""
    return _open_and_act(pack_dir, lambda ballots, _: ballots.list_comments())


def forget(pack_dir: Path, *, rater: int | None = None, numbers: Sequence[int] = ()) -> list[int]:
    """Deletes comments for good, by number or all of one rater, in an open study or a closed one.
    The votes stay and verify as before. Raises BallotError for a number that is no comment's."""

    def delete(ballots: Ballots, pack: Mapping[str, Any]) -> list[int]:
        kept = {comment.seq: comment.slot for comment in ballots.list_comments()}
        if unknown := [number for number in numbers if number not in kept]:
            raise BallotError(
                f"there is no comment {unknown[0]}. Remedy: kakugo-preference forget"
                f" {quote_for_shell(pack_dir)}"
                " lists their numbers"
            )
        chosen = sorted(set(numbers))
        if rater is not None:
            slot = find_slot(rater, len(pack["slots"]))
            chosen = [seq for seq, whose in kept.items() if whose == slot]
        if not ballots.forget(chosen):
            raise BallotError(
                "the comments are deleted, but another program was reading the votes, so that the"
                " old pages are not cleared yet. Remedy: stop it, which clears them"
            )
        return chosen

    chosen = _open_and_act(pack_dir, delete)
    _blank_forgotten(pack_dir)
    return chosen


def withdraw(pack_dir: Path, rater: int) -> None:
    """Withdraws a rater who asked for it, as their own page does: before the close, for good."""

    def act(ballots: Ballots, pack: Mapping[str, Any]) -> None:
        slot = find_slot(rater, len(pack["slots"]))
        ballots.withdraw(slot)
        ballots.end_links(slot)

    _open_and_act(pack_dir, act)


def _blank_forgotten(pack_dir: Path) -> None:
    """Takes the words out of comments.csv that the votes hold no more, and the page that shows
    them away; `read` writes it again."""
    (pack_dir / READER).unlink(missing_ok=True)
    path = pack_dir / COMMENTS
    if not path.exists():
        return
    kept = {str(comment.seq) for comment in list_comments(pack_dir)}
    with path.open(encoding="utf-8", newline="") as lines:
        header, *rows = list(csv.reader(lines))
    number, words = header.index("number"), header.index("comment")
    for row in rows:
        if row[number] not in kept:
            row[words] = ""
    write_text(path, to_csv(header, rows), secret=True)


def _open_and_act(pack_dir: Path, act: Callable[[Ballots, Mapping[str, Any]], T]) -> T:
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    try:
        return act(ballots, pack)
    finally:
        ballots.close_file()
