"""Checkpoints on the way of a training run, and their mean, as producers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small import manifests, run, small

from harness.errors import ConfigError
from harness.experiment import plan_experiment
from reports import read_store
from reports.outputs.card import write_card

WEIGHTS = "model.safetensors"


def plan(composed: Callable[..., Any], ledgers: Path, *more: str) -> Any:
    return plan_experiment(composed("mix=topic", *more), ledgers)


def test_they_are_planned_beside_the_run_that_keeps_them(
    composed: Callable[..., Any], fixed: Path
) -> None:
    asked = "++producers=[base,trained,steps,averaged]", "++train.keep=4", "++train.average=2"
    made = plan(composed, fixed, *asked)
    assert list(dict.fromkeys(cell.producer for cell in made.cells)) == [
        "base",
        "trained:topic",
        *(f"trained:topic at {share}%" for share in (25, 50, 75)),
        "trained:topic, mean of last 2",
    ]
    assert {cell.role for cell in made.cells} == {"base", "trained"}
    assert len(made.list_named("train")) == 1
    assert len(made.list_named("step")) == 3
    # They need the run that they are of, whether or not its end is scored.
    (run_key,) = {stage.key for stage in made.list_named("train")}
    alone = plan(composed, fixed, "++producers=[averaged]", *asked[1:])
    assert [stage.key for stage in alone.list_named("train")] == [run_key]
    (average,) = alone.list_named("average")
    assert average.key == made.list_named("average")[0].key


def test_what_is_averaged_makes_no_run_again_and_what_is_kept_does(
    composed: Callable[..., Any], fixed: Path
) -> None:
    keys = [
        plan(composed, fixed, *more).list_named("train")[0].key
        for more in ((), ("++train.average=2",), ("++train.keep=1",), ("++train.keep=4",))
    ]
    assert keys[0] == keys[1] == keys[2] != keys[3]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("[base,steps]", r"train\.keep is 1\. Remedy: train\.keep=4 keeps four"),
        ("[base,averaged]", r"the last 3 checkpoints .* train\.keep is 1\. Remedy: train\.keep=3"),
    ],
)
def test_a_run_that_keeps_too_few_is_refused_before_anything_is_paid(
    composed: Callable[..., Any], fixed: Path, asked: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        plan(composed, fixed, f"++producers={asked}")


def test_a_run_may_end_behind_its_data(composed: Callable[..., Any], fixed: Path) -> None:
    asked = "++producers=[averaged]", "++train.keep=3", "++stop_after=mix"
    assert {stage.name for stage in plan(composed, fixed, *asked).targets} == {
        "mixture",
        "contamination",
    }


@pytest.mark.slow
def test_they_are_made_and_scored_and_once(tiny: Path, tmp_path: Path) -> None:
    asked = (
        "mix=topic",
        "producers=[base,trained,steps,averaged]",
        "train.keep=2",
        "train.average=2",
        "evaluate.tasks=[sib200]",
    )
    done = run(small(tmp_path, tiny, *asked))
    assert done.returncode == 0, done.stderr
    (trained,) = manifests(tmp_path, "train")
    (step,) = manifests(tmp_path, "step")
    (average,) = manifests(tmp_path, "average")
    assert step["facts"] == {"step": 2, "steps": 4}
    assert average["facts"] == {"averaged_steps": [2, 4]}
    assert len(manifests(tmp_path, "score")) == 4
    folders = [tmp_path / one["stage"] / one["key"] for one in (trained, step, average)]
    last, middle, mean = (load_file(folder / "checkpoint" / WEIGHTS) for folder in folders)
    assert (folders[1] / "checkpoint" / WEIGHTS).samefile(folders[0] / "kept" / "2" / WEIGHTS)
    assert last.keys() == middle.keys() == mean.keys()
    moved = [name for name in last if not torch.equal(last[name], middle[name])]
    assert moved
    for name in last:
        halfway = (last[name].double() + middle[name].double()) / 2
        assert torch.allclose(mean[name].double(), halfway, rtol=2**-8, atol=1e-7)
    assert not (folders[2] / "checkpoint" / "README.md").exists()
    assert (folders[2] / "checkpoint" / "tokenizer.json").exists()
    assert "trained:topic at 50%" in done.stdout
    view = read_store(tmp_path)
    card = write_card(view, "trained:topic, mean of last 2")
    assert "The weights are the mean of those behind steps 2, 4 of this training" in card
    assert "train" in card.partition("## Cost")[2]
    card = write_card(view, "trained:topic at 50%")
    assert "The weights are those behind step 2 of 4 of this training" in card
    assert "The weights are" not in write_card(view, "trained:topic")
    again = run(small(tmp_path, tiny, *asked))
    assert again.returncode == 0, again.stderr
    assert [one["created"] for one in manifests(tmp_path, "average")] == [average["created"]]
