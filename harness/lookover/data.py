"""Looks at the data that a run reads: what its sources start from, and the benchmarks."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from generation.corpus import read_first_row
from generation.errors import InputError
from harness.config import Config, MakingConfig
from harness.lookover.look import Look
from harness.stage import Outcome, Stage, Work
from harness.stages.benchmarks import load_task_or_gap, open_benchmarks, read_texts
from harness.stages.corpus import CorpusSettings
from harness.stages.sources import make_any_source_stage
from harness.store import Store
from tasks.catalogue import TASKS, Task
from tasks.data import BenchmarkData
from tasks.errors import DataMalformed, FileMissing
from tasks.loading import Loaded
from tasks.texts import Text

# The columns from which a source can be made; one of each line is needed.
_COLUMNS = {"context": ("text",), "translated": ("messages", "conversations")}


def list_sources(config: MakingConfig, ledgers: Path, store: Store) -> Iterator[Look]:
    """Lists a look at each source of the mixture: its files, or its data set's first row."""
    for name in config.mix.needed:
        yield Look(f"source {name}", partial(_look_at_source, config, name, ledgers, store))


def list_benchmarks(config: Config) -> Iterator[Look]:
    """Lists a look at each task that will be scored."""
    data = open_benchmarks(config)
    for name in config.evaluate.list_tasks():
        yield Look(f"benchmark {name}", partial(_look_at_task, config, TASKS[name], data))
    if config.evaluate.text or config.evaluate.english_text:
        yield Look("texts for bits per byte", partial(_look_at_texts, config, data))


def _look_at_source(config: MakingConfig, name: str, ledgers: Path, store: Store) -> str:
    stage = make_any_source_stage(config, name, _make_stand_in, ledgers)
    corpus = stage.inputs.get("corpus")
    if corpus is None:
        return "its files are there" if name in config.sources.own else "nothing is fetched for it"
    if store.find(corpus):
        return f"{corpus.about.repository}: fetched already"
    settings: CorpusSettings = corpus.settings
    row = read_first_row(settings.place)
    wanted = _COLUMNS[name]
    if not any(row.get(column) for column in wanted):
        raise InputError(
            f"{settings.path}, subset {settings.subset}: its first row has no "
            f"{' or '.join(wanted)}, but {', '.join(sorted(row)) or 'nothing'}. Remedy: give a "
            "data set that has it, or local files."
        )
    return f"{settings.path}, subset {settings.subset}: its first row was read"


def _look_at_task(config: Config, task: Task, data: BenchmarkData) -> str:
    found = load_task_or_gap(config, task, data)
    if isinstance(found, Loaded):
        return f"{len(found.items):,} items"
    if config.language.find_code(task.benchmark) is None:
        return f"no score: {found}"  # a gap that is known, and no fault
    raise found


def _look_at_texts(config: Config, data: BenchmarkData) -> str:
    notes = []
    for asked in read_texts(config, data):
        if isinstance(asked.found, DataMalformed | FileMissing):
            raise asked.found
        notes.append(
            f"{asked.name}: {len(asked.found.documents):,} documents"
            if isinstance(asked.found, Text)
            else f"nothing measured: {asked.found}"
        )
    return "; ".join(notes)


def _make_stand_in() -> Stage:
    """Stands for the student, which a source counts tokens with: no look needs its files."""
    return Stage("base", 0, "the student", settings=None, make=_make_nothing)


def _make_nothing(settings: None, work: Work) -> Outcome:
    raise RuntimeError("this stage only stands for another")
