"""Packs rows and trains on them, and reads the log."""

import json
from pathlib import Path
from typing import Any

from core.contract.facts import TuningFacts
from training.launch import run_training
from training.prepare import prepare
from training.settings import Precision, Train


def tune(
    base: Path,
    rows: Path,
    out: Path,
    settings: Train,
    precision: Precision = "fp32",
    seed: int = 1,
    **more: Any,
) -> TuningFacts:
    """Packs rows and trains on them."""
    packed = out.with_name(f"{out.name}-packed")
    prepare(base=base, rows=rows, out=packed, data=settings.data, seed=seed)
    return run_training(
        base=base,
        packed=packed,
        out=out,
        settings=settings,
        precision=precision,
        seed=seed,
        **more,
    )


def log_of(out: Path) -> list[dict[str, Any]]:
    lines = (out / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]
