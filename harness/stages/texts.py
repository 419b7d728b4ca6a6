"""Bits per byte of a checkpoint on a text, or the reason why they cannot be measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.contract.manifest import About
from core.versions import read_package_version
from harness.config import Config
from harness.keys import UNKEYED
from harness.producers.producer import Producer
from harness.scoring.choice import VERSION as ENGINE_VERSION
from harness.scoring.choice import EngineChoice
from harness.stage import Outcome, Stage, Work
from harness.stages.benchmarks import AskedText
from harness.stages.scoring import Cell, choose_engine, has_batches
from harness.students import find_checkpoint_path
from tasks.errors import DataMalformed, DataMissing, FileMissing
from tasks.texts import Text

NAME = "text"


@dataclass(frozen=True)
class TextSettings:
    """The settings of a measure, beside the checkpoint. `text` is in the key by its hash."""

    data: Mapping[str, Any]
    english: bool
    engine_version: str
    precision: str
    batch_tokens: int | None
    text: Text = field(metadata=UNKEYED)
    processes: int | None = field(metadata=UNKEYED)
    lm_eval: str


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
    from harness.scoring.workers import count_processes

    request = TextRequest(
        checkpoint=find_checkpoint_path(work.inputs["checkpoint"]),
        text=settings.text,
        engine=EngineChoice("transformers", settings.precision, settings.batch_tokens),
        processes=count_processes("transformers", settings.processes),
    )
    facts = measure_text(request, work.out, work.progress)
    return Outcome(replace(facts, english=settings.english), scratch=(JOURNAL,))
