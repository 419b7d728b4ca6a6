"""Errors of the harness. A person can mend each; the command line prints them without a traceback.

HarnessError
├─ ConfigError        the configuration has unknown keys, wrong types or impossible values
├─ ArtifactCorrupt    a finished artifact is not what its manifest says
├─ ArtifactMissing    a stage would have to run, but `on_missing` forbids it
├─ Contaminated       the training data hold benchmark texts, and `fail_on_contamination` is set
├─ TeacherServerError the embedded teacher did not start
└─ ScoringError       a checkpoint cannot be scored
"""

from core.errors import MendableError


class HarnessError(MendableError):
    """Base of all errors of the harness; the message says what to do."""


class ConfigError(HarnessError):
    """Every problem of the configuration, one a line."""


class ArtifactCorrupt(HarnessError):
    """A file of a finished artifact is missing, truncated or changed."""


class ArtifactMissing(HarnessError):
    """A stage is not done and may not be run."""


class Contaminated(HarnessError):
    """The training data hold texts of a benchmark."""


class TeacherServerError(HarnessError):
    """The embedded llama.cpp server did not come up or went away."""


class ScoringError(HarnessError):
    """A checkpoint or a task cannot be scored as asked."""
