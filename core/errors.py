"""The root of every error that a person can mend.

MendableError
├─ CheckpointError (core.checkpoints)  ├─ IdentifierError (core.identify)
├─ GenerationError                     ├─ HarnessError
├─ PreferenceError                     ├─ PublishingError
├─ ReportsError                        ├─ TasksError
└─ TrainingError
"""


class MendableError(Exception):
    """The message says what is wrong and what to do: a command prints it without a traceback."""
