"""Runs an experiment that gets a signal in the midst of one stage.

python dying_run.py STAGE NOTE SIGNAL OVERRIDE...

The signal comes when the stage first tells NOTE of something that is done, and neither of the first
of it nor of the last.
"""

import os
import signal
import sys
import time

from harness import progress
from harness.cli import main
from harness.stage import Progress, Stage


def die_in(stage_name: str, note: str, sign: signal.Signals) -> None:
    """Prepares the signal."""
    show_started = progress.Display.show_started

    def show(self: progress.Display, stage: Stage, resumed: bool, again: bool = False) -> Progress:
        report = show_started(self, stage, resumed, again)

        def tell(done: int, total: int, said: str) -> None:
            report(done, total, said)
            if stage.name == stage_name and note in said and 0 < done < total:
                os.kill(os.getpid(), sign)
                time.sleep(10)  # until it is there

        return tell

    progress.Display.show_started = show  # type: ignore[method-assign]


if __name__ == "__main__":
    # A shell starts what runs in the background deaf to Ctrl-C, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    name, words, sign, *overrides = sys.argv[1:]
    die_in(name, words, signal.Signals[sign])
    sys.argv = ["kakugo", *overrides]
    main()
