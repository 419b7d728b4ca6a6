"""Distils on a few rows, and reads the log."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.contract.facts import TuningFacts
from training.distillation.guides import Guidance, prepare_guided
from training.distillation.settings import Distillation, Lesson, Rollouts, Verbalizer, Weights
from training.distillation.verbalizer import OURS, read_wording
from training.launch import run_training
from training.settings import Train

SETTINGS = Train(
    name="test",
    steps=4,
    learning_rate=1e-2,
    warmup=0.0,
    batch_size=2,
    micro_batch=1,
    max_length=250,
    validation=0.1,
    evaluations=2,
    save_every=1,
    threads=1,
)
PLAIN = Distillation(
    "test",
    rollouts=Rollouts(max_tokens=8),
    verbalizer=Verbalizer("plain", "plain"),
)


def only(**weights: float) -> Weights:
    """Gives these signals their weights, and the others none."""
    none = dict.fromkeys(("supervised", "off_policy", "on_policy", "sequence"), 0.0)
    return Weights(**none | weights)


def guide(
    base: Path, teacher: Path, rows: Path, out: Path, distillation: Distillation, **more: Any
) -> Any:
    """Packs rows with the teacher's texts beside them."""
    views = {
        "off_policy": distillation.verbalizer.off_policy,
        "on_policy": distillation.verbalizer.on_policy,
    }
    return prepare_guided(
        base=base,
        teacher=teacher,
        rows=rows,
        english=more.pop("english", {}),
        out=out,
        data=SETTINGS.data,
        guidance=Guidance(views, read_wording(OURS), "Swahili"),
        seed=3,
        **more,
    )


def distil(
    base: Path,
    data: Path,
    out: Path,
    distillation: Distillation = PLAIN,
    teacher: Path | None = None,
    settings: Train = SETTINGS,
    **more: Any,
) -> TuningFacts:
    """Distils on packed rows."""
    return run_training(
        base=base,
        packed=data,
        out=out,
        settings=replace(settings, **more.pop("changes", {})),
        precision="fp32",
        seed=3,
        lesson=Lesson(distillation, teacher),
        **more,
    )


def read_log(out: Path) -> list[dict[str, Any]]:
    """Reads the lines of the steps."""
    lines = map(json.loads, (out / "log.jsonl").read_text(encoding="utf-8").splitlines())
    return [line for line in lines if "loss" in line]
