"""A whole copy of the votes while they are being given: one private file, checked before it counts.

SQLite's own online backup, so that no vote that was acknowledged before it began is missing.
"""

import os
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path

from preference.ballots import NAME, Ballots
from preference.chain import check_chain
from preference.errors import BallotError, StudyStateError
from preference.pack import read_pack
from preference.votes_file import refuse_half_copy


@dataclass(frozen=True)
class Copied:
    """Tells what a backup holds: the chain's length and head, and how many comments."""

    events: int
    head: str
    comments: int


def back_up(pack_dir: Path, out: Path) -> Copied:
    """Copies the votes of a pack, served or not, to `out`. Raises BallotError where `out` exists or
    the copy is not whole, and StudyStateError where there are no votes yet."""
    pack = read_pack(pack_dir)
    source = pack_dir / NAME
    if not source.exists():
        raise StudyStateError(f"{pack_dir} holds no votes yet")
    if out.exists():
        raise BallotError(f"{out} exists; a backup replaces nothing. Remedy: another --out")
    refuse_half_copy(source)
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")  # readable by us alone
    os.close(handle)
    partial = Path(name)
    try:
        _copy_votes(source, partial)
        copied = check_copy(partial, pack["commitment"])
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        try:
            os.link(partial, out)  # unlike a rename, this never replaces a file
        except FileExistsError:
            raise BallotError(f"{out} exists; a backup replaces nothing") from None
    finally:
        partial.unlink(missing_ok=True)
    return copied


def _copy_votes(source: Path, target: Path) -> None:
    taken, given = sqlite3.connect(source, timeout=30), sqlite3.connect(target)
    try:
        taken.backup(given)
        # One file for all: the copy needs no -wal beside it.
        given.execute("PRAGMA journal_mode=DELETE")
    finally:
        given.close()
        taken.close()


def check_copy(path: Path, commitment: str) -> Copied:
    """Tell what a copy of the votes holds. Raises BallotError for one that is damaged, and
    StudyStateError for another study's."""
    with_errors = sqlite3.connect(path)
    try:
        found = [row[0] for row in with_errors.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        raise BallotError(f"the copy is damaged ({error}); nothing was kept of it") from None
    finally:
        with_errors.close()
    if found != ["ok"]:
        raise BallotError(f"the copy is damaged ({found[0]}); nothing was kept of it")
    ballots = Ballots(path, commitment)
    try:
        problems, events = check_chain(ballots.list_rows(), commitment)
        comments = len(ballots.list_comments())
        head = ballots.find_head()[1]
    finally:
        ballots.close_file()
    if problems:
        raise BallotError(f"the votes do not hold together: {problems[0]}")
    return Copied(len(events), head, comments)
