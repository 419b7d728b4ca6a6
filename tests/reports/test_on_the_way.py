"""Gains over the steps of a training run that kept checkpoints on its way."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from synthetic_store import make_synthetic_store

from core.contract.names import MANIFEST, PLAN
from reports import read_store
from reports.figures.on_the_way import draw_runs
from reports.report import Report
from reports.tables.on_the_way import find_run_results, tabulate_on_the_way

ITEMS = {"sib200": 80, "flores_xx_en": 60}
LANGUAGES = [
    {"name": n, "autonym": n, "flores_code": "xxx_Latn", "script": "Latin", "direction": "ltr"}
    for n in ("Yoruba", "Irish")
]
NAMES = {1: "trained:mix at 50%", 2: "trained:mix", 3: "trained:mix, mean of last 2"}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """One run a language, of which a checkpoint halfway, the last one and their mean are scored."""
    store = tmp_path_factory.mktemp("steps")
    make_synthetic_store(store, LANGUAGES, 4, ITEMS)
    keys: dict[str, dict[str, str]] = {}
    for path in store.glob(f"train/*/{MANIFEST}"):
        about = json.loads(path.read_text())["about"]
        keys.setdefault(about["language"], {})[about["producer"][-1]] = path.parent.name
    stages = {
        key: {"1": "step", "3": "average"}[place]
        for of in keys.values()
        for place, key in of.items()
        if place != "2"
    }
    for path in sorted([*store.glob(f"*/*/{MANIFEST}"), *store.glob(f"runs/**/{PLAN}")]):
        text = re.sub(r"trained:mix(\d)", lambda m: NAMES[int(m[1])], path.read_text())
        for key, stage in stages.items():
            text = re.sub(rf'("stage": )"train"(,\s*"key": "{key}")', rf'\1"{stage}"\2', text)
        found = json.loads(text)
        if path.parent.parent.name == "train" and path.parent.name in stages:
            stage = stages[path.parent.name]
            run = keys[found["about"]["language"]]["2"]
            facts = {"step": {"step": 3, "steps": 5}, "average": {"averaged_steps": [3, 5]}}
            trained = {"name": "trained", "stage": "train", "key": run, "content": None}
            found |= {"stage": stage, "facts": facts[stage], "inputs": [trained], "config": {}}
        path.write_text(json.dumps(found))
    for key, stage in stages.items():
        (store / stage).mkdir(exist_ok=True)
        (store / "train" / key).rename(store / stage / key)
    return Report.from_store(read_store(store))


def test_each_run_has_its_steps_in_order_and_its_mean_last(report: Report) -> None:
    assert [(run.language, run.task, run.producer) for run in report.runs_on_the_way] == [
        (language, task, "trained:mix") for language in ("Irish", "Yoruba") for task in ITEMS
    ]
    for run in report.runs_on_the_way:
        steps = [(one.step, one.averaged) for one in run.results]
        last = next(one.step for one in run.results if one.result.producer == "trained:mix")
        assert steps == [(3, ()), (last, ()), (None, (3, 5))]
        assert [one.result.producer for one in run.results] == list(NAMES.values())
    rows = tabulate_on_the_way(report.runs_on_the_way).rows
    gains = {(r.language.name, r.task, r.producer): r.gain for r in report.results.rows}
    for language, _, task, step, mean_of, _, gain, low, high, why in rows:
        name = NAMES[1] if step == 3 else NAMES[3] if mean_of else NAMES[2]
        expected = gains[str(language), str(task), name]
        assert expected
        assert (gain, low, high) == (expected.points, expected.low, expected.high)
        assert not why


def test_a_run_is_drawn_with_a_panel_for_each_task(report: Report) -> None:
    figures = draw_runs(report.runs_on_the_way)
    assert [figure.title for figure in figures] == [
        "Irish: gain over steps",
        "Yoruba: gain over steps",
    ]
    for figure in figures:
        tree = ElementTree.fromstring(figure.svg)
        assert len(tree.findall("polyline")) == len(ITEMS)
        words = [text.text or "" for text in tree.iter("text")]
        assert sum("gain in points" in one for one in words) == len(ITEMS)
        assert words.count("mean") == len(ITEMS)
        assert "0" in words, "an axis says where no gain is"


def test_a_gain_that_cannot_be_told_says_why_and_one_step_is_no_curve(report: Report) -> None:
    assert report.view
    rows = tuple(
        replace(row, gain=None, no_gain="base has no score") for row in report.results.rows
    )
    found = find_run_results(report.view, replace(report.results, rows=rows))
    assert {row[-1] for row in tabulate_on_the_way(found).rows} == {"base has no score"}
    assert draw_runs(found) == []
    alone = report.results.keep(lambda row: row.producer in ("base", "trained:mix"))
    assert find_run_results(report.view, alone) == []
