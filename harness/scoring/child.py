"""Runs a command until its standard input ends, and then stops it with all of its processes.

    python -m harness.scoring.child COMMAND...

The parent keeps the other end of standard input: however the parent ends, also by ``kill -9``, the
pipe closes, and no server is left behind that holds the memory of a GPU.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 10


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
