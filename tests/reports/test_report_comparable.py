"""What is averaged, counted, correlated or drawn over languages is of one protocol."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from synthetic_store import make_synthetic_store

from core.contract.names import MANIFEST, SCORES
from reports import read_store
from reports.report import Report
from reports.sections import PARTS
from reports.store.scored import find_protocol

ITEMS = {"sib200": 60, "flores_xx_en": 40}
NAMES = ("Yoruba", "Irish", "Lao", "Swahili", "Welsh", "Hausa", "Zulu", "Tatar")
ODD, TASK = "Lao", "sib200"
# Tables and figures that are no statement over languages: a row or panel is of one alone.
EACH = {
    *("scores", "gains", "gaps", "warnings", "precision", "protocols", "languages", "wins"),
    *("coverage", "provenance", "quality", "measures", "habits"),
    *("cost", "cost_by_stage"),  # of the work, whatever came of it
}
# Each cell of a heatmap is of one language; what it lacks is said in other words.
FIGURES = ("figure cost", "figure heatmap")

Change = Callable[[dict[str, Any]], None]
CHANGES: dict[str, tuple[Change, str]] = {
    "shots": (lambda score: score.update(shots=0), "0-shot"),
    "form": (lambda score: score.update(protocol="chat"), "chat"),
    "system prompt": (
        lambda score: score["protocol_fields"].update(system_prompt="Be kind."),
        "system prompt 'Be kind.'",
    ),
    "split": (lambda score: score["data"].update(split="dev"), "data: local dev"),
    "revision": (
        lambda score: score["data"].update(repository="o/r", revision="f" * 40),
        "o/r at ffffffffffff",
    ),
    "items": (lambda score: score.update(left_out={"text": 9}), "69 items"),
    "precision": (lambda score: score["engine"].update(precision="bf16"), "bf16"),
}


def make(store: Path, names: tuple[str, ...] = NAMES) -> Path:
    languages = [
        {"name": n, "autonym": n, "flores_code": "xxx_Latn", "script": "Latin", "direction": "ltr"}
        for n in names
    ]
    make_synthetic_store(store, languages, 3, ITEMS)
    return store


def alter(store: Path, change: Change) -> None:
    """Changes the records of one language's scores of a task, as if they had been made so."""
    for path in store.glob(f"score/*/{MANIFEST}"):
        manifest = json.loads(path.read_text())
        about = manifest["about"]
        if (about["language"], about["task"]) != (ODD, TASK):
            continue
        change(manifest["facts"])
        scores = json.loads((path.parent / SCORES).read_text())
        change(scores)
        text = json.dumps(scores)
        (path.parent / SCORES).write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        manifest["files"][SCORES] = {"bytes": len(text), "sha256": digest}
        path.write_text(json.dumps(manifest))


def show(report: Report) -> dict[str, Any]:
    """Every table and figure over languages, without the rows of the odd language."""
    found: dict[str, Any] = {}
    for part in PARTS:
        for section in part.sections:
            sheet = section.build(report)
            if sheet is not None and section.name not in EACH:
                found[section.name] = [row for row in sheet.rows if ODD not in row]
            for figure in section.draw(report):
                found[f"figure {figure.name}"] = figure.svg
    return found


@pytest.mark.parametrize("what", CHANGES)
def test_a_language_that_was_scored_otherwise_counts_in_no_table_over_languages(
    tmp_path: Path, what: str
) -> None:
    change, said = CHANGES[what]
    store = make(tmp_path / "odd")
    alter(store, change)
    report = Report.from_store(read_store(store))
    rows = [r for r in report.results.rows if (r.language.name, r.task) == (ODD, TASK)]
    assert rows
    assert all(r.score is None and r.gain is None and said in r.reason for r in rows)
    assert any(ODD in note and said in note for note in report.results.notes)
    assert report.ranking.by_task[TASK].languages == len(NAMES) - 1
    # Its own table still has its score, under its protocol.
    (panel,) = [p for p in report.panels if p.language.name == ODD]
    assert any(cell.score for row in panel.rows if row.task == TASK for cell in row.cells)


def test_protocols_that_are_one_in_words_differ_in_none(tmp_path: Path) -> None:
    report = Report.from_store(read_store(make(tmp_path / "same")))
    assert report.view
    found = {find_protocol(score) for score in report.view.scores.values() if score.task == TASK}
    assert len(found) == 1
    assert not report.results.notes
    assert {str(one) for one in report.results.protocols.values()} == {
        "3-shot, made up, data: local test, 60 items, accuracy, fp32",
        "3-shot, made up, data: local test, 40 items, "
        "nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0, fp32",
    }


def test_every_table_and_figure_over_languages_is_as_without_that_score(tmp_path: Path) -> None:
    odd, lacking = make(tmp_path / "odd" / "store"), make(tmp_path / "lacking" / "store")
    alter(odd, CHANGES["shots"][0])
    for path in lacking.glob(f"score/*/{MANIFEST}"):
        about = json.loads(path.read_text())["about"]
        if (about["language"], about["task"]) == (ODD, TASK):
            shutil.rmtree(path.parent)
    shown, expected = (show(Report.from_store(read_store(store))) for store in (odd, lacking))
    assert shown.keys() == expected.keys()
    mixed = [name for name in expected if shown[name] != expected[name]]
    assert not [name for name in mixed if not name.startswith(FIGURES)]
