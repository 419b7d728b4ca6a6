"""Starts llama.cpp servers of the run's own, for the embedded teacher and for exported files."""

import dataclasses
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from core.processes import Child, describe_exit, read_first_line, read_last_lines, running
from generation.settings import Teacher
from harness.errors import TeacherServerError

SERVED_BY_JOB = "http://teacher.invalid/v1"
"""The address of a teacher that a job of the cluster will serve. By RFC 2606 no host ever has this
name; `harness.cluster.teacher` puts the true one in its place."""
START_SECONDS = 120.0
CONTEXT_TOKENS = 4096


@contextmanager
def running_teacher(teacher: Teacher, gguf: Path | None) -> Iterator[Teacher]:
    """Yields `teacher` with a `base_url` that answers.

    With a GGUF file, a server is started on it, and ended with the block.
    """
    if gguf is None:
        yield teacher
        return
    with running_llama(gguf, teacher.name, CONTEXT_TOKENS, "the embedded teacher") as address:
        yield dataclasses.replace(teacher, base_url=f"{address}/v1")


@contextmanager
def running_llama(gguf: Path, name: str, context: int, what: str, *options: str) -> Iterator[str]:
    """Runs llama.cpp's server on a GGUF file, and yields its address without `/v1`.

    `name` is what the model is served as, `context` its room in tokens, `what` the server's name in
    an error's words; `options` are those of `harness.llama_server`. The server ends with the block.
    """
    command = [sys.executable, "-m", "harness.llama_server", str(gguf), name, str(context)]
    with (
        tempfile.TemporaryFile() as log,
        # Ctrl-C is for the run alone, which then ends the server in good order.
        running([*command, *options], output=subprocess.PIPE, errors=log, apart=True) as server,
    ):
        address = read_first_line(server, START_SECONDS) or ""
        if not address.startswith("http://"):
            raise _report_failed(f"{what} did not start", server, log)
        _wait_until_healthy(server, address, what, log)
        yield address


def _wait_until_healthy(server: Child, address: str, what: str, log: IO[bytes]) -> None:
    """Returns when /health says that the model is loaded (503 until then)."""
    # Never through a proxy: the server is on this machine.
    loopback = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with loopback.open(f"{address}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise _report_failed(f"{what} did not become healthy", server, log)


def _report_failed(what: str, server: Child, log: IO[bytes]) -> TeacherServerError:
    """Builds the error that says how the server ended, if it did, with the last lines that it
    wrote."""
    with suppress(subprocess.TimeoutExpired):  # a closed output comes just before the end
        what += f" ({describe_exit(server.wait(1))})"
    return TeacherServerError(
        f"{what}. Its last words:\n{read_last_lines(log)}\n"
        "Remedy: check that the GGUF file is whole and that 1 GB of memory is free."
    )
