"""How well people do stands beside scores, with its source, and nowhere where it is not known."""

from pathlib import Path

import pytest
from store_maker import (
    ABOUT_BASE,
    SWAHILI,
    cell,
    choices,
    key_of,
    write_artifact,
    write_plan,
    write_score,
)

from core.contract.facts import CheckpointFacts
from reports.outputs.markdown import as_markdown
from reports.report import Report
from reports.store.read import read_store
from reports.tables.importing import import_table
from reports.tables.precision import tabulate_precision


@pytest.mark.parametrize(("task", "people"), [("global_piqa", 95.1), ("sib200", None)])
def test_it_stands_in_the_table_of_means(tmp_path: Path, task: str, people: float | None) -> None:
    table = tmp_path / "scores.csv"
    table.write_text(f"language,task,base,trained\nHausa,{task},50,60\nYoruba,{task},51,62\n")
    report = Report.from_table(import_table(table, scale="percent"))
    names = [column.name for column in report.means.columns]
    assert [row[names.index("people")] for row in report.means.rows] == [people]
    said = "People: their published accuracy, on average (Global PIQA: arXiv 2510.24081"
    assert any(note.startswith(said) for note in report.means.notes) == (people is not None)
    assert ("| People |" in as_markdown(report)) == (people is not None)


def test_it_stands_beside_each_score(tmp_path: Path) -> None:
    base = ("base", key_of("base"))
    write_artifact(tmp_path, "base", base[1], "student", ABOUT_BASE, CheckpointFacts(), {})
    cells = []
    for task in ("global_piqa", "sib200"):
        key = key_of(task)
        rows = choices(range(20), [True] * 12 + [False] * 8)
        write_score(tmp_path, key, "Swahili", "base", base, task, rows)
        cells.append(cell("Swahili", "base", base, task, key))
    write_plan(tmp_path, "20260101-120000", SWAHILI, cells, [base])
    report = Report.from_store(read_store(tmp_path))

    sheet = tabulate_precision(report.panels)
    place = [column.name for column in sheet.columns].index("people")
    assert {row[1]: row[place] for row in sheet.rows} == {"global_piqa": 95.1, "sib200": None}
    assert any("arXiv 2510.24081" in note for note in sheet.notes)
