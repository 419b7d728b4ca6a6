"""Links for raters. Their tokens are printed once; only hashes of them are kept."""

from pathlib import Path

from harness.preference.closing import open_ballots
from harness.preference.errors import BallotError
from harness.preference.pack import read_pack


def invite(pack_dir: Path, rater: int | None = None) -> list[tuple[int, str]]:
    """(slot, token) for one rater (from 1), or for all who have neither started nor a packet."""
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    try:
        if rater is not None:
            slots = [slot_of(rater, len(pack["slots"]))]
        else:
            sittings = [(s, ballots.sitting(s)) for s in range(len(pack["slots"]))]
            slots = [s for s, one in sittings if one.nonce is None and not one.withdrawn]
            if not slots:
                raise BallotError(
                    "all raters have started. Remedy: --rater N gives one of them a new link"
                )
        return [(slot, ballots.invite(slot)) for slot in slots]
    finally:
        ballots.close_file()


def revoke(pack_dir: Path, rater: int) -> None:
    """Ends a rater's links and sessions."""
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    try:
        ballots.revoke(slot_of(rater, len(pack["slots"])))
    finally:
        ballots.close_file()


def slot_of(rater: int, slots: int) -> int:
    """The slot of a rater's number. Raises BallotError for one that the study lacks."""
    if not 1 <= rater <= slots:
        raise BallotError(f"there is no rater {rater}; this study has raters 1 to {slots}")
    return rater - 1
