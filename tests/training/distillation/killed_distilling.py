"""Distils and kills itself with SIGKILL behind a step.

Arguments: student, teacher, data, out, step.
"""

import os
import signal
import sys
from pathlib import Path

from distilling import PLAIN, distil

if __name__ == "__main__":
    student, teacher, data, out = map(Path, sys.argv[1:5])
    last = int(sys.argv[5])

    def kill(done: int, total: int, note: str) -> None:
        if done == last:
            os.kill(os.getpid(), signal.SIGKILL)

    distil(student, data, out, PLAIN, teacher, progress=kill)
