"""Loads a task in a language: rows, shots, prompts, and the same as lm-eval's task.

`dataset` is what the generated files of ``tasks/lm_eval`` call, so that stock ``lm_eval`` asks
exactly what `load_task` asks.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from core.languages import find_language
from tasks.benchmark import Asking, Item
from tasks.catalogue import TASKS, VERSION, Task
from tasks.data import BenchmarkData, Read, open_data, read
from tasks.errors import DataMalformed, DataMissing
from tasks.protocol import Protocol, split_shots
from tasks.reading import BLANK_LINE, EXTRACTIONS, Wording
from tasks.warnings import (
    warn_of_answers,
    warn_of_labels,
    warn_of_left_out,
    warn_of_number,
    warn_of_shots,
    warn_of_sides,
)
from tasks.words import find_words
from tasks.written import make_reading_document

COMMON = Path(__file__).parent / "lm_eval"


@dataclass(frozen=True)
class Loaded:
    """A task in a language, ready to be asked. Plain values, so that it can go to any process.

    `items` are scored, in the order of the file; `description` stands before the shots.
    """

    task: Task
    code: str
    language: str
    protocol: Protocol
    data: Read
    description: str
    shots: tuple[Item, ...]
    items: tuple[Item, ...]
    draft_words: bool

    @property
    def name(self) -> str:
        """lm-eval's name of the task."""
        return self.task.make_lm_eval_name(self.code)

    @cached_property
    def prompts_sha256(self) -> str:
        """SHA-256 of everything that is asked and of what counts as right, shots and items in
        order. A chat template is not in it: that is the checkpoint's."""
        digest = hashlib.sha256(json.dumps(self.description).encode())
        for item in [*self.shots, *self.items]:
            digest.update(json.dumps(item.asked, sort_keys=True).encode() + b"\n")
        return digest.hexdigest()

    @property
    def in_words(self) -> str:
        """One phrase that names every choice of the protocol."""
        return self.protocol.describe(
            kind=self.task.kind,
            language=self.language,
            cloze=self.task.content.cloze,
            wording=self.items[0].wording,
        )

    @property
    def shots_shown(self) -> int:
        """The number of rows that a prompt shows with their answers."""
        if reading := self.task.content.reading:
            if self.protocol.prompt != "plain":
                return 0
            return self.task.shots or len(self.data.examples) // reading.sets
        return self.task.shots

    @property
    def wording(self) -> Wording | None:
        """The words by which a written answer is known; None where none is read."""
        reading = self.task.content.reading
        return reading.wordings[self.code] if reading else None

    @property
    def guessing(self) -> float | None:
        """The share of right answers that guessing gives, which is 0 of the score; None where the
        score is not normalised by it."""
        reading = self.task.content.reading
        return (reading.find_guessing(self.code) or None) if reading else None

    def list_protocol_fields(self) -> dict[str, Any]:
        """Returns the choices of the protocol by name; None for the extraction of a task whose
        answers are not read."""
        read = {} if self.wording else {"extraction": None}
        return {**self.protocol.list_fields(), **read}

    @property
    def data_facts(self) -> dict[str, Any]:
        """The facts of the data that a score records."""
        return {
            "name": self.data.name,
            "sha256": self.data.sha256,
            "split": self.task.split,
            "revision": self.data.revision,
            "repository": self.data.repository,
        }

    @property
    def left_out(self) -> dict[str, int]:
        """The number of rows of the data that were not asked, by the columns that are blank in
        them."""
        return dict(Counter(", ".join(row.columns) for row in self.data.left_out))

    @property
    def evaluate_options(self) -> dict[str, Any]:
        """Options of lm-eval's `evaluate` beside the tasks."""
        return self.protocol.list_lm_eval_options()

    def make_lm_eval_tasks(self, max_new_tokens: int | None = None) -> dict[str, Any]:
        """Returns the task as lm-eval's `evaluate` takes it. `max_new_tokens` ends a translation;
        an answer that is read has a limit of its own."""
        from lm_eval.api.task import ConfigurableTask
        from lm_eval.tasks._yaml_loader import load_yaml

        splits = self.make_splits()
        config = {
            **load_yaml(write_common_file(self.task)),
            **write_task_config(self.task, self.code, self.language),
            "custom_dataset": lambda **_: splits,
        }
        task = ConfigurableTask(config=config)
        if max_new_tokens is not None and self.task.kind == "translation":
            task.config.generation_kwargs["max_gen_toks"] = max_new_tokens
        if self.wording and self.protocol.prompt == "plain":
            # What stands behind it is cut off anyway (`tasks.reading.cut_answer`): this saves time.
            task.config.generation_kwargs |= {"until": [BLANK_LINE], "after": self.wording.tag}
        return {"tasks": {self.name: task}, "groups": {}, "group_map": {}}

    def make_splits(self) -> dict[str, Any]:
        """Returns the shots and the scored items as `datasets.Dataset`."""
        from datasets import Dataset

        return {
            name: Dataset.from_list([self.make_document(item) for item in items])
            for name, items in (("shots", self.shots), ("scored", self.items))
        }

    def make_document(self, item: Item) -> dict[str, Any]:
        """Returns an item as lm-eval's document, without what its task has no use for."""
        reading = self.task.content.reading
        if reading:
            return make_reading_document(item, reading, self.code, self.protocol)
        unused = ("source", "target") if item.choices else ("choices", "answer", "label")
        document = {name: value for name, value in item.asked.items() if name not in unused}
        return {**document, "description": self.description}

    def list_warnings(self, limit: int | None = None) -> list[str]:
        """Returns warnings for a reader of the score of the first `limit` items (None: all)."""
        found = [
            *warn_of_labels(self.shots, self.items, limit),
            *warn_of_number(self.task.content, self.data, len(self.items[:limit])),
            *warn_of_left_out(self.data, self.task.shots),
            *warn_of_answers(self.items[:limit]),
            *warn_of_shots(self.shots, self.items[:limit]),
            *warn_of_sides(self.items[:limit]),
        ]
        if self.draft_words:
            found.append(
                f"the instructions in {self.language} are a draft that no native speaker checked"
            )
        return found


def load_task(
    task: Task,
    code: str,
    language: str,
    data: BenchmarkData,
    protocol: Protocol | None = None,
    hub_codes: Mapping[str, str] | None = None,
) -> Loaded:
    """Loads the task in the language that its benchmark calls `code`, and whose English name is
    `language`. Repositories of the Hub that call it otherwise stand in `hub_codes`.

    Reads the data; imports neither lm-eval nor torch. Raises `DataMissing`, `DataMalformed`,
    `HubUnavailable`, `WordsMissing` or `WordsMalformed`.
    """
    protocol = task.select_protocol(protocol or Protocol())
    chosen = find_words(language if protocol.instructions == "language" else None)
    examples = _count_examples(task, protocol)
    content = read(task.content, data, code, hub_codes, examples)
    shown = content.examples
    if task.content.reading and protocol.prompt == "plain":
        shown = shown or content.rows[: task.shots]
    asking = Asking(protocol, chosen, language, task.from_english, code, shown)
    items = [task.content.item(row, asking) for row in content.rows]
    shots = split_shots([item.label for item in items], protocol.shots, task.shots)
    if len(shots) < task.shots:
        raise DataMalformed(
            f"{task.benchmark} {code}: the rows have {len(shots)} labels, balanced shots need "
            f"{task.shots}. Remedy: evaluate.protocol.shots=first"
        )
    return Loaded(
        task=task,
        code=code,
        language=language,
        protocol=protocol,
        data=content,
        description=task.content.description(asking),
        shots=tuple(items[position] for position in shots),
        items=tuple(item for position, item in enumerate(items) if position not in shots),
        draft_words=protocol.instructions == "language" and chosen.reviewed_by is None,
    )


def _count_examples(task: Task, protocol: Protocol) -> int:
    """Returns how many examples of a file of their own a prompt shows; raises DataMissing where a
    task is not asked so."""
    reading = task.content.reading
    if reading is None or protocol.prompt != "plain" or task.shots:
        return 0
    if not reading.examples:
        raise DataMissing(
            f"{task.title} is asked of chats alone; evaluate.protocol.prompt=chat-message asks it"
        )
    return reading.examples * reading.sets


def dataset(
    task: str,
    code: str,
    language: str,
    data_dir: str | None = None,
    hub: Mapping[str, str] | None = None,
    answers: Any = "letters",
    instructions: Any = "english",
    shots: Any = "first",
    prompt: Any = "plain",
    extraction: Any = "seahelm",
    **_: Any,
) -> dict[str, Any]:
    """Returns the data set that lm-eval's generated files ask for.

    From `data_dir` on, the arguments are given to stock ``lm_eval`` by ``--metadata``; other keys
    there belong to lm-eval. `hub` names repositories by benchmark. A chat template is lm-eval's own
    option, which a task whose answers are read has to be told of, too (`prompt`), since a chat is
    shown no examples.
    """
    for name, value, allowed in (
        ("answers", answers, ("letters", "labels")),
        ("instructions", instructions, ("english", "language")),
        ("shots", shots, ("first", "balanced")),
        ("prompt", prompt, ("plain", "chat-message")),
        ("extraction", extraction, EXTRACTIONS),
    ):
        if value not in allowed:
            raise ValueError(f"--metadata {name}: one of {', '.join(allowed)}, received {value!r}")
    protocol = Protocol(answers, prompt, None, instructions, shots, extraction)
    known = find_language(language)
    return load_task(
        TASKS[task],
        code,
        language,
        open_data(data_dir, hub),
        protocol,
        known.hub_codes if known else None,
    ).make_splits()


def write_common_file(task: Task) -> Path:
    """Returns the hand-written part of lm-eval's configuration of a task."""
    if task.content.cloze:
        return COMMON / "_cloze.yaml"
    if task.kind == "reading" and task.metric == "chrf++":
        return COMMON / "_reading_translation.yaml"
    return COMMON / f"_{task.kind}.yaml"


def write_task_config(task: Task, code: str, language: str) -> dict[str, Any]:
    """Returns the lines that a task in one language adds to `write_common_file`."""
    metadata = {"version": VERSION, "task": task.name, "code": code, "language": language}
    content = task.content
    joint = {"target_delimiter": content.joint} if content.cloze and content.joint != " " else {}
    more: dict[str, Any] = joint
    if content.reading:
        limit = content.reading.wordings[code].max_tokens
        more = {"generation_kwargs": {"do_sample": False, "max_gen_toks": limit, "until": []}}
    return {"task": task.make_lm_eval_name(code), **more, "metadata": metadata}
