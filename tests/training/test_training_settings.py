import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from training.errors import LaunchError
from training.launch import require_packages
from training.order import count_steps, order_rows
from training.precision import resolve_precision
from training.settings import Lora, Train


@pytest.mark.parametrize(
    "field",
    [
        {"steps": 0},
        {"epochs": 0.0},
        {"learning_rate": 0.0},
        {"schedule": "cosin"},
        {"warmup": 1.0},
        {"batch_size": 0},
        {"batch_size": 4, "micro_batch": 3},
        {"max_length": 1},
        {"weight_decay": -0.1},
        {"max_grad_norm": 0.0},
        {"precision": "fp16"},
        {"save_every": 0},
        {"threads": 0},
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(field: dict[str, Any]) -> None:
    name, received = list(field.items())[-1]
    with pytest.raises(ValueError, match=rf"train\.{name} must be .+; received {received!r}"):
        Train(name="t", **field)


def test_the_defaults_are_the_papers() -> None:
    paper = Train(name="paper")
    assert (paper.learning_rate, paper.schedule, paper.warmup) == (1e-5, "cosine", 0.05)
    assert (paper.max_length, paper.epochs, paper.steps) == (8000, 1.0, None)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("flags\t\t: fpu avx2 fma", "fp32"),
        ("flags\t\t: fpu avx512f avx512_bf16", "bf16"),
        ("flags\t\t: fpu amx_bf16", "bf16"),
        ("Features\t: fp asimd bf16", "bf16"),
        ("model name\t: avx512_bf16", "fp32"),
    ],
)
def test_auto_follows_the_instruction_sets(
    line: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\n{line}\n", encoding="utf-8")
    assert resolve_precision("auto", cpuinfo=cpuinfo) == expected


def test_auto_without_cpuinfo_is_fp32_and_a_named_precision_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert resolve_precision("auto", cpuinfo=tmp_path / "none") == "fp32"
    assert resolve_precision("bf16", cpuinfo=tmp_path / "none") == "bf16"


def test_planning_a_run_imports_no_torch() -> None:
    code = (
        "import sys, training.finetune, training.students, training.precision as p; "
        "p.resolve_precision('auto'); "
        "assert not {'torch', 'transformers', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_row_comes_once_before_any_comes_twice() -> None:
    settings = Train(name="t", steps=5, batch_size=4)
    order = order_rows(settings, 10, seed=1)
    assert len(order) == 20
    assert sorted(order[:10]) == sorted(order[10:]) == list(range(10))
    assert order[:10] != order[10:]
    assert order != order_rows(settings, 10, seed=2)
    # Written down, so that no Python release changes what a seed means.
    assert order_rows(settings, 5, seed=7)[:5] == [1, 4, 3, 0, 2]


def test_epochs_become_steps() -> None:
    settings = Train(name="t", epochs=1.5, batch_size=4)
    assert count_steps(settings, 10) == 4
    assert len(order_rows(settings, 10, seed=0)) == 15
    assert count_steps(Train(name="t", epochs=0.01), 3) == 1


@pytest.mark.parametrize(
    ("settings", "package", "extra"),
    [
        (Train(name="t", deepspeed="zero3"), "deepspeed", "deepspeed"),
        (Train(name="t", lora=Lora(rank=8)), "peft", "lora"),
        (Train(name="t", tracker="wandb"), "wandb", "wandb"),
        (Train(name="t", tracker="trackio"), "trackio", "trackio"),
    ],
)
def test_a_missing_package_is_named_with_its_command(
    settings: Train, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_packages(Train(name="t"))
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(LaunchError, match=rf"needs the package {package}.*\[{extra}\]"):
        require_packages(settings)
