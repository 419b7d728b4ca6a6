"""SEA-HELM's totals, taken again in the plainest way, with members named and none invented."""

from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest
from store_maker import (
    ABOUT_BASE,
    cell,
    choices,
    key_of,
    write_artifact,
    write_plan,
    write_score,
)

from core.contract.facts import CheckpointFacts
from reports.figures.dumbbell import draw_panel
from reports.outputs.csv_files import write_csv
from reports.report import Report
from reports.store.read import read_store
from reports.tables.importing import import_table
from reports.tables.results import Result
from reports.tables.suites import NAME, Total, find_totals

SCORES = {
    ("seahelm_sentiment", "NLU", "sentiment"): (10, 40),
    ("seahelm_belebele", "NLU", "Belebele"): (4, 0),
    ("seahelm_metaphor", "NLU", "metaphor"): (1, 2),
    ("seahelm_nusax_xx_id", "NLG", "translation"): (30, 36),
    ("seahelm_nusax_id_xx", "NLG", "translation"): (10, 22),
}


def read(tmp_path: Path, scores: dict[tuple[str, str, str], tuple[object, object]]) -> Report:
    lines = [f"Javanese,{task},{a},{b}" for (task, _, _), (a, b) in scores.items()]
    text = "\n".join(["language,task,base,trained", *lines, "Javanese,sib200,50,60", ""])
    (tmp_path / "table.csv").write_text(text, encoding="utf-8")
    return Report.from_table(import_table(tmp_path / "table.csv", scale="percent"))


def take_again(side: int) -> dict[str, float]:
    """Pillars and the language as SEA-HELM's program takes them: means of means of means."""
    pillars: dict[str, float] = {}
    rows = sorted((pillar, member, pair[side]) for (_, pillar, member), pair in SCORES.items())
    for pillar, own in groupby(rows, key=lambda row: row[0]):
        members = []
        for _, of_member in groupby(list(own), key=lambda row: row[1]):
            values = [value for *_, value in of_member]
            members.append(sum(values) / len(values))
        pillars[pillar] = sum(members) / len(members)
    return {**pillars, "all": sum(pillars.values()) / len(pillars)}


def by_pillar(report: Report, producer: str) -> dict[str, Total]:
    found = find_totals(report.everything)
    return {one.pillar: one for one in found if one.producer == producer}


def test_totals_are_means_of_means(tmp_path: Path) -> None:
    report = read(tmp_path, dict(SCORES))
    for side, producer in enumerate(("base", "trained")):
        totals = by_pillar(report, producer)
        expected = take_again(side)
        assert totals.keys() == expected.keys()
        for pillar, score in expected.items():
            assert totals[pillar].score == pytest.approx(score, abs=1e-9), pillar
    assert take_again(1)["all"] == pytest.approx((14 + 29) / 2)
    assert by_pillar(report, "trained")["all"].gain == pytest.approx((14 + 29) / 2 - (5 + 20) / 2)
    assert by_pillar(report, "base")["all"].members == (
        "sentiment", "Belebele", "metaphor", "translation",
    )  # fmt: skip


def test_a_member_without_a_score_is_named_and_is_no_zero(tmp_path: Path) -> None:
    gone = {**SCORES, ("seahelm_nusax_id_xx", "NLG", "translation"): (10, "")}
    report = read(tmp_path, gone)
    totals = by_pillar(report, "trained")
    assert totals["all"].missing == ("translation",)
    assert totals["all"].score == pytest.approx(14)
    assert "NLG" not in totals
    assert totals["all"].gain is None, "base's mean is of other members"
    assert totals["NLU"].gain == pytest.approx(14 - 5)


def test_the_gains_interval_is_that_of_its_members_paired_tests(tmp_path: Path) -> None:
    found = read(tmp_path, dict(SCORES)).everything
    errors = dict(zip((name for name, _, _ in SCORES), (3.0, 4.0, 12.0, 1.0, 2.0), strict=True))

    def put(row: Result) -> Result:
        gain = row.gain and replace(row.gain, stderr=errors.get(row.task))
        return replace(row, gain=gain)

    told = replace(found, rows=tuple(map(put, found.rows)))
    totals = {one.pillar: one for one in find_totals(told) if one.producer == "trained"}
    # sqrt(3² + 4² + 12²) / 3; both directions together (1 + 2) / 2; of both pillars half the root.
    assert totals["NLU"].stderr == pytest.approx(13 / 3)
    assert totals["NLG"].stderr == pytest.approx(1.5)
    assert totals["all"].stderr == pytest.approx(((13 / 3) ** 2 + 1.5**2) ** 0.5 / 2)
    interval, gain = totals["all"].interval, totals["all"].gain
    assert interval
    assert gain is not None
    assert interval.high - gain == pytest.approx(1.959964 * ((13 / 3) ** 2 + 1.5**2) ** 0.5 / 2)

    few = [
        replace(row, gain=row.gain and replace(row.gain, units=6 if "nusax" in row.task else 99))
        for row in told.rows
    ]
    totals = {
        one.pillar: one
        for one in find_totals(replace(found, rows=tuple(few)))
        if one.producer == "trained"
    }
    assert totals["NLU"].interval
    assert totals["NLG"].interval is None, "six items have no interval"
    assert totals["all"].interval is None

    del errors["seahelm_metaphor"]
    told = replace(found, rows=tuple(map(put, found.rows)))
    totals = {one.pillar: one for one in find_totals(told) if one.producer == "trained"}
    assert totals["NLU"].interval is None, "a member's error is not known"
    assert totals["all"].interval is None
    assert totals["NLG"].interval


def test_the_table_never_bears_the_bare_name_and_says_what_is_left_out(tmp_path: Path) -> None:
    report = read(tmp_path, dict(SCORES))
    write_csv(report, tmp_path / "out")
    text = (tmp_path / "out" / "seahelm.csv").read_text(encoding="utf-8")
    assert text.startswith("language,producer,pillar,score,gain,low,high,members,missing\n")
    (sheet,) = [s for s in report.kept.values() if s and s.name == "seahelm"]
    assert [column.title for column in sheet.columns if column.name == "score"] == [NAME]
    notes = " ".join(sheet.notes)
    assert "Not in Javanese's total: MT-Bench (judged by a model)" in notes
    assert "where SEA-HELM takes MetricX" in notes


def test_a_report_without_it_has_no_such_table(tmp_path: Path) -> None:
    report = read(tmp_path, {})
    write_csv(report, tmp_path / "out")
    assert not (tmp_path / "out" / "seahelm.csv").exists()


@pytest.mark.parametrize("code", ["tsn_Latn", "jav_Latn"])
def test_a_suite_that_has_nothing_of_a_language_is_one_line(tmp_path: Path, code: str) -> None:
    base = ("base", key_of("base"))
    write_artifact(tmp_path, "base", base[1], "student", ABOUT_BASE, CheckpointFacts(), {})
    key = key_of("sib200")
    write_score(tmp_path, key, "X", "base", base, "sib200", choices(range(9), [True] * 9))
    cells = [cell("X", "base", base, "sib200", key)]
    cells += [cell("X", "base", base, task, None, f"{task} has no X.") for task, _, _ in SCORES]
    language = {"name": "X", "autonym": "", "direction": "ltr", "flores_code": code}
    write_plan(tmp_path, "20260101-120000", {**language, "script": "Latin"}, cells, [base])
    (panel,) = Report.from_store(read_store(tmp_path)).panels
    note = "SEA-HELM: none of its 5 tasks that were asked for has X"
    if code == "jav_Latn":  # a language of the suite, whose files may be missing
        assert len(panel.rows) == 6
        assert note not in panel.notes
    else:
        assert [row.task for row in panel.rows] == ["sib200"]
        assert note in panel.notes


def test_long_titles_have_room_in_the_figure(tmp_path: Path) -> None:
    base, trained = ("base", key_of("base")), ("train", key_of("train"))
    write_artifact(tmp_path, "base", base[1], "student", ABOUT_BASE, CheckpointFacts(), {})
    cells = []
    for task in ("sib200", "seahelm_ifeval"):
        for producer, checkpoint in (("base", base), ("trained:gen", trained)):
            key = key_of(task, producer)
            rows = choices(range(12), [True] * 6 + [False] * 6)
            write_score(tmp_path, key, "X", producer, checkpoint, task, rows)
            cells.append(cell("X", producer, checkpoint, task, key))
    language = {"name": "X", "autonym": "", "direction": "ltr", "flores_code": "jav_Latn"}
    write_plan(tmp_path, "20260101-120000", {**language, "script": "Latin"}, cells, [base])
    (panel,) = Report.from_store(read_store(tmp_path)).panels
    drawn = str(draw_panel(panel, "x"))
    assert ">SEA-HELM instruction following<" in drawn
    assert 'viewBox="0 0 530' in drawn
