"""Reads the benchmarks for an experiment: its tasks, and all of their texts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from core.languages import list_languages
from generation.mixture.contamination import BenchmarkText
from harness.config import Config
from tasks.catalogue import BENCHMARKS, TASKS, Task
from tasks.data import BenchmarkData, open_data
from tasks.errors import DataMalformed, DataMissing, HubUnavailable
from tasks.files import EMBEDDED
from tasks.loading import Loaded, load_task


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
    config: Config, data: BenchmarkData
) -> tuple[Sequence[BenchmarkText], Mapping[str, str]]:
    """Reads every text of the benchmarks, shots included, and says why any benchmark is not
    among them.

    Looked at are the paper's benchmarks and those that are scored or read as texts. One that is
    known to lack the language has no text to look for.
    """
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
            try:
                loaded = load_task(task, code, name, data, hub_codes=hub_codes)
            except (DataMissing, DataMalformed, HubUnavailable) as error:
                unchecked[f"{content.name} in {name}"] = str(error)
                continue
            for item in (*loaded.shots, *loaded.items):
                found[content.name, name, item.id] = BenchmarkText(
                    content.name, name, item.id, item.cluster, item.text
                )
    return list(found.values()), unchecked
