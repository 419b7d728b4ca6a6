"""Says what an arm's answers depend on, without loading a model."""

from pathlib import Path

from harness.scoring.choice import choose_precision
from harness.store import hash_folder

__all__ = ["choose_precision", "hash_files"]


def hash_files(checkpoint: Path) -> dict[str, str]:
    """Computes the SHA-256 of each file of a checkpoint, by its path within it."""
    return {name: entry.sha256 for name, entry in hash_folder(checkpoint).items()}
