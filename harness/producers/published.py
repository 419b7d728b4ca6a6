"""Finished checkpoints of others, scored beside our own."""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.config import Config, Student
from harness.producers.producer import Ground, Producer, Step
from harness.stages.base import make_base_stage


@dataclass(frozen=True, kw_only=True)
class PublishedConfig(Config):
    """Names the checkpoints, in the way in which a student is named."""

    published: tuple[Student, ...] = ()


class Published(Producer):
    """The producer of a finished checkpoint of others. It needs not even the student."""

    kind = "published"
    role = "published"
    key = "published"
    needs = PublishedConfig

    def __init__(self, checkpoint: Student) -> None:
        self.checkpoint = checkpoint
        self.name = f"published:{checkpoint.name}"

    @classmethod
    def find(cls, config: PublishedConfig) -> list[Producer]:
        return [cls(checkpoint) for checkpoint in config.published]

    def plan(self, ground: Ground) -> Iterator[Step]:
        yield Step("published", (make_base_stage(self.checkpoint, "published"),))
