"""A sweep's end: one table of its members, best first, and one page, however many jobs it had."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf.errors import OmegaConfBaseException

from core.places import expand


@dataclass(frozen=True)
class Begun:
    """A sweep of this process: the store that its jobs write to, and the folder of their runs."""

    store: Path
    folder: Path


_begun: Begun | None = None


class Sweep(Callback):  # type: ignore[misc]
    """Tells where a sweep's jobs lie. Hydra makes it, as conf/run.yaml says, before the first job.

    Hydra itself tells nobody of a sweep's end where a job has failed, and that is when its table
    is wanted most: so the command line calls `end_sweep`.
    """

    def on_multirun_start(self, config: Any, **kwargs: Any) -> None:
        global _begun
        # A value that cannot be put in is told by the job, whose words are ours.
        with suppress(OmegaConfBaseException):
            folder = Path(expand(config.hydra.sweep.dir))
            _begun = Begun(Path(expand(config.store)), folder)


def end_sweep() -> None:
    """Prints the table of the sweep that has just ended, and writes its page; else does nothing."""
    if _begun is None or not _begun.folder.is_dir():
        return
    from rich.console import Console

    from harness.reporting import read_run, say_where
    from reports.errors import ReportsError
    from reports.outputs.terminal import print_members

    console = Console()
    try:
        report = read_run(_begun.store, _begun.folder)
    except ReportsError:
        return  # no job came so far that there is anything to tell
    if all(row.score is None for row in report.results.rows):
        console.print(f"No checkpoint was scored. Results: {_begun.store}", soft_wrap=True)
        return
    print_members(report, console)
    say_where(report, _begun.store, _begun.folder, console)
