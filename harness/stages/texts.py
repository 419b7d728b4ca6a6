"""Bits per byte of a checkpoint on a text, or the reason why they cannot be measured."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.contract.manifest import About
from core.languages import list_languages
from core.versions import read_package_version
from generation.mixture.contamination import BenchmarkText
from harness.config import Config
from harness.keys import UNKEYED
from harness.producers.producer import Producer
from harness.scoring.choice import VERSION as ENGINE_VERSION
from harness.scoring.choice import EngineChoice
from harness.stage import Outcome, Stage, Work
from harness.stages.scoring import Cell, choose_engine, has_batches
from harness.students import find_checkpoint_path
from tasks.catalogue import BENCHMARKS
from tasks.data import BenchmarkData
from tasks.errors import DataMalformed, DataMissing, FileMissing
from tasks.texts import READY, Text, read_benchmark, read_file

NAME = "text"


@dataclass(frozen=True)
class AskedText:
    """A text that an experiment asks for: `found` is it, or why it cannot be read. `english`: it
    is in English, to tell what was forgotten."""

    name: str
    english: bool
    found: Text | DataMissing | DataMalformed


@dataclass(frozen=True)
class TextSettings:
    """The settings of a measure, beside the checkpoint. `text` is in the key by its hash."""

    data: Mapping[str, Any]
    english: bool
    engine_version: str
    precision: str
    batch_tokens: int | None
    text: Text = field(metadata=UNKEYED)
    processes: int = field(metadata=UNKEYED)
    lm_eval: str


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


def measure_cell(config: Config, asked: AskedText, producer: Producer, checkpoint: Stage) -> Cell:
    """Plans the measure of a checkpoint on a text, or a named gap in its place."""
    name = f"english {asked.name}" if asked.english else asked.name
    cell = Cell(name, producer.name, producer.role, checkpoint, None)
    found = asked.found
    if isinstance(found, DataMissing | DataMalformed):
        amiss = isinstance(found, DataMalformed | FileMissing)
        return replace(cell, gap=str(found), amiss=amiss)
    engine = choose_engine(config.evaluate, producer.kind)
    if isinstance(engine, str) or engine.name != "transformers":
        return replace(
            cell,
            gap=f"evaluate.engine={config.evaluate.engine} measures no whole texts; "
            "evaluate.engine=transformers does",
        )
    return replace(
        cell,
        score=Stage(
            name=NAME,
            version=1,
            label=f"{config.language.name}: {producer.name} on the text {name}",
            settings=TextSettings(
                data=found.facts,
                english=asked.english,
                engine_version=ENGINE_VERSION,
                precision=engine.precision,
                batch_tokens=engine.batch_tokens,
                text=found,
                processes=config.evaluate.processes,
                lm_eval=read_package_version("lm-eval"),
            ),
            inputs={"checkpoint": checkpoint},
            make=measure_checkpoint,
            resumes=has_batches,
            about=About(language=config.language.name, producer=producer.name, role=producer.role),
        ),
    )


def measure_checkpoint(settings: TextSettings, work: Work) -> Outcome:
    """Reads the text with the checkpoint."""
    from harness.scoring.rolling import JOURNAL, TextRequest, measure_text

    request = TextRequest(
        checkpoint=find_checkpoint_path(work.inputs["checkpoint"]),
        text=settings.text,
        engine=EngineChoice("transformers", settings.precision, settings.batch_tokens),
        processes=settings.processes,
    )
    facts = measure_text(request, work.out, work.progress)
    return Outcome(replace(facts, english=settings.english), scratch=(JOURNAL,))


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
