"""Runs the stages of a written request, as a job does: `kakugo stage REQUEST`.

The work is done by a process of its own. This one stays beside it, so that however the work ends,
also by a signal of the scheduler in the midst of anything or killed for its memory, the reason that
is written is the true one: in ``jobs/ends/STAGE-KEY.txt`` of the store, the first line of which
says it. A job that has begun again, or done its work, leaves none.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from core.contract.names import ENDS, JOBS, LOGS, PARTIAL
from core.files import write_whole
from core.processes import describe_exit, end, start
from harness.cluster.ends import BEGUN, read_end
from harness.cluster.requests import JobRequest, read_request
from harness.errors import ClusterError
from harness.stage import Stage
from training.checkpoints import STOP
from training.finetune import STATES

WARNING = signal.SIGUSR1
"""The signal that a job asks its scheduler for before its time limit; see `slurm.submit`."""
SAVING = 100.0
"""Seconds that a training has for its next step and for the state behind it, after `WARNING`."""
GRACE = 10.0
"""Seconds that any other work has to end by itself when it is told to."""
TIME_LIMIT = (
    "the job's time limit is near, so that it was ended. Remedy: a longer --time for the stage "
    "{stage} in conf/cluster; the same kakugo submit goes on from what is kept"
)
TOLD_TO_END = (
    "the scheduler told the job to end: {cause}. The same kakugo submit goes on from what is kept; "
    "a preempted job is begun again by itself"
)
_ANY_CAUSE = "it was preempted, cancelled, or its node is going down"


def run_job(path: Path) -> int:
    """Makes the stages of a request in a process of their own, and returns the status to exit
    with: 0 where all of them are there. Raises `ClusterError` for what is no request."""
    print(f"{BEGUN}, {datetime.now(UTC).isoformat(timespec='seconds')}", flush=True)
    request = read_request(path)
    forget_ends(request)
    told: list[str] = []

    def note(number: int, frame: FrameType | None) -> None:
        told.append(TIME_LIMIT if number == WARNING else TOLD_TO_END)

    command = [sys.executable, "-m", "harness.cluster.making", str(path)]
    # In a session of its own: a scheduler that signals the job's processes ends this one's waiting
    # and leaves the work alone until it is told here.
    child = start(command, output=sys.stdout, errors=sys.stderr, apart=True)
    for number in (WARNING, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    status = wait(child, told, request)
    for stage in request.stages:
        file = find_end(request.store, stage)
        # What the work said when it was told to end is not why it ended.
        if is_there(request, stage) or (file.exists() and not told):
            continue
        why = told[0] if told else f"the job's work {describe_exit(status)}"
        cause = read_end(find_log(request.store)) or _ANY_CAUSE
        write_end(file, why.format(stage=stage.name, cause=cause.partition(". Remedy")[0]))
    return 0 if status == 0 and not told else 1


def wait(child: "subprocess.Popen[str]", told: Sequence[str], request: JobRequest) -> int:
    """Waits for the work, and ends it when it is told to: a training behind its next step, with its
    state saved, any other work at once."""
    while not told:
        with suppress(subprocess.TimeoutExpired):
            return child.wait(0.5)
    if ask_to_stop(request):
        with suppress(subprocess.TimeoutExpired):
            return child.wait(SAVING)
    with suppress(ProcessLookupError):
        child.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        return child.wait(GRACE)
    return end(child)


def find_log(store: Path) -> Path:
    """Returns the file that SLURM writes this job's output to, as `slurm.submit` asks it to."""
    name, number = (os.environ.get(f"SLURM_JOB_{one}", "none") for one in ("NAME", "ID"))
    return store / JOBS / LOGS / f"{name}-{number}.log"


def ask_to_stop(request: JobRequest) -> bool:
    """Tells a training to save its state and to end; returns whether there is one."""
    root = request.store
    states = [root / one.name / f"{one.key}{PARTIAL}" / STATES for one in request.stages]
    found = [folder for folder in states if folder.is_dir()]
    for folder in found:
        (folder / STOP).touch()
    return bool(found)


def is_there(request: JobRequest, stage: Stage) -> bool:
    """Says whether a stage has been made."""
    root = request.cache if stage.shared else request.store
    return (root / stage.name / stage.key).is_dir()


def find_end(store: Path, stage: Stage) -> Path:
    """Returns the file that says why a stage was not made."""
    return store / JOBS / ENDS / f"{stage.name}-{stage.key}.txt"


def forget_ends(request: JobRequest) -> None:
    """Removes what an earlier job said of why these stages were not made."""
    for stage in request.stages:
        find_end(request.store, stage).unlink(missing_ok=True)


def write_end(file: Path, why: str, details: str = "") -> None:
    """Writes why a stage was not made, when, and in which job."""
    file.parent.mkdir(parents=True, exist_ok=True)
    first = " ".join(why.split())
    job = os.environ.get("SLURM_JOB_ID", "none")
    when = datetime.now(UTC).isoformat(timespec="seconds")
    write_whole(file, f"{first}\n\njob {job}, {when}\n{details}")


def list_lacking_inputs(request: JobRequest) -> Iterator[str]:
    """Lists what a request's stages are to be made from and is not there."""
    own = {stage.key for stage in request.stages}
    for stage in request.stages:
        for needed in stage.inputs.values():
            if needed.key not in own and not is_there(request, needed):
                yield needed.label


def main(arguments: Sequence[str]) -> None:
    """Runs the command `kakugo stage`."""
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        sys.exit(
            "kakugo stage REQUEST makes the stages of a request that `kakugo submit` wrote below "
            "the store, and no others."
        )
    try:
        sys.exit(run_job(Path(arguments[0])))
    except ClusterError as error:
        sys.exit(f"kakugo: {error}")
