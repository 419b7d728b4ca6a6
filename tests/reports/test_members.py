"""Checkpoints that differ in their training seed alone, as one member of what is compared."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic_store import make_synthetic_store
from test_report_replicates import make_alike

from core.contract.names import MANIFEST
from reports import read_store
from reports.report import Report
from reports.store.model import StoreView
from reports.tables.glance import tabulate_glance
from reports.tables.members import find_member, merge_seeds
from reports.tables.ranking import rank_producers, tabulate_ranking
from reports.tables.results import Result, Results
from reports.tables.subsets import tabulate_languages

ITEMS = {"sib200": 80, "flores_xx_en": 60}
NAMED = "trained:mix, 3 seeds"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Three checkpoints a language, which differ in the seed of their training alone."""
    store = tmp_path_factory.mktemp("seeds")
    languages = [
        {"name": n, "autonym": n, "flores_code": "xxx_Latn", "script": "Latin", "direction": "ltr"}
        for n in ("Yoruba", "Irish")
    ]
    make_synthetic_store(store, languages, 4, ITEMS)
    make_alike(store, one_mixture=True)
    return Report.from_store(read_store(store))


@pytest.fixture(scope="module")
def view(report: Report) -> StoreView:
    assert report.view
    return report.view


def lose(results: Results, is_lost: Callable[[Result], bool]) -> Results:
    """The results, some of them as a run that failed leaves them."""

    def change(row: Result) -> Result:
        if not is_lost(row):
            return row
        return replace(row, state="failed", reason="no memory", score=None, gain=None, record=None)

    return replace(results, rows=tuple(map(change, results.rows)))


def is_of(language: str, task: str, seed: int) -> Callable[[Result], bool]:
    """Tells whether a result is a seed's in a cell; "" for every language or task."""
    return lambda row: (
        row.producer.endswith(f"seed {seed}")
        and row.language.name in (language or row.language.name)
        and row.task in (task or row.task)
    )


def test_seeds_are_one_member_in_what_compares(report: Report) -> None:
    assert report.members.producers == ["base", NAMED]
    for row in report.members.rows:
        if row.producer == NAMED:
            own = [
                one.score
                for one in report.results.rows
                if (one.language, one.task) == (row.language, row.task) and not one.is_base
            ]
            assert len(row.seeds) == 3
            assert row.score == pytest.approx(np.mean([s for s in own if s is not None]))
    table = tabulate_languages(report.members, report.ranking)
    assert [row[1] for row in table.rows] == ["base", NAMED] * 2
    ranked = tabulate_ranking(report.ranking)
    assert {row[0] for row in ranked.rows} == {"base", NAMED}
    assert f"for other training seeds only of what has several ({NAMED})" in ranked.notes[0]


def test_the_pair_in_a_cell_is_the_gain_over_seeds_and_items(report: Report) -> None:
    for one in report.replicates:
        cell = report.members.keep(
            lambda row, of=one: (row.language.name, row.task) == (of.language, of.task)
        )
        found = rank_producers(cell)
        assert found.whole
        pair = found.whole.find_difference(1, 0)
        assert one.gain
        assert pair.interval
        assert one.gain.interval
        assert (pair.points, pair.stderr, pair.p) == pytest.approx(
            (one.gain.points, one.gain.stderr, one.gain.p)
        )
        assert [*pair.interval] == pytest.approx([*one.gain.interval])


def test_the_glance_tells_the_gain_of_all_seeds(report: Report) -> None:
    sheet = tabulate_glance(None, (), report.results, report.members, report.ranking)
    assert str(sheet.rows[0][1]).startswith(f"{NAMED}: ")
    assert find_member(report.members, "trained:mix, seed 2") == NAMED
    assert find_member(report.members, "base") == "base"
    assert find_member(report.members, None) is None


def test_a_seed_that_failed_is_named_and_in_no_mean(report: Report, view: StoreView) -> None:
    lost = merge_seeds(view, lose(report.results, is_of("Irish", "sib200", 2)))
    assert lost.producers == ["base", "trained:mix, 2 seeds"]
    assert lost.unmerged == (
        "trained:mix, seed 2: not in the mean of trained:mix, as it lacks SIB-200 in Irish",
    )
    whole = [row for row in lost.rows if not row.is_base]
    assert all(row.score is not None and len(row.seeds) == 2 for row in whole)
    assert lost.unmerged[0] in tabulate_ranking(rank_producers(lost)).notes[1]
    assert lost.unmerged[0] in tabulate_languages(lost, rank_producers(lost)).notes


def test_a_language_that_one_seed_was_run_in_leaves_the_mean_of_the_others(
    report: Report, view: StoreView
) -> None:
    rows = tuple(
        row
        for row in report.results.rows
        if not (is_of("Yoruba", "", 2)(row) or is_of("Yoruba", "", 3)(row))
    )
    found = merge_seeds(view, replace(report.results, rows=rows))
    assert found.producers == ["base", NAMED]
    (gap,) = [r for r in found.find("sib200", NAMED) if r.language.name == "Yoruba"]
    assert (gap.score, gap.state, gap.reason) == (None, "missing", "not every seed was run")
    ranked = rank_producers(found)
    assert ranked.whole
    assert ranked.whole.languages == 1


def test_seeds_that_share_nothing_stay_what_they_are(report: Report, view: StoreView) -> None:
    lost = lose(
        report.results,
        lambda row: (
            not row.is_base
            and not is_of("Irish", "sib200", 1)(row)
            and not is_of("Irish", "flores_xx_en", 2)(row)
        ),
    )
    assert merge_seeds(view, lost).rows == lost.rows


def test_what_is_trained_otherwise_in_one_language_is_no_seed(tmp_path: Path) -> None:
    languages = [
        {"name": n, "autonym": "", "flores_code": "", "script": "", "direction": ""}
        for n in ("Yoruba", "Irish")
    ]
    make_synthetic_store(tmp_path, languages, 4, {"sib200": 20})
    make_alike(tmp_path, one_mixture=True)
    for path in tmp_path.glob(f"train/*/{MANIFEST}"):
        found = json.loads(path.read_text())
        if found["config"]["seed"] == 3:
            found["config"]["train"]["steps"] = 9
            path.write_text(json.dumps(found))
    report = Report.from_store(read_store(tmp_path))
    assert [name for name in report.members.producers if "seeds" in name] == [
        "trained:mix, steps 5, 2 seeds"
    ]
    assert len(report.members.producers) == 3
