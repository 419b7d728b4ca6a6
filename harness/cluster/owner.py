"""Lets one job at a time make a stage, also where locks hold on one node alone, or nowhere.

A job writes its number beside the stage; another one that finds it asks the queue whether that job
is still there. Locks are different: over NFS they may exclude nobody, and elsewhere they outlive a
node that failed.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.cluster import slurm

_POLL_SECONDS = 10.0


def is_job() -> bool:
    """Says whether this process is of a job of SLURM, which alone can be told from others."""
    return "SLURM_JOB_ID" in os.environ


@contextmanager
def hold(file: Path, show_waiting: Callable[[], None]) -> Iterator[None]:
    """Holds `file` for this job; as long as another living job holds it, this one waits.

    A process that is no job of SLURM holds nothing.
    """
    number = os.environ.get("SLURM_JOB_ID")
    if number is None:
        yield
        return
    waits = False
    while not _take(file, number):
        other = _read(file)
        # Its own number: this job was begun again.
        if other == number:
            break
        if other is None:  # gone since; to move what is there now would be to move another's
            continue
        if not slurm.is_alive(other):
            _remove(file, other, number)
            continue
        if not waits:
            show_waiting()
            waits = True
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        _remove(file, number, number)


def _take(file: Path, number: str) -> bool:
    """Writes the file, whole, unless there is one; a link is atomic over NFS, too."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=f"{file.name}.") as own_file:
        own_file.write(number)
        own_file.flush()
        os.fsync(own_file.fileno())
        try:
            os.link(own_file.name, file)
        except FileExistsError:
            return False
    return True


def _remove(file: Path, other: str, number: str) -> None:
    """Removes the file of a job; one that another has taken meanwhile is put back."""
    aside = file.with_name(f"{file.name}.{number}.old")
    with suppress(FileNotFoundError):
        file.rename(aside)
        if _read(aside) != other:
            with suppress(FileExistsError):
                os.link(aside, file)
        aside.unlink()


def _read(file: Path) -> str | None:
    with suppress(FileNotFoundError):
        return file.read_text(encoding="utf-8").strip()
    return None
