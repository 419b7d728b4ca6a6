"""A finished model as a checkpoint directory: the student before training, or a published one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from core.checkpoints.files import check_files
from core.checkpoints.held import find_held_fast
from core.contract.facts import CheckpointFacts
from core.contract.manifest import About
from core.contract.names import CHECKPOINT
from core.files import hash_file
from core.hub import explain_refusal
from harness.config import Student
from harness.keys import IF_GIVEN, UNKEYED
from harness.stage import Outcome, Stage, Work
from harness.store import hash_content, hash_folder
from training.errors import StudentError

NAME = "base"


@dataclass(frozen=True)
class GgufSettings:
    """A GGUF file, which is turned into a transformers checkpoint."""

    file: Path = field(metadata=UNKEYED)
    sha256: str
    kind: str = "gguf"


@dataclass(frozen=True)
class DirectorySettings:
    """A saved model that is used in place, with one SHA-256 for its files.

    The path is in the key beside the content: the artifact points at it, and another directory with
    the same content must not lead to one that has changed since. `find_held_fast` is what is not
    left to the checkpoint, such as a date in its template.
    """

    path: str
    content: str
    held_fast: Mapping[str, Any] | None = field(metadata=IF_GIVEN)
    kind: str = "directory"


@dataclass(frozen=True)
class HubSettings:
    """A model of the Hub at one commit, used where it was downloaded to."""

    path: str = field(metadata=UNKEYED)
    repository: str
    commit: str
    held_fast: Mapping[str, Any] | None = field(metadata=IF_GIVEN)
    kind: str = "hub"


def make_base_stage(student: Student, role: Literal["base", "published"] = "base") -> Stage:
    """Returns the stage that makes a finished model loadable.

    A GGUF is turned into a transformers checkpoint once, in the shared cache. A directory or Hub
    model is used in place; its content or its commit is in the key, so that a changed checkpoint
    under the same path never shows an old score.
    """
    settings: GgufSettings | DirectorySettings | HubSettings
    if student.kind == "gguf":
        file = find_checkpoint(student)
        settings = GgufSettings(file, hash_file(file))
    elif student.kind == "directory":
        path = find_checkpoint(student)
        settings = DirectorySettings(
            str(path), hash_content(hash_folder(path)), find_held_fast(path) or None
        )
    else:
        settings = _fetch(student)
    converts = isinstance(settings, GgufSettings)
    return Stage(
        name=NAME,
        version=1,
        label=f"{student.name}: base checkpoint",
        settings=settings,
        make=convert if converts else point_at,
        about=About(student=student.name, role=role),
        shared=converts,
    )


def convert(settings: GgufSettings, work: Work) -> Outcome:
    """Writes a GGUF's weights and tokenizer as a transformers checkpoint."""
    from training.students import materialise_gguf

    materialise_gguf(settings.file, work.out / CHECKPOINT)
    return Outcome()


def point_at(settings: DirectorySettings | HubSettings, work: Work) -> Outcome:
    """Says where a checkpoint lies that stays where it is."""
    return Outcome(CheckpointFacts(settings.path))


def find_checkpoint(student: Student) -> Path:
    """Returns the path of a student that lies on this machine: a GGUF file or a directory.

    Raises StudentError or CheckpointError where there is none.
    """
    from training.students import find_embedded_gguf

    if student.kind == "directory":
        path = Path(student.path or "").absolute()
        check_files(path)
        return path
    path = Path(student.path) if student.path else find_embedded_gguf()
    if not path.is_file():
        raise StudentError(
            f"student.path: there is no file {path}. Remedy: the path of a GGUF file, or leave it "
            "out for the embedded student."
        )
    return path


def _fetch(student: Student) -> HubSettings:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    assert student.repository is not None
    try:
        path = Path(snapshot_download(student.repository, revision=student.revision))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise explain_student(student, error) from error
    check_files(path)
    # A snapshot's directory is named by the commit it was resolved to.
    return HubSettings(str(path), student.repository, path.name, find_held_fast(path) or None)


def explain_student(student: Student, error: Exception) -> StudentError:
    """Builds the error for a student that the Hub does not give."""
    place = str(student.repository) + (f"@{student.revision}" if student.revision else "")
    told = explain_refusal(
        error,
        place,
        kind="models",
        setting="student.repository",
        instead="or give a saved model: student=directory student.path=DIR",
    )
    return StudentError(f"{place} {told}.")
