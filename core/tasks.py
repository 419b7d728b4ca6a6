"""The facts of every task that those who only read scores need: its title, metric and chance.

`tasks.generate` writes them from the benchmarks' own declarations, so that a reader of scores needs
no benchmark's code. The order is that of reports.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from core.contract.score import Metric

FILE = Path(__file__).parent / "tasks.yaml"


@dataclass(frozen=True)
class TaskFacts:
    """A task as reports name it. `chance` is the accuracy of guessing in percent, None for
    translations; `from_english` is the direction of a translation; `labelled` says that the
    benchmark's files tell of each item besides (see `core.contract.samples.Choice`); `retention`
    that it is in English, to tell what a checkpoint has forgotten. `other` is the FLORES code of
    the other side of a translation. A task of a `suite` is part of a `member` of one of its
    pillars, in these `languages` (FLORES codes). `people` is the published accuracy of people in
    percent, on average over the languages that `people_source` tells of."""

    title: str
    metric: Metric
    chance: float | None
    from_english: bool
    labelled: bool
    retention: bool = False
    other: str = "eng_Latn"
    suite: str = ""
    pillar: str = ""
    member: str = ""
    languages: tuple[str, ...] = ()
    people: float | None = None
    people_source: str = ""


TASKS: Mapping[str, TaskFacts] = {
    name: TaskFacts(**facts)
    for name, facts in yaml.safe_load(FILE.read_text(encoding="utf-8")).items()
}


def show_task(name: str) -> str:
    """Returns a task's title; its name where a store holds one that is not known here."""
    return TASKS[name].title if name in TASKS else name


def is_translation(name: str) -> bool:
    """Says whether a task is scored by chrF++."""
    return name in TASKS and TASKS[name].metric == "chrf++"


def is_accuracy(name: str) -> bool:
    """Says whether a task is scored by the share of right answers, as one is that is not known."""
    return name not in TASKS or TASKS[name].metric == "accuracy"


def is_retention(name: str) -> bool:
    """Says whether a task tells what was kept of English, and nothing of the language."""
    return name in TASKS and TASKS[name].retention


def is_from_english(name: str) -> bool:
    """Says whether a task is a translation from English, so that its answers are in the
    language."""
    return name in TASKS and TASKS[name].from_english
