"""Ends a command in an orderly way when its output can no longer be written.

`kakugo-report | head` and `| less`, quit early, end any command quietly and with the status that a
shell gives to programs which a closed pipe ends (141). That is no failure: no traceback is printed,
and a run leaves no error behind. A full disk is one, and is said. Closed from the beginning
(`>&-`), output goes nowhere, and no file of ours is opened in its place.
"""

import atexit
import io
import os
import signal
import sys
from contextlib import suppress
from typing import Any, TextIO

UNREAD = 128 + signal.SIGPIPE
UNWRITTEN = 2


def guard_output(program: str) -> None:
    """Make standard output and error end `program` as said above. For the start of a command.

    Where something else has taken their place (tests that capture them), nothing is done.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None or stream is getattr(sys, f"__{name}__"):
            guarded = _guard_stream(program, descriptor, stream)
            setattr(sys, name, guarded)
            setattr(sys, f"__{name}__", guarded)  # for those who ask whether it was replaced
    # Registered first, so that it runs last: what is still in the buffers is written then.
    atexit.register(_write_rest)


class _Output(io.FileIO):
    """A descriptor that ends the program, like Ctrl-C does, once it cannot be written any more."""

    program = ""
    status: int | None = None  # of the first output that failed

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if _Output.status is None:
                _Output.status = UNREAD if isinstance(error, BrokenPipeError) else UNWRITTEN
                if _Output.status == UNWRITTEN:
                    said = f"{self.program}: the output cannot be written: {error}\n"
                    with suppress(OSError):
                        os.write(2, said.encode())
            # What follows, such as the rest of a buffer, has nowhere to go either.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            raise SystemExit(_Output.status) from None


def _guard_stream(program: str, descriptor: int, stream: TextIO | None) -> TextIO:
    if stream is not None:
        stream.flush()
    output = _Output(descriptor, "w", closefd=False)
    output.program = program
    return io.TextIOWrapper(
        io.BufferedWriter(output),
        encoding=getattr(stream, "encoding", "utf-8"),
        # A terminal of another encoding than UTF-8 shows what it lacks as \\xb7.
        errors="backslashreplace",
        line_buffering=descriptor == 2 or getattr(stream, "line_buffering", False),
        write_through=getattr(stream, "write_through", False),
    )


def _write_rest() -> None:
    """Write what is buffered. That it, or anything before, could not be written must be the
    command's status: Python writes a script's last words where it ignores every error."""
    with suppress(SystemExit, ValueError):  # ValueError: closed by someone else
        sys.stdout.flush()
        sys.stderr.flush()
    if _Output.status is not None:
        os._exit(_Output.status)
