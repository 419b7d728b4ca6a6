"""Runs a command until its standard input ends, and then stops it with all of its processes.

    python -m harness.scoring.child COMMAND...

`start` starts this from Python. The parent keeps the other end of standard input: however the
parent ends, also by ``kill -9``, the pipe closes, and no server is left behind that holds the
memory of a GPU.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import BinaryIO

GRACE_SECONDS = 10


def start(command: Sequence[str], output: BinaryIO) -> "subprocess.Popen[bytes]":
    """The command, until the result's `stdin` is closed or this process ends, however it does.

    In a session of its own: what ends this process's whole group, such as Ctrl-C, must not end
    the watcher before what it watches.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "harness.scoring.child", *command],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


def main(command: list[str]) -> int:
    """The command's exit code."""
    running = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)

    def stop_with_parent() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(running.pid, how)
                running.wait(GRACE_SECONDS)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue

    watcher = threading.Thread(target=stop_with_parent, daemon=True)
    watcher.start()
    code = running.wait()
    # Its own processes may outlive it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
