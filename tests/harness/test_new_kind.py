"""A new kind of producer is a file of its own and a line of the registry: here, an average.

What this file defines would stand in `harness/producers/blended.py`, and the value of `blended`
in `conf/run.yaml`; nothing else knows that there is such a kind.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planned import least_checkpoint
from safetensors.numpy import load_file, save_file

from harness.config import Config, MakingConfig, Student
from harness.errors import ConfigError
from harness.experiment import plan_experiment
from harness.producers.producer import Ground, Producer, Step
from harness.producers.registry import KINDS
from harness.progress import Display
from harness.stage import Outcome, Stage, Work
from harness.stages.base import make_base_stage
from harness.store import Store
from harness.students import CHECKPOINT, find_checkpoint_path


@dataclass(frozen=True, kw_only=True)
class BlendedConfig(Config):
    """Names the checkpoints whose weights are averaged."""

    blended: tuple[Student, ...] = ()


@dataclass(frozen=True)
class BlendSettings:
    """What an average depends on, beside its checkpoints."""

    weights: tuple[float, ...]


class Blended(Producer):
    """The mean of finished checkpoints; it needs no student of its own."""

    kind = "blended"
    role = "trained"
    key = "blended"
    needs = BlendedConfig
    name = "blended"

    def __init__(self, models: tuple[Student, ...]) -> None:
        self.models = models

    @classmethod
    def find(cls, config: BlendedConfig) -> list[Producer]:
        return [cls(config.blended)]

    def plan(self, ground: Ground) -> Iterator[Step]:
        parts = {f"part {n}": make_base_stage(model) for n, model in enumerate(self.models)}
        yield Step("blend", (blend_stage(parts),))


def blend_stage(parts: dict[str, Stage]) -> Stage:
    """The stage that averages."""
    return Stage(
        name="blend",
        version=1,
        label="blend",
        settings=BlendSettings((1 / len(parts),) * len(parts)),
        inputs=parts,
        make=average,
    )


def average(settings: BlendSettings, work: Work) -> Outcome:
    """Writes the mean of the weights."""
    parts = [load_file(find_checkpoint_path(a) / "model.safetensors") for a in work.inputs.values()]
    (work.out / CHECKPOINT).mkdir()
    mean = {
        name: sum(w * part[name] for w, part in zip(settings.weights, parts, strict=True))
        for name in parts[0]
    }
    save_file(mean, work.out / CHECKPOINT / "model.safetensors")  # type: ignore[arg-type]
    return Outcome()


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("harness.producers.registry", "harness.validate"):
        monkeypatch.setattr(f"{module}.KINDS", (*KINDS, Blended))


@pytest.fixture
def models(tmp_path: Path) -> str:
    listed = []
    for name, weight in (("one", 1.0), ("three", 3.0)):
        folder = least_checkpoint(tmp_path / name)
        save_file({"weight": np.full(1, weight, np.float32)}, folder / "model.safetensors")
        listed.append(f"{{name: {name}, kind: directory, path: {folder}}}")
    return f"++blended=[{','.join(listed)}]"


@pytest.mark.usefixtures("registered")
def test_it_is_planned_made_and_scored_as_any_other(
    composed: Callable[..., Any], models: str, tmp_path: Path
) -> None:
    config = composed("++producers=[]", models, "++evaluate.tasks=[sib200]")
    assert not isinstance(config, MakingConfig)
    made = plan_experiment(config, tmp_path / "ledgers")
    ((cell,), (checkpoint,)) = made.cells, made.list_named("blend")
    assert (cell.producer, cell.role, cell.checkpoint) == ("blended", "trained", checkpoint)
    assert made.targets == [cell.score]
    assert {stage.name for stage in made.stages} == {"base", "blend", "score"}
    store = Store(tmp_path, tmp_path / "cache", Display(console()))
    weights = load_file(find_checkpoint_path(store.build(checkpoint)) / "model.safetensors")
    assert weights["weight"].tolist() == [2.0]


@pytest.mark.usefixtures("registered")
def test_it_has_an_endpoint_and_stands_beside_the_others(
    composed: Callable[..., Any], models: str, tmp_path: Path
) -> None:
    served = "++evaluate.endpoints.blended={base_url: 'http://127.0.0.1:1/v1', model: m}"
    config = composed(models, served, "++evaluate.engine=completions", "mix=topic")
    assert isinstance(config, MakingConfig)
    cells = plan_experiment(config, tmp_path).cells
    assert {c.producer for c in cells if c.score} == {"blended"}
    assert {c.producer for c in cells} == {"base", "trained:topic", "blended"}
    with pytest.raises(ConfigError, match=r"evaluate\.endpoints\.blendd: .* Nearest: blended"):
        composed("++evaluate.endpoints.blendd.base_url=http://127.0.0.1:1/v1")
    with pytest.raises(
        ConfigError,
        match=r"nothing to score; name base or trained or .* or distilled, .* or blended",
    ):
        composed("++producers=[]")


def test_a_kind_that_is_not_registered_is_no_kind(composed: Callable[..., Any]) -> None:
    with pytest.raises(
        ConfigError,
        match=r"producers\.1: one of base, trained, steps, averaged, distilled is needed",
    ):
        composed("++producers=[base,blended]")
    with pytest.raises(
        ConfigError,
        match="stop_after: one of sources, mix, train, step, average, distill is needed",
    ):
        composed("++stop_after=blend")


def console() -> Any:
    from rich.console import Console

    return Console(quiet=True)
