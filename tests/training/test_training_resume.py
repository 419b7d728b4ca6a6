"""A run that was killed goes on and ends like one that was not."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from killed_run import SETTINGS

from training.errors import ResumeError
from training.finetune import TrainFacts, finetune

CHILD = Path(__file__).parent / "killed_run.py"


def run(base: Path, rows: Path, out: Path, **more: Any) -> TrainFacts:
    return finetune(
        base=base, rows=rows, out=out, settings=SETTINGS, precision="fp32", seed=3, **more
    )


def stop_at_5(done: int, total: int, note: str) -> None:
    if done == 5:
        raise KeyboardInterrupt


def kill_while_saving(base: Path, rows: Path, out: Path) -> None:
    command = [sys.executable, CHILD, base, rows, out, "3"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_a_stopped_and_killed_run_ends_like_an_undisturbed_one(
    tiny: Path, rows: Path, tmp_path: Path
) -> None:
    undisturbed = run(tiny, rows, tmp_path / "undisturbed")
    out = tmp_path / "killed"
    with pytest.raises(KeyboardInterrupt):
        run(tiny, rows, out, progress=stop_at_5)
    kill_while_saving(tiny, rows, out)  # after step 6, going on from step 3
    states = {path.name for path in (out / "trainer").glob("checkpoint-*")}
    assert states == {"checkpoint-3", "checkpoint-6"}
    assert [p.parent.name for p in (out / "trainer").glob("*/whole")] == ["checkpoint-3"]
    continued = run(tiny, rows, out)

    def same(facts: TrainFacts) -> TrainFacts:
        return replace(facts, tokens_per_second=0.0)

    assert same(continued) == same(undisturbed)
    for name in ("log.jsonl", "checkpoint/model.safetensors", "checkpoint/config.json"):
        assert (out / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes(), name
    # The states are the caller's to delete, once the result is safe.
    assert sorted(path.name for path in out.iterdir()) == ["checkpoint", "log.jsonl", "trainer"]


def test_another_runs_state_is_not_continued(tiny: Path, rows: Path, tmp_path: Path) -> None:
    arguments = {"base": tiny, "rows": rows, "out": tmp_path / "out", "precision": "fp32"}
    with pytest.raises(KeyboardInterrupt):
        finetune(**arguments, settings=SETTINGS, seed=3, progress=stop_at_5)
    with pytest.raises(ResumeError, match=r"other settings, seed or rows.*Remedy"):
        finetune(**arguments, settings=SETTINGS, seed=4)
    with pytest.raises(ResumeError):
        finetune(**arguments, settings=replace(SETTINGS, learning_rate=1e-3), seed=3)
    # What cannot change the result may change.
    finetune(**arguments, settings=replace(SETTINGS, save_every=2), seed=3)
