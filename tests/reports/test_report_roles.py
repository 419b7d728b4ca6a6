"""Reports ask a checkpoint's role, and know neither the kinds of producers nor their stages."""

import json
from pathlib import Path
from typing import Any

import pytest
from store_maker import key_of, make_store

from core.contract.producers import find_role
from reports import read_store
from reports.figures.training import draw_curves
from reports.outputs.card import write_card
from reports.report import Report
from reports.tables.cost import tabulate_cost_by_stage

NAMES = {"base": "start", "trained:gen": "soup", "trained:topic": "stew"}


def rename(store: Path) -> Path:
    """The checkpoints are of another stage and the producers have other names, with their role."""

    def renamed(value: Any) -> Any:
        if isinstance(value, list):
            return [renamed(inner) for inner in value]
        if not isinstance(value, dict):
            return value
        found = {name: renamed(inner) for name, inner in value.items()}
        if found.get("stage") == "train":
            found["stage"] = "cooked"
        if found.get("producer") in NAMES:
            role = find_role(found["producer"])
            found |= {"producer": NAMES[found["producer"]], "role": role}
        return found

    for path in [*store.rglob("manifest.json"), *store.rglob("plan.json")]:
        path.write_text(json.dumps(renamed(json.loads(path.read_text()))))
    (store / "train").rename(store / "cooked")
    return store


@pytest.fixture
def known(tmp_path: Path) -> Any:
    return read_store(make_store(tmp_path / "known"))


@pytest.fixture
def other(tmp_path: Path) -> Any:
    return read_store(rename(make_store(tmp_path / "other")))


def test_a_kind_that_reports_do_not_know_is_reported_as_any_other(known: Any, other: Any) -> None:
    before, after = Report.from_store(known).results, Report.from_store(other).results
    assert [NAMES[name] for name in before.producers] == after.producers
    assert after.trained == ["soup", "stew"]
    for old, new in zip(before.rows, after.rows, strict=True):
        assert (NAMES[old.producer], old.score, old.is_base) == (
            *(new.producer, new.score, new.is_base),
        )
        assert (old.no_gain, old.size) == (new.no_gain, new.size)
        assert (old.gain and old.gain.points) == (new.gain and new.gain.points)
    assert before.equal
    assert {NAMES[name] for name in before.equal} == after.equal


def test_its_training_cost_and_card_are_there(known: Any, other: Any) -> None:
    assert len(draw_curves(known)) == len(draw_curves(other)) > 0
    costs = [row[0] for row in tabulate_cost_by_stage(other).rows]
    assert costs[-3:] == ["cooked", "score", "total"]
    key = key_of("train", "Swahili", "gen")
    assert write_card(other, key).startswith(write_card(known, key)[:40])


@pytest.mark.parametrize(
    ("producer", "role"),
    [
        ("base", "base"),
        ("base#1a2b", "base"),
        ("base (a student)", "base"),
        ("trained:gen", "trained"),
        ("published:theirs", "published"),
    ],
)
def test_the_role_in_an_older_record_is_in_the_name(producer: str, role: str) -> None:
    assert find_role(producer) == role
    assert find_role(producer, "trained") == "trained"
