"""The smallest whole experiment: a real teacher, a tiny random student, a few items."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

KAKUGO = [sys.executable, "-m", "harness.cli"]


def small(store: Path, student: Path, *more: str) -> list[str]:
    """The command of a small experiment."""
    return [
        *KAKUGO,
        f"store={store}",
        f"cache={store}/cache",
        "student=directory",
        "student.name=tiny",
        f"student.path={student}",
        "sources.topic={general_seeds: 1, language_seeds: 0}",
        "sources.scenario={general: 1, language: 0}",
        "sources.context.max_texts=1",
        "sources.translated.max_conversations=2",
        # So that the few rows that there are do not depend on how well a tiny teacher translates.
        "sources.translated.min_ratio=0.05",
        "teacher.max_tokens=120",
        "teacher.response_max_tokens=60",
        "teacher.schema_max_characters=60",
        "train.steps=4",
        "train.save_every=1",
        "train.threads=1",
        "evaluate.limit=3",
        "evaluate.max_new_tokens=6",
        "evaluate.batch_tokens=64",
        *more,
    ]


def run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True)


def manifests(store: Path, stage: str) -> list[dict[str, Any]]:
    """The manifests of a stage's finished artifacts."""
    return [json.loads(path.read_text()) for path in sorted(store.glob(f"{stage}/*/manifest.json"))]


def results(store: Path) -> dict[str, tuple[bytes, bytes]]:
    """Scores and samples of every finished score, by key."""
    return {
        folder.name: (
            (folder / "scores.json").read_bytes(),
            (folder / "samples.parquet").read_bytes(),
        )
        for folder in sorted(store.glob("score/*"))
        if (folder / "manifest.json").exists()
    }
