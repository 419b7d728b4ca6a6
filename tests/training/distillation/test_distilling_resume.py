"""A distillation that was killed ends as one that was not; several processes draw the same."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from distilling import PLAIN, distil, guide, only, read_log
from small_checkpoints import save_model

from training.errors import ResumeError

pytestmark = pytest.mark.slow

CHILD = Path(__file__).parent / "killed_distilling.py"


@pytest.fixture
def models(tmp_path: Path, rows: Path) -> tuple[Path, Path, Path]:
    """A student, its teacher, and the data."""
    student = save_model(tmp_path / "student")
    teacher = save_model(tmp_path / "teacher", hidden_size=48)
    guide(student, teacher, rows, tmp_path / "data", PLAIN)
    return student, teacher, tmp_path / "data"


def test_a_killed_distillation_ends_like_an_undisturbed_one(
    models: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    student, teacher, data = models
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    distil(student, data, whole, PLAIN, teacher)
    for step in (2, 3):
        command = [sys.executable, CHILD, student, teacher, data, killed, step]
        places = os.pathsep.join(sys.path)
        environment = {**os.environ, "PYTHONPATH": places}
        done = subprocess.run(list(map(str, command)), capture_output=True, env=environment)
        assert done.returncode == -signal.SIGKILL, done.stderr
    other = replace(PLAIN, beta=0.9)
    with pytest.raises(ResumeError, match="other settings"):
        distil(student, data, killed, other, teacher)
    distil(student, data, killed, PLAIN, teacher)
    for name in ("log.jsonl", "checkpoint/model.safetensors"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes(), name
    assert all("on_policy" in line and "sequence" in line for line in read_log(whole))


@pytest.mark.distributed
@pytest.mark.parametrize("deepspeed", [None, "zero2"])
def test_two_processes_draw_the_same_and_have_the_same_losses(
    models: tuple[Path, Path, Path], tmp_path: Path, deepspeed: Any
) -> None:
    student, teacher, data = models
    for weights in (PLAIN.weights, only(on_policy=1.0)):
        how = replace(PLAIN, weights=weights)
        one, two = tmp_path / f"one-{weights}", tmp_path / f"two-{weights}"
        changes: dict[str, Any] = {"steps": 2, "batch_size": 2}
        distil(student, data, one, how, teacher, changes=changes)
        changes |= {"processes": 2, "deepspeed": deepspeed}
        distil(student, data, two, how, teacher, changes=changes)
        for single, shared in zip(read_log(one), read_log(two), strict=True):
            assert json.dumps(sorted(single)) == json.dumps(sorted(shared))
            for name, value in single.items():
                assert shared[name] == pytest.approx(value, abs=2e-3), name
        assert read_log(one)[0]["rollout_tokens"] == read_log(two)[0]["rollout_tokens"]
