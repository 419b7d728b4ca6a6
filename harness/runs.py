"""Records a run's plan and how it ended, from which reports name what is missing."""

import json
import os
import traceback
from pathlib import Path
from typing import Any

import yaml

from core.files import write_whole
from harness.config import Config, MakingConfig
from harness.experiment import Plan
from harness.overrides import COMMAND_VARIABLE


def write_plan(folder: Path, config: Config, plan: Plan, resolved: dict[str, Any]) -> None:
    """Writes ``plan.json`` and the resolved ``config.yaml`` into the run's folder.

    The configuration holds the name of the variable with the teacher's key, never the key.
    """
    language = config.language
    made = config if isinstance(config, MakingConfig) else None
    record = {
        "run": folder.name,
        "experiment": config.name,
        "command": os.environ.get(COMMAND_VARIABLE, "kakugo"),
        "language": {
            "name": language.name,
            "autonym": language.autonym,
            "tag": language.find_tag(),
            "flores_code": language.flores_code,
            "script": language.script,
            "direction": language.direction,
            "gaps": language.gaps,
        },
        "student": config.student.name,
        "teacher": made.teacher.name if made and plan.taught else "",
        "mix": made.mix.name if made else "",
        "stages": [
            {"stage": stage.name, "key": stage.key, "label": stage.label} for stage in plan.stages
        ],
        "cells": [
            {
                "language": language.name,
                "producer": cell.producer,
                "role": cell.role,
                "checkpoint": {"stage": cell.checkpoint.name, "key": cell.checkpoint.key},
                "task": cell.task,
                "key": cell.score.key if cell.score else None,
                "gap": cell.gap,
            }
            for cell in plan.cells
        ],
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(
        folder / "config.yaml", yaml.safe_dump(resolved, allow_unicode=True, sort_keys=False)
    )
    write_whole(folder / "plan.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def write_error(folder: Path, error: BaseException) -> None:
    """Writes ``error.txt``: what went wrong in the first line, the traceback below."""
    folder.mkdir(parents=True, exist_ok=True)
    first = " ".join(str(error).split()) or type(error).__name__
    trace = "".join(traceback.format_exception(error))
    write_whole(folder / "error.txt", f"{type(error).__name__}: {first}\n\n{trace}")
