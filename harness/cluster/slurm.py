"""Speaks to SLURM through its own commands: submits jobs, and asks what became of them.

A job carries its store and the keys of its stages in its comment, so that what is queued is known
from the queue itself, whoever submitted it and however that ended.
"""

import getpass
import hashlib
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.contract.names import JOBS, LOGS
from harness.cluster import ends
from harness.cluster.jobs import StageJob
from harness.errors import ClusterError

_MARK = "kakugo:"
# Before the time limit, in seconds: for what has been done to be saved.
_WARN_SECONDS = 120
_FORM = "%i|%T|%r|%u|%k"
_WORDS = {
    "TIMEOUT": ends.TIME_LIMIT,
    "OUT_OF_MEMORY": ends.OUT_OF_MEMORY,
    "NODE_FAIL": ends.NODE_FAILED,
    "BOOT_FAIL": "its node did not start",
    "PREEMPTED": f"{ends.PREEMPTED}, and not begun again",
    "CANCELLED": ends.CANCELLED,
    "DEADLINE": "its deadline passed",
    "FAILED": "it failed; its log says more",
}


@dataclass(frozen=True)
class Queued:
    """A job in the queue: its number, its state (RUNNING, PENDING, ...), why it waits, and whose it
    is."""

    number: str
    state: str
    reason: str
    user: str


def find_commands(*names: str) -> None:
    """Raises `ClusterError` where one of SLURM's commands is not there."""
    for name in names:
        if shutil.which(name) is None:
            raise ClusterError(
                f"there is no {name} here. Remedy: call kakugo submit on a machine from which jobs "
                "are submitted to SLURM; kakugo -m runs a sweep on this machine"
            )


def list_queue(store: Path) -> dict[str, Queued]:
    """Lists the stages of a store that are queued or running, by key, whoever submitted them."""
    said = _call(["squeue", "--noheader", f"--format={_FORM}"])
    mark = f"{_MARK}{name_store(store)}:"
    found: dict[str, Queued] = {}
    for line in said.splitlines():
        number, state, reason, user, comment = line.split("|", 4)
        if comment.startswith(mark):
            for key in comment.removeprefix(mark).split(","):
                found[key] = Queued(number, state, reason, user)
    return found


def name_store(store: Path) -> str:
    """Names a store for the queue: another one may lack what this one has under the same key."""
    return hashlib.sha256(str(store.resolve()).encode()).hexdigest()[:8]


def submit(
    job: StageJob,
    request: Path,
    options: Sequence[str],
    setup: str,
    after: Sequence[str],
    store: Path,
    test_only: bool = False,
    begun: str | None = None,
) -> str:
    """Submits a job that makes the stages of a request, behind the end of the jobs of the numbers
    `after` and the start of `begun`, and returns its number. Raises `ClusterError` with SLURM's
    own words where it is refused.

    test_only: asks only whether it would be taken; nothing is queued.
    """
    name = f"kakugo-{job.kind}" if job.alone is None else f"kakugo-{job.kind}-{job.alone}"
    waits = [f"afterok:{':'.join(after)}"] if after else []
    if begun is not None:
        waits.append(f"after:{begun}")
    if job.alone is not None:
        waits.append("singleton")
    command = [
        *("sbatch", "--parsable", "--requeue", "--open-mode=append"),
        *("--kill-on-invalid-dep=yes", f"--signal=B:USR1@{_WARN_SECONDS}"),
        f"--job-name={name}",
        f"--comment={_MARK}{name_store(store)}:{','.join(job.keys)}",
        f"--output={store / JOBS / LOGS}/%x-%j.log",
        f"--chdir={Path.cwd()}",
        *options,
        *([f"--dependency={','.join(waits)}"] if waits and not test_only else []),
        *(["--test-only"] if test_only else []),
    ]
    work = shlex.join([sys.executable, "-m", "harness.cli", "stage", str(request)])
    return _call(command, _write_script(setup, work)).strip().partition(";")[0]


def submit_held(
    name: str, work: Sequence[str], options: Sequence[str], setup: str, logs: Path
) -> str:
    """Submits a job that starts when it is released, and returns its number."""
    command = [
        *("sbatch", "--parsable", "--requeue", "--open-mode=append", "--hold"),
        f"--job-name={name}",
        f"--output={logs}/%x-%j.log",
        f"--chdir={Path.cwd()}",
        *options,
    ]
    return _call(command, _write_script(setup, shlex.join(work))).strip().partition(";")[0]


def release(name: str) -> list[str]:
    """Lets the jobs of a name that are held start, and returns their numbers."""
    held = [number for number, reason in list_named(name).items() if reason == "JobHeldUser"]
    for number in held:
        _call(["scontrol", "release", number])
    return held


def list_named(name: str) -> dict[str, str]:
    """Lists this user's jobs of a name that are queued or running: number to why it waits."""
    user = f"--user={getpass.getuser()}"
    said = _call(["squeue", "--noheader", user, f"--name={name}", "--format=%i|%r"])
    return dict(line.split("|", 1) for line in said.splitlines())


def is_alive(number: str) -> bool:
    """Says whether a job, also another user's, is queued or running. Where nobody answers, it may
    be."""
    try:
        return bool(_call(["squeue", "--noheader", f"--jobs={number}", "--format=%i"]).strip())
    except ClusterError as error:
        return "Invalid job id" not in str(error)


def _write_script(setup: str, work: str) -> str:
    return f"#!/bin/bash\n{setup}\nexec {work}\n"


def describe_ends(numbers: Mapping[str, str], logs: Path) -> Iterator[tuple[str, str]]:
    """Says of jobs that are no longer queued how they ended, as far as their logs tell or SLURM
    still knows: (what `numbers` calls it, in words). Nothing for those that completed."""
    for name, number in numbers.items():
        said = next(filter(None, map(ends.read_end, logs.glob(f"*-{number}.log"))), None)
        if said:
            yield name, f"job {number}: {said}"
            continue
        state = _find_state(number)
        if state is None or state in ("COMPLETED", "RUNNING", "PENDING", "REQUEUED"):
            continue
        yield name, f"job {number}: {_WORDS.get(state, f'it ended as {state}')}"


def _find_state(number: str) -> str | None:
    """Returns the state of a job from the accounts, else from the controller, else None."""
    for command in (
        ["sacct", "--noheader", "--parsable2", "--allocations", "--format=State", "-j", number],
        ["scontrol", "show", "job", "--oneliner", number],
    ):
        try:
            said = _call(command)
        except ClusterError:
            continue
        found = re.search(r"JobState=(\w+)", said) or re.match(r"\s*([A-Z_]+)", said)
        if found:
            return found[1]
    return None


def _call(command: Sequence[str], given: str = "") -> str:
    """Calls one of SLURM's commands; `ClusterError` with its own words where it fails."""
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClusterError(f"{command[0]}: {error}") from None
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"status {done.returncode}"
        raise ClusterError(f"{command[0]} refused: {said}")
    return done.stdout
