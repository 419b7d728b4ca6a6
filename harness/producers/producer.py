"""The base class of producers. Each yields a checkpoint that is scored, and plans the stages
that it needs, and no others."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from core.contract.producers import Role
from harness.config import Config
from harness.read_once import ReadOnce
from harness.stage import Stage
from harness.stages.base import make_base_stage
from harness.stages.benchmarks import (
    AskedText,
    BenchmarkItems,
    load_task_or_gap,
    open_benchmarks,
    read_benchmark_items,
    read_texts,
)
from tasks.catalogue import TASKS
from tasks.data import BenchmarkData
from tasks.errors import DataMalformed, DataMissing
from tasks.loading import Loaded


@dataclass(frozen=True)
class Step:
    """A part of the way to a checkpoint. Behind it a run may end: `stop_after` names it, and
    `stages` are what is then asked for."""

    name: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class Ground:
    """The things that producers plan with. `ledgers` is the directory of the teacher's ledgers."""

    config: Config
    ledgers: Path
    kept: ReadOnce = field(default_factory=ReadOnce)

    @cached_property
    def student(self) -> Stage:
        """The student's checkpoint, hashed or fetched when it is first needed."""
        student = self.config.student
        return self.kept.get(("student", student), lambda: make_base_stage(student))

    @cached_property
    def benchmarks(self) -> BenchmarkData:
        """The place from which the benchmarks are read."""
        return open_benchmarks(self.config)

    def load(self, name: str) -> Loaded | DataMissing | DataMalformed:
        """Loads a task, or says why it cannot be asked."""
        config = self.config
        return self.kept.get(
            ("task", name, config.language, config.data_dir, config.evaluate),
            lambda: load_task_or_gap(config, TASKS[name], self.benchmarks),
        )

    @cached_property
    def texts(self) -> tuple[AskedText, ...]:
        """The texts on which bits per byte are measured."""
        config = self.config
        return self.kept.get(
            ("texts", config.language, config.data_dir, config.evaluate),
            lambda: tuple(read_texts(config, self.benchmarks)),
        )

    @cached_property
    def benchmark_items(self) -> BenchmarkItems:
        """The benchmarks' texts, which are looked for in mixtures, and why some are not there."""
        config = self.config
        return self.kept.get(
            ("items", config.language, config.data_dir, config.evaluate),
            lambda: read_benchmark_items(config, self.benchmarks, self.kept),
        )


class Producer(ABC):
    """A kind of producer as a class, and what a configuration asks for of it as its objects.

    `kind` is typed in `producers=[...]` and names the endpoint in `evaluate.endpoints`. A kind that
    is asked for by settings of its own gives their `key`. `needs` is the configuration that it
    plans with: what no kind needs is not looked at. `stops` are the names of the steps behind which
    a run may end; the last of them yields the checkpoint.
    """

    kind: ClassVar[str]
    role: ClassVar[Role]
    key: ClassVar[str] = "producers"
    needs: ClassVar[type[Config]] = Config
    stops: ClassVar[tuple[str, ...]] = ()
    name: str
    """Tells it from the others of a report."""

    @classmethod
    def is_asked(cls, values: Mapping[str, Any]) -> bool:
        """Says whether a configuration names this kind."""
        given = values.get(cls.key, getattr(cls.needs, cls.key)) or ()
        return cls.kind in given if cls.key == "producers" else bool(given)

    @classmethod
    @abstractmethod
    def find(cls, config: Any) -> Iterable["Producer"]:
        """Finds the producers of this kind that a configuration, which `needs` describes, asks
        for."""

    @abstractmethod
    def plan(self, ground: Ground) -> Iterator[Step]:
        """Plans the steps in their order; the last stage of the last one is the checkpoint.

        A step is laid out when it is asked for, so that who stops before needs nothing of it.
        """
