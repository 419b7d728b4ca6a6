"""The sentence on top of a report: what it says, and that it is seldom wrong."""

from pathlib import Path

import numpy as np
import pytest
from synthetic_store import make_synthetic_store

from core.statistics import adjust_holm
from reports import read_store
from reports.report import Report
from reports.stats.crossed import UnitScores, compare_producers
from reports.tables.glance import GainVerdict, describe_verdict, judge_producer

LANGUAGES, TASKS = 9, ("sib200", "belebele", "global_mmlu")


def simulate(draw: np.random.Generator, gain: float, items: int = 80) -> GainVerdict:
    """A verdict on made-up accuracies: items are hard alike in all languages, and gains differ
    between languages."""
    cells: dict[str, dict[str, UnitScores]] = {}
    for task in TASKS:
        hard = draw.normal(0, 0.2, items)
        cells[task] = {}
        for language in range(LANGUAGES):
            own = 0.5 + hard + draw.normal(0, 0.05)
            shift = gain + draw.normal(0, 0.03)
            right = [draw.random(items) < np.clip(own + s, 0, 1) for s in (0, shift)]
            units = tuple(f"{task}-{n}" for n in range(items))
            scores = 100.0 * np.stack(right).astype(float)
            cells[task][str(language)] = UnitScores(units, scores, np.ones(items))
    whole = compare_producers(cells)
    by_task = [(t, compare_producers({t: cells[t]}).find_difference(1, 0)) for t in TASKS]
    adjusted = adjust_holm([one.p for _, one in by_task if one.p is not None])
    judged = tuple((t, one, p) for (t, one), p in zip(by_task, adjusted, strict=True))
    return GainVerdict(
        "trained:x", whole.find_difference(1, 0), judged, LANGUAGES, whole.over_languages
    )


@pytest.mark.parametrize(("gain", "least", "most"), [(0.0, 0.0, 0.08), (0.08, 0.8, 1.0)])
def test_it_claims_a_gain_where_there_is_one_and_seldom_where_there_is_none(
    gain: float, least: float, most: float
) -> None:
    draw = np.random.default_rng(3)
    said = [describe_verdict(simulate(draw, gain)) for _ in range(200)]
    overall = np.mean(["chance." in one and "not told" not in one for one in said])
    by_task = np.mean(["Gained on" in one or "Lost on" in one for one in said])
    # 5% is nominal; 200 times leave 3 points more open.
    assert least <= overall <= most
    assert least <= by_task <= most
    if gain:
        assert not any("a loss that" in one for one in said)


def test_it_says_what_the_tables_say(tmp_path: Path) -> None:
    languages = [
        {"name": n, "autonym": n, "flores_code": "xxx_Latn", "script": "Latin", "direction": "ltr"}
        for n in ("Yoruba", "Irish", "Lao")
    ]
    make_synthetic_store(tmp_path, languages, 3, {"sib200": 60, "flores_xx_en": 40})
    report = Report.from_store(read_store(tmp_path))
    shown = report.results.shown
    assert shown
    verdict = judge_producer(report.results, shown)
    assert verdict.whole
    means = [
        np.mean([row.gain.points for row in report.results.find_gained(task, shown) if row.gain])
        for task in report.results.tasks
    ]
    assert verdict.whole.points == pytest.approx(float(np.mean(means)), abs=0.05)
    said = dict(list_rows(report))
    assert said["Gain"].startswith(f"{shown}: ")
    assert "over 2 tasks and 3 languages" in said["Gain"]
    assert said["Scored as"].startswith("3-shot, made up")
    assert said["Scored"] == "2026-01-01"


def list_rows(report: Report) -> list[tuple[str, str]]:
    from reports.sections import PARTS

    sheet = PARTS[0].sections[0].build(report)
    assert sheet
    return [(str(row[0]), str(row[1])) for row in sheet.rows]
