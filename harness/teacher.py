"""The embedded teacher: a llama.cpp server of the run's own."""

import dataclasses
import os
import select
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from generation.settings import Teacher
from harness.errors import TeacherServerError

START_SECONDS = 120.0
CONTEXT_TOKENS = 4096


@contextmanager
def running_teacher(teacher: Teacher, gguf: Path | None) -> Iterator[Teacher]:
    """`teacher` with a `base_url` that answers.

    With a GGUF file, a server is started on it, and ended with the block.
    """
    if gguf is None:
        yield teacher
        return
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "harness.llama_server",
                str(gguf),
                teacher.name,
                str(CONTEXT_TOKENS),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=Path(__file__).parents[1],
            # Ctrl-C is for the run alone, which then ends the server in good order.
            start_new_session=True,
        )
        try:
            address = _address(server, log.fileno())
            _wait_until_healthy(server, address, log.fileno())
            yield dataclasses.replace(teacher, base_url=f"{address}/v1")
        finally:
            for pipe in (server.stdin, server.stdout):
                if pipe:
                    pipe.close()
            try:
                server.wait(timeout=5)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _address(server: "subprocess.Popen[bytes]", log: int) -> str:
    """The address that the server prints once it listens."""
    assert server.stdout is not None
    ready, _, _ = select.select([server.stdout], [], [], START_SECONDS)
    line = server.stdout.readline().decode().strip() if ready else ""
    if not line.startswith("http://"):
        raise _failed("the embedded teacher did not start", log)
    return line


def _wait_until_healthy(server: "subprocess.Popen[bytes]", address: str, log: int) -> None:
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
    raise _failed("the embedded teacher did not become healthy", log)


def _failed(what: str, log: int) -> TeacherServerError:
    """The error with the last lines that the server wrote."""
    size = os.lseek(log, 0, os.SEEK_END)
    tail = os.pread(log, 2000, max(0, size - 2000)).decode(errors="replace").strip()
    return TeacherServerError(
        f"{what}. Its last words:\n{tail}\n"
        "Remedy: check that the GGUF file is whole and that 1 GB of memory is free."
    )
