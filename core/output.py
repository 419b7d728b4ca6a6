"""How a command ends when its output can no longer be written.

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
            guarded = _guarded(descriptor, stream)
            setattr(sys, name, guarded)
            setattr(sys, f"__{name}__", guarded)  # for those who ask whether it was replaced
    # Registered first, so that it runs last: what is still in the buffers is written then.
    atexit.register(_write_rest, program)


class _Output(io.FileIO):
    """A descriptor that ends the program, like Ctrl-C does, once nobody reads it any more."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            # What follows, such as the rest of a buffer, has nowhere to go either.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            if isinstance(error, BrokenPipeError):
                raise SystemExit(UNREAD) from None
            raise


def _guarded(descriptor: int, stream: TextIO | None) -> TextIO:
    if stream is not None:
        stream.flush()
    is_error = descriptor == 2
    return io.TextIOWrapper(
        io.BufferedWriter(_Output(descriptor, "w", closefd=False)),
        encoding=getattr(stream, "encoding", "utf-8"),
        errors=getattr(stream, "errors", "backslashreplace" if is_error else "strict"),
        line_buffering=is_error or getattr(stream, "line_buffering", False),
        write_through=getattr(stream, "write_through", False),
    )


def _write_rest(program: str) -> None:
    """Write what is buffered; its failure must still be the command's (Python has it ignored)."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except SystemExit as end:
        os._exit(int(str(end.code)))
    except OSError as error:
        os.write(2, f"{program}: the output cannot be written: {error}\n".encode())
        os._exit(UNWRITTEN)
    except ValueError:  # closed by someone else
        return
