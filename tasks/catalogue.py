"""The five tasks: which benchmark, which lm-eval name, which metric.

A task is a benchmark in a language and, for FLORES, a direction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tasks import belebele, flores, global_mmlu, sib200
from tasks.errors import DataMissing
from tasks.protocol import LETTERS

# Bumped by hand when a prompt, a metric or the reading of a benchmark changes: it is part of every
# score's key.
VERSION = 1

Benchmark = Literal["sib200", "belebele", "global_mmlu", "flores"]


@dataclass(frozen=True)
class Task:
    """One task. `chance` is the accuracy of guessing in percent, None where there is none."""

    name: str
    benchmark: Benchmark
    metric: Literal["accuracy", "chrf++"]
    chance: float | None
    split: str
    choices: tuple[str, ...] = ()

    @property
    def protocol(self) -> str:
        """How the task is asked, in words: part of a score's key and of every report."""
        answers = "answer letters, " if self.choices else ""
        return f"{answers}plain prompt, English instructions"

    def lm_eval_name(self, code: str) -> str:
        """The name under which lm-eval knows the task in the language with code `code`."""
        return f"kakugo_{self.name}_{code}"

    def fingerprint(self, root: Path, code: str) -> str:
        """SHA-256 of the data; raises `DataMissing` or `DataMalformed`, so it is also the check
        at the door."""
        if self.benchmark == "sib200":
            return sib200.fingerprint(root, code)
        if self.benchmark == "belebele":
            return belebele.fingerprint(root, code)
        if self.benchmark == "global_mmlu":
            return global_mmlu.fingerprint(root, code)
        if code == flores.ENGLISH:
            raise DataMissing("English is FLORES's other side: there is nothing to translate")
        return flores.fingerprint(root, code)

    def warnings(self, root: Path, code: str, limit: int | None = None) -> list[str]:
        """What a reader of the score of the first `limit` items (None: all) should know."""
        return sib200.warnings(root, code, limit) if self.benchmark == "sib200" else []


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task("sib200", "sib200", "accuracy", sib200.CHANCE, "test", tuple(LETTERS)),
        Task("belebele", "belebele", "accuracy", belebele.CHANCE, "test", tuple(LETTERS[:4])),
        Task(
            "global_mmlu", "global_mmlu", "accuracy", global_mmlu.CHANCE, "test", tuple(LETTERS[:4])
        ),
        Task("flores_xx_en", "flores", "chrf++", None, "devtest"),
        Task("flores_en_xx", "flores", "chrf++", None, "devtest"),
    )
}
