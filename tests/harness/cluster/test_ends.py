"""How SLURM ended a job is read in its log, in lines as SLURM 22.05 writes them."""

from pathlib import Path

import pytest

from harness.cluster import ends

CANCELLED = "slurmstepd-vm: error: *** JOB 519 ON vm CANCELLED AT 2026-11-28T01:06:05"
MEMORY = "slurmstepd-vm: error: StepId=533.batch exceeded memory limit (76 > 62), being killed"
BEGUN = f"{ends.BEGUN}, 2026-11-28T01:05:37+00:00"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([f"{CANCELLED} ***"], ends.CANCELLED),
        ([f"{CANCELLED} DUE TO JOB REQUEUE ***"], ends.REQUEUED),
        ([f"{CANCELLED} DUE TO PREEMPTION ***"], ends.PREEMPTED),
        ([f"{CANCELLED} DUE TO TIME LIMIT ***"], ends.TIME_LIMIT),
        ([f"{CANCELLED} DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS ***"], ends.NODE_FAILED),
        (
            [MEMORY, "slurmstepd-vm: error: Exceeded job memory limit", CANCELLED],
            ends.OUT_OF_MEMORY,
        ),
        (["slurmstepd: error: Detected 1 oom_kill event in StepId=7.batch."], ends.OUT_OF_MEMORY),
        # What the work itself prints is no word of SLURM, in whatever language.
        (["loss 2.1 CANCELLED AT 3 DUE TO TIME LIMIT", "torch: out of memory"], None),
        # The run that came after it went well.
        ([f"{CANCELLED} DUE TO PREEMPTION ***", BEGUN, "done     train (3 s)"], None),
        ([f"{CANCELLED} DUE TO PREEMPTION ***", BEGUN, MEMORY], ends.OUT_OF_MEMORY),
    ],
)
def test_the_latest_run_of_a_job_counts(tmp_path: Path, lines: list[str], said: str | None) -> None:
    log = tmp_path / "job.log"
    log.write_text("\n".join([BEGUN, *lines, ""]))
    assert ends.read_end(log) == said


def test_a_long_log_is_read_from_its_end_and_none_tells_nothing(tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    log.write_bytes(b"\xff" * 10**6 + f"\n{CANCELLED} DUE TO TIME LIMIT ***\n".encode())
    assert ends.read_end(log) == ends.TIME_LIMIT
    assert ends.read_end(tmp_path / "none.log") is None
