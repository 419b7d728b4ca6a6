"""What an experiment reads of the benchmarks: its tasks, and all of their texts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from generation.mixture.contamination import Item
from harness.config import Benchmarks, Config
from tasks import belebele, flores, global_mmlu, sib200
from tasks.catalogue import Task
from tasks.data import Data, open_data
from tasks.errors import DataMalformed, DataMissing, HubUnavailable
from tasks.files import EMBEDDED
from tasks.loading import Loaded, load_task

# FLORES's two sides are read apart: its English is Belebele's and SIB-200's too, and is there also
# where the language has no FLORES.
TEXTS = (sib200.BENCHMARK, belebele.BENCHMARK, global_mmlu.BENCHMARK, flores.ALONE)
ENGLISH = Benchmarks("eng_Latn", "eng_Latn", "en", flores.ENGLISH)


def benchmark_data(config: Config) -> Data:
    """Where the benchmarks are read from: the directory or Hub that was given, or our own sets."""
    # The composed configuration has looked at KAKUGO_DATA_DIR already.
    repositories = {name: given for name, given in asdict(config.evaluate.hub).items() if given}
    return open_data(config.data_dir or str(EMBEDDED), repositories)


def task_or_gap(config: Config, task: Task, data: Data) -> Loaded | DataMissing | DataMalformed:
    """The task in the experiment's language, or why it cannot be asked: the benchmark or the data
    lack it, or its file makes no sense. That ends no other cell."""
    language = config.language
    code = getattr(language.benchmarks, task.benchmark)
    if code is None:
        return DataMissing(language.gap(task.benchmark))
    try:
        return load_task(task, code, language.name, data, config.evaluate.protocol)
    except (DataMissing, DataMalformed) as error:
        return error


def benchmark_items(config: Config, data: Data) -> tuple[Sequence[Item], Mapping[str, str]]:
    """Every text of the benchmarks, shots included, and why any benchmark is not among them.

    A benchmark that is known to lack the language has no text to look for.
    """
    found: dict[tuple[str, str, str], Item] = {}
    unchecked: dict[str, str] = {}
    language = config.language
    for name, codes in ((language.name, language.benchmarks), ("English", ENGLISH)):
        for content in TEXTS:
            code = getattr(codes, content.name)
            if code is None:
                if content.name not in language.gaps:
                    unchecked[f"{content.name} in {name}"] = language.gap(content.name)
                continue
            try:
                loaded = load_task(Task(content.name, content), code, name, data)
            except (DataMissing, DataMalformed, HubUnavailable) as error:
                unchecked[f"{content.name} in {name}"] = str(error)
                continue
            for item in (*loaded.shots, *loaded.items):
                found[content.name, name, item.id] = Item(
                    content.name, name, item.id, item.cluster, item.text
                )
    return list(found.values()), unchecked
