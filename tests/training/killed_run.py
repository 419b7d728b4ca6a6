"""Trains and kills itself with SIGKILL, half-way through writing its first state.

Arguments: base, packed, out, seed.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from training.launch import run_training
from training.settings import Train

SETTINGS = Train(
    name="test",
    steps=8,
    learning_rate=1e-2,
    batch_size=2,
    micro_batch=1,
    max_length=128,
    validation=0.1,
    evaluations=4,
    save_every=3,
    threads=1,
)


def die_while_saving() -> None:
    import torch

    real = torch.save

    def save(value: Any, file: Any, *args: Any, **kwargs: Any) -> None:
        real(value, file, *args, **kwargs)
        if str(file).endswith("optimizer.pt"):
            os.truncate(file, Path(file).stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    torch.save = save


if __name__ == "__main__":
    die_while_saving()
    base, packed, out = map(Path, sys.argv[1:4])
    seed = int(sys.argv[4])
    run_training(base=base, packed=packed, out=out, settings=SETTINGS, precision="fp32", seed=seed)
