"""Checkpoints that a run keeps on its way, and their mean."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from killed_run import SETTINGS
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from training.errors import LaunchError
from training.launch import run_training
from training.order import choose_kept_steps
from training.prepare import prepare
from training.saving import average_weights, list_weight_files
from training.settings import Lora, Train

WEIGHTS = "model.safetensors"
CONSTANT = replace(SETTINGS, schedule="constant", warmup=0.0, steps=6, validation=0.0)


@pytest.fixture
def packed(tiny: Path, rows: Path, tmp_path: Path) -> Path:
    prepare(base=tiny, rows=rows, out=tmp_path / "packed", data=CONSTANT.data, seed=3)
    return tmp_path / "packed"


def run(base: Path, packed: Path, out: Path, settings: Train, **more: Any) -> Path:
    run_training(
        base=base, packed=packed, out=out, settings=settings, precision="fp32", seed=3, **more
    )
    return out


@pytest.mark.slow
def test_what_is_kept_is_what_a_run_that_ends_there_yields(
    tiny: Path, packed: Path, tmp_path: Path
) -> None:
    plain = run(tiny, packed, tmp_path / "plain", CONSTANT)
    kept = run(tiny, packed, tmp_path / "kept", replace(CONSTANT, keep=3))
    last = (kept / "checkpoint" / WEIGHTS).read_bytes()
    assert last == (plain / "checkpoint" / WEIGHTS).read_bytes()
    for name in ("config.json", "generation_config.json"):
        there = kept / "checkpoint" / name
        assert not there.exists() or there.read_text() == (plain / "checkpoint" / name).read_text()
    assert sorted(path.name for path in (kept / "kept").iterdir()) == ["2", "4"]
    for step in (2, 4):
        assert [path.name for path in (kept / f"kept/{step}").iterdir()] == [WEIGHTS]
        short = run(tiny, packed, tmp_path / f"short{step}", replace(CONSTANT, steps=step))
        assert (kept / f"kept/{step}" / WEIGHTS).read_bytes() == (
            short / "checkpoint" / WEIGHTS
        ).read_bytes()


@pytest.mark.slow
def test_a_stopped_run_keeps_what_an_undisturbed_one_keeps(
    tiny: Path, packed: Path, tmp_path: Path
) -> None:
    settings = replace(CONSTANT, keep=3, save_every=3)

    def stop_at_5(done: int, total: int, note: str) -> None:
        if done == 5:
            raise KeyboardInterrupt

    whole = run(tiny, packed, tmp_path / "whole", settings)
    with pytest.raises(KeyboardInterrupt):
        run(tiny, packed, tmp_path / "stopped", settings, progress=stop_at_5)
    stopped = run(tiny, packed, tmp_path / "stopped", settings)
    for name in (f"kept/2/{WEIGHTS}", f"kept/4/{WEIGHTS}", f"checkpoint/{WEIGHTS}"):
        assert (stopped / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.slow
def test_adapters_are_kept_merged(tiny: Path, packed: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    settings = replace(CONSTANT, steps=4, lora=Lora(rank=2))
    plain = run(tiny, packed, tmp_path / "plain", settings)
    kept = run(tiny, packed, tmp_path / "kept", replace(settings, keep=2))
    short = run(tiny, packed, tmp_path / "short", replace(settings, steps=2))
    for one, other in ((kept / "checkpoint", plain), (kept / "kept/2", short)):
        found, expected = load_file(one / WEIGHTS), load_file(other / "checkpoint" / WEIGHTS)
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in found)


@pytest.mark.slow
@pytest.mark.distributed
@pytest.mark.parametrize("stage", ["zero2", "zero3"])
def test_weights_that_deepspeed_holds_are_kept(
    tiny: Path, packed: Path, tmp_path: Path, stage: Any
) -> None:
    pytest.importorskip("deepspeed")
    settings = replace(CONSTANT, steps=4, processes=2, deepspeed=stage)
    plain = run(tiny, packed, tmp_path / "plain", settings)
    kept = run(tiny, packed, tmp_path / "kept", replace(settings, keep=2))
    short = run(tiny, packed, tmp_path / "short", replace(settings, steps=2))
    for one, other in ((kept / "checkpoint", plain), (kept / "kept/2", short)):
        found, expected = load_file(one / WEIGHTS), load_file(other / "checkpoint" / WEIGHTS)
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in found)


@pytest.mark.slow
def test_the_mean_is_that_of_the_weights_and_opens(
    tiny: Path, packed: Path, tmp_path: Path
) -> None:
    made = run(tiny, packed, tmp_path / "made", replace(CONSTANT, keep=3))
    folders = [made / "kept/2", made / "kept/4", made / "checkpoint"]
    files = [folder / WEIGHTS for folder in folders]
    average_weights(files, tmp_path)
    mean, parts = load_file(tmp_path / WEIGHTS), [load_file(file) for file in files]
    for name, tensor in mean.items():
        expected = np.mean([part[name].double().numpy() for part in parts], axis=0)
        assert tensor.dtype == torch.bfloat16
        assert torch.allclose(tensor.double(), torch.tensor(expected), rtol=2**-8, atol=1e-7)
    # With the mean in place of its own weights the last checkpoint opens.
    (tmp_path / WEIGHTS).replace(files[-1])
    model = AutoModelForCausalLM.from_pretrained(made / "checkpoint", dtype="auto")
    assert all(torch.equal(model.state_dict()[name], mean[name]) for name in mean)


def test_files_of_other_tensors_have_no_mean(tmp_path: Path) -> None:
    for name, weight in (("a", "one"), ("b", "other")):
        (tmp_path / name).mkdir()
        save_file({weight: torch.zeros(1)}, tmp_path / name / WEIGHTS)
    with pytest.raises(ValueError, match=r"model\.safetensors does not hold the same tensors"):
        average_weights([tmp_path / "a" / WEIGHTS, tmp_path / "b" / WEIGHTS], tmp_path)
    index = tmp_path / "a" / f"{WEIGHTS}.index.json"
    index.write_text("{}")
    assert [path.name for path in list_weight_files(tmp_path / "a")] == [WEIGHTS, index.name]
    average_weights([index, index], tmp_path)
    assert (tmp_path / index.name).read_text() == "{}"


def test_checkpoints_are_spaced_evenly_and_never_more_than_steps() -> None:
    settings = replace(CONSTANT, keep=4)
    assert choose_kept_steps(settings, 100) == [25, 50, 75]
    assert choose_kept_steps(settings, 4) == [1, 2, 3]
    assert choose_kept_steps(CONSTANT, 4) == []
    with pytest.raises(LaunchError, match=r"train\.keep=4 .* 3 steps\. Remedy: train\.keep=3"):
        choose_kept_steps(settings, 3)
    with pytest.raises(ValueError, match=r"train\.keep must be at least 1"):
        replace(CONSTANT, keep=0)
    with pytest.raises(ValueError, match=r"train\.average must be at least 2"):
        replace(CONSTANT, average=1)
    with pytest.raises(ValueError, match=r"train\.deepspeed must be null"):
        replace(CONSTANT, keep=2, lora=Lora(rank=2), deepspeed="zero2")
