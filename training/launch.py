"""Starts a fine-tuning run: in this process, or in several under torchrun."""

import gc
import json
import os
import socket
import subprocess
import sys
from collections import deque
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from core.contract.facts import TuningFacts
from core.contract.record import read_file
from core.processes import describe_exit, end, start
from training import checkpoints, errors
from training.distillation.settings import Lesson
from training.errors import LaunchError, TrainingError
from training.finetune import STATES, Progress, finetune
from training.prepare import TRAIN
from training.settings import Precision, Train
from training.worker import ERROR, FACTS, MARK

REQUEST = "request.json"
_FIRST_PORT, _PORTS = 20000, 10000
# What a launched run leaves beside its result, for the caller to delete.
LEFT = (REQUEST, FACTS, ERROR)


def run_training(
    *,
    base: Path,
    packed: Path,
    out: Path,
    settings: Train,
    precision: Precision,
    seed: int,
    progress: Progress = lambda done, total, note: None,
    lesson: Lesson | None = None,
) -> TuningFacts:
    """Train as `finetune` does, in as many processes as the settings say.

    Raises what `finetune` raises in any of them, and LaunchError where one ends otherwise or a
    package is missing.
    """
    require_packages(settings)
    run = checkpoints.identify_run(settings, precision, seed, packed / TRAIN)
    if lesson:
        run |= json.loads(json.dumps(lesson.as_json()))
    checkpoints.claim(out / STATES, run)
    arguments: dict[str, Any] = {"base": base, "packed": packed, "out": out, "seed": seed}
    if not settings.launched:
        facts = finetune(
            **arguments, settings=settings, precision=precision, progress=progress, lesson=lesson
        )
        _release_memory()
        return facts
    out.mkdir(parents=True, exist_ok=True)
    for name in LEFT:
        (out / name).unlink(missing_ok=True)
    request: dict[str, Any] = {name: str(value) for name, value in arguments.items()}
    request |= {"settings": asdict(settings), "precision": precision, "seed": seed}
    request["lesson"] = lesson.as_json() if lesson else None
    file = (out / REQUEST).absolute()
    file.write_text(json.dumps(request), encoding="utf-8")
    status, last = _watch_command(
        [*build_command(settings), "-m", "training.worker", str(file)], progress
    )
    if (out / ERROR).is_file():
        found = json.loads((out / ERROR).read_text(encoding="utf-8"))
        kind = getattr(errors, found["kind"], TrainingError)
        raise kind(found["message"])
    if not (out / FACTS).is_file():
        raise LaunchError(
            f"a process of the training run ended without a result ({describe_exit(status)}). Its"
            f" last words:\n{''.join(last)}\n"
            "Remedy: mend what they say; the same command then goes on from the last state."
        )
    return read_file(TuningFacts, out / FACTS)


def _release_memory() -> None:
    """Gives back what a training held: model, trainer and optimizer refer to each other in a
    circle, and a GPU's allocator keeps what is freed. Scoring comes next, perhaps by a server of
    another process on the same GPU."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def require_packages(settings: Train) -> None:
    """Raises LaunchError where a package is not installed that the settings need."""
    needed = []
    if settings.deepspeed:
        needed.append(("deepspeed", "deepspeed", f"train.deepspeed={settings.deepspeed}"))
    if settings.lora.rank:
        needed.append(("peft", "lora", f"train.lora.rank={settings.lora.rank}"))
    if settings.tracker:
        needed.append((settings.tracker, settings.tracker, f"train.tracker={settings.tracker}"))
    for package, extra, setting in needed:
        if find_spec(package) is None:
            raise LaunchError(
                f"{setting} needs the package {package}, which is not installed. "
                f"Remedy: pip install 'kakugo-harness[{extra}]', or do without this setting."
            )


def build_command(settings: Train) -> list[str]:
    """Builds the command that starts the processes: the launcher that the settings give, else
    torchrun on this machine, or in a job of SLURM on all of its nodes.

    Raises LaunchError where the nodes cannot have the same number of processes each.
    """
    if settings.launcher:
        return list(settings.launcher)
    torchrun = [sys.executable, "-m", "torch.distributed.run"]
    # SLURM says a node's name only on the nodes: a shell on the login node has none of the job's.
    nodes = int(os.environ.get("SLURM_JOB_NUM_NODES", 1)) if "SLURMD_NODENAME" in os.environ else 1
    if nodes == 1:
        return [*torchrun, "--standalone", f"--nproc-per-node={settings.processes}"]
    each, rest = divmod(settings.processes, nodes)
    if rest:
        raise LaunchError(
            f"train.processes={settings.processes} cannot be shared by the {nodes} nodes of the "
            f"job. Remedy: a multiple of {nodes}, such as the number of GPUs of all nodes."
        )
    job = os.environ.get("SLURM_JOB_ID", "0")
    srun = ["srun", f"--nodes={nodes}", "--ntasks-per-node=1", "--kill-on-bad-exit=1"]
    if cpus := os.environ.get("SLURM_CPUS_PER_TASK"):
        srun.append(f"--cpus-per-task={cpus}")  # srun takes it no longer from the job
    # A job begins on its first node. Trainings that share that node have ports of their own.
    meeting = f"{socket.gethostname()}:{_FIRST_PORT + int(job) % _PORTS}"
    return [
        *(*srun, *torchrun, f"--nnodes={nodes}", f"--nproc-per-node={each}"),
        *("--rdzv-backend=c10d", f"--rdzv-id={job}", f"--rdzv-endpoint={meeting}"),
    ]


def _watch_command(words: list[str], progress: Progress) -> tuple[int, deque[str]]:
    """Runs a command to its end, hands its progress on, and returns its status and last lines."""
    last: deque[str] = deque(maxlen=30)
    try:
        launcher = start(words, output=subprocess.PIPE, errors=subprocess.STDOUT)
    except OSError as error:
        raise LaunchError(
            f"{words[0]} cannot be started ({error}). Remedy: check train.launcher."
        ) from error
    assert launcher.stdout is not None
    try:
        for line in launcher.stdout:
            if line.startswith(MARK):
                progress(*json.loads(line[len(MARK) :]))
            else:
                last.append(line)
        return launcher.wait(), last
    finally:
        end(launcher)  # which ends all of them, where anything was raised
