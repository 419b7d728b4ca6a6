"""Looks at the checkpoints that a run starts from, without fetching a weight."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from core.checkpoints.opening import check_checkpoint, open_config
from harness.config import Config, Student
from harness.lookover.look import Look
from harness.producers.distilled import DistilledConfig
from harness.stages.base import explain_student, find_checkpoint
from training.distillation.vocabulary import check_same_vocabulary
from training.errors import StudentError

_GB = 1e9


def list_students(config: Config) -> Iterator[Look]:
    """Lists a look at the student, at a distillation's teacher, and at each published
    checkpoint."""
    for student in list_checkpoints(config):
        yield Look(f"checkpoint {student.name}", partial(_look_at_student, student))
    if teacher := find_teacher_model(config):
        look = partial(_look_at_vocabularies, config.student, teacher)
        yield Look(f"vocabulary of {teacher.name}", look)


def list_checkpoints(config: Config) -> list[Student]:
    """Lists the finished checkpoints that a configuration names."""
    published: tuple[Student, ...] = getattr(config, "published", ())
    teacher = find_teacher_model(config)
    every = [config.student, *([teacher] if teacher else []), *published]
    return list(dict.fromkeys(every))


def find_teacher_model(config: Config) -> Student | None:
    """Finds the model whose probabilities a distillation asks for; None where none does."""
    asks = isinstance(config, DistilledConfig) and config.distillation.asks_teacher
    return config.teacher_model if isinstance(config, DistilledConfig) and asks else None


def _look_at_vocabularies(student: Student, teacher: Student) -> str:
    if student == replace(teacher, name=student.name):
        return "the student's, as it is the same model"
    if {student.kind, teacher.kind} != {"directory"}:
        return "not looked at: that is done when both are here, before anything is paid"
    size = check_same_vocabulary(find_checkpoint(student), find_checkpoint(teacher))
    return f"the student's, {size:,} tokens"


def _look_at_student(student: Student) -> str:
    if student.kind == "hub":
        size = ask_hub(student).bytes
        return f"{student.repository}: {size / _GB:.1f} GB on the Hub, and it may be fetched"
    path = find_checkpoint(student)
    if student.kind == "directory":
        return "; ".join(check_checkpoint(path)) or f"{path} is whole"
    return f"{path} is there"


@dataclass(frozen=True)
class RemoteStudent:
    """A student of the Hub: the bytes of all its files, and its transformers configuration."""

    bytes: int
    config: Any


def ask_hub(student: Student) -> RemoteStudent:
    """Asks the Hub for a student's sizes, and reads its configuration, which only those can who
    may read the weights. It is asked once. Raises StudentError."""
    found = _ask_once(student)
    if isinstance(found, StudentError):
        raise found
    return found


def open_student_config(student: Student) -> Any:
    """Opens the transformers configuration of a student, of the Hub or here."""
    return (
        ask_hub(student).config if student.kind == "hub" else open_config(find_checkpoint(student))
    )


@cache
def _ask_once(student: Student) -> RemoteStudent | StudentError:
    import httpx2
    from huggingface_hub import HfApi
    from transformers import AutoConfig

    assert student.repository is not None
    place, revision = student.repository, student.revision
    try:
        # First the question that is not repeated for a minute where there is no network.
        info = HfApi().model_info(place, revision=revision, files_metadata=True, timeout=30)
        config = AutoConfig.from_pretrained(place, revision=info.sha, trust_remote_code=False)
    except (OSError, ValueError, httpx2.HTTPError) as error:
        return explain_student(student, error)
    return RemoteStudent(sum(file.size or 0 for file in info.siblings or ()), config)
