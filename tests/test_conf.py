"""Every shipped configuration composes and passes the typed configuration."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sweep_points import list_points

from core.languages import list_languages, list_papers_languages
from harness.errors import ConfigError
from harness.overrides import CONF, prepare_arguments

Compose = Callable[..., Any]

# What the options leave for the user to give.
NEEDED = {
    "language=other": ["language.name=X"],
    "student=directory": ["student.name=x", "student.path=x"],
    "mix=blend": ["mix.weights.topic=1"],
    "mix=own": ["++mix.weights.topic=1"],
    "teacher=gpt_oss_120b": ["teacher.base_url=http://127.0.0.1:1/v1"],
}
NEEDED["teacher_model=directory"] = ["teacher_model.name=x", "teacher_model.path=x"]
NEEDED["teacher_model=hub"] = ["teacher_model.repository=owner/name"]
NEEDED["experiment=paper"] = NEEDED["teacher=gpt_oss_120b"]
GROUPS = ("language", "student", "teacher", "sources", "mix", "train", "evaluate", "experiment")
GROUPS += ("teacher_model", "distillation")
OPTIONS = [f"{g}={p.stem}" for g in GROUPS for p in sorted((CONF / g).glob("*.yaml"))]


@pytest.mark.parametrize("option", OPTIONS)
def test_option_is_valid(composed: Compose, option: str) -> None:
    config = composed(option, *NEEDED.get(option, []), "++producers=[base,trained,distilled]")
    assert config.language.name


def test_an_experiment_can_set_any_key(composed: Compose) -> None:
    assert composed("experiment=paper", *NEEDED["experiment=paper"]).data_dir == "hub"
    with pytest.raises(ConfigError, match=r"teacher\.base_url: a value is needed"):
        composed("experiment=paper")


@pytest.mark.parametrize("path", sorted((CONF / "sweep").glob("*.yaml")), ids=lambda p: p.stem)
def test_each_point_of_a_sweep_is_valid(composed: Compose, path: Path) -> None:
    for point in list_points(path):
        composed(*point)


# All that have a file, and of those that are a line of the table: of two scripts, of two names,
# and in another script than Latin.
SOME = [*list_papers_languages(), "tamil", "west_frisian", "chinese_simplified", "nko"]


@pytest.mark.parametrize("name", SOME)
def test_a_language_composes_to_what_is_known_of_its_benchmarks(
    composed: Compose, name: str
) -> None:
    language = composed(*prepare_arguments([f"language={name}"])).language
    for benchmark, code in list_languages()[name].benchmarks.items():
        assert language.find_code(benchmark) == code


@pytest.mark.parametrize("path", sorted((CONF / "experiment").glob("*.yaml")), ids=lambda p: p.stem)
def test_an_experiment_opens_with_command_cost_and_expectation(path: Path) -> None:
    header = path.read_text(encoding="utf-8").split("\n\n")[0].split("\nname:")[0]
    assert "kakugo" in header
    assert "Cost:" in header
    assert "Expect" in header
