"""The configuration: every problem at once, with the nearest key."""

from typing import Any

import pytest

from harness.errors import ConfigError
from harness.overrides import prepare_arguments
from harness.validate import build_config

VALID: dict[str, Any] = {
    "name": "x",
    "language": {"name": "Swahili"},
    "student": {"name": "s", "kind": "gguf"},
    "teacher": {"name": "t"},
    "sources": {},
    "mix": {"name": "topic", "weights": {"topic": 1}},
    "train": {"name": "tiny", "steps": 3},
    "evaluate": {},
    "contamination": {},
    "prompts_file": "p",
    "store": "a",
    "cache": "c",
}


def changed(**changes: Any) -> dict[str, Any]:
    values = {
        key: dict(value) if isinstance(value, dict) else value for key, value in VALID.items()
    }
    for path, value in changes.items():
        *groups, last = path.split("__")
        target = values
        for group in groups:
            target = target.setdefault(group, {})
        target[last] = value
    return values


def test_a_valid_configuration_is_typed() -> None:
    config = build_config(VALID)
    assert config.mix.weights == {"topic": 1.0}
    assert config.evaluate.limit is None


def test_all_problems_are_reported_at_once() -> None:
    values = changed(
        train__stepz=3, mix__extra=1, evaluate__limit="x", train__precision="fp33", seed=1.5
    )
    with pytest.raises(ConfigError) as caught:
        build_config(values)
    message = str(caught.value)
    assert "5 problems" in message
    assert "train.stepz: there is no such key. Nearest: steps" in message
    assert "mix.extra: there is no such key" in message
    assert "evaluate.limit: a whole number is needed, received 'x'" in message
    assert "train.precision: one of auto, bf16, fp32 is needed, received 'fp33'" in message
    assert "seed: a whole number is needed, received 1.5" in message


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"learning_rate": 1e-4}, "Nearest: train.learning_rate, distillation.learning_rate"),
        ({"language__name": "???"}, "language.name: a value is needed"),
        ({"train__steps": 0}, "train: train.steps must be"),
        ({"train__steps": True}, "train.steps: a whole number is needed, received True"),
        ({"evaluate__tasks": ["sib200", "sib2000"]}, "evaluate.tasks.1: one of"),
        ({"student__kind": "hub"}, "student.repository is needed"),
        ({"evaluate__tasks": []}, "evaluate.tasks"),
        ({"evaluate__protocol__answer": "labels"}, "evaluate.protocol.answer: there is no such"),
        ({"evaluate__protocol__shots": "last"}, "evaluate.protocol.shots: one of first, balanced"),
        ({"evaluate__protocol__system_prompt": "x"}, "evaluate.protocol: system_prompt: only a"),
        ({"evaluate__hub__sib": "x"}, "evaluate.hub.sib: there is no such key. Nearest: sib200"),
        ({"teacher": None}, "teacher: a group of keys is needed, received None"),
        ({"language__gaps": None}, "language.gaps: a group of keys is needed, received None"),
        ({"published": None}, "published: a list is needed, e.g. [None]"),
        ({"evaluate__tasks": "sib200"}, "evaluate.tasks: a list is needed, e.g. [sib200]"),
    ],
)
def test_a_problem_names_its_key(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError, match="The configuration has a problem") as caught:
        build_config(changed(**changes))
    assert expected in str(caught.value)


def test_values_reach_hydra_in_a_form_that_it_accepts() -> None:
    given = ["language=yoruba", "train.steps=3", "+mix.extra=1", "-m", "hydra.job.num=1", "~sweep"]
    assert prepare_arguments(given) == [
        "-m",
        "language=yoruba",
        "++train.steps=3",
        "++mix.extra=1",
        "hydra.job.num=1",
        "~sweep",
    ]
    assert prepare_arguments(["mix=topic,gen", "-m", "hydra/launcher=joblib"]) == [
        "-m",
        "mix=topic,gen",
        "hydra/launcher=joblib",
    ]


def test_an_unknown_option_names_the_nearest_and_the_way_for_other_languages() -> None:
    with pytest.raises(ConfigError) as caught:
        prepare_arguments(["language=swahilli", "mix=topc"])
    message = str(caught.value)
    assert "Nearest: language=swahili" in message
    assert 'language=other language.name="swahilli"' in message
    assert "mix=topc" in message


def test_a_mixture_of_an_unknown_source_is_named() -> None:
    with pytest.raises(ConfigError, match=r"sources are topic, .*received 'topics'"):
        build_config(changed(mix__weights={"topics": 1}))
    own = {"topics": {"kind": "chat", "files": ["a.jsonl"]}}
    build_config(changed(mix__weights={"topics": 1}, sources__own=own))


def test_a_home_folder_is_put_into_every_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    given = changed(
        **dict.fromkeys(("store", "cache", "data_dir", "prompts_file"), "~/x"),
        student={"name": "~/x", "kind": "directory", "path": "~/x"},
        published=[{"name": "~/x", "kind": "directory", "path": "~/x"}],
        sources__context={"texts": "~/x"},
        sources__translated={"conversations": "hub:~/x"},
        sources__quality={"identifier": "~/x"},
        sources__own={"mine": {"kind": "chat", "files": ["~/x"]}},
        mix__exclude="~/x",
        mix__plain_system_prompt="~/x",
        evaluate__hub={"sib200": "~/x"},
        evaluate__vllm={"command": "~/x"},
    )
    config: Any = build_config(given)
    whole = "/home/someone/x"
    assert {config.store, config.cache, config.data_dir, config.prompts_file} == {whole}
    for model in (config.student, *config.published):
        assert (model.name, model.path) == ("~/x", whole)
    assert config.sources.context.texts == whole
    assert config.sources.translated.conversations == f"hub:{whole}"
    assert config.sources.quality.identifier == whole
    assert config.sources.own["mine"].files == (whole,)
    assert (config.mix.exclude, config.mix.plain_system_prompt) == (whole, "~/x")
    assert (config.evaluate.hub.sib200, config.evaluate.vllm.command) == (whole, whole)
