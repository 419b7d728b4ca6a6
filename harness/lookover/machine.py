"""Looks at this machine: the packages, the disk and the memory that a run will want."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from harness.config import Config, MakingConfig
from harness.errors import MachineError
from harness.lookover.look import Look
from harness.lookover.students import ask_hub, list_checkpoints, open_student_config
from training.launch import require_packages
from training.memory import MemoryNeed, StudentShape, estimate_need, measure_shape
from training.precision import resolve_precision
from training.settings import Lora, Train

_GB = 1e9
# A state to go on from holds fp32 weights and AdamW's two numbers; there are two while the newer
# one is written. The checkpoint is in bf16.
_STATE_BYTES, _CHECKPOINT_BYTES = 2 * 12, 2
# What allocators, kernels and logits take beside what is counted.
_BESIDE = 1.1


def list_machine(config: Config, store: Path) -> Iterator[Look]:
    """Lists the looks at packages, memory and disk, as far as the run needs them."""
    trains = isinstance(config, MakingConfig) and config.stop_after not in ("sources", "mix")
    if isinstance(config, MakingConfig) and trains:
        yield Look("packages for training", partial(_look_at_packages, config.train))
        if config.student.kind != "gguf":
            yield Look("memory for training", partial(_look_at_memory, config))
            yield Look("attention for training", partial(_look_at_attention, config))
    yield Look(f"disk for {store}", partial(_look_at_disk, config, store, trains=trains))


def _look_at_packages(settings: Train) -> str:
    require_packages(settings)
    return "all there"


def _look_at_attention(config: MakingConfig) -> str:
    if config.train.launcher:
        return "not looked at, as train.launcher starts it elsewhere"
    from training.attention import choose_attention

    precision = resolve_precision(config.train.precision)
    chosen = choose_attention(config.train, precision, open_student_config(config.student))
    return chosen.said or chosen.name or "as transformers has it for the student"


def _look_at_memory(config: MakingConfig) -> str:
    return check_memory(open_student_config(config.student), config.train)


def check_memory(student: Any, settings: Train) -> str:
    """Says how much memory each process of a training needs and has here. `student` is the
    transformers configuration of the student.

    Raises MachineError, with the settings that help, where it is too little. It is an estimate:
    see `training.memory`.
    """
    precision = resolve_precision(settings.precision)
    shape = measure_shape(student, precision)
    if shape is None:
        return "not known: it depends on the texts for a student of this kind"
    need = estimate_need(shape, settings, precision)
    words = (
        f"about {need.total * _BESIDE / _GB:,.1f} GB a process (weights and AdamW "
        f"{need.state / _GB:,.1f}, copies {need.copies / _GB:,.1f}, activations "
        f"{need.activations / _GB:,.1f})"
    )
    if settings.launcher:
        return f"{words}; not compared, as train.launcher starts it elsewhere"
    gpus = list_gpus()
    if 0 < len(gpus) < settings.processes:
        raise MachineError(
            f"train.processes={settings.processes}, and this machine has {len(gpus)} "
            f"GPU{'s' * (len(gpus) > 1)}. Remedy: train.processes={len(gpus)}."
        )
    if gpus:
        room, has = min(gpus[: settings.processes]), "a GPU here has"
    else:
        room = psutil.virtual_memory().total // settings.processes
        has = "there is no GPU here, and of this machine's memory each process has"
    if need.total * _BESIDE > room:
        raise MachineError(
            f"training needs {words}, and {has} {room / _GB:,.1f} GB. Remedy: "
            f"{suggest_settings(shape, settings, room)}."
        )
    return f"{words}; {has} {room / _GB:,.1f} GB"


def suggest_settings(shape: StudentShape, settings: Train, room: float) -> str:
    """Suggests the settings that make a training fit into `room` bytes a process, the mildest
    first; a larger machine where none does."""
    precision = resolve_precision(settings.precision)
    mild = replace(settings, gradient_checkpointing=True)
    one = replace(mild, micro_batch=1)
    eight = replace(one, processes=8, batch_size=8, deepspeed="zero3", lora=Lora())
    lora = replace(one, deepspeed=None, lora=Lora(rank=16))
    ways = {
        "": mild,
        " train.micro_batch=1": one,
        " train.processes=8 train.deepspeed=zero3, on 8 such GPUs": eight,
        " train.micro_batch=1 train.lora.rank=16": lora,
    }

    def fits(need: MemoryNeed) -> bool:
        return need.total * _BESIDE <= room

    found = [way for way, tried in ways.items() if fits(estimate_need(shape, tried, precision))]
    said = [f"train.gradient_checkpointing=true{way}" for way in found[:2]]
    return " or ".join(said) or "a smaller student, or a machine with more memory"


def list_gpus() -> list[int]:
    """Lists the memory of each NVIDIA GPU of this machine in bytes; none where there is none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    asked = [program, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return [int(line) * 2**20 for line in told.split() if line.isdigit()]


def _look_at_disk(config: Config, store: Path, *, trains: bool) -> str:
    place = next(
        folder for folder in (store.absolute(), *store.absolute().parents) if folder.exists()
    )
    free = shutil.disk_usage(place).free
    need = 0.0
    for student in list_checkpoints(config):
        size = ask_hub(student).bytes if student.kind == "hub" else 0
        need += size
    if trains and isinstance(config, MakingConfig) and config.student.kind == "hub":
        weights = ask_hub(config.student).bytes / 2  # bf16, as such checkpoints are
        checkpoints = config.train.keep + ("averaged" in config.producers)
        need += weights * (_STATE_BYTES + _CHECKPOINT_BYTES * checkpoints)
    if need > free:
        raise MachineError(
            f"{place} has {free / _GB:,.0f} GB free, and the run needs about {need / _GB:,.0f} GB "
            "(the student, its training states and the checkpoint). Remedy: make room, or give "
            "another disk: store=DIR, and HF_HOME for what is fetched."
        )
    return f"{free / _GB:,.0f} GB free, about {need / _GB:,.0f} GB needed"
