"""Records a run's plan and how it ended, from which reports name what is missing."""

import os
import traceback
from pathlib import Path
from typing import Any

import yaml

from core.contract import plan as plan_record
from core.contract.names import CONFIG, ERROR, PLAN
from core.contract.record import to_text
from core.files import write_whole
from harness.config import Config, MakingConfig
from harness.experiment import Plan
from harness.overrides import COMMAND_VARIABLE
from harness.stages.scoring import Cell


def write_plan(folder: Path, config: Config, plan: Plan, resolved: dict[str, Any]) -> None:
    """Writes ``plan.json`` and the resolved ``config.yaml`` into the run's folder.

    The configuration holds the name of the variable with the teacher's key, never the key.
    """
    language = config.language
    made = config if isinstance(config, MakingConfig) else None
    record = plan_record.RunPlan(
        run=folder.name,
        experiment=config.name,
        command=os.environ.get(COMMAND_VARIABLE, "kakugo"),
        language=plan_record.PlannedLanguage(
            name=language.name,
            autonym=language.autonym,
            tag=language.find_tag(),
            flores_code=language.flores_code,
            script=language.script,
            direction=language.direction,
            gaps=language.gaps,
        ),
        student=config.student.name,
        teacher=made.teacher.name if made and plan.taught else "",
        mix=made.mix.name if made else "",
        stages=tuple(
            plan_record.PlannedStage(
                stage.name,
                stage.key,
                stage.label,
                tuple(sorted(needed.key for needed in stage.inputs.values())),
            )
            for stage in plan.stages
        ),
        cells=tuple(_record_cell(language.name, cell) for cell in plan.cells),
        texts=tuple(_record_cell(language.name, cell) for cell in plan.texts),
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / CONFIG, yaml.safe_dump(resolved, allow_unicode=True, sort_keys=False))
    write_whole(folder / PLAN, to_text(record))


def _record_cell(language: str, cell: Cell) -> plan_record.PlannedCell:
    return plan_record.PlannedCell(
        language=language,
        producer=cell.producer,
        checkpoint=plan_record.Checkpoint(cell.checkpoint.name, cell.checkpoint.key),
        task=cell.task,
        key=cell.score.key if cell.score else None,
        gap=cell.gap,
        role=cell.role,
    )


def write_error(folder: Path, error: BaseException) -> None:
    """Writes ``error.txt``: what went wrong in the first line, the traceback below."""
    folder.mkdir(parents=True, exist_ok=True)
    first = " ".join(str(error).split()) or type(error).__name__
    trace = "".join(traceback.format_exception(error))
    write_whole(folder / ERROR, f"{type(error).__name__}: {first}\n\n{trace}")
