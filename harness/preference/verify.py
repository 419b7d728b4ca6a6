"""Derives a closed study again from its revealed key, and names everything that differs.

Anyone can run it on the files that `unblind` writes: it needs no server and trusts no file. What it
cannot show is that the votes are those of native speakers, nor that nobody compared texts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.lines import read_json_lines
from harness.preference.ballots import NAME, Ballots, sitting_of
from harness.preference.chain import Event, Row, check_chain, check_withdrawals, read_row, removed
from harness.preference.commitment import canonical, digest
from harness.preference.errors import PackError, StudyStateError, VerificationError
from harness.preference.files import read_json
from harness.preference.key import Content, Key, read_key
from harness.preference.pack import COMMITMENT, PACK, pack_of
from harness.preference.screens import CHOICES, screens


@dataclass(frozen=True)
class Check:
    """A check by name, and what is wrong; empty where nothing is."""

    name: str
    problems: tuple[str, ...]


def verify(
    directory: Path, key_path: Path, *, commitment: str | None = None, head: str | None = None
) -> list[Check]:
    """All checks, passed. directory: a pack's, or what `unblind` wrote; commitment, head: as they
    were published elsewhere, to be held against the files. Raises VerificationError naming each
    check that failed."""
    checks = inspect(directory, key_path, commitment=commitment, head=head)
    failed = [f"{check.name}: {problem}" for check in checks for problem in check.problems]
    if failed:
        raise VerificationError("the study does not verify:\n  " + "\n  ".join(failed))
    return checks


def inspect(
    directory: Path, key_path: Path, *, commitment: str | None = None, head: str | None = None
) -> list[Check]:
    """All checks, passed or not."""
    key = read_key(key_path)
    pack = read_json(directory / PACK, PackError, "pack")
    published = read_json(directory / COMMITMENT, PackError, "published commitment")
    closed = read_json(
        directory / "closed.json", StudyStateError, "record of the closing (is the study closed?)"
    )
    rows = _rows(directory, str(published.get("commitment")))
    chain, events = check_chain(rows, str(published.get("commitment")))
    checks = [
        Check("commitment", tuple(_commitment(key, pack, published, closed, commitment))),
        Check("pack", tuple(_pack(key, pack, published))),
        Check("names", tuple(_names(key, pack))),
        Check("vote chain", tuple(chain + _head(rows, closed, head))),
        Check(_withdrawn(events), tuple(check_withdrawals(events))),
    ]
    # Votes can be held only against a pack that is the key's.
    problems = [] if any(check.problems for check in checks[:2]) else _votes(pack, events)
    return [*checks, Check("votes and order", tuple(problems))]


def _rows(directory: Path, commitment: str) -> list[Row]:
    if (directory / NAME).exists():
        ballots = Ballots(directory / NAME, commitment)
        try:
            return ballots.rows()
        finally:
            ballots.close_file()
    try:
        return [read_row(row) for _, row in read_json_lines(directory / "votes.jsonl")]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise VerificationError(
            f"{directory}: neither {NAME} nor votes.jsonl can be read ({error})"
        ) from None


def _withdrawn(events: Sequence[Event]) -> str:
    emptied = removed(events)
    if not emptied:
        return "withdrawals: none"
    names = ", ".join(
        f"rater {slot + 1} ({count} events emptied)" for slot, count in emptied.items()
    )
    return f"withdrawals: {len(emptied)}, {names}"


def _commitment(
    key: Key,
    pack: Mapping[str, Any],
    published: Mapping[str, Any],
    closed: Mapping[str, Any],
    elsewhere: str | None,
) -> list[str]:
    problems = []
    wanted = key.commitment
    for name, value in (
        ("commitment.json", published.get("commitment")),
        ("the pack", pack.get("commitment")),
        ("closed.json", closed.get("commitment")),
    ):
        if value != wanted:
            problems.append(
                f"the key gives {wanted[:16]}..., {name} has {str(value)[:16]}...: the key, the"
                " names, the texts or the plan were changed"
            )
    if elsewhere is not None and elsewhere != wanted:
        problems.append(
            f"published elsewhere was {elsewhere[:16]}..., the key gives {wanted[:16]}..."
        )
    if published.get("plan") != dict(key.plan):
        problems.append("the published analysis plan is not the key's")
    return problems


def _pack(key: Key, pack: Mapping[str, Any], published: Mapping[str, Any]) -> list[str]:
    problems = []
    if digest(pack) != published.get("pack_sha256"):
        problems.append("pack.json is not the pack whose hash was published")
    derived = pack_of(key)
    problems += [
        f"{part} is not what the key gives"
        for part in sorted(derived.keys() | pack.keys())
        if canonical(derived.get(part)) != canonical(pack.get(part))
    ]
    return problems


def _names(key: Key, pack: Mapping[str, Any]) -> list[str]:
    """Exchanges the arms' names, and the arms' texts of every second question, in the key: all of
    the pack stays but for the commitment, which binds whose each text is and hides it."""
    rows = tuple(
        (q, c, p, two, one) if number % 2 else (q, c, p, one, two)
        for number, (q, c, p, one, two) in enumerate(key.content.rows)
    )
    other = replace(
        key, content=Content(rows), arms=(key.arms[1], key.arms[0]), trained=1 - key.trained
    )
    one, two = ({**pack_of(k), "commitment": ""} for k in (key, other))
    return [] if canonical(one) == canonical(two) else ["the pack depends on whose a text is"]


def _head(
    rows: Sequence[Row],
    closed: Mapping[str, Any],
    elsewhere: str | None,
) -> list[str]:
    problems = []
    last = rows[-1].hash if rows else None
    if not rows or rows[-1].kind != "close":
        problems.append("the chain does not end with the closing")
    if closed.get("head") != last or closed.get("events") != len(rows):
        problems.append(
            f"closed.json has {closed.get('events')} events and head"
            f" {str(closed.get('head'))[:16]}..., the chain {len(rows)} and {str(last)[:16]}..."
        )
    if elsewhere is not None and elsewhere != last:
        problems.append(
            f"published elsewhere was head {elsewhere[:16]}..., the chain has {str(last)[:16]}..."
        )
    return problems


def _votes(pack: Mapping[str, Any], events: Sequence[Event]) -> list[str]:
    """Whether every vote was cast on what the pack and the nonces put before that rater."""
    problems = []
    pair_nonces: dict[int, str] = {}
    for slot in range(len(pack["slots"])):
        own = [event for event in events if event.slot == slot]
        sitting = sitting_of(own)
        if sitting.nonce is None or sitting.pair_nonce is None:
            if any(event.kind == "vote" for event in own):
                problems.append(f"slot {slot + 1} voted without having enrolled")
            continue
        if pair_nonces.setdefault(slot // 2, sitting.pair_nonce) != sitting.pair_nonce:
            problems.append(
                f"slots {slot} and {slot + 1} do not share a nonce, so their sides are not mirrored"
            )
        shown = {
            screen.item: screen for screen in screens(pack, slot, sitting.nonce, sitting.pair_nonce)
        }
        for event in own:
            if event.kind != "vote":
                continue
            screen = shown.get(event.body.get("item", ""))
            where = f"event {event.seq} of slot {slot + 1}"
            if screen is None:
                problems.append(f"{where}: its item is not that rater's")
            elif event.body.get("choice") not in CHOICES:
                problems.append(f"{where}: its choice is none")
            elif (event.body.get("place"), event.body.get("a"), event.body.get("b")) != (
                screen.place,
                screen.a,
                screen.b,
            ):
                problems.append(
                    f"{where}: it was cast in another order or with other sides than the key and"
                    " the nonces give"
                )
    return problems
