"""What is enough to plan an experiment with, where nothing of it is made."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file


def least_checkpoint(folder: Path) -> Path:
    """A directory with what a checkpoint must have to be planned with."""
    if not folder.exists():
        folder.mkdir(parents=True)
        (folder / "config.json").write_text('{"model_type": "llama"}')
        (folder / "tokenizer.json").write_text("{}")
        save_file({"weight": np.zeros(1, np.float32)}, folder / "model.safetensors")
    return folder
