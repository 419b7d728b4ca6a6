"""An experiment, top to bottom: sources -> mixture -> checkpoint -> scores.

This is the one file in which generation, training and scoring meet. `plan` lays out every stage
with its key; `harness.store` then builds what is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import cast

from generation.corpus import PINS, fetch, is_hub, resolve
from generation.facts import SourceFacts
from generation.source import Source, input_hashes, make_source
from harness.config import Config, Language, MakingConfig, Served
from harness.errors import ScoringError
from harness.keys import keyed
from harness.mixture_stages import contamination_stage, mixture_stage, own_stage
from harness.provenance import package_version
from harness.scoring.choice import VERSION as ENGINE_VERSION
from harness.scoring.choice import EngineChoice
from harness.stage import Outcome, Stage, Work
from harness.store import file_sha256
from harness.students import StudentTokens, base_stage, checkpoint_path
from harness.teacher import running_teacher
from harness.train_stages import packed_stage, train_stage
from tasks.catalogue import TASKS, Task
from tasks.catalogue import VERSION as TASKS_VERSION
from tasks.data import Data, open_data
from tasks.errors import DataMalformed, DataMissing
from tasks.files import EMBEDDED
from tasks.flores import ENGLISH
from tasks.loading import Loaded, load_task
from training.precision import has_nvidia_gpu
from training.students import embedded_gguf

CORPUS_ROWS = "rows.jsonl"


@dataclass(frozen=True)
class Cell:
    """One number of the report: a checkpoint on a task, or the reason why there cannot be one.

    `malformed`: a file of the benchmark must be mended, as the reason says.
    """

    task: str
    producer: str
    checkpoint: Stage
    score: Stage | None
    gap: str | None = None
    malformed: bool = False


@dataclass(frozen=True)
class Training:
    """The stages from finished sources to a checkpoint."""

    mixture: Stage
    contamination: Stage
    packed: Stage
    trained: Stage


@dataclass(frozen=True)
class Plan:
    """All stages of an experiment, of which each producer plans only what it needs: base needs no
    source, and a published checkpoint not even the student."""

    base: Stage | None
    sources: Mapping[str, Stage]
    training: Training | None
    cells: tuple[Cell, ...]

    @property
    def taught(self) -> Mapping[str, Stage]:
        """The sources for which a teacher is asked."""
        return {name: stage for name, stage in self.sources.items() if "teacher" in stage.about}

    @property
    def malformed(self) -> list[str]:
        """What a person should mend before the run, or else goes without: each reason once."""
        return list(dict.fromkeys(str(cell.gap) for cell in self.cells if cell.malformed))

    def refuse_without_scores(self) -> None:
        """ScoringError where broken files leave no score of a checkpoint that is still to be made:
        that is for before the teacher is paid. (A language that no benchmark has is trained all the
        same, and where only scores were asked for the report names each gap.)
        """
        if self.training and self.malformed and not any(cell.score for cell in self.cells):
            raise ScoringError(
                "nothing can be scored: no benchmark file that was found can be read, as said "
                "above. Remedy: mend the files, give others (data_dir), or train without scores "
                "(stop_after=train)."
            )

    def targets(self, stop_after: str | None) -> list[Stage]:
        """The stages to build; their inputs are built where a target is missing."""
        made = self.training
        if stop_after == "sources":
            return list(self.sources.values())
        if made and stop_after == "mix":
            return [made.mixture]
        if made and stop_after == "train":
            return [made.trained]
        # Where no benchmark has the language, the checkpoint itself is what was asked for.
        scores = [cell.score for cell in self.cells if cell.score]
        return scores or ([made.trained] if made else [])

    def stages(self) -> list[Stage]:
        """Every stage, in the order of the work."""
        made = self.training
        return [
            *([self.base] if self.base else []),
            *self.sources.values(),
            *([made.mixture, made.contamination, made.packed, made.trained] if made else []),
            *(cell.score for cell in self.cells if cell.score),
        ]


def plan(config: Config, ledgers: Path) -> Plan:
    """Lays out the experiment; no stage is made.

    Input files are read, to hash them, and a Hub student is fetched: its commit is in every key.

    `ledgers` is the directory of the teacher's ledgers. Raises an error of the package concerned
    when an input is missing or malformed.
    """
    student = cache(lambda: base_stage(config.student))  # hashed or fetched where it is needed
    sources: dict[str, Stage] = {}
    training = None
    if isinstance(config, MakingConfig):
        sources = {
            name: any_source_stage(config, name, student, ledgers) for name in config.mix.needed
        }
        if config.stop_after != "sources":
            training = plan_training(config, student(), sources)
    # Who stops before there is a checkpoint needs no benchmark.
    scores = config.stop_after not in ("sources", "mix")
    cells = plan_scores(config, plan_producers(config, student, training)) if scores else ()
    needs_base = bool(student.cache_info().currsize)
    return Plan(student() if needs_base else None, sources, training, cells)


def plan_training(config: MakingConfig, base: Stage, sources: Mapping[str, Stage]) -> Training:
    """From sources to a checkpoint."""
    mixture = mixture_stage(config, base, sources)
    contamination = contamination_stage(config, mixture, benchmark_data(config))
    packed = packed_stage(config, base, mixture)
    return Training(mixture, contamination, packed, train_stage(config, base, mixture, packed))


def plan_producers(
    config: Config, student: Callable[[], Stage], training: Training | None
) -> Mapping[str, Stage]:
    """The checkpoints that are scored, by their producers' names."""
    producers = {"base": student()} if "base" in config.producers else {}
    if isinstance(config, MakingConfig) and training and "trained" in config.producers:
        producers[f"trained:{config.mix.name}"] = training.trained
    for published in config.published:
        producers[f"published:{published.name}"] = base_stage(published)
    return producers


def plan_scores(config: Config, producers: Mapping[str, Stage]) -> tuple[Cell, ...]:
    """Every producer on every task."""
    data = benchmark_data(config)
    tasks = {name: task_or_gap(config, TASKS[name], data) for name in config.evaluate.tasks}
    return tuple(
        score_cell(config, name, loaded, producer, checkpoint)
        for producer, checkpoint in producers.items()
        for name, loaded in tasks.items()
    )


def any_source_stage(
    config: MakingConfig, name: str, student: Callable[[], Stage], ledgers: Path
) -> Stage:
    """A source of the user's own, or one that the teacher writes."""
    if name in config.sources.own:
        return own_stage(config, name)
    return source_stage(config, cast(Source, name), student, ledgers)


def source_stage(
    config: MakingConfig, source: Source, student: Callable[[], Stage], ledgers: Path
) -> Stage:
    """One kind of data in one language, written by the teacher."""
    language, teacher = config.language, config.teacher
    # Only what this source uses is part of its key.
    weights = embedded_gguf() if teacher.kind == "embedded" else None
    settings = keyed(getattr(config.sources, source))
    settings["quality"] = keyed(config.sources.quality)
    if source != "translated":
        settings["revised_share"] = config.sources.revised_share
    files = input_hashes(
        source,
        language=language.name,
        flores_code=language.flores_code,
        settings=config.sources,
        prompts_file=Path(config.prompts_file),
    )

    corpus = corpus_stage(config, source, ledgers)
    # Contexts are cut, and translations filtered, by the student's tokens.
    inputs = {"base": student()} if source in ("context", "translated") else {}
    if corpus:
        inputs["corpus"] = corpus

    def make(work: Work) -> Outcome:
        facts = ask_teacher(config, source, ledgers, work, weights)
        return Outcome(
            asdict(facts),
            facts.tokens_input,
            facts.tokens_output,
            facts.cost_usd,
            records=("README.md",),
        )

    return Stage(
        name="source",
        version=3,
        label=f"{language.name}: {source}",
        fields={
            "source": source,
            "language": language.name,
            # They decide which answers count as in the language.
            "flores_code": language.flores_code,
            "script": language.script,
            "seed": config.seed,
            "settings": settings,
            "teacher": keyed(teacher),
            "teacher_weights": file_sha256(weights) if weights else None,
            "files": files,
        },
        inputs=inputs,
        make=make,
        about={"language": language.name, "source": source, "teacher": teacher.name},
    )


def ask_teacher(
    config: MakingConfig,
    source: Source,
    ledgers: Path,
    work: Work,
    weights: Path | None,
    pilot: int | None = None,
) -> SourceFacts:
    """Makes a source, or asks a pilot of it, with the teacher running."""
    language, settings, origins = config.language, config.sources, {}
    if corpus := work.inputs.get("corpus"):
        rows, facts = str(corpus.path / CORPUS_ROWS), corpus.facts
        role = "texts" if source == "context" else "conversations"
        place = f"{facts['repository']}, {facts['subset']}, at {facts['commit']}"
        origins[role] = f"{place}, first {facts['rows']:,} rows"
        if source == "context":
            settings = replace(settings, context=replace(settings.context, texts=rows))
        else:
            translated = replace(settings.translated, conversations=rows)
            settings = replace(settings, translated=translated)
    tokens = StudentTokens(work.inputs.get("base"))
    with running_teacher(config.teacher, weights) as ready:
        return make_source(
            source,
            language=language.name,
            flores_code=language.flores_code,
            script=language.script,
            settings=settings,
            teacher=ready,
            prompts_file=Path(config.prompts_file),
            seed=config.seed,
            ledger=ledger_file(config, ledgers),
            out=work.out,
            count_tokens=tokens.count,
            cut_tokens=tokens.cut,
            progress=work.progress,
            pilot=pilot,
            origins=origins,
        )


def corpus_stage(config: MakingConfig, source: Source, ledgers: Path) -> Stage | None:
    """The rows of a data set of the Hub that a source starts from; None for local files."""
    context, translated = config.sources.context, config.sources.translated
    if source == "context":
        location, subset, scan = context.texts, context.subset, context.scan
        subset = subset or config.language.flores_code
    elif source == "translated":
        location, subset, scan = translated.conversations, translated.subset, translated.scan
    else:
        return None
    if location is None or not is_hub(location):
        return None
    place = resolve(location, subset, ledgers / PINS)

    def make(work: Work) -> Outcome:
        rows = fetch(place, scan, work.out / CORPUS_ROWS, work.progress)
        return Outcome({"rows": rows, **asdict(place)})

    return Stage(
        name="corpus",
        version=1,
        label=f"{place.repository}, {subset or 'default'}: the first {scan:,} rows",
        # Of a folder the content counts, not where it lies.
        fields={**asdict(place), "scan": scan} | ({"repository": None} if place.folder else {}),
        make=make,
        about={"repository": place.repository, "subset": subset},
        shared=True,
    )


def ledger_file(config: Config, ledgers: Path) -> Path:
    """The ledger of the experiment's language."""
    return ledgers / f"{_slug(config.language)}.sqlite"


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


def score_cell(
    config: Config,
    name: str,
    loaded: Loaded | DataMissing | DataMalformed,
    producer: str,
    checkpoint: Stage,
) -> Cell:
    """A checkpoint on a task, or the named gap in its place."""
    if isinstance(loaded, DataMissing | DataMalformed):
        broken = isinstance(loaded, DataMalformed)
        return Cell(name, producer, checkpoint, None, str(loaded), malformed=broken)
    task, language = loaded.task, config.language
    evaluate = config.evaluate
    precision = evaluate.precision
    if precision == "auto":
        # fp32 wherever it is affordable: scores then agree from machine to machine.
        precision = "bf16" if has_nvidia_gpu() else "fp32"
    engine = EngineChoice("transformers", precision, evaluate.batch_tokens)
    if evaluate.engine == "vllm":
        engine = EngineChoice("vllm", precision, **asdict(evaluate.vllm))
    elif evaluate.engine == "completions":
        kind = producer.partition(":")[0]
        served: Served = getattr(evaluate.endpoints, kind)
        if served.base_url is None:
            reason = f"no endpoint serves it; evaluate.endpoints.{kind}.base_url=URL gives one"
            return Cell(name, producer, checkpoint, None, reason)
        engine = EngineChoice("completions", "unknown", **asdict(served))

    def make(work: Work) -> Outcome:
        from harness.scoring.score import JOURNAL, ScoreRequest, score_task

        request = ScoreRequest(
            checkpoint=checkpoint_path(work.inputs["checkpoint"]),
            task=loaded,
            wanted=_described(language) if task.from_english else _ENGLISH,
            spoken=_described(language),
            limit=evaluate.limit,
            max_new_tokens=evaluate.max_new_tokens,
            engine=engine,
            processes=evaluate.processes,
        )
        return Outcome(score_task(request, work.out, work.progress), scratch=(JOURNAL,))

    score = Stage(
        name="score",
        version=1,
        label=f"{language.name}: {producer} on {task.name}",
        fields={
            "task": task.name,
            "tasks_version": TASKS_VERSION,
            "code": loaded.code,
            "data": loaded.data_facts,
            "prompts_sha256": loaded.prompts_sha256,
            "protocol": loaded.protocol.fields(),
            "limit": evaluate.limit,
            "max_new_tokens": evaluate.max_new_tokens if task.metric == "chrf++" else None,
            "engine": {"version": ENGINE_VERSION, **keyed(engine)},
            "lm_eval": package_version("lm-eval"),
        },
        inputs={"checkpoint": checkpoint},
        make=make,
        about={"language": language.name, "producer": producer, "task": task.name},
    )
    return Cell(task.name, producer, checkpoint, score)


_ENGLISH = {"flores_code": ENGLISH, "name": "English", "script": "Latin"}


def _described(language: Language) -> Mapping[str, str | None]:
    """A language as `generation.identify` takes it."""
    code = language.flores_code or language.benchmarks.flores
    return {"flores_code": code, "name": language.name, "script": language.script}


def _slug(language: Language) -> str:
    """The language's name as a file name."""
    return "".join(c if c.isalnum() else "_" for c in language.name.lower())
