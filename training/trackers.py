"""A tracker keeps each training run as one run of its own, however often it was interrupted."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from training.settings import Train

PROJECT = "kakugo"  # under which a tracker keeps the runs


@contextmanager
def tracking(settings: Train) -> Iterator[None]:
    """Around a run. `settings.name` tells runs apart: trackio goes on with the run of that name.

    W&B is told by its environment variables, and to end the run: otherwise the next one of this
    process would be written into it.
    """
    if settings.tracker != "wandb":
        yield
        return
    import wandb

    os.environ.setdefault("WANDB_PROJECT", PROJECT)
    os.environ["WANDB_RUN_ID"] = hashlib.sha256(settings.name.encode()).hexdigest()[:16]
    os.environ["WANDB_RESUME"] = "allow"
    try:
        yield
    finally:
        wandb.finish()
