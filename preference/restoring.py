"""Put a backup of the votes in the place of what was lost; what was deleted since stays deleted.

PACK/deletions.jsonl notes which raters withdrew and which comments were deleted: numbers, and
nothing that anyone wrote or chose. A backup that is older knows nothing of them.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from preference.backup import check_copy
from preference.ballots import NAME, Ballots, read_deletions
from preference.closing import open_ballots
from preference.errors import BallotError, StudyStateError
from preference.pack import read_pack
from preference.votes_file import refuse_half_copy


@dataclass(frozen=True)
class Restored:
    """Tells what a restore did. events: that stand there now; aside: where the file lies that was
    there before, or None; withdrawn, forgotten: raters (from 1) and comments deleted again."""

    events: int
    aside: Path | None
    withdrawn: tuple[int, ...]
    forgotten: tuple[int, ...]


def restore(pack_dir: Path, backup: Path) -> Restored:
    """Puts a copy of a backup in place of the votes, whose file is kept beside it.

    Raises StudyStateError where the study is being served, or the votes that are there are whole
    and closed, and BallotError for a backup that is damaged or another study's.
    """
    from preference.serving import served_alone

    pack = read_pack(pack_dir)
    if not backup.exists():
        raise BallotError(f"{backup}: there is no such file")
    refuse_half_copy(backup)
    with served_alone(pack_dir, "this study"):
        handle, name = tempfile.mkstemp(dir=pack_dir, prefix=f".{NAME}.")
        os.close(handle)
        partial = Path(name)
        try:
            shutil.copyfile(backup, partial)
            check_copy(partial, pack["commitment"])
            aside = _move_aside(pack_dir)
            partial.rename(pack_dir / NAME)
        finally:
            partial.unlink(missing_ok=True)
        ballots = open_ballots(pack_dir, pack)
        try:
            withdrawn, forgotten = _delete_again(pack_dir, ballots)
            events = ballots.find_head()[0]
        finally:
            ballots.close_file()
    return Restored(events, aside, withdrawn, forgotten)


def _move_aside(pack_dir: Path) -> Path | None:
    """Moves what is there, whole or damaged, with all that belongs to it."""
    there = pack_dir / NAME
    if not there.exists():
        return None
    if (pack_dir / "closed.json").exists():
        raise StudyStateError(
            f"the study in {pack_dir} is closed, and its head published; older votes would not fit"
            " it. Remedy: if its file is lost, move closed.json away first"
        )
    now = datetime.now(UTC)
    aside = pack_dir / f"before-{now:%Y%m%dT%H%M%S}-{now.microsecond:06d}"
    aside.mkdir(mode=0o700)
    for part in (NAME, f"{NAME}-wal", f"{NAME}-shm"):
        if (pack_dir / part).exists():
            (pack_dir / part).rename(aside / part)
    return aside


def _delete_again(pack_dir: Path, ballots: Ballots) -> tuple[tuple[int, ...], tuple[int, ...]]:
    deletions = read_deletions(pack_dir / NAME)
    withdrawn = [
        slot
        for slot in deletions.withdrawn
        if (sitting := ballots.fold_sitting(slot)).nonce is not None and not sitting.withdrawn
    ]
    for slot in withdrawn:
        ballots.withdraw(slot)
    # A comment by its hash: after a loss, another vote may bear the number.
    forgotten = [one.seq for one in ballots.list_comments() if one.hash in deletions.comments]
    if forgotten:
        ballots.forget(forgotten)
    return tuple(slot + 1 for slot in withdrawn), tuple(forgotten)
