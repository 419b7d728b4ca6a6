"""The SQLite file of the votes: private, whole when closed, no trace of what was deleted.

While it is in use, the newest votes lie in `votes.sqlite-wal` beside it (WAL), and a copy of the
one file lacks them. So the last program to close the file turns it back into a single one, which
its header then says: a file whose header says WAL and that has no -wal beside it is half a copy.
"""

import contextlib
import os
import sqlite3
import time
from pathlib import Path

from preference.errors import StudyStateError

_WAL_VERSION = b"\x02\x02"  # bytes 18 and 19 of the header (https://sqlite.org/fileformat2.html)
_PATIENCE = 30.0


def open_votes(path: Path) -> sqlite3.Connection:
    """A connection for writing. Raises StudyStateError for a copy without its newest votes."""
    refuse_half_copy(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # SQLite gives -wal and -shm the mode of the file itself.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with contextlib.suppress(PermissionError):
        path.chmod(0o600)
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=_PATIENCE)
    db.execute("PRAGMA secure_delete=ON")
    db.execute("PRAGMA temp_store=MEMORY")
    db.execute("PRAGMA synchronous=FULL")
    deadline = time.monotonic() + _PATIENCE
    # Another program that closes the file may be turning it back just now.
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("BEGIN IMMEDIATE")
            db.execute("COMMIT")
            if db.execute("PRAGMA journal_mode").fetchone() == ("wal",):
                return db
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                db.close()
                raise
        time.sleep(0.02)


def close_votes(db: sqlite3.Connection) -> None:
    """Closes a connection; the last one leaves one whole file and nothing beside it."""
    with contextlib.suppress(sqlite3.OperationalError):  # others have it open: theirs to do
        db.execute("PRAGMA busy_timeout=0")
        db.execute("PRAGMA journal_mode=DELETE")
    db.close()


def note_deletion(db: sqlite3.Connection) -> None:
    """Part of a transaction that deletes: should the program be killed before it wipes, the next
    one to open the file does."""
    db.execute("PRAGMA application_id=1")


def wipe(db: sqlite3.Connection) -> bool:
    """Takes deleted text out of the file's free space and out of the -wal; False where another
    program was reading all the while, and the -wal has to wait for the next one to close."""
    db.execute("VACUUM")
    if db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        return False
    db.execute("PRAGMA application_id=0")
    return True


def wipe_what_was_left(db: sqlite3.Connection) -> None:
    """Wipes where a program deleted and was killed before it could."""
    if db.execute("PRAGMA application_id").fetchone() != (0,):
        wipe(db)


def refuse_half_copy(path: Path) -> None:
    """Raises StudyStateError where the file was in use when it was copied and its -wal is not here:
    it may lack all votes, and would say so of none."""
    wal = path.with_name(f"{path.name}-wal")
    for _ in range(10):
        if not _says_wal(path) or wal.exists():
            return
        time.sleep(0.05)  # a program that opens or closes it passes through this state
    raise StudyStateError(
        f"{path} was in use when it was copied, and {wal.name}, which holds the newest votes, is"
        " not beside it: votes are missing. Remedy: kakugo-preference backup PACK --out FILE where"
        f" the study is served, or copy {wal.name} as well. Where there is no more than this file,"
        f" an empty {wal.name} beside it opens what there is"
    )


def _says_wal(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(20)[18:] == _WAL_VERSION
    except FileNotFoundError:
        return False
