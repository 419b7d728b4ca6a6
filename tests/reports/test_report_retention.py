"""What is asked in English tells what was forgotten, and enters no mean of the gain."""

from pathlib import Path

import pytest

from core.tasks import TASKS, is_retention
from reports.outputs.csv_files import write_csv
from reports.report import Report
from reports.sections import find_sheets
from reports.tables.importing import import_table

ROWS = """language,task,base,trained
Swahili,sib200,45,55
Swahili,english_sib200,70,60
Yoruba,sib200,40,50
Yoruba,english_sib200,70,64
Zulu,sib200,42,52
Zulu,english_sib200,70,62
"""


@pytest.fixture
def report(tmp_path: Path) -> Report:
    (tmp_path / "table.csv").write_text(ROWS, encoding="utf-8")
    return Report.from_table(import_table(tmp_path / "table.csv"))


def test_the_tasks_in_english_are_known() -> None:
    names = [name for name in TASKS if is_retention(name)]
    assert names == ["english_sib200", "english_belebele", "english_global_mmlu"]
    assert TASKS["english_sib200"].title == "English SIB-200"


def test_a_loss_in_english_is_no_loss_of_the_language(report: Report, tmp_path: Path) -> None:
    assert report.results.tasks == ["sib200"]
    assert report.retained.tasks == ["english_sib200"]
    (row,) = report.means.rows
    names = [column.name for column in report.means.columns]
    assert dict(zip(names, row, strict=True))["gain"] == pytest.approx(10)
    (kept,) = report.retained_means.rows
    found = dict(zip(names, kept, strict=True))
    assert (found["task"], found["languages"]) == ("english_sib200", 3)
    assert found["gain"] == pytest.approx(-8)
    assert "what was forgotten" in report.retained_means.notes[0]
    assert {verdict.result.task for verdict in report.verdicts} == {"sib200"}
    assert {r.task for r in report.members.rows} == {"sib200"}
    write_csv(report, tmp_path / "out")
    assert "english_sib200,trained,3," in (tmp_path / "out" / "retention.csv").read_text()
    for name in ("wins", "correlation", "ranking", "summary"):
        path = tmp_path / "out" / f"{name}.csv"
        assert not path.exists() or "english_" not in path.read_text()
    assert "english_sib200" in (tmp_path / "out" / "scores.csv").read_text()


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "latex"])
def test_every_format_shows_it(report: Report, form: str) -> None:
    sheets = list(find_sheets(form, report))  # type: ignore[arg-type]
    assert any("forgotten" in note for sheet in sheets for note in sheet.notes)


def test_a_part_of_a_report_keeps_its_part(report: Report) -> None:
    part = report.keep_languages(["Zulu"])
    assert [row.language.name for row in part.retained.rows] == ["Zulu", "Zulu"]


def test_a_report_without_it_says_nothing(tmp_path: Path) -> None:
    rows = [line for line in ROWS.splitlines() if "english" not in line]
    (tmp_path / "table.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    report = Report.from_table(import_table(tmp_path / "table.csv"))
    assert not any("forgotten" in n for s in find_sheets("markdown", report) for n in s.notes)
