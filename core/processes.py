"""Child processes that end with their parent, however it ends.

A parent keeps the other end of its child's standard input and never writes. However the parent
ends, also by `kill -9`, the pipe closes; the child notices, and no process is left behind that
holds a port, a file or the memory of a GPU.

- A program of ours calls `end_with_parent` and is started with `start` or `running`.
- Any other program is started with `start(guarded(command), ...)`: a guard between the two watches
  the pipe and ends the program with all of its own processes. As a command:
  `python -m core.processes COMMAND...`.

Not covered: systems without POSIX signals, and processes that leave the program's group.
"""

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

GRACE_SECONDS = 10.0
_READ_BYTES = 65_536
# What a person learns from a signal; the names alone ("Illegal instruction") tell few people.
_MEANINGS = {
    signal.SIGABRT: "it gave up by itself",
    signal.SIGBUS: "it could not read memory, as when a disk is full",
    signal.SIGILL: "the machine lacks an instruction that the program uses",
    signal.SIGINT: "it was interrupted",
    signal.SIGKILL: "it was killed, as the system does when memory runs out",
    signal.SIGSEGV: "a fault in its machine code",
    signal.SIGTERM: "it was asked to end",
}

Child = subprocess.Popen[str]


def start(
    command: Sequence[str],
    *,
    output: IO[Any] | int,
    errors: IO[Any] | int,
    environment: Mapping[str, str] | None = None,
    apart: bool = False,
) -> Child:
    """Starts a program whose standard input stays open until this process ends, or `end` is called.

    output, errors: a file, or subprocess's PIPE or STDOUT; a pipe is read as UTF-8, and what is
    none is replaced. apart: in a session of its own, which Ctrl-C in this terminal does not reach,
    so that the parent alone decides when it ends. Raises OSError where it cannot be started.
    """
    return subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=errors,
        env=environment,
        start_new_session=apart,
        encoding="utf-8",
        errors="replace",
    )


def guard_command(command: Sequence[str]) -> list[str]:
    """Returns the command that runs `command` under a guard, for programs that do not watch
    their input."""
    return [sys.executable, "-m", "core.processes", *command]


def end(child: Child, grace: float = GRACE_SECONDS) -> int:
    """Ends a child and returns its status: by closing its input, then SIGTERM, then SIGKILL.

    `grace` seconds are given after each of the first two. Does nothing to one that has ended.
    """
    # What is still in the buffer of a pipe that nobody reads any more.
    with suppress(OSError):
        if child.stdin is not None:
            child.stdin.close()
    try:
        with suppress(subprocess.TimeoutExpired):
            return child.wait(grace)
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            return child.wait(grace)
        child.kill()
        return child.wait()
    finally:
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()


@contextmanager
def running(
    command: Sequence[str], *, grace: float = GRACE_SECONDS, **options: Any
) -> Iterator[Child]:
    """Starts a program (see `start`), and ends it with the block."""
    child = start(command, **options)
    try:
        yield child
    finally:
        end(child, grace)


def read_first_line(child: Child, seconds: float) -> str | None:
    """Returns the first line that a child writes to its piped output, without its end; None
    where it writes none in time."""
    assert child.stdout is not None
    ready, _, _ = select.select([child.stdout], [], [], seconds)
    line = child.stdout.readline() if ready else ""
    return line.rstrip("\n") if line else None


def read_last_lines(log: Path | IO[Any], count: int = 15) -> str:
    """Returns the last lines of a log, which may still be written; "" where there is none.

    The place at which an open file is written is left as it is.
    """
    if isinstance(log, Path):
        if not log.exists():
            return ""
        with log.open("rb") as file:
            return read_last_lines(file, count)
    size = os.fstat(log.fileno()).st_size
    found = os.pread(log.fileno(), _READ_BYTES, max(0, size - _READ_BYTES))
    return "\n".join(found.decode("utf-8", errors="replace").strip().splitlines()[-count:])


def describe_exit(status: int) -> str:
    """Says in words with which status or signal a process ended.

    status: as `subprocess` gives it (negative: the signal) or as a shell does (128 + the signal).
    """
    number = -status if status < 0 else status - 128
    try:
        ended_by = signal.Signals(number)
    except ValueError:
        return f"ended with status {status}"
    meaning = _MEANINGS.get(ended_by)
    return f"ended by {ended_by.name}" + (f": {meaning}" if meaning else "")


def end_with_parent() -> None:
    """Ends this process as soon as its standard input does. For the start of a child."""
    threading.Thread(target=_end_after_input, daemon=True).start()


def _end_after_input() -> None:
    _wait_for_end_of_input()
    with suppress(OSError):  # nobody may be there to be told
        os.write(2, b"standard input has ended, and this process with it\n")
    os._exit(1)


def _wait_for_end_of_input() -> None:
    # Past Python's buffer, whose lock this thread would hold when the process ends by itself.
    with suppress(OSError):
        while os.read(0, 4096):
            pass


def _guard(command: list[str]) -> int:
    """Runs a command until it or standard input ends; returns its status as a shell would."""
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        print(f"{command[0]} cannot be started: {error}", file=sys.stderr)
        return 127

    def send(which: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, which)

    def stop_after_input() -> None:
        _wait_for_end_of_input()
        send(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
        send(signal.SIGKILL)

    signal.signal(signal.SIGTERM, lambda *_: send(signal.SIGTERM))
    threading.Thread(target=stop_after_input, daemon=True).start()
    status = child.wait()
    send(signal.SIGKILL)  # its own processes may outlive it
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(_guard(sys.argv[1:]))
