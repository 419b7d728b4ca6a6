"""Finds a student's checkpoint, and measures text by its tokens."""

from functools import cached_property
from pathlib import Path
from typing import Any

from core.checkpoints.opening import open_tokenizer
from core.contract.facts import CheckpointFacts
from core.contract.names import CHECKPOINT, MANIFEST
from harness.config import Config
from harness.errors import report_corrupt
from harness.stage import Artifact


def find_checkpoint_path(artifact: Artifact) -> Path:
    """Returns the checkpoint directory of a base or trained artifact."""
    inside = artifact.path / CHECKPOINT
    if inside.is_dir():
        return inside
    path = artifact.read_facts(CheckpointFacts).path
    if path is None:
        raise report_corrupt(artifact.path, MANIFEST, "names no checkpoint")
    if not Path(path).is_dir():
        raise report_corrupt(artifact.path, MANIFEST, f"names {path}, which is no longer there")
    return Path(path)


def find_kept_tokens(config: Config) -> Path:
    """Returns the folder of what was tokenised before, which all stores share (see
    `training.kept`)."""
    return Path(config.cache) / "tokens"


class StudentTokens:
    """Counts and cuts text by the student's tokens; the tokenizer is loaded at first use."""

    def __init__(self, base: Artifact | None) -> None:
        self._base = base

    @cached_property
    def _tokenizer(self) -> Any:
        if self._base is None:
            raise RuntimeError("a stage that counts tokens must have the base as an input")
        return open_tokenizer(find_checkpoint_path(self._base))

    def count(self, text: str) -> int:
        """Counts the tokens, without special ones."""
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def cut(self, text: str, tokens: int) -> str:
        """Returns the beginning of `text` that its first `tokens` tokens cover, never half a
        character."""
        encoded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        offsets = encoded["offset_mapping"]
        if len(offsets) <= tokens:
            return text
        end = offsets[tokens - 1][1]
        # A character of several byte tokens spans them all; one that is cut off is left out.
        if offsets[tokens][0] < end:
            end = offsets[tokens][0]
        return text[:end]
