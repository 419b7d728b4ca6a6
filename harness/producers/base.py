"""The student before any training, from which gains are measured."""

from collections.abc import Iterator

from harness.config import Config
from harness.producers.producer import Ground, Producer, Step


class Base(Producer):
    """The producer of the student before any training. It needs no source, teacher or mixture."""

    kind = "base"
    role = "base"
    name = "base"

    @classmethod
    def find(cls, config: Config) -> list[Producer]:
        return [cls()]

    def plan(self, ground: Ground) -> Iterator[Step]:
        yield Step("base", (ground.student,))
