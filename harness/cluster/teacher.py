"""Serves the teacher as a job of its own, which every source of a sweep asks.

The job's command is the cluster's own, such as ``vllm serve``. When the server answers, its address
stands in the store, where the jobs of sources read it; when none of them is queued any more, the
server is ended, so that its GPUs are free. A source that finds neither an address nor a queued
server says so, and does not wait.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from core.contract.names import JOBS, LOGS
from core.files import write_whole
from core.processes import describe_exit, end, guard_command, start
from generation.settings import Teacher
from harness.cluster import slurm
from harness.cluster.jobs import StageJob
from harness.cluster.settings import Cluster, TeacherServer
from harness.errors import ClusterError
from harness.stage import Stage
from harness.teacher import SERVED_BY_JOB

KIND = "teacher"
_POLL_SECONDS = 5.0


def write_command(server: TeacherServer, host: str, port: int) -> list[str]:
    """Writes the server's command for a host and a port, which stand for {host} and {port}."""
    return [
        word.replace("{host}", host).replace("{port}", str(port))
        for word in shlex.split(server.command)
    ]


def is_asked(stage: Stage) -> bool:
    """Says whether a stage asks the teacher that a job serves."""
    teacher = getattr(stage.settings, "teacher", None)
    if not isinstance(teacher, Teacher) or teacher.kind == "embedded":
        return False
    return teacher.base_url == SERVED_BY_JOB


def give_address(stage: Stage, store: Path) -> Stage:
    """Returns the stage with the served teacher's address, as soon as there is one. Its key is the
    same: an address changes no answer.

    Raises `ClusterError` where the server's job is no longer queued.
    """
    if not is_asked(stage):
        return stage
    teacher = replace(stage.settings.teacher, base_url=wait_for_address(store))
    return replace(stage, settings=replace(stage.settings, teacher=teacher))


def submit_server(
    store: Path, jobs: Sequence[StageJob], cluster: Cluster, logs: Path
) -> str | None:
    """Submits the server that sources of these jobs ask, unless it is queued, and returns its
    number; None where none asks. It is held until `slurm.release`, by when all that
    it serves must be queued: else it would end at once.

    Raises `ClusterError` where they ask several teachers.
    """
    asking = [stage for job in jobs for stage in job.stages if is_asked(stage)]
    if not asking or cluster.teacher is None:
        return None
    names = sorted({stage.settings.teacher.name for stage in asking})
    if len(names) > 1:
        raise ClusterError(
            f"the sweep asks several teachers ({', '.join(names)}), and the cluster's server is of "
            "one. Remedy: submit a sweep for each, or give them endpoints (teacher.base_url=URL)"
        )
    _note_served(store, [stage.key for stage in asking])
    name = name_job(store)
    for number in slurm.list_named(name):
        return number
    work = [sys.executable, "-m", "harness.cluster.teacher", str(store), cluster.teacher.command]
    options = [*cluster.options, *cluster.teacher.options]
    return slurm.submit_held(name, work, options, cluster.setup, logs)


def wait_for_address(store: Path) -> str:
    """Waits until the teacher's server answers, and returns its address."""
    while True:
        number, _, address = _read(_find_folder(store) / "address").partition(" ")
        if address and is_reachable(address):
            return address
        queued = slurm.list_named(name_job(store))
        if not queued or (address and number not in queued):
            raise ClusterError(
                "the job of the teacher's server is not queued any more. Remedy: read why in "
                f"{store / JOBS / LOGS}/{name_job(store)}-*.log, mend `teacher` in conf/cluster, "
                "and submit again: what was answered is kept"
            )
        time.sleep(_POLL_SECONDS)


def name_job(store: Path) -> str:
    """Names the server's job: each store has one of its own."""
    return f"kakugo-{KIND}-{slurm.name_store(store)}"


def is_reachable(address: str) -> bool:
    """Says whether a server answers there: with its models, or by asking who it is."""
    try:
        with urllib.request.urlopen(f"{address}/models", timeout=10):
            return True
    except urllib.error.HTTPError as error:
        return error.code in (401, 403)
    except (OSError, ValueError):
        return False


def serve(store: Path, command: str) -> int:
    """Runs the server's command until no source that it serves is queued, and returns the status
    to exit with."""
    host, port = socket.gethostname(), find_free_port()
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, frame: told.append(received))
    words = write_command(TeacherServer(command), host, port)
    print(f"starts {shlex.join(words)}", flush=True)
    try:
        child = start(guard_command(words), output=sys.stdout, errors=sys.stderr, apart=True)
    except OSError as error:
        print(f"kakugo: {words[0]} cannot be started: {error.strerror}", file=sys.stderr)
        return 1
    file, address = _find_folder(store) / "address", f"http://{host}:{port}/v1"
    shown = False
    try:
        while not told:
            with suppress(subprocess.TimeoutExpired):
                status = child.wait(_POLL_SECONDS)
                print(f"kakugo: the teacher's server {describe_exit(status)}", file=sys.stderr)
                return 1
            if not shown and is_reachable(address):
                job = os.environ.get("SLURM_JOB_ID", "none")
                write_whole(file, f"{job} {address}\n")
                print(f"answers at {address}", flush=True)
                shown = True
            if not slurm.list_queue(store).keys() & set(_read(file.parent / "served").split()):
                print("no source is queued any more", flush=True)
                return 0
        return 1
    finally:
        file.unlink(missing_ok=True)
        end(child)


def find_free_port() -> int:
    """Finds a port on which nothing listens."""
    with socket.socket() as held:
        held.bind(("", 0))
        port: int = held.getsockname()[1]
        return port


def _note_served(store: Path, keys: Sequence[str]) -> None:
    """Notes the keys of sources for which the server is to stay."""
    folder = _find_folder(store)
    folder.mkdir(parents=True, exist_ok=True)
    known = _read(folder / "served").split()
    write_whole(folder / "served", "\n".join(dict.fromkeys([*known, *keys])) + "\n")


def _find_folder(store: Path) -> Path:
    return store / JOBS / KIND


def _read(file: Path) -> str:
    """Reads a file of this folder; "" where it is not there yet."""
    with suppress(FileNotFoundError):
        return file.read_text(encoding="utf-8").strip()
    return ""


if __name__ == "__main__":
    sys.exit(serve(Path(sys.argv[1]), sys.argv[2]))
