"""A sweep's end: one table of its members, best first, and one page, however many jobs it had."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback


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
        _begun = Begun(Path(config.store).expanduser(), Path(config.hydra.sweep.dir).expanduser())


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
    print_members(report, console)
    say_where(report, _begun.store, _begun.folder, console)
