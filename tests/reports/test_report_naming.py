"""Checkpoints of one name bear what differs between them, alike in every language."""

import json
from pathlib import Path
from typing import Any

from store_maker import SWAHILI, cell, choices, key_of, train_facts, write_artifact, write_plan
from store_maker import write_score as write_score_of

from core.contract.manifest import About
from reports import read_store
from reports.tables.panels import build_panels

WELSH = {**SWAHILI, "name": "Welsh", "autonym": "Cymraeg", "flores_code": "cym_Latn"}


def write_checkpoint(
    store: Path, language: dict[str, str], name: str, train: dict[str, Any], mixture: dict[str, Any]
) -> None:
    """A checkpoint with its mixture, a score of it, and the run that planned it."""
    keys = {stage: key_of(stage, language["name"], name) for stage in ("mixture", "train", "score")}
    about = About(language=language["name"], producer="trained:gen", role="trained")
    for stage, config, inputs in (
        ("mixture", mixture, []),
        ("train", train, [("mixture", "mixture", keys["mixture"])]),
    ):
        facts = train_facts(3, [2.0, 1.0], None)
        folder = write_artifact(store, stage, keys[stage], name, about, facts, {}, inputs)
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        (folder / "manifest.json").write_text(json.dumps(manifest | {"config": config}), "utf-8")
    at = "train", keys["train"]
    samples = choices(range(20), [True] * 20)
    write_score_of(store, keys["score"], language["name"], "trained:gen", at, "sib200", samples)
    planned = [cell(language["name"], "trained:gen", at, "sib200", keys["score"])]
    write_plan(store, f"{language['name']}-{name}", language, planned)


def names_in(store: Path) -> dict[str, list[str]]:
    return {
        panel.language.name: sorted(panel.producers) for panel in build_panels(read_store(store))
    }


def test_what_differs_is_said_in_every_language(tmp_path: Path) -> None:
    for rate in (5e-4, 1e-5):
        train = {"train": {"learning_rate": rate, "steps": 8}, "seed": 0}
        write_checkpoint(tmp_path, SWAHILI, f"lr{rate}", train, {"seed": 0})
    train = {"train": {"learning_rate": 5e-4, "steps": 8}, "seed": 0}
    write_checkpoint(tmp_path, WELSH, "alone", train, {"seed": 0})
    assert names_in(tmp_path) == {
        "Swahili": ["trained:gen, learning_rate 0.0005", "trained:gen, learning_rate 1e-05"],
        "Welsh": ["trained:gen, learning_rate 0.0005"],
    }


def test_a_choice_that_several_stages_have_is_said_once(tmp_path: Path) -> None:
    for seed in (0, 1):
        write_checkpoint(tmp_path, SWAHILI, f"s{seed}", {"seed": seed}, {"seed": seed})
    assert names_in(tmp_path)["Swahili"] == ["trained:gen, seed 0", "trained:gen, seed 1"]


def test_choices_of_one_word_that_do_not_go_together_are_both_said(tmp_path: Path) -> None:
    for name, train, mixture in (("a", 0, 0), ("b", 1, 0), ("c", 1, 1)):
        write_checkpoint(tmp_path, SWAHILI, name, {"seed": train}, {"seed": mixture})
    assert names_in(tmp_path)["Swahili"] == [
        "trained:gen, mixture seed 0, train seed 0",
        "trained:gen, mixture seed 0, train seed 1",
        "trained:gen, mixture seed 1, train seed 1",
    ]


def test_many_differences_and_none_get_a_part_of_the_key(tmp_path: Path) -> None:
    for n in (1, 2):
        many = {f"s{k}": n for k in range(5)}
        write_checkpoint(tmp_path / "many", SWAHILI, f"n{n}", many, {})
        write_checkpoint(tmp_path / "none", SWAHILI, f"n{n}", {"content": "f" * 64}, {})
    for store in ("many", "none"):
        for name in names_in(tmp_path / store)["Swahili"]:
            assert name.startswith("trained:gen#")
