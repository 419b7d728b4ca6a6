"""Derives a closed study again from its revealed key, and names everything that differs.

Anyone can run it on the files that `unblind` writes: it needs no server and trusts no file. Each of
them is made again from the key and the votes, and compared byte for byte.

Whoever can write the whole folder can also make up a study that fits together. So key and votes are
to be held against the commitment and the head as they were published elsewhere; what was not held
so is said (`Check.unheld`). What cannot be shown at all is that the votes are those of native
speakers, nor that nobody compared texts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.contract.names import MANIFEST, RESULT
from core.lines import LineError, read_json_lines
from preference.ballots import NAME, Ballots, Comment
from preference.chain import (
    Event,
    EventRow,
    check_chain,
    check_withdrawals,
    count_removed,
    read_row,
)
from preference.closing import CLOSED, make_record_of_closing
from preference.commitment import hash_canonical, write_canonical
from preference.comparing import compare_contents, compare_names
from preference.errors import PackError, StudyStateError, VerificationError
from preference.files import read_json
from preference.key import Content, Key, read_key
from preference.pack import COMMITMENT, PACK, make_commitment, pack_of
from preference.publishing import (
    VOTES,
    compute_result,
    make_published_files,
    read_library_versions,
)
from preference.screens import lay_out_screens
from preference.shapes import find_odd
from preference.standing import find_out_of_place, fold_sitting
from preference.stopping import find_problems


@dataclass(frozen=True)
class Check:
    """A check by name, and what is wrong; empty where nothing is. unheld: what was held against
    nothing that was published, and how to do so."""

    name: str
    problems: tuple[str, ...]
    unheld: str = ""


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
    """All checks, passed or not. Raises a PreferenceError for a file that cannot be read at all."""
    if not directory.is_dir():
        raise StudyStateError(f"{directory}: there is no such folder")
    result = is_result(directory)
    key, derived = _derive_pack(key_path, published=result and key_path.parent == directory)
    pack = read_json(directory / PACK, VerificationError if result else PackError, "pack")
    published = read_json(
        directory / COMMITMENT, VerificationError if result else PackError, "published commitment"
    )
    closed = read_json(
        directory / CLOSED,
        VerificationError if result else StudyStateError,
        "record of the closing (is the study closed?)",
    )
    rows, comments = _read_chain(directory, str(published.get("commitment")), result)
    chain, events = check_chain(rows, str(published.get("commitment")))
    odd = {event.seq: what for event in events if (what := find_odd(event))}
    chain += [f"event {seq} is none that this program writes: {odd[seq]}" for seq in odd]
    events = [event for event in events if event.seq not in odd]
    checks = [
        Check(
            "commitment",
            tuple(_check_commitment(key, derived, pack, published, closed, commitment)),
            "" if commitment else "the key: --commitment, as published before the first vote",
        ),
        Check("pack", tuple(_pack(derived, pack, published))),
        Check("names", tuple(_check_names(key, derived))),
        Check(
            "vote chain",
            tuple(chain + _check_head(rows, pack, closed, head)),
            "" if head else "the votes: --head, as published when the study was closed",
        ),
        Check(_list_withdrawn(events), tuple(check_withdrawals(events))),
    ]
    # Votes can be held only against a pack that is the key's, and a result against such votes.
    fits = not any(check.problems for check in checks[:2])
    checks.append(Check("votes and order", tuple(_check_votes(pack, events) if fits else ())))
    if fits and not checks[-1].problems:
        name, problems = find_problems(key, events)
        checks.append(Check(name, tuple(problems)))
    if not result:
        checks.append(_check_comments(comments, events))
        return [*checks, Check("published files: none, this is a pack", ())]
    return [*checks, _check_files(directory, key, rows, any(check.problems for check in checks))]


def is_result(directory: Path) -> bool:
    """Tell whether a folder is what `unblind` wrote, and no pack."""
    names = (MANIFEST, RESULT, VOTES, "votes.csv", "summary.txt")
    return any((directory / name).exists() for name in names)


def _check_files(directory: Path, key: Key, rows: Sequence[EventRow], failed: bool) -> Check:
    """The folder against what the key and the votes give. failed: they do not fit together, so that
    nothing can be derived but which files there should be."""
    try:
        result = compute_result(key, rows)
        # The versions of libraries are the one thing that is taken from the folder.
        theirs = read_json(directory / RESULT, VerificationError, "result").get("computed_with")
        named: dict[str, Any] = theirs if isinstance(theirs, dict) else {}
        files = make_published_files(
            key, rows, result | ({"computed_with": named} if named else {})
        )
    except (VerificationError, LookupError, TypeError, ValueError, AttributeError) as error:
        return Check("published files", (f"nothing can be derived ({error})",))
    problems = compare_names(directory, files)
    if not failed:
        problems += compare_contents(directory, files)
    unheld = ""
    if theirs != read_library_versions():
        there, here = (
            ", ".join(f"{name} {of}" for name, of in versions.items())
            for versions in (named, read_library_versions())
        )
        unheld = f"the versions of libraries: computed with {there or 'none named'}; here {here}"
        if problems:
            problems.append(f"other versions can be the cause: {unheld}")
    return Check(f"published files: {len(files)}, made again and compared", tuple(problems), unheld)


def _derive_pack(key_path: Path, *, published: bool) -> tuple[Key, dict[str, Any]]:
    """The key, and the pack that it gives. published: the key is one of a result's files, so that
    one which gives nothing was changed."""
    try:
        key = read_key(key_path)
        return key, pack_of(key)
    except PackError as error:
        if published:
            raise VerificationError(str(error)) from None
        raise


def _read_chain(
    directory: Path, commitment: str, result: bool
) -> tuple[list[EventRow], list[Comment]]:
    """The chain, and the comments beside it, which no result holds."""
    if not result:
        if not (directory / NAME).exists():
            raise StudyStateError(f"{directory} holds no votes: neither {NAME} nor {VOTES}")
        ballots = Ballots(directory / NAME, commitment)
        try:
            return ballots.list_rows(), ballots.list_comments()
        finally:
            ballots.close_file()
    try:
        return [read_row(row) for _, row in read_json_lines(directory / VOTES)], []
    except (OSError, LineError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise VerificationError(f"{directory / VOTES} cannot be read ({error})") from None


def _check_comments(kept: Sequence[Comment], events: Sequence[Event]) -> Check:
    """Tell whether the comments are those that were sent. One that is gone was taken back or
    deleted.
    """
    sent = sum("comment_sha256" in event.body for event in events)
    changed = [f"comment {one.seq} is not what its rater sent" for one in kept if not one.genuine]
    return Check(f"comments: {len(kept)} kept of {sent} sent", tuple(changed))


def _list_withdrawn(events: Sequence[Event]) -> str:
    emptied = count_removed(events)
    if not emptied:
        return "withdrawals: none"
    names = ", ".join(
        f"rater {slot + 1} ({count} events emptied)" for slot, count in emptied.items()
    )
    return f"withdrawals: {len(emptied)}, {names}"


def _check_commitment(
    key: Key,
    derived: Mapping[str, Any],
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
    fresh = make_commitment(key, derived)
    problems += [
        f"commitment.json: {name} is not what the key gives"
        for name in sorted(fresh.keys() | published.keys())
        if name not in ("commitment", "plan", "pack_sha256")
        and fresh.get(name) != published.get(name)
    ]
    return problems


def _pack(
    derived: Mapping[str, Any], pack: Mapping[str, Any], published: Mapping[str, Any]
) -> list[str]:
    problems = []
    if hash_canonical(pack) != published.get("pack_sha256"):
        problems.append("pack.json is not the pack whose hash was published")
    problems += [
        f"{part} is not what the key gives"
        for part in sorted(derived.keys() | pack.keys())
        if write_canonical(derived.get(part)) != write_canonical(pack.get(part))
    ]
    return problems


def _check_names(key: Key, derived: Mapping[str, Any]) -> list[str]:
    """Exchanges the arms' names, and the arms' texts of every second question, in the key: all of
    the pack stays but for the commitment, which binds whose each text is and hides it."""
    rows = tuple(
        (q, c, p, two, one) if number % 2 else (q, c, p, one, two)
        for number, (q, c, p, one, two) in enumerate(key.content.rows)
    )
    other = replace(
        key, content=Content(rows), arms=(key.arms[1], key.arms[0]), trained=1 - key.trained
    )
    one, two = ({**pack, "commitment": ""} for pack in (derived, pack_of(other)))
    return (
        []
        if write_canonical(one) == write_canonical(two)
        else ["the pack depends on whose a text is"]
    )


def _check_head(
    rows: Sequence[EventRow],
    pack: Mapping[str, Any],
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
    elif closed != make_record_of_closing(
        {"study": pack.get("study"), "commitment": closed.get("commitment")}, rows
    ):
        problems.append("closed.json says something else of the study than the pack and the chain")
    if elsewhere is not None and elsewhere != last:
        problems.append(
            f"published elsewhere was head {elsewhere[:16]}..., the chain has {str(last)[:16]}..."
        )
    return problems


def _check_votes(pack: Mapping[str, Any], events: Sequence[Event]) -> list[str]:
    """Tell whether every vote was cast on what the pack and the nonces put before that rater."""
    problems = []
    pair_nonces: dict[int, str] = {}
    for slot in range(len(pack["slots"])):
        own = [event for event in events if event.slot == slot]
        sitting = fold_sitting(own)
        problems += find_out_of_place(own)
        if sitting.nonce is None or sitting.pair_nonce is None:
            if any(event.kind in ("vote", "held") for event in own):
                problems.append(f"slot {slot + 1} voted without having enrolled")
            continue
        if pair_nonces.setdefault(slot // 2, sitting.pair_nonce) != sitting.pair_nonce:
            problems.append(
                f"slots {slot} and {slot + 1} do not share a nonce, so their sides are not mirrored"
            )
        shown = {
            screen.item: screen
            for screen in lay_out_screens(pack, slot, sitting.nonce, sitting.pair_nonce)
        }
        for event in own:
            where = f"event {event.seq} of slot {slot + 1}"
            if strange := event.body.get("guesses", {}).keys() - shown.keys():
                problems.append(f"{where}: it guesses on {min(strange)}, which is not that rater's")
            if "choice" not in event.body:
                continue
            screen = shown.get(event.body["item"])
            if screen is None:
                problems.append(f"{where}: its item is not that rater's")
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
