"""What a job leaves, however its work ends: the stage, or the true reason why it is not there."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_up import stage

from harness.cluster.job import find_end
from harness.cluster.requests import JobRequest, JobWriter
from harness.stage import Stage

HERE = Path(__file__).parent


def begin(store: Path, *stages: Stage, clean: bool = False) -> "subprocess.Popen[str]":
    request = JobWriter(store).write(JobRequest(stages, store, store / "cache", clean))
    return subprocess.Popen(
        [sys.executable, "-m", "harness.cli", "stage", str(request)],
        env={**os.environ, "PYTHONPATH": str(HERE), "SLURM_JOB_ID": "7"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(store: Path, *stages: Stage) -> tuple[int, str]:
    job = begin(store, *stages)
    said, _ = job.communicate(timeout=120)
    return job.returncode, said


def read_why(store: Path, made: Stage) -> str:
    return find_end(store, made).read_text(encoding="utf-8").partition("\n")[0]


def test_it_makes_what_it_was_asked_for(tmp_path: Path) -> None:
    one, two = stage("one"), stage("two", kind="source")
    find_end(tmp_path, one).parent.mkdir(parents=True)
    find_end(tmp_path, one).write_text("an earlier job failed\n")
    status, said = run(tmp_path, one, two)
    assert status == 0, said
    assert (tmp_path / "mixture" / one.key / "name.txt").read_text() == "one"
    assert (tmp_path / "source" / two.key / "manifest.json").exists()
    assert not find_end(tmp_path, one).exists()


def test_one_that_fails_leaves_the_others_and_its_reason(tmp_path: Path) -> None:
    fails, breaks, good = stage("fails", "fail"), stage("breaks", "break"), stage("good")
    status, said = run(tmp_path, fails, breaks, good)
    assert status == 1
    assert (tmp_path / "mixture" / good.key).is_dir()
    assert read_why(tmp_path, fails) == "the made-up work fails. Remedy: none"
    assert read_why(tmp_path, breaks) == "RuntimeError: broken"
    text = find_end(tmp_path, breaks).read_text()
    assert "job 7" in text
    assert "Traceback" in text
    assert "kakugo: the made-up work fails" in said


def test_it_makes_nothing_that_is_anothers(tmp_path: Path) -> None:
    needed = stage("needed", kind="source")
    made = stage("made", source=needed)
    status, said = run(tmp_path, made)
    assert status == 1
    assert read_why(tmp_path, made) == "needed is not there"
    assert not (tmp_path / "source").exists()
    assert "another job's" in said


def test_work_that_is_killed_is_said_to_be(tmp_path: Path) -> None:
    dies = stage("dies", "die")
    status, _ = run(tmp_path, dies)
    assert status == 1
    assert "ended by SIGKILL: it was killed, as the system does when memory" in read_why(
        tmp_path, dies
    )


@pytest.mark.parametrize(
    ("number", "why"),
    [(signal.SIGUSR1, "time limit is near"), (signal.SIGTERM, "preempted, cancelled")],
)
def test_a_signal_of_the_scheduler_is_the_reason(
    tmp_path: Path, number: signal.Signals, why: str
) -> None:
    sleeps = stage("sleeps", "sleep")
    job = begin(tmp_path, sleeps)
    begun = tmp_path / "mixture" / f"{sleeps.key}.partial" / "begun"
    for _ in range(600):
        if begun.exists():
            break
        time.sleep(0.1)
    began = time.monotonic()
    job.send_signal(number)
    job.communicate(timeout=60)
    assert time.monotonic() - began < 30
    assert job.returncode == 1
    assert why in read_why(tmp_path, sleeps)
    assert not (tmp_path / "mixture" / sleeps.key).exists()


def test_what_is_no_request_is_said(tmp_path: Path) -> None:
    for given in ([], [str(tmp_path / "none.pickle")]):
        done = subprocess.run(
            [sys.executable, "-m", "harness.cli", "stage", *given], capture_output=True, text=True
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "kakugo" in done.stderr
