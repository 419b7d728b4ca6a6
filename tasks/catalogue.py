"""All benchmarks, found by their files, and the tasks that they declare.

A task becomes one number in a language; `tasks.loading` loads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Literal

from core.contract.score import Metric
from tasks import benchmarks
from tasks.benchmark import Benchmark
from tasks.protocol import Protocol

# Bumped by hand when a metric or the reading of a benchmark changes: it is part of every score's
# key. (So is the hash of all prompts.)
VERSION = 1


@dataclass(frozen=True)
class Task:
    """One task: a benchmark and, for translations, a direction.

    `retention`: it is asked in English, whatever the experiment's language is.
    """

    name: str
    title: str
    content: Benchmark
    from_english: bool = False
    retention: bool = False

    @property
    def benchmark(self) -> str:
        """The benchmark's name, under which a language has its code."""
        return self.content.name

    @property
    def split(self) -> str:
        return self.content.split

    @property
    def kind(self) -> Literal["choice", "translation", "reading"]:
        """The way in which it is answered: by a choice of the likeliest answer, by a translation,
        or by an answer that is written and then read."""
        if self.content.reading:
            return "reading"
        return "choice" if self.content.letters else "translation"

    @property
    def shots(self) -> int:
        """The number of rows of the scored split that are shots."""
        return self.content.shots

    @property
    def metric(self) -> Metric:
        if self.content.reading:
            return self.content.reading.metric
        return "accuracy" if self.kind == "choice" else "chrf++"

    @property
    def chance(self) -> float | None:
        """The accuracy of guessing in percent, None where there is none."""
        return self.content.chance

    def make_lm_eval_name(self, code: str) -> str:
        """Returns the name under which lm-eval knows the task in the language with code `code`."""
        return f"kakugo_{self.benchmark if self.retention else self.name}_{code}"

    def select_protocol(self, protocol: Protocol) -> Protocol:
        """Returns the part of a protocol that applies to the task."""
        return protocol.apply(kind=self.kind, cloze=self.content.cloze)

    def take_text(self, doc: Mapping[str, Any]) -> str:
        """Returns all of a document that is in the language, as tokenizer measures want it."""
        return str(doc["text"])


def find_benchmarks() -> Mapping[str, Benchmark]:
    """Returns the `BENCHMARK` of each file of ``tasks/benchmarks/`` by its name, in the reports'
    order.

    A file whose name begins with an underscore is none.
    """
    names = [module.name for module in iter_modules(benchmarks.__path__)]
    modules = [import_module(f"{benchmarks.__name__}.{name}") for name in names if name[:1] != "_"]
    found = sorted((module.BENCHMARK for module in modules), key=lambda b: (b.place, b.name))
    return {benchmark.name: benchmark for benchmark in found}


def list_tasks(benchmark: Benchmark) -> list[Task]:
    """Returns the tasks that a benchmark declares in the experiment's language."""
    return [
        Task(naming.name, naming.title, benchmark, naming.from_english)
        for naming in benchmark.tasks
    ]


def list_retention_tasks(benchmark: Benchmark) -> list[Task]:
    """Returns the task that asks a benchmark in English, where it is to be asked so."""
    if not benchmark.keeps_english:
        return []
    name, title = f"english_{benchmark.name}", f"English {benchmark.title}"
    return [Task(name, title, benchmark, retention=True)]


BENCHMARKS = find_benchmarks()
TASKS: Mapping[str, Task] = {
    task.name: task
    for make in (list_tasks, list_retention_tasks)
    for benchmark in BENCHMARKS.values()
    for task in make(benchmark)
}
"""All tasks by their names, in the reports' order: those in English last."""
RETENTION_TASKS = tuple(task.name for task in TASKS.values() if task.retention)
PAPERS_TASKS = tuple(
    task.name for task in TASKS.values() if task.content.paper and not task.retention
)
