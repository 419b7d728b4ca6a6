"""Errors of this package, as messages for the person who runs it.

TrainingError
├── StudentError    a GGUF file or base checkpoint is missing, unreadable or of an unknown kind
├── RowsError       the mixture has no row to train on, or a row that is not a conversation
├── MaskError       the chat template cannot be split into trained and untrained tokens
├── ResumeError     the folder holds the interrupted state of another run
├── LeakError       packed documents see each other on the loaded model
├── LaunchError     the processes of a run cannot be started, or one died; a package is missing
├── MemoryShort     the run does not fit into memory
├── DistillationError   teacher and student do not fit together, or the verbalizer's wording is bad
├── ToldToStop         the run was told to stop, and has saved its state
└── DivergedError   the loss is no longer a number
"""

from core.errors import MendableError


class TrainingError(MendableError):
    """The message says what is wrong and what to do about it."""


class StudentError(TrainingError):
    """A GGUF file or base checkpoint is missing, unreadable or of an unknown kind."""


class RowsError(TrainingError):
    """The mixture has no row to train on, or a row that is not a conversation."""


class MaskError(TrainingError):
    """The chat template cannot be split into trained and untrained tokens."""


class ResumeError(TrainingError):
    """The folder holds the interrupted state of another run."""


class DivergedError(TrainingError):
    """The loss is no longer a number."""


class ToldToStop(TrainingError):
    """The run was told to stop, and has saved its state."""


class LeakError(TrainingError):
    """Packed documents see each other on the loaded model."""


class LaunchError(TrainingError):
    """The processes of a run cannot be started, or one of them died."""


class MemoryShort(TrainingError):
    """The run does not fit into memory."""


class DistillationError(TrainingError):
    """Teacher and student do not fit together, or the verbalizer's wording cannot be used."""
