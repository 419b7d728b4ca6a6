"""Keys cannot lie: whatever can change a result is in a key, and a stage reads nothing else.

Each value of a whole configuration is changed in turn. Then some planned key must change, or the
value stands in `INERT` with the reason why it cannot change a result. The other way round, each
field of a stage's settings that is in its key must have been moved by one of these changes, or
stand in `GIVEN` with where it comes from.
"""

import dataclasses
import inspect
import shutil
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from planned import least_checkpoint

from core.languages import list_languages
from generation.settings import Own
from harness.config import Config, MakingConfig, Served, Student
from harness.experiment import Plan, plan_experiment
from harness.keys import take_keyed
from harness.overrides import CONF
from harness.producers.registry import KINDS
from harness.stage import Stage
from tasks.catalogue import BENCHMARKS, PAPERS_TASKS, TASKS
from tasks.files import EMBEDDED
from training.distillation.verbalizer import OURS

# A path stands for all below it.
INERT = {
    "name": "names the experiment",
    "store": "where results lie",
    "cache": "where results lie",
    "check": "looks whether all is there",
    "plan": "says what would be done",
    "pilot": "asks a few calls beforehand; the ledger knows each by all that was asked",
    "matched": "acts through conf/mix, whose budgets refer to it",
    "evaluate.protocol.extraction": "of tasks that are not among the paper's; see test_wide.py",
    "evaluate.beyond_paper": "of languages that the paper did not score; see test_wide.py",
    "fail_on_contamination": "stops a run and changes no result",
    "on_missing": "stops a run and changes no result",
    "language.autonym": "a word of reports",
    "language.tag": "how reports and studies are drawn",
    "language.direction": "how reports and studies are drawn",
    "language.font": "how studies are drawn",
    "language.aliases": "by which it is found",
    "language.family": "a word of reports",
    "language.branch": "a word of reports",
    "language.fineweb2_documents": "a number of reports",
    "student.name": "a word of reports and of the card",
    "teacher_model.name": "a word of the card",
    "distillation.name": "a word of reports and of the card",
    "mix.name": "a word of reports and of the card",
    "train.name": "a word of the card and the tracker",
    "sources.own.mine.origin": "a word of the data set's card",
    **{
        f"teacher.{name}": "how answers come, and not which"
        for name in (
            *("base_url", "api_key_env", "endpoints", "concurrency", "adaptive", "timeout_s"),
            *("retries", "batch"),
        )
    },
    **{
        f"{place}.{name}": "of a task that is not among the paper's; see test_wide.py"
        for place in ("language.benchmarks", "evaluate.hub")
        for name, content in BENCHMARKS.items()
        if not content.paper
    },
    "teacher.usd_per_million_input": "what answers cost",
    "teacher.usd_per_million_output": "what answers cost",
    "teacher.budget_usd": "stops a run and changes no result",
    "teacher.budget_calls": "stops a run and changes no result",
    **{
        f"train.{name}": "how a step is computed, and not what"
        for name in (
            *("micro_batch", "gradient_checkpointing", "processes", "deepspeed", "launcher"),
            *("save_every", "threads"),
        )
    },
    "train.tracker": "who is told of the loss",
    "evaluate.processes": "share the items; the scores are the same",
    "evaluate.vllm.command": "where the program lies",
    **{f"evaluate.endpoints.{kind.kind}.api_key_env": "names a credential" for kind in KINDS},
}
# Keyed fields that no value of a configuration moves.
GIVEN = {
    "DirectorySettings.kind": "what the checkpoint is, told by the class",
    "DirectorySettings.content": "the files of the checkpoint",
    "DirectorySettings.path": "where a student of one's own lies",
    "DirectorySettings.held_fast": "the files of the checkpoint",
    "CorpusSettings.folder": "what is found at the place of a data set",
    "DistillSettings.steps.train.isolation": "documents, and all else is refused",
    "DistillSettings.steps.train.keep": "1: what is kept on the way is kept of fine-tuning",
    "AverageSettings.last": "one stage for each number of checkpoints",
    "StepSettings.part": "one stage for each checkpoint that is kept",
    "SourceSettings.source": "one stage for each source",
    "OwnSettings.own": "one stage for each source",
    "ScoreSettings.protocol.extraction": "of tasks beside the paper's; see test_wide.py",
    "ScoreSettings.task": "one stage for each task",
    "ScoreSettings.tasks_version": "a constant of tasks.catalogue",
    "ScoreSettings.engine.version": "a constant of harness.scoring.choice",
    "ScoreSettings.lm_eval": "the installed version",
    "TextSettings.engine_version": "a constant of harness.scoring.choice",
    "TextSettings.lm_eval": "the installed version",
}


@pytest.fixture
def ground(composed: Callable[..., Any], tmp_path: Path) -> MakingConfig:
    """A configuration in which nearly every value matters."""
    contexts = CONF.parent / "generation/embedded/contexts/swh_Latn.txt"
    own = tmp_path / "chats.jsonl"
    own.write_text("{}\n")
    config: MakingConfig = composed(
        f"++sources.context.texts={contexts}",
        f"++sources.own={{mine: {{kind: chat, files: [{own}]}}}}",
        "++mix.weights.mine=1",
        "++mix.reasoning=true",
        "++mix.budget={unit: tokens, amount: 300}",
        "++train.precision=fp32",
        "++train.batch_size=4",
        "++evaluate.precision=fp32",
        "++evaluate.text=flores",
        "++producers=[base,trained,distilled]",
    )
    return config


def grounds(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """What must be so for some values to matter, by their paths."""
    served = Served("http://127.0.0.1:1/v1", "model")
    published = (Student("theirs", "directory", str(least_checkpoint(tmp_path / "theirs"))),)
    completions = {
        "evaluate.engine": "completions",
        "published": published,
        "producers": ("base", "trained", "steps", "averaged", "distilled"),
        "train.keep": 5,
        **{f"evaluate.endpoints.{kind}": served for kind in SERVED},
    }
    hub = {"student.repository": "owner/name", "student.kind": "hub"}
    teacher = {"teacher_model.repository": "owner/name", "teacher_model.kind": "hub"}
    return {
        "language.gaps": {"language.benchmarks.belebele": None},
        "language.hub_codes": {"sources.context.texts": "hub:HuggingFaceFW/fineweb-2"},
        "student.kind": {"student.repository": "owner/name"},
        "student.repository": hub,
        "student.revision": hub,
        "teacher_model.kind": {"teacher_model.repository": "owner/name"},
        "teacher_model.repository": teacher,
        "teacher_model.revision": teacher,
        "train.isolation": {"producers": ("trained",)},  # without it, nothing is distilled
        "sources.context.texts": {"sources.context.texts": "hub:HuggingFaceFW/fineweb-2"},
        "sources.context.subset": {"sources.context.texts": "hub:HuggingFaceFW/fineweb-2"},
        "sources.context.scan": {"sources.context.texts": "hub:HuggingFaceFW/fineweb-2"},
        "sources.translated.subset": {"sources.translated.conversations": f"hub:a/b@{'4' * 40}"},
        "sources.translated.scan": {"sources.translated.conversations": f"hub:a/b@{'4' * 40}"},
        "sources.translated.spread": {"sources.translated.conversations": f"hub:a/b@{'4' * 40}"},
        "mix.budget.smallest_of": {"mix.budget.amount": None},
        "mix.budget.part": {"mix.budget.amount": None, "mix.budget.smallest_of": ("topic",)},
        "matched.part": {"matched.amount": 500},
        "evaluate.protocol.system_prompt": {"evaluate.protocol.prompt": "chat-turns"},
        "evaluate.vllm": {"evaluate.engine": "vllm"},
        "train.average": {"producers": ("averaged",), "train.keep": 5},
        "evaluate.endpoints": completions,
        "evaluate.hub": {"data_dir": "hub"},
    }


def changes(config: MakingConfig, tmp_path: Path) -> dict[str, Any]:
    """Another value where none can be made up."""
    shutil.copytree(EMBEDDED, tmp_path / "data")
    for name in ("prompts.yaml", "chats2.jsonl", "other.gguf", "ids.jsonl"):
        (tmp_path / name).write_text("{}\n")
    prompts = Path(config.prompts_file).read_text(encoding="utf-8")
    (tmp_path / "prompts.yaml").write_text(f"{prompts}\n# another\n", encoding="utf-8")
    wording = OURS.read_text(encoding="utf-8").replace("A good answer", "An answer")
    (tmp_path / "wording.yaml").write_text(wording, encoding="utf-8")
    corpus = CONF.parent / "generation/embedded/conversations.jsonl"
    text = tmp_path / "documents.txt"
    text.write_text("Habari.\n", encoding="utf-8")
    (tmp_path / "chats2.jsonl").write_bytes(corpus.read_bytes() + b"\n")
    theirs = least_checkpoint(tmp_path / "theirs")
    return {
        "producers": ("base",),
        "stop_after": "mix",
        "published": (Student("theirs", "directory", str(theirs)),),
        "data_dir": str(tmp_path / "data"),
        "prompts_file": str(tmp_path / "prompts.yaml"),
        "language.flores_code": "yor_Latn",
        "language.gaps": {"belebele": "not there"},
        "language.hub_codes": {"fineweb_2": "gug_Latn"},
        **{
            f"language.benchmarks.{name}": code
            for name, code in list_languages()["english"].benchmarks.items()
        },
        "student.path": str(tmp_path / "other.gguf"),
        "student.kind": "hub",
        "teacher_model.path": str(tmp_path / "other.gguf"),
        "teacher_model.kind": "hub",
        "distillation.verbalizer.off_policy": "plain",
        "distillation.verbalizer.wording": str(tmp_path / "wording.yaml"),
        "teacher.base_url": "http://127.0.0.1:2/v1",
        "teacher.endpoints": (),
        "teacher.extra_body": {"top_k": 3},
        "teacher.response_extra_body": {"top_k": 3},
        "sources.context.texts": f"hub:a/b@{'5' * 40}",
        "sources.translated.conversations": str(tmp_path / "chats2.jsonl"),
        "sources.quality.drop": ("length",),
        "sources.quality.identifier": str(tmp_path / "ids.jsonl"),
        "sources.own.mine.files": (str(tmp_path / "chats2.jsonl"),),
        "sources.own.mine.prompts": ("{text}?",),
        "mix.weights": {**config.mix.weights, "topic": 2.0},
        "mix.exclude": str(tmp_path / "ids.jsonl"),
        "mix.budget.smallest_of": ("topic",),
        "matched.smallest_of": ("topic",),
        "mix.budget.part": 0.5,
        "matched.part": 0.5,
        "train.precision": "bf16",
        "train.launcher": ("srun",),
        "evaluate.tasks": ("sib200", "flores_en_xx"),
        "evaluate.precision": "bf16",
        "evaluate.text": str(text),
        "evaluate.english_text": "flores",
        "evaluate.vllm.arguments": ("--x",),
        **{f"evaluate.endpoints.{kind}.base_url": "http://127.0.0.1:2/v1" for kind in SERVED},
        **{f"evaluate.hub.{name}": f"me/{repository}" for name, repository in HUB.items()},
    }


SERVED = [kind.kind for kind in KINDS]
HUB = {name: content.repository.partition("/")[2] for name, content in BENCHMARKS.items()}
SWAHILI = list_languages()["swahili"].benchmarks


def test_each_value_of_a_configuration_is_in_a_key_or_inert(
    ground: MakingConfig, fixed: Path, tmp_path: Path
) -> None:
    special, needs = changes(ground, tmp_path), grounds(tmp_path)
    plans: dict[str, Plan] = {}
    moved: set[str] = set()
    lies, idle = [], []
    for path, hint, value in leaves(ground):
        need = next((n for p, n in needs.items() if is_below(path, p)), {})
        before = ground
        for where, given in need.items():
            before = changed(before, where, given)
        name = repr(need)
        plans[name] = plans.get(name) or plan_experiment(before, fixed)
        other = special[path] if path in special else another(hint, value)
        after = plan_experiment(changed(before, path, other), fixed)
        same = keys(plans[name]) == keys(after)
        if any(is_below(path, entry) for entry in INERT):
            idle += [] if same else [path]
        else:
            lies += [path] if same else []
        moved |= differing(plans[name], after)
    assert not lies, "no key holds these, and no reason is given why they cannot change a result"
    assert not idle, "these are in a key, though INERT says that they cannot change a result"
    wanted = {
        field for made in plans.values() for stage in made.stages for field in fields_of(stage)
    }
    unmoved = sorted(wanted - moved - GIVEN.keys())
    assert unmoved == [], "no value of a configuration moves these fields"
    known = sorted(GIVEN.keys() & moved)
    assert known == [], "a value of a configuration moves these fields"


def test_a_stage_reads_its_settings_and_nothing_else_of_a_configuration(
    ground: MakingConfig, fixed: Path
) -> None:
    for stage in plan_experiment(ground, fixed).stages:
        function: Any = stage.make
        assert inspect.isfunction(function), stage.label
        assert function.__closure__ is None, stage.label
        assert function.__qualname__ == function.__name__, stage.label
        kind = typing.get_type_hints(function)[next(iter(inspect.signature(function).parameters))]
        assert isinstance(stage.settings, kind), stage.label
        assert not any(isinstance(value, Config) for value in vars(stage.settings).values())


def test_another_identifier_under_the_same_path_is_another_source(
    ground: MakingConfig, fixed: Path, tmp_path: Path
) -> None:
    model = tmp_path / "lid.bin"
    config = changed(ground, "sources.quality.identifier", str(model))
    model.write_bytes(b"one")
    before = plan_experiment(config, fixed).list_named("source")
    model.write_bytes(b"another")
    after = plan_experiment(config, fixed).list_named("source")
    assert not {s.key for s in before} & {s.key for s in after}


@pytest.mark.parametrize(
    ("settings", "moves"),
    [
        ({"language.flores_code": "fra_Latn"}, set(PAPERS_TASKS)),
        # The other benchmarks have the language's own code, which names its script.
        (
            {"language.script": "Arabic"},
            {name for name in PAPERS_TASKS if "_" not in SWAHILI.get(TASKS[name].benchmark, "_")},
        ),
        # FLORES's code says the same.
        ({"language.flores_code": None}, set()),
    ],
)
def test_a_score_knows_the_language_of_its_items_and_translations(
    composed: Callable[..., Any], fixed: Path, settings: dict[str, Any], moves: set[str]
) -> None:
    before = after = composed("++producers=[base]")
    for path, value in settings.items():
        after = changed(after, path, value)

    def scores(config: Config) -> dict[str, str]:
        return {
            cell.task: cell.score.key for cell in plan_experiment(config, fixed).cells if cell.score
        }

    old, new = scores(before), scores(after)
    assert {task for task in old if old[task] != new[task]} == moves


def leaves(owner: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, type, value) of every value of a configuration."""
    if isinstance(owner, dict):
        for name, value in owner.items():
            yield from leaves(value, f"{path}{name}.")
        return
    hints = typing.get_type_hints(type(owner))
    for field in dataclasses.fields(owner):
        value = getattr(owner, field.name)
        inner = [value] if dataclasses.is_dataclass(value) else []
        if isinstance(value, dict) and any(map(dataclasses.is_dataclass, value.values())):
            inner = [value]
        if inner:
            yield from leaves(value, f"{path}{field.name}.")
        else:
            yield f"{path}{field.name}", hints[field.name], value


def changed(owner: Any, path: str, value: Any) -> Any:
    """A copy of a configuration with another value at a path."""
    name, _, rest = path.partition(".")
    if isinstance(owner, dict):
        return owner | {name: changed(owner[name], rest, value) if rest else value}
    inner = changed(getattr(owner, name), rest, value) if rest else value
    return dataclasses.replace(owner, **{name: inner})


def another(hint: Any, value: Any) -> Any:
    """Another value of a type."""
    kinds = [kind for kind in typing.get_args(hint) or (hint,) if kind is not type(None)]
    if typing.get_origin(hint) is typing.Literal:
        return next(choice for choice in kinds if choice != value)
    kind = kinds[0]
    if typing.get_origin(kind) is typing.Literal:
        return next(choice for choice in typing.get_args(kind) if choice != value)
    if kind is bool:
        return not value
    if kind is int:
        return 20 if value is None else value + (1 if value != 1 else 3)
    if kind is float:
        return 0.25 if value in (None, 0) else value / 2
    assert kind is str, f"{hint}: give another value in `changes`"
    return f"{value or ''}X"


def is_below(path: str, above: str) -> bool:
    return path == above or path.startswith(f"{above}.")


def keys(made: Plan) -> set[str]:
    return {stage.key for stage in made.stages}


def fields_of(stage: Stage) -> dict[str, Any]:
    """The keyed fields of a stage's settings with their values, as `Class.field.field`."""

    def walk(owner: Any, path: str) -> Iterator[tuple[str, Any]]:
        for field in dataclasses.fields(owner):
            value = getattr(owner, field.name)
            if field.metadata.get("keyed", True) is False:
                continue
            if dataclasses.is_dataclass(value):
                yield from walk(value, f"{path}.{field.name}")
            else:
                yield f"{path}.{field.name}", take_keyed(value)

    return dict(walk(stage.settings, type(stage.settings).__name__))


def differing(before: Plan, after: Plan) -> set[str]:
    """The fields whose values differ in stages of the same place."""

    old, new = by_place(before), by_place(after)
    moved: set[str] = set()
    for place in old.keys() & new.keys():
        was, now = fields_of(old[place]), fields_of(new[place])
        for name in was.keys() | now.keys():
            if name not in was or name not in now or was[name] != now[name]:
                moved.add(name)
    return moved


def by_place(made: Plan) -> dict[tuple[str, ...], Stage]:
    """The stages by what is the same of them whatever their settings are."""
    names = ("source", "producer", "role", "task")
    found = {(s.name, *(getattr(s.about, n) or "" for n in names)): s for s in made.stages}
    for source in made.list_named("source"):
        if "corpus" in source.inputs:
            found["corpus", source.about.source or ""] = source.inputs["corpus"]
    return found


def test_the_ground_has_a_source_of_each_kind(ground: MakingConfig) -> None:
    assert isinstance(ground.sources.own["mine"], Own)
    assert {*ground.mix.needed} == {"topic", "scenario", "context", "translated", "mine"}
