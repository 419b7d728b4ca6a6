"""Closes a study for good, and gives its votes to whoever unblinds it.

PACK/closed.json holds the head of the chain of votes; it is to be published at the close.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.shell import quote_for_shell
from preference.ballots import NAME, Ballots
from preference.chain import EventRow
from preference.errors import StudyStateError
from preference.files import read_json, write_json
from preference.pack import read_pack

CLOSED = "closed.json"


def close(pack_dir: Path) -> dict[str, Any]:
    """Ends the voting for good and writes the head of the chain, which is to be published.

    Repeats safely: a study that was closed and whose file is missing gets it written again.
    """
    pack = read_pack(pack_dir)
    ballots = open_ballots(pack_dir, pack)
    if not ballots.is_closed():
        ballots.close_study()
    published = make_record_of_closing(pack, ballots.list_rows())
    write_json(pack_dir / CLOSED, published)
    ballots.close_file()
    return published


def make_record_of_closing(pack: Mapping[str, Any], rows: Sequence[EventRow]) -> dict[str, Any]:
    """Make what closed.json holds, to be published at the close. rows: the whole chain."""
    return {
        "study": pack["study"],
        "commitment": pack["commitment"],
        "events": len(rows),
        "head": rows[-1].hash,
        "closed_at": rows[-1].at,
    }


def open_ballots(pack_dir: Path, pack: Mapping[str, Any]) -> Ballots:
    """The votes of the pack in this directory; begun if there are none."""
    return Ballots(pack_dir / NAME, pack["commitment"])


def read_closed_rows(pack_dir: Path) -> tuple[list[EventRow], dict[str, Any]]:
    """The chain of a closed study and what was published. Raises StudyStateError while it is open:
    there is no result before the close."""
    pack = read_pack(pack_dir)
    if not (pack_dir / NAME).exists():
        raise StudyStateError(f"{pack_dir} holds no votes yet")
    ballots = open_ballots(pack_dir, pack)
    try:
        if not ballots.is_closed():
            raise StudyStateError(
                f"the study in {pack_dir} is open; nothing can be unblinded. Remedy:"
                f" kakugo-preference close {quote_for_shell(pack_dir)}, once all raters have "
                "finished"
            )
        rows = ballots.list_rows()
    finally:
        ballots.close_file()
    return rows, read_json(pack_dir / CLOSED, StudyStateError, "record of the closing")
