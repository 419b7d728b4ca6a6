"""Says whether the probabilities of two models are of the same tokens."""

from pathlib import Path
from typing import Any

from core.checkpoints.opening import open_tokenizer
from training.errors import DistillationError

_NAMED = 3


def check_same_vocabulary(student: Path, teacher: Path) -> int:
    """Compare two checkpoints' vocabularies token by token, and return their size.

    A vocabulary of the same size is not the same one. Raises DistillationError with tokens that
    differ.
    """
    own, given = _read_vocabulary(student), _read_vocabulary(teacher)
    differing = sorted(
        token for token in own.keys() | given.keys() if own.get(token) != given.get(token)
    )
    if differing:
        names = ", ".join(
            f"{token!r} is {_tell(own.get(token))} of the student's and {_tell(given.get(token))} "
            "of the teacher's"
            for token in differing[:_NAMED]
        )
        raise DistillationError(
            f"teacher and student have different vocabularies: {len(differing):,} tokens differ "
            f"({names}), so that the teacher's probabilities are of other tokens than the "
            "student's. Remedy: a teacher of the student's family; or without its probabilities, "
            "distillation.weights.off_policy=0 distillation.weights.on_policy=0, and let it write "
            "the data instead."
        )
    return max(own.values()) + 1


def _read_vocabulary(folder: Path) -> dict[str, int]:
    tokenizer: Any = open_tokenizer(folder)
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    return vocabulary


def _tell(number: int | None) -> str:
    return "none" if number is None else f"number {number}"
