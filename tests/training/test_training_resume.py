"""A run that was killed goes on and ends like one that was not."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from killed_run import SETTINGS

from core.contract.facts import TuningFacts
from training.errors import LaunchError, ResumeError, ToldToStop
from training.launch import build_command, run_training
from training.prepare import prepare
from training.settings import Train

pytestmark = pytest.mark.slow

CHILD = Path(__file__).parent / "killed_run.py"


@pytest.fixture
def packed(tiny: Path, rows: Path, tmp_path: Path) -> Path:
    prepare(base=tiny, rows=rows, out=tmp_path / "packed", data=SETTINGS.data, seed=3)
    return tmp_path / "packed"


def tuned(
    base: Path, packed: Path, out: Path, settings: Train = SETTINGS, **more: Any
) -> TuningFacts:
    return run_training(
        base=base, packed=packed, out=out, settings=settings, precision="fp32", seed=3, **more
    )


def stop_at_5(done: int, total: int, note: str) -> None:
    if done == 5:
        raise KeyboardInterrupt


def kill_while_saving(base: Path, packed: Path, out: Path) -> None:
    command = [sys.executable, CHILD, base, packed, out, "3"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_a_stopped_and_killed_run_ends_like_an_undisturbed_one(
    tiny: Path, packed: Path, tmp_path: Path
) -> None:
    undisturbed = tuned(tiny, packed, tmp_path / "undisturbed")
    out = tmp_path / "killed"
    with pytest.raises(KeyboardInterrupt):
        tuned(tiny, packed, out, progress=stop_at_5)
    kill_while_saving(tiny, packed, out)  # after step 6, going on from step 3
    states = {path.name for path in (out / "trainer").glob("checkpoint-*")}
    assert states == {"checkpoint-3", "checkpoint-6"}
    assert [p.parent.name for p in (out / "trainer").glob("*/whole")] == ["checkpoint-3"]
    continued = tuned(tiny, packed, out)

    def same(facts: TuningFacts) -> TuningFacts:
        return replace(
            facts, tokens_per_second=0.0, supervised_tokens_per_second=0.0, memory_gb=0.0
        )

    assert same(continued) == same(undisturbed)
    for name in ("log.jsonl", "checkpoint/model.safetensors", "checkpoint/config.json"):
        assert (out / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes(), name
    # The states are the caller's to delete, once the result is safe.
    left = sorted(path.name for path in out.iterdir())
    assert left == ["checkpoint", "log.jsonl", "speed.jsonl", "trainer"]


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.distributed)])
def test_a_run_that_is_told_to_stop_saves_its_state_behind_that_step(
    tiny: Path, packed: Path, tmp_path: Path, processes: int
) -> None:
    settings = replace(SETTINGS, processes=processes)
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "stopped"
    tuned(tiny, packed, undisturbed, settings)

    def tell(done: int, total: int, note: str) -> None:
        if done == 4:
            (out / "trainer" / "stop").touch()

    with pytest.raises(ToldToStop, match=r"saved its state behind step ([45]) of") as stopped:
        tuned(tiny, packed, out, settings, progress=tell)
    step = str(stopped.value).partition(" of ")[0][-1]
    assert (out / "trainer" / f"checkpoint-{step}" / "whole").exists()
    assert not (out / "checkpoint").exists()
    tuned(tiny, packed, out, settings)  # which is not stopped by what an earlier one was told
    for name in ("log.jsonl", "checkpoint/model.safetensors"):
        assert (out / name).read_bytes() == (undisturbed / name).read_bytes(), name


def test_another_runs_state_is_not_continued(tiny: Path, packed: Path, tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"base": tiny, "packed": packed, "out": tmp_path / "out"}
    arguments["precision"] = "fp32"
    with pytest.raises(KeyboardInterrupt):
        run_training(**arguments, settings=SETTINGS, seed=3, progress=stop_at_5)
    with pytest.raises(ResumeError, match=r"other settings, seed or rows.*Remedy"):
        run_training(**arguments, settings=SETTINGS, seed=4)
    with pytest.raises(ResumeError):
        run_training(**arguments, settings=replace(SETTINGS, learning_rate=1e-3), seed=3)
    with pytest.raises(ResumeError, match=r"on 1 processes; now there are 2\. Remedy"):
        run_training(**arguments, settings=replace(SETTINGS, processes=2), seed=3)
    # What cannot change the result may change.
    run_training(**arguments, settings=replace(SETTINGS, save_every=2), seed=3)


def test_zero3_in_one_process_trains_as_without_it(
    tiny: Path, packed: Path, tmp_path: Path
) -> None:
    """Under torchrun, DeepSpeed on the CPU; nothing is compiled."""
    import torch
    from transformers import AutoModelForCausalLM

    settings = replace(SETTINGS, steps=4, save_every=9)
    plain, spread = tmp_path / "plain", tmp_path / "zero3"
    run_training(base=tiny, packed=packed, out=plain, settings=settings, precision="fp32", seed=3)
    settings = replace(settings, deepspeed="zero3")
    facts = run_training(
        base=tiny, packed=packed, out=spread, settings=settings, precision="fp32", seed=3
    )
    assert facts.processes == 1
    assert facts.probe is not None  # the probe ran on weights that are spread
    for a, b in zip(losses(plain), losses(spread), strict=True):
        assert a == pytest.approx(b, abs=1e-4)
    files = {path.name for path in (spread / "checkpoint").iterdir()}
    assert files == {path.name for path in (plain / "checkpoint").iterdir()}
    models = [AutoModelForCausalLM.from_pretrained(out / "checkpoint") for out in (plain, spread)]
    assert [model.dtype for model in models] == [torch.bfloat16] * 2
    for (name, a), b in zip(models[0].state_dict().items(), models[1].state_dict().values()):  # noqa: B905
        assert torch.allclose(a.float(), b.float(), atol=2e-2), name


def test_without_a_whole_state_everything_may_change(
    tiny: Path, packed: Path, tmp_path: Path
) -> None:
    """As after a run that did not fit into memory."""

    def stop_at_1(done: int, total: int, note: str) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuned(tiny, packed, tmp_path / "out", progress=stop_at_1)
    other = replace(SETTINGS, steps=2, learning_rate=1e-3)
    facts = tuned(tiny, packed, tmp_path / "out", other)
    assert facts.steps == 2


def test_another_number_of_processes_than_asked_for_is_refused(
    tiny: Path, packed: Path, tmp_path: Path
) -> None:
    """And a fault in a launched process is told in its own words."""
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone")
    settings = replace(SETTINGS, processes=2, launcher=(*torchrun, "--nproc-per-node=1"))
    with pytest.raises(LaunchError, match=r"1 processes were started.*train\.processes is 2"):
        tuned(tiny, packed, tmp_path / "a", settings)
    settings = replace(settings, processes=1)
    (packed / "validation.parquet").write_text("not Parquet", encoding="utf-8")
    with pytest.raises(LaunchError, match=r"(?s)process 0 .*failed.*Parquet magic bytes"):
        tuned(tiny, packed, tmp_path / "b", settings)


def test_a_job_of_several_nodes_trains_on_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a real SLURM does in tests/harness/cluster/test_slurm.py."""
    monkeypatch.setenv("SLURM_JOB_NUM_NODES", "2")
    monkeypatch.setenv("SLURM_JOB_ID", "10007")
    monkeypatch.delenv("SLURMD_NODENAME", raising=False)
    assert "--standalone" in build_command(replace(SETTINGS, processes=16, batch_size=16))
    monkeypatch.setenv("SLURMD_NODENAME", "first")
    command = build_command(replace(SETTINGS, processes=16, batch_size=16))
    assert command[:3] == ["srun", "--nodes=2", "--ntasks-per-node=1"]
    assert {"--nnodes=2", "--nproc-per-node=8", "--rdzv-id=10007"} <= set(command)
    assert command[-1].endswith(":20007")
    with pytest.raises(LaunchError, match=r"=5 cannot be shared by the 2 nodes.*a multiple of 2"):
        build_command(replace(SETTINGS, processes=5, batch_size=5))


@pytest.mark.distributed
@pytest.mark.parametrize("stage", ["zero2", "zero3"])
def test_two_processes_killed_and_continued(
    tiny: Path, packed: Path, tmp_path: Path, stage: Any
) -> None:
    settings = replace(SETTINGS, processes=2, deepspeed=stage)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    arguments: dict[str, Any] = {"base": tiny, "packed": packed, "precision": "fp32", "seed": 3}
    run_training(**arguments, out=whole, settings=settings)
    single = tmp_path / "single"
    run_training(**arguments, out=single, settings=SETTINGS)
    for a, b in zip(losses(single), losses(whole), strict=True):
        assert a == pytest.approx(b, abs=1e-3)

    child = os.fork()
    if child == 0:  # the parent of torchrun, killed without a chance to end it
        try:
            kill = lambda done, *_: done == 5 and os.kill(os.getpid(), signal.SIGKILL)  # noqa: E731
            run_training(**arguments, out=killed, settings=settings, progress=kill)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert (killed / "trainer" / "checkpoint-3" / "whole").exists()
    with pytest.raises(ResumeError, match=r"on 2 processes; now there are 1"):
        run_training(**arguments, out=killed, settings=replace(settings, processes=1))
    run_training(**arguments, out=killed, settings=settings)
    assert losses(killed) == losses(whole)


def losses(out: Path) -> list[float]:
    lines = (out / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [row.get("loss", row.get("eval_loss")) for row in map(json.loads, lines)]
