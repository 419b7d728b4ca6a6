"""Does the work of a job, in a process of its own: `python -m harness.cluster.making REQUEST`."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from core.errors import MendableError
from core.processes import end_with_parent
from harness.cluster.job import find_end, list_lacking_inputs, write_end
from harness.cluster.jobs import find_ledger
from harness.cluster.owner import hold, is_job
from harness.cluster.requests import JobRequest, read_request
from harness.cluster.teacher import give_address
from harness.progress import Display
from harness.stage import Stage
from harness.stages.contamination import refuse_contaminated
from harness.store import Store


def make_stages(request: JobRequest, display: Display) -> bool:
    """Makes each stage of a request; returns whether all are there. What hinders one is written to
    its file, and the others are made all the same: one task's score does not wait for another's.

    Inputs must be there: a job makes nothing that is another's.
    """
    asked = {stage.key for stage in request.stages}

    def may_make(stage: Stage) -> str | None:
        if stage.key in asked:
            return None
        return f"it is another job's. Remedy: kakugo submit again, which submits {stage.label} too"

    store = Store(request.store, request.cache, display, may_make, hold if is_job() else None)
    whole = True
    for stage in request.stages:
        try:
            with hold_ledger(stage, display):
                artifact = store.build(give_address(stage, request.store))
            if request.clean:
                refuse_contaminated(artifact, partial(display.show_warnings, stage))
        except Exception as error:
            whole = False
            said = str(error) if isinstance(error, MendableError) else ""
            why = said or f"{type(error).__name__}: {error}"
            print(f"kakugo: {why}", file=sys.stderr)
            details = "" if said else traceback.format_exc()
            write_end(find_end(request.store, stage), why, details)
    return whole


@contextmanager
def hold_ledger(stage: Stage, display: Display) -> Iterator[None]:
    """Holds the ledger that a stage writes to, among the jobs of all users and nodes: it is an
    SQLite file, whose own locks may hold on one node alone. The queue's `singleton` is a user's."""
    ledger = find_ledger(stage)
    if ledger is None:
        yield
        return
    with hold(Path(f"{ledger}.owner"), lambda: display.show_waiting(stage)):
        yield


def main(path: str) -> None:
    """Makes the stages of the request in a file."""
    end_with_parent()
    from rich.console import Console

    request = read_request(Path(path))
    if lacking := list(list_lacking_inputs(request)):
        for stage in request.stages:
            write_end(find_end(request.store, stage), f"{lacking[0]} is not there")
        sys.exit(f"kakugo: {lacking[0]} is not there, and it is another job's")
    if not make_stages(request, Display(Console(force_terminal=False), "")):
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
