"""Reads the benchmarks for an experiment: its tasks, and all of their texts."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from core.languages import list_languages
from generation.mixture.contamination import BenchmarkText
from harness.config import Config
from harness.read_once import ReadOnce
from tasks.catalogue import BENCHMARKS, TASKS, Task
from tasks.data import BenchmarkData, open_data
from tasks.errors import DataMalformed, DataMissing, HubUnavailable
from tasks.files import EMBEDDED
from tasks.loading import Loaded, load_task
from tasks.texts import READY, Text, read_benchmark, read_file


@dataclass(frozen=True)
class AskedText:
    """A text that an experiment asks for: `found` is it, or why it cannot be read. `english`: it
    is in English, to tell what was forgotten."""

    name: str
    english: bool
    found: Text | DataMissing | DataMalformed


@dataclass(frozen=True)
class BenchmarkItems:
    """Every text that is looked for in a mixture, and why any benchmark is not among them."""

    items: Sequence[BenchmarkText]
    unchecked: Mapping[str, str]

    @cached_property
    def sha256(self) -> str:
        """SHA-256 over the texts, in their order."""
        digest = hashlib.sha256()
        for item in self.items:
            # As `asdict` gives it, which copies each of 100,000 texts of a language.
            digest.update(json.dumps(vars(item), sort_keys=True).encode() + b"\n")
        return digest.hexdigest()


def open_benchmarks(config: Config) -> BenchmarkData:
    """Opens the place from which the benchmarks are read: the directory or Hub that was given,
    or our own sets."""
    # The composed configuration has looked at KAKUGO_DATA_DIR already.
    repositories = {name: given for name, given in asdict(config.evaluate.hub).items() if given}
    return open_data(config.data_dir or str(EMBEDDED), repositories)


def load_task_or_gap(
    config: Config, task: Task, data: BenchmarkData
) -> Loaded | DataMissing | DataMalformed:
    """Loads the task in the experiment's language, or says why it cannot be asked: the benchmark
    or the data lack it, or its file makes no sense. That ends no other cell."""
    protocol = config.evaluate.protocol
    language = config.language
    code = language.find_code(task.benchmark, config.evaluate.beyond_paper)
    try:
        if task.retention:
            return load_in_english(config, task, data)
        if code is None:
            return DataMissing(language.find_gap(task.benchmark))
        return load_task(task, code, language.name, data, protocol, language.hub_codes)
    except (DataMissing, DataMalformed) as error:
        return error


def load_in_english(config: Config, task: Task, data: BenchmarkData) -> Loaded:
    """Loads a task in English, whatever the experiment's language is; raises DataMissing where it
    is English itself."""
    english = list_languages()["english"]
    code = task.content.find_code(english.benchmarks.get(task.benchmark), english.flores_code)
    assert code is not None, "each benchmark that keeps English has it"
    if english.flores_code == config.language.flores_code:
        raise DataMissing("the experiment's language is English: its own tasks tell")
    protocol = replace(config.evaluate.protocol, instructions="english")
    return load_task(task, code, english.name, data, protocol, english.hub_codes)


def read_benchmark_items(
    config: Config, data: BenchmarkData, kept: ReadOnce | None = None
) -> BenchmarkItems:
    """Reads every text of the benchmarks, shots included, and those of the user's own on which
    bits per byte are measured, and says why any benchmark is not among them.

    Looked at are the paper's benchmarks and those that are scored or read as texts. One that is
    known to lack the language has no text to look for. `kept` holds the texts in English, which
    are those of every language of a sweep.
    """
    kept = kept or ReadOnce()
    asked = {TASKS[name].benchmark for name in config.evaluate.list_tasks()}
    asked |= {name for name in (config.evaluate.text, config.evaluate.english_text) if name}
    contents = [one for one in BENCHMARKS.values() if one.paper or one.name in asked]
    found: dict[tuple[str, str, str], BenchmarkText] = {}
    unchecked: dict[str, str] = {}
    language = config.language
    english = list_languages()["english"]
    sides = (
        (language.name, language.flores_code, asdict(language.benchmarks), language.hub_codes),
        (english.name, english.flores_code, english.benchmarks, english.hub_codes),
    )
    for name, flores_code, codes, hub_codes in sides:
        for content in (benchmark.texts or benchmark for benchmark in contents):
            beyond = config.evaluate.beyond_paper
            code = content.find_code(codes.get(content.name), flores_code, beyond)
            if code is None:
                # The registry knows which benchmarks have English.
                known = content.codes or content.name in language.gaps
                if name == language.name and not known:
                    unchecked[f"{content.name} in {name}"] = language.find_gap(content.name)
                continue
            task = Task(content.name, content.name, content)
            read = kept.get(
                ("benchmark texts", config.data_dir, config.evaluate.hub, content.name, name, code),
                partial(_read_items, task, code, name, data, hub_codes),
            )
            if isinstance(read, str):
                unchecked[f"{content.name} in {name}"] = read
            else:
                found |= {(one.benchmark, one.language, one.id): one for one in read}
    own = list_text_items(config, data)
    return BenchmarkItems([*found.values(), *own], unchecked)


def _read_items(
    task: Task, code: str, language: str, data: BenchmarkData, hub_codes: Mapping[str, str]
) -> list[BenchmarkText] | str:
    """Reads a benchmark's texts in a language, shots included, or says why there are none."""
    try:
        loaded = load_task(task, code, language, data, hub_codes=hub_codes)
    except (DataMissing, DataMalformed, HubUnavailable) as error:
        return str(error)
    return [
        BenchmarkText(task.benchmark, language, item.id, item.cluster, item.text)
        for item in (*loaded.shots, *loaded.items)
    ]


def read_texts(config: Config, data: BenchmarkData) -> Iterator[AskedText]:
    """Reads the texts that are asked for: in the language, and in English.

    A benchmark that lacks the language, or whose file makes no sense, is a gap; a file of the
    user's own that cannot be read raises `DataMissing` or `DataMalformed`.
    """
    language, english = config.language, list_languages()["english"]
    sides = (
        (config.evaluate.text, False, language.name, language.flores_code, language.hub_codes),
        (config.evaluate.english_text, True, english.name, english.flores_code, english.hub_codes),
    )
    for given, in_english, name, flores_code, hub_codes in sides:
        if given is None or (in_english and language.flores_code == flores_code):
            continue  # the language's own text is in English already
        if given not in READY:
            found = read_file(Path(given))
            yield AskedText(found.name, in_english, found)
            continue
        sentences = BENCHMARKS[given].texts
        assert sentences is not None
        own = english.benchmarks.get(given) if in_english else language.find_code(given)
        code = own or sentences.find_code(None, flores_code)
        try:
            if code is None:
                raise DataMissing(language.find_gap(given))
            yield AskedText(given, in_english, read_benchmark(given, data, code, name, hub_codes))
        except (DataMissing, DataMalformed) as error:
            yield AskedText(given, in_english, error)


def list_text_items(config: Config, data: BenchmarkData) -> Iterator[BenchmarkText]:
    """Lists the lines of the user's own texts as they are looked for in a mixture; those of
    benchmarks are among the benchmarks'."""
    for asked in read_texts(config, data):
        if asked.name in READY or not isinstance(asked.found, Text):
            continue
        language = "English" if asked.english else config.language.name
        for document in asked.found.documents:
            for number, line in enumerate(document.text.split("\n"), 1):
                yield BenchmarkText(
                    asked.name, language, f"{document.id}#{number}", document.id, line
                )
