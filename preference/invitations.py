"""Links for raters: made once for each, and shown again whenever they are asked for.

A link's token follows from a secret beside the votes, PACK/links.key, which the owner alone can
read. The votes hold only hashes of tokens: a copy of that file opens nothing.
"""

import base64
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from preference.admin_app import count_sessions
from preference.ballots import Ballots
from preference.closing import open_ballots
from preference.errors import BallotError, StudyStateError
from preference.files import read_json, write_json
from preference.pack import read_pack

SECRET, ADDRESS = "links.key", "address.json"
# Digits and letters of which none is taken for another (Crockford's base 32).
_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Link:
    """A rater's link and state. token is None where there is no link to show, and `why` says so."""

    slot: int
    token: str | None
    state: str
    why: str = ""


def list_links(pack_dir: Path, rater: int | None = None) -> list[Link]:
    """Every rater's link, or one rater's (from 1). Makes those that were never made and ends none.
    Raises StudyStateError once the study is closed."""
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    try:
        if ballots.is_closed():
            raise StudyStateError(f"the study in {pack_dir} is closed; no link opens it any more")
        slots = (
            range(len(pack["slots"])) if rater is None else [find_slot(rater, len(pack["slots"]))]
        )
        drawn = _make_token_maker(pack_dir)
        states = [row["state"] for row in count_sessions(pack, ballots)]
        return [_make_link(ballots, drawn, slot, states[slot]) for slot in slots]
    finally:
        ballots.close_file()


def renew_link(pack_dir: Path, rater: int) -> Link:
    """A new link for a rater. The earlier one ends, and so does the rater's open page; their
    choices stay. Raises BallotError for who has withdrawn or rates on a packet."""
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    try:
        slot = find_slot(rater, len(pack["slots"]))
        token = ballots.invite(slot, _make_token_maker(pack_dir))
        return Link(slot, token, count_sessions(pack, ballots)[slot]["state"])
    finally:
        ballots.close_file()


def revoke(pack_dir: Path, rater: int) -> None:
    """Ends a rater's links and sessions."""
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    try:
        ballots.revoke(find_slot(rater, len(pack["slots"])))
    finally:
        ballots.close_file()


def find_slot(rater: int, slots: int) -> int:
    """The slot of a rater's number. Raises BallotError for one that the study lacks."""
    if not 1 <= rater <= slots:
        raise BallotError(f"there is no rater {rater}; this study has raters 1 to {slots}")
    return rater - 1


def remember_addresses(pack_dir: Path, addresses: list[str]) -> None:
    """Notes under which addresses the study was served last, for the links."""
    write_json(pack_dir / ADDRESS, {"addresses": addresses})


def read_known_addresses(pack_dir: Path) -> list[str]:
    """The addresses under which the study was served last, the likeliest first; none if it was not,
    or was served behind a proxy, whose address nobody here knows."""
    if not (pack_dir / ADDRESS).exists():
        return []
    found = read_json(pack_dir / ADDRESS, StudyStateError, "note of the addresses")
    return [str(address) for address in found.get("addresses", [])]


def make_code_finder(pack_dir: Path) -> Callable[[int], str]:
    """Slot -> the code with which a rater shows that they have finished: eight signs that nobody
    can guess, and that say nothing of their votes."""
    secret = _read_secret(pack_dir)

    def find_code(slot: int) -> str:
        digest = hmac.digest(secret.encode(), f"finished:{slot}".encode(), "sha256")
        number = int.from_bytes(digest[:5])
        signs = "".join(_SIGNS[number >> 5 * place & 31] for place in range(8))
        return f"{signs[:4]}-{signs[4:]}"

    return find_code


def _make_link(ballots: Ballots, drawn: Callable[[int, int], str], slot: int, state: str) -> Link:
    if state == "withdrawn":
        return Link(slot, None, state)
    if ballots.fold_sitting(slot).on_paper:
        return Link(slot, None, state, "on a packet, without a link")
    token = ballots.invite(slot, drawn, once=True)
    if not ballots.has_live_link(slot):
        return Link(slot, None, state, "the link was revoked")
    if ballots.find_invited(token) != (slot, False):
        return Link(slot, None, state, "the link that was made cannot be shown again")
    return Link(slot, token, state)


def _make_token_maker(pack_dir: Path) -> Callable[[int, int], str]:
    """(slot, how many links were made before) -> token, 144 bits of an HMAC."""
    secret = _read_secret(pack_dir)

    def drawn(slot: int, before: int) -> str:
        digest = hmac.digest(secret.encode(), f"{slot}:{before}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest[:18]).decode("ascii")

    return drawn


def _read_secret(pack_dir: Path) -> str:
    path = pack_dir / SECRET
    if not path.exists():
        write_json(path, {"secret": secrets.token_hex(32)}, secret=True)
    return str(read_json(path, BallotError, "secret of the links")["secret"])
