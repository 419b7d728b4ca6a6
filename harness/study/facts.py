"""Says what an arm's answers depend on, without loading a model."""

from pathlib import Path

from harness.store import hash_folder
from training.precision import has_nvidia_gpu


def hash_files(checkpoint: Path) -> dict[str, str]:
    """Computes the SHA-256 of each file of a checkpoint, by its path within it."""
    return {name: entry.sha256 for name, entry in hash_folder(checkpoint).items()}


def choose_precision(asked: str) -> str:
    """Chooses the precision of an arm: the one asked for, or for "auto" bf16 on a GPU and fp32
    without."""
    if asked != "auto":
        return asked
    return "bf16" if has_nvidia_gpu() else "fp32"
