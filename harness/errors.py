"""Errors of the harness. A person can mend each; the command line prints them without a traceback.

HarnessError
├─ ConfigError        the configuration has unknown keys, wrong types or impossible values
├─ ArtifactCorrupt    a finished artifact is not what its manifest says
├─ ArtifactNewer      a newer version made an artifact in a form that this one does not know
├─ ArtifactMissing    a stage would have to run, but `on_missing` forbids it
├─ ClusterError       a job cannot be submitted, or cannot make what it was asked for
├─ Contaminated       the training data hold benchmark texts, and `fail_on_contamination` is set
├─ ExportError        a checkpoint cannot be exported, or a file is not the checkpoint's
├─ LookOverError      a run cannot have all that it needs
├─ MachineError       this machine lacks memory, disk or GPUs for what was asked
├─ TeacherServerError the embedded teacher did not start
└─ ScoringError       a checkpoint cannot be scored
"""

from pathlib import Path

from core.contract.record import Unreadable
from core.errors import MendableError


class HarnessError(MendableError):
    """Base of all errors of the harness; the message says what to do."""


class ConfigError(HarnessError):
    """Every problem of the configuration, one a line."""


class ArtifactCorrupt(HarnessError):
    """A file of a finished artifact is missing, truncated or changed."""


class ArtifactNewer(HarnessError):
    """A newer version of the harness made an artifact in a form that this one does not know."""


class ArtifactMissing(HarnessError):
    """A stage is not done and may not be run."""


class TalkError(HarnessError):
    """Nobody can be talked to, or someone can give no answer."""


class ClusterError(HarnessError):
    """A job of a cluster cannot be submitted, or cannot make what it was asked for."""


class Contaminated(HarnessError):
    """The training data hold texts of a benchmark."""


class ExchangeError(HarnessError):
    """A store cannot be copied to an address, or from it."""


class ExportError(HarnessError):
    """A checkpoint cannot be written in another form, or what was written is not the same model."""


class LookOverError(HarnessError):
    """A run cannot have all that it needs; every problem, one a line."""


class MachineError(HarnessError):
    """This machine lacks memory, disk or GPUs for what was asked."""


class TeacherServerError(HarnessError):
    """The embedded llama.cpp server did not come up or went away."""


class ScoringError(HarnessError):
    """A checkpoint or a task cannot be scored as asked."""


def report_corrupt(folder: Path, name: str, what: str) -> ArtifactCorrupt:
    """Builds the error for a damaged artifact, with its remedy."""
    return ArtifactCorrupt(
        f"{folder / name} {what}.\n"
        f"Remedy: remove the artifact and run the same command again; only it is made anew:\n"
        f"    rm -r {folder}"
    )


def report_no_locks(folder: Path) -> HarnessError:
    """Builds the error for a store on a file system without locks."""
    return HarnessError(
        f"The file system of {folder} has no locks, so that two runs could make the same thing at "
        "once.\nRemedy: kakugo submit, whose jobs keep apart without them; a store on another file "
        "system (store=DIR, cache=DIR); or have it mounted with locks (Lustre: -o flock)."
    )


def report_unreadable(folder: Path, name: str, error: Unreadable) -> HarnessError:
    """Builds the error for a record that cannot be read: damaged, or of a newer version."""
    if error.remedy:
        return ArtifactNewer(f"{folder / name}: {error}.\nRemedy: {error.remedy}.")
    return report_corrupt(folder, name, f"is damaged: {error}")
