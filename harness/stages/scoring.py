"""One number of the report: a checkpoint on a task, or the reason why there cannot be one."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from core.contract.manifest import About
from core.contract.producers import Role
from core.languages import find_language, list_languages
from core.versions import read_package_version
from harness.config import Config, Evaluate, LanguageSettings, Served
from harness.keys import IF_GIVEN, MERGED, UNKEYED
from harness.producers.producer import Producer
from harness.scoring.choice import VERSION as ENGINE_VERSION
from harness.scoring.choice import EngineChoice, choose_precision
from harness.stage import Outcome, Stage, Work
from harness.students import find_checkpoint_path
from tasks.catalogue import VERSION as TASKS_VERSION
from tasks.errors import DataMalformed, DataMissing, FileMissing
from tasks.loading import Loaded
from tasks.protocol import Protocol

NAME = "score"


@dataclass(frozen=True)
class Cell:
    """One number of the report: a checkpoint on a task, or the reason why there cannot be one.

    `amiss`: a file of the benchmark must be mended or given, as the reason says.
    """

    task: str
    producer: str
    role: Role
    checkpoint: Stage
    score: Stage | None
    gap: str | None = None
    amiss: bool = False


@dataclass(frozen=True)
class Spoken:
    """A language as `core.identify.text` takes it."""

    flores_code: str | None
    name: str
    script: str | None


@dataclass(frozen=True)
class EngineSettings:
    """The engine that answers, and our own version of it."""

    version: str
    choice: EngineChoice = field(metadata=MERGED)


@dataclass(frozen=True)
class ScoreSettings:
    """The settings of a score, beside the checkpoint.

    `loaded` is the task with its items, which are in the key by their hash; `max_new_tokens` is of
    translations, and of answers that are read. `spoken` is the language of the items and of
    translations into it, None where the benchmark's own code says which that is.
    """

    task: str
    code: str
    data: Mapping[str, Any]
    prompts_sha256: str
    protocol: Protocol
    limit: int | None
    max_new_tokens: int | None
    engine: EngineSettings
    spoken: Spoken | None = field(metadata=IF_GIVEN)
    loaded: Loaded = field(metadata=UNKEYED)
    # They share the items, and the result is the same.
    processes: int | None = field(metadata=UNKEYED)
    tasks_version: int
    lm_eval: str


def score_cell(
    config: Config,
    name: str,
    loaded: Loaded | DataMissing | DataMalformed,
    producer: Producer,
    checkpoint: Stage,
) -> Cell:
    """Plans the score of a checkpoint on a task, or a named gap in its place."""
    cell = Cell(name, producer.name, producer.role, checkpoint, None)
    if isinstance(loaded, DataMissing | DataMalformed):
        return replace(cell, gap=str(loaded), amiss=isinstance(loaded, DataMalformed | FileMissing))
    engine = choose_engine(config.evaluate, producer.kind)
    if isinstance(engine, str):
        return replace(cell, gap=engine)
    task, evaluate, language = loaded.task, config.evaluate, config.language
    score = Stage(
        name=NAME,
        version=1,
        label=f"{language.name}: {producer.name} on {task.name}",
        settings=ScoreSettings(
            task=task.name,
            code=loaded.code,
            data=loaded.data_facts,
            prompts_sha256=loaded.prompts_sha256,
            protocol=loaded.protocol,
            limit=evaluate.limit,
            max_new_tokens=choose_most_tokens(evaluate, loaded),
            engine=EngineSettings(ENGINE_VERSION, engine),
            spoken=choose_spoken_language(language, loaded),
            loaded=loaded,
            processes=evaluate.processes,
            tasks_version=TASKS_VERSION,
            lm_eval=read_package_version("lm-eval"),
        ),
        inputs={"checkpoint": checkpoint},
        make=score_checkpoint,
        resumes=has_batches,
        about=About(
            language=language.name, producer=producer.name, role=producer.role, task=task.name
        ),
    )
    return replace(cell, score=score)


def choose_most_tokens(evaluate: Evaluate, loaded: Loaded) -> int | None:
    """Returns the most tokens of an answer: the task's own where answers are read, the
    configuration's for a translation, None where nothing is written."""
    if loaded.wording:
        return loaded.wording.max_tokens
    return evaluate.max_new_tokens if loaded.task.kind == "translation" else None


def has_batches(partial: Path) -> bool:
    """Says whether an interrupted scoring has left finished batches."""
    from harness.scoring.score import JOURNAL

    return any((partial / JOURNAL).glob("*.jsonl"))


def score_checkpoint(settings: ScoreSettings, work: Work) -> Outcome:
    """Asks the checkpoint every item."""
    from harness.scoring.score import JOURNAL, ScoreRequest, score_task
    from harness.scoring.workers import count_processes

    # By its code alone; the name is a word for messages.
    spoken = settings.spoken or Spoken(settings.code, settings.loaded.language, None)
    known = find_language(settings.loaded.task.content.other)
    assert known, "the registry has the other side of every benchmark"
    other = Spoken(known.flores_code, known.name, known.script)
    request = ScoreRequest(
        checkpoint=find_checkpoint_path(work.inputs["checkpoint"]),
        task=settings.loaded,
        wanted=asdict(spoken if settings.loaded.task.from_english else other),
        spoken=asdict(spoken),
        limit=settings.limit,
        max_new_tokens=settings.max_new_tokens,
        engine=settings.engine.choice,
        processes=count_processes(settings.engine.choice.name, settings.processes),
    )
    return Outcome(score_task(request, work.out, work.progress), scratch=(JOURNAL,))


def choose_engine(evaluate: Evaluate, kind: str) -> EngineChoice | str:
    """Chooses the engine for a kind of producer, or says why there is none."""
    precision = choose_precision(evaluate.precision)
    if evaluate.engine == "vllm":
        return EngineChoice("vllm", precision, **asdict(evaluate.vllm))
    if evaluate.engine == "completions":
        served = evaluate.endpoints.get(kind, Served())
        if served.base_url is None:
            return f"no endpoint serves it; evaluate.endpoints.{kind}.base_url=URL gives one"
        return EngineChoice("completions", "unknown", **asdict(served))
    return EngineChoice("transformers", precision, evaluate.batch_tokens)


def choose_spoken_language(language: LanguageSettings, loaded: Loaded) -> Spoken | None:
    """Returns the language of a task's items: English, or the experiment's; None where it is the
    one that the benchmark's own code names.

    Such a code names its script too; Global-MMLU's codes do not.
    """
    code = loaded.code
    if loaded.task.retention:
        english = list_languages()["english"]
        named = Spoken(english.flores_code, english.name, english.script)
        return None if code == english.flores_code else named
    flores_code = language.flores_code or language.find_code("flores")
    if flores_code == code and "_" in code:
        return None
    return Spoken(flores_code, language.name, language.script)
