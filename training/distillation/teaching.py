"""Opens what a distillation needs beside its student, and makes its trainer."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from core.checkpoints.opening import open_config, open_tokenizer
from core.checkpoints.tokens import find_end_tokens, read_stated_length
from training.distillation.drawing import Drawing, check_drawing
from training.distillation.engine import Distilling, DistillingTrainer
from training.distillation.frozen import FrozenModel
from training.distillation.output_layer import check_output_layer, find_output_layer
from training.distillation.settings import Lesson
from training.distillation.vocabulary import check_same_vocabulary
from training.settings import Precision, Train


def make_distilling_trainer(
    lesson: Lesson,
    start: Path,
    student: Any,
    settings: Train,
    precision: Precision,
    seed: int,
    device: torch.device,
) -> Callable[..., DistillingTrainer]:
    """Make the trainer, less the arguments of PackedTrainer. `student` is the checkpoint directory
    `start`, opened.

    Raises DistillationError where the models do not fit together, and what opening them raises.
    """
    distillation, teacher = lesson.distillation, lesson.teacher
    layer = find_output_layer(student)
    check_output_layer(student, layer)
    if distillation.draws:
        check_drawing(student)
    tokenizer = open_tokenizer(start)
    drawing = Drawing(
        settings=distillation.rollouts,
        tokenizer=tokenizer,
        ends=find_end_tokens(start, tokenizer),
        seed=seed,
        room=_find_room(start),
        guide_room=_find_room(teacher) if teacher else sys.maxsize,
    )
    asked = teacher if distillation.asks_teacher else None
    return partial(
        DistillingTrainer,
        distilling=Distilling(
            settings=distillation,
            drawing=drawing,
            layer=layer,
            teacher=FrozenModel(asked, settings, precision, device) if asked else None,
            start=FrozenModel(start, settings, precision, device, whole=True)
            if distillation.needs_start
            else None,
            vocabulary=check_same_vocabulary(start, asked) if asked else None,
        ),
    )


def _find_room(folder: Path) -> int:
    return read_stated_length(open_config(folder), open_tokenizer(folder)) or sys.maxsize
