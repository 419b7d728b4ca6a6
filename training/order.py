"""Decide in which order the rows come."""

import math
import random

from training.errors import LaunchError
from training.settings import Train


def count_steps(settings: Train, rows: int) -> int:
    """The number of optimizer steps of a run over `rows` rows."""
    if settings.steps is not None:
        return settings.steps
    return math.ceil(_count_samples(settings, rows) / settings.batch_size)


def choose_kept_steps(settings: Train, steps: int) -> list[int]:
    """The steps behind which a checkpoint is kept, evenly spaced; the last one is not among them.

    Raises LaunchError for more checkpoints than steps.
    """
    if settings.keep > steps:
        raise LaunchError(
            f"train.keep={settings.keep} checkpoints cannot be kept of {steps} steps. Remedy: "
            f"train.keep={steps} at most, or more steps."
        )
    return [round(steps * part / settings.keep) for part in range(1, settings.keep)]


def order_rows(settings: Train, rows: int, seed: int) -> list[int]:
    """The row numbers in the order of training, over the whole run.

    Every pass over the data is shuffled anew, and no row comes again before all have come. With
    `epochs`, the last step is smaller where the rows run out; with `steps`, all are full.
    """
    samples = _count_samples(settings, rows)
    order: list[int] = []
    passes = 0
    while len(order) < samples:
        once = list(range(rows))
        random.Random(f"{seed}/{passes}").shuffle(once)
        order += once
        passes += 1
    return order[:samples]


def _count_samples(settings: Train, rows: int) -> int:
    if settings.steps is not None:
        return settings.steps * settings.batch_size
    return max(1, round(rows * settings.epochs))
