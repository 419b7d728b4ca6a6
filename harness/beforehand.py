"""Looks at the checkpoints of a run before time or money goes into it."""

from collections.abc import Callable
from pathlib import Path

from core.checkpoints.chat import describe_held_parts
from core.checkpoints.errors import CheckpointError
from core.checkpoints.opening import check_checkpoint, open_config, open_tokenizer
from harness.config import Config
from harness.errors import MachineError
from harness.experiment import Plan
from harness.lookover.machine import check_memory
from harness.stage import Stage, list_with_inputs
from harness.stages.base import NAME
from harness.stages.distilling import GuidedSettings
from harness.stages.training import PackedSettings, TrainSettings
from harness.store import Store
from harness.students import find_checkpoint_path
from training.distillation.vocabulary import check_same_vocabulary
from training.prepare import make_token_counter
from training.settings import DataSettings


def check_students(
    config: Config, plan: Plan, store: Store, warn: Callable[[Stage, str], None]
) -> None:
    """Opens each finished checkpoint that something missing is to be made from.

    Raises CheckpointError or TrainingError where one of them will not do, or a student and the
    teacher of its distillation have different vocabularies.
    """
    missing = [stage for stage in plan.targets if not store.find(stage)]
    needed = list(list_with_inputs(missing))
    chats = config.evaluate.protocol.prompt != "plain" and any(s.name == "score" for s in missing)
    trained_from = {
        s.inputs["base"].key: s.settings.data
        for s in needed
        if isinstance(s.settings, PackedSettings)
    }
    for student in [stage for stage in needed if stage.name == NAME]:
        folder = find_checkpoint_path(store.build(student))
        for note in check_student(folder, chats=chats, trains=trained_from.get(student.key)):
            warn(student, note)
        for stage in needed:
            if isinstance(stage.settings, TrainSettings) and stage.inputs["base"] is student:
                warn_of_memory(folder, stage, warn)
    for stage in needed:
        if isinstance(stage.settings, GuidedSettings):
            pair = (find_checkpoint_path(store.build(stage.inputs[n])) for n in ("base", "teacher"))
            check_same_vocabulary(*pair)


def warn_of_memory(folder: Path, stage: Stage, warn: Callable[[Stage, str], None]) -> None:
    """Warns where a training will hardly fit into this machine. It is an estimate, so that a
    person who knows better is not held up."""
    try:
        check_memory(open_config(folder), stage.settings.train)
    except MachineError as error:
        warn(stage, str(error))


def check_student(folder: Path, *, chats: bool, trains: DataSettings | None) -> list[str]:
    """Opens all of a checkpoint but its weights' values, which takes seconds.

    chats: it will be asked in its chat template; trains: it will be trained with this data. Returns
    what a person should know.
    """
    notes = check_checkpoint(folder)
    if chats:
        describe_held_parts(open_tokenizer(folder))
    if trains:
        if getattr(open_config(folder), "quantization_config", None):
            raise CheckpointError(
                f"{folder} is quantised, so that it cannot be trained. Remedy: give the checkpoint "
                "that it was made from."
            )
        turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "!"}]
        make_token_counter(folder, trains)([turns])
    return notes
