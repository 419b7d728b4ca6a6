"""The checkpoints that a training run kept on its way: each as one of its own, and their mean."""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from core.contract.facts import AverageFacts, KeptFacts, TrainFacts
from core.contract.names import CARD, CHECKPOINT
from harness.errors import report_corrupt
from harness.stage import Artifact, Outcome, Stage, Work
from harness.students import find_checkpoint_path

_TRAINED = "trained"
"""The role of the training run among a stage's inputs."""


@dataclass(frozen=True)
class StepSettings:
    """The place of the checkpoint among those that its run kept, 1 for the earliest."""

    part: int


@dataclass(frozen=True)
class AverageSettings:
    """The number of a run's last checkpoints that are averaged, its very last one among them."""

    last: int


def make_step_stage(trained: Stage, producer: str, part: int) -> Stage:
    """Makes the stage of one checkpoint on the way of a training run."""
    return Stage(
        name="step",
        version=1,
        label=f"{trained.about.language}: {producer}",
        settings=StepSettings(part),
        inputs={_TRAINED: trained},
        make=take_step,
        about=replace(trained.about, producer=producer),
    )


def make_average_stage(trained: Stage, producer: str, last: int) -> Stage:
    """Makes the stage that averages the last checkpoints of a training run."""
    return Stage(
        name="average",
        version=1,
        label=f"{trained.about.language}: {producer}",
        settings=AverageSettings(last),
        inputs={_TRAINED: trained},
        make=average,
        about=replace(trained.about, producer=producer),
    )


def take_step(settings: StepSettings, work: Work) -> Outcome:
    """Writes the checkpoint as it was behind a step: its weights, and all else of the last one."""
    run = work.inputs[_TRAINED]
    steps = _find_kept(run)
    step = sorted(steps)[settings.part - 1]
    _copy_all_but_weights(find_checkpoint_path(run), work.out / CHECKPOINT)
    for path in steps[step]:
        _put_file(path, work.out / CHECKPOINT / path.name)
    return Outcome(KeptFacts(step, run.read_facts(TrainFacts).steps))


def average(settings: AverageSettings, work: Work) -> Outcome:
    """Writes the mean of the weights, taken in fp32 and rounded to bf16 once."""
    from training.saving import average_weights, list_weight_files

    run = work.inputs[_TRAINED]
    steps, last = _find_kept(run), find_checkpoint_path(run)
    chosen = sorted(steps)[len(steps) - (settings.last - 1) :]
    folders = [*(steps[step][0].parent for step in chosen), last]
    _copy_all_but_weights(last, work.out / CHECKPOINT)
    for file in list_weight_files(last):
        work.progress(0, 0, f"averaging {file.name}")
        average_weights([folder / file.name for folder in folders], work.out / CHECKPOINT)
    return Outcome(AverageFacts((*chosen, run.read_facts(TrainFacts).steps)))


def _find_kept(run: Artifact) -> dict[int, list[Path]]:
    """Finds the files of weights of each step that a run kept. Raises `ArtifactCorrupt` where
    there are none."""
    from training.finetune import KEPT
    from training.saving import list_weight_files

    folders = [path for path in (run.path / KEPT).glob("*") if path.name.isdigit()]
    found = {int(folder.name): list_weight_files(folder) for folder in folders}
    if not found or not all(found.values()):
        raise report_corrupt(run.path, KEPT, "lacks the weights of the steps that were kept")
    return found


def _copy_all_but_weights(checkpoint: Path, folder: Path) -> None:
    from training.saving import list_weight_files

    weights = {path.name for path in list_weight_files(checkpoint)}
    folder.mkdir()
    for path in checkpoint.iterdir():
        # The card is of the last checkpoint's losses and of no other.
        if path.name not in weights and path.name != Path(CARD).name:
            shutil.copy2(path, folder / path.name)


def _put_file(source: Path, target: Path) -> None:
    """Gives a file a second name, where the disk allows it; else copies it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
