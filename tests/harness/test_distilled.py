"""Distilled checkpoints as producers: what is planned, refused at the door, made and reported."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small import manifests, run, small
from small_checkpoints import edit, save_model

from core.contract.facts import extract_any_facts
from core.contract.manifest import Manifest
from core.contract.record import as_json, read_file
from harness.errors import ConfigError
from harness.experiment import plan_experiment
from reports import read_store
from reports.figures.training import draw_curves

ASKED = "++producers=[base,trained,distilled]"
POINTS = (
    *("dudi", "no_sequence", "no_off_policy", "no_on_policy", "no_verbalizer"),
    *("sft", "kd", "gkd", "on_policy", "spin"),
)


def plan(composed: Callable[..., Any], ledgers: Path, *more: str) -> Any:
    return plan_experiment(composed("mix=tran", *more), ledgers)


def find_key(made: Any, stage: str) -> str:
    (found,) = made.list_named(stage)
    key: str = found.key
    return key


def test_it_starts_from_the_trained_checkpoint_and_changes_nothing_of_it(
    composed: Callable[..., Any], fixed: Path
) -> None:
    before, made = plan(composed, fixed), plan(composed, fixed, ASKED)
    names = [cell.producer for cell in made.cells]
    assert list(dict.fromkeys(names)) == ["base", "trained:tran", "distilled:tran, dudi_style"]
    assert {cell.role for cell in made.cells} == {"base", "trained"}
    assert {stage.key for stage in before.stages} < {stage.key for stage in made.stages}
    (distilled,) = made.list_named("distill")
    assert distilled.inputs["start"].key == find_key(before, "train")
    (guided,) = made.list_named("guided")
    assert set(guided.inputs) == {"base", "teacher", "mixture", "translated"}
    assert distilled.inputs["data"] is guided


def test_every_point_is_another_result_and_what_the_teacher_reads_is_shared(
    composed: Callable[..., Any], fixed: Path
) -> None:
    made = {name: plan(composed, fixed, ASKED, f"distillation={name}") for name in POINTS}
    assert len({find_key(one, "distill") for one in made.values()}) == len(POINTS)
    assert len({find_key(one, "train") for one in made.values()}) == 1
    guided = {name: one.list_named("guided") for name, one in made.items()}
    assert [name for name, stages in guided.items() if not stages] == ["sft", "spin"]
    assert len({stages[0].key for stages in guided.values() if stages}) == 2
    for name in ("sft", "spin"):
        (distilled,) = made[name].list_named("distill")
        assert set(distilled.inputs) == {"start", "data", "mixture"}
        assert distilled.inputs["data"].name == "packed"


def test_a_name_or_a_place_changes_no_key_and_each_choice_does(
    composed: Callable[..., Any], fixed: Path, tmp_path: Path
) -> None:
    def key(*more: str) -> str:
        return find_key(plan(composed, fixed, ASKED, *more), "distill")

    plain = key()
    assert key("distillation.name=other") == plain
    assert key(f"++train.learning_rate={5e-5}") == plain
    copied = tmp_path / "wording.yaml"
    ours = Path("training/distillation/verbalizer.yaml").read_text(encoding="utf-8")
    copied.write_text(f"# A copy.\n{ours}", encoding="utf-8")
    assert key(f"distillation.verbalizer.wording={copied}") == plain
    copied.write_text(ours.replace("A good answer", "One answer"), encoding="utf-8")
    changed = [
        f"distillation.verbalizer.wording={copied}",
        "distillation.weights.sequence=0.5",
        "distillation.beta=0.2",
        "distillation.off_policy.top_k=100",
        "distillation.on_policy.kind=forward",
        "distillation.rollouts.max_tokens=9",
        "distillation.verbalizer.on_policy=english",
        "distillation.start=base",
        "distillation.steps=3",
        "distillation.learning_rate=1e-6",
        "distillation.iterations=2",
    ]
    keys = {
        change: plan(composed, fixed, ASKED, change).list_named("distill")[-1].key
        for change in changed
    }
    assert len({plain, *keys.values()}) == len(changed) + 1


def test_rounds_are_chained_and_the_base_needs_no_training(
    composed: Callable[..., Any], fixed: Path
) -> None:
    made = plan(composed, fixed, ASKED, "distillation=spin", "distillation.iterations=3")
    rounds = made.list_named("distill")
    assert len(rounds) == 3
    last = next(cell.checkpoint for cell in made.cells if cell.producer.startswith("distilled"))
    chain = [last, last.inputs["start"], last.inputs["start"].inputs["start"]]
    assert [one.name for one in chain] == ["distill"] * 3
    assert chain[-1].inputs["start"].name == "train"
    alone = plan(composed, fixed, "++producers=[distilled]", "distillation.start=base")
    assert not alone.list_named("train")
    assert alone.list_named("distill")[0].inputs["start"].name == "base"


def test_it_may_end_behind_a_step(composed: Callable[..., Any], fixed: Path) -> None:
    stopped = plan(composed, fixed, ASKED, "++stop_after=distill")
    assert {stage.name for stage in stopped.targets} == {"distill"}
    assert not plan(composed, fixed, ASKED, "++stop_after=mix").list_named("distill")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("++train.isolation=none", "shows the student those before it. Remedy: train.isolation"),
        ("++train.deepspeed=zero3", "zero3 spreads over the processes. Remedy: train.deepspeed"),
        ("distillation.verbalizer.off_policy=both", "copies it.*Remedy: english or plain"),
        (
            "distillation.weights={supervised: 0, off_policy: 0, on_policy: 0, sequence: 0}",
            "such that one is above 0",
        ),
        ("distillation.weights.sequence=-1", "at least 0"),
        ("distillation.off_policy.kind=backward", "forward, reverse, jsd"),
        ("distillation.off_policy.temperature=0", "above 0"),
        ("distillation.rollouts.every=0", "at least 1"),
        (
            "distillation={name: x, weights: {supervised: 0, off_policy: 0, sequence: 0}, "
            "rollouts: {every: 2}}",
            "1 where nothing but drawn responses teaches",
        ),
    ],
)
def test_what_cannot_be_distilled_is_refused_before_anything_is_paid(
    composed: Callable[..., Any], fixed: Path, change: str, said: str
) -> None:
    if change.startswith("distillation={"):
        change = "++distillation=" + change.partition("=")[2]
    with pytest.raises(ConfigError, match=f"(?s){said}"):
        plan(composed, fixed, ASKED, change)
    if change.startswith("++train"):
        plan(composed, fixed, change)  # and fine-tuning alone does not mind


def swap_two_tokens(checkpoint: Path) -> None:
    """Makes another vocabulary of the same size."""
    path = checkpoint / "tokenizer.json"
    model = json.loads(path.read_text(encoding="utf-8"))["model"]
    vocabulary = model["vocab"]
    vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]
    edit(path, model=model)


@pytest.mark.slow
def test_another_vocabulary_is_told_before_the_data_is_written(tmp_path: Path) -> None:
    student, teacher = save_model(tmp_path / "student"), save_model(tmp_path / "teacher")
    swap_two_tokens(teacher)
    asked = [
        "mix=topic",
        "producers=[distilled]",
        "teacher_model=directory",
        "teacher_model.name=other",
        f"teacher_model.path={teacher}",
    ]
    done = run(small(tmp_path, student, *asked))
    assert done.returncode == 1
    assert "2 tokens differ" in done.stderr
    assert "distillation.weights.off_policy=0" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("source/*"))
    looked = run(small(tmp_path, student, *asked, "check=true"))
    assert "2 tokens differ" in looked.stderr + looked.stdout
    # A teacher that is not asked is not looked at.
    without = run(small(tmp_path, student, *asked, "distillation=spin", "check=true"))
    assert "tokens differ" not in without.stderr + without.stdout


@pytest.mark.slow
def test_it_is_made_scored_and_reported_and_once(tiny: Path, tmp_path: Path) -> None:
    asked = [
        "mix=gen_tran",
        "producers=[base,trained,distilled]",
        "evaluate.tasks=[sib200]",
        "teacher_model=directory",
        "teacher_model.name=large",
        f"teacher_model.path={tiny}",
        "distillation.rollouts.max_tokens=6",
    ]
    done = run(small(tmp_path, tiny, *asked))
    assert done.returncode == 0, done.stderr
    (distilled,) = manifests(tmp_path, "distill")
    facts, views = distilled["facts"], distilled["facts"]["guided"]["views"]
    for path in (
        *tmp_path.glob("guided/*/manifest.json"),
        *tmp_path.glob("distill/*/manifest.json"),
    ):
        manifest = read_file(Manifest, path)
        assert as_json(extract_any_facts(manifest)) == json.loads(path.read_text("utf-8"))["facts"]
    assert set(facts["signals"]) == {"supervised", "off_policy", "on_policy", "sequence"}
    assert facts["rollouts"] > 0
    assert views["off_policy"]["english"] == views["on_policy"]["both"] > 0
    assert views["off_policy"]["plain"] == views["on_policy"]["reference"] > 0
    assert len(manifests(tmp_path, "score")) == 3
    assert "distilled:gen_tran, dudi_style" in done.stdout
    folder = tmp_path / "distill" / distilled["key"]
    card = (folder / "checkpoint" / "README.md").read_text(encoding="utf-8")
    assert "(DuDi-style), since those of the paper could not be had" in card
    assert "token probabilities of large" in card
    view = read_store(tmp_path)
    curve = next(one for one in draw_curves(view) if "distilled" in one.title)
    for name in ("Supervised", "Teacher on the corpus", "Teacher on rollouts", "Sequences"):
        assert f">{name}, " in curve.svg
    again = run(small(tmp_path, tiny, *asked))
    assert again.returncode == 0, again.stderr
    assert [one["created"] for one in manifests(tmp_path, "distill")] == [distilled["created"]]
    # More fine-tuning alone, from the same checkpoint: no teacher is opened.
    more = run(small(tmp_path, tiny, *asked, "distillation=sft"))
    assert more.returncode == 0, more.stderr
    assert len(manifests(tmp_path, "guided")) == 1
    assert len(manifests(tmp_path, "train")) == 1
