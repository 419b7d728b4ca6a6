"""Reads in a job's log how SLURM ended it.

The log outlives what SLURM remembers, and names causes that its states do not, such as a preemption
after which the job begins again.
"""

import re
from pathlib import Path

BEGUN = "kakugo: this job begins"
"""The line with which each run of a job begins in its log, which a job that begins again goes on
with."""
TIME_LIMIT = "its time limit ended it. Remedy: a longer --time for its stage in conf/cluster"
OUT_OF_MEMORY = "it ran out of memory. Remedy: more --mem for its stage in conf/cluster"
NODE_FAILED = "its node failed"
PREEMPTED = "it was preempted"
REQUEUED = "it was told to begin again"
CANCELLED = "it was cancelled"
# In the order in which they count: what is ended for its memory is told to be cancelled, too.
_WORDS = (
    (re.compile("exceeded memory limit|oom.?kill|out.of.memory", re.IGNORECASE), OUT_OF_MEMORY),
    (re.compile("DUE TO TIME LIMIT"), TIME_LIMIT),
    (re.compile("DUE TO PREEMPTION"), PREEMPTED),
    (re.compile("DUE TO NODE FAIL"), NODE_FAILED),
    (re.compile("DUE TO JOB REQUEUE"), REQUEUED),
    (re.compile("CANCELLED AT"), CANCELLED),
)
# Only lines of SLURM itself: the work may print anything.
_SLURMS = re.compile(r"(?:slurmstepd|slurmd|srun)[\w.-]*: ")
_TAIL_BYTES = 2**16


def read_end(log: Path) -> str | None:
    """Returns how SLURM ended the latest run of a job in words; None where its log tells nothing,
    or is not there."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return None
    said = [line for line in text.rpartition(BEGUN)[2].split("\n") if _SLURMS.match(line)]
    return next((w for found, w in _WORDS if any(map(found.search, said))), None)
