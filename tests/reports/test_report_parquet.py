"""The tidy table for other tools: the numbers of the CSV files, typed and described."""

import csv
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from store_maker import make_store

from reports import read_store
from reports.outputs.csv_files import write_csv
from reports.outputs.parquet_file import COLUMNS, write_parquet
from reports.report import Report
from reports.tables.importing import import_table


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return Report.from_store(read_store(make_store(tmp_path_factory.mktemp("s") / "artifacts")))


def test_its_numbers_are_those_of_the_csv_files(report: Report, tmp_path: Path) -> None:
    path = write_parquet(report, tmp_path)
    table = pd.read_parquet(path)
    write_csv(report, tmp_path)
    for name, columns in (
        ("scores.csv", {"score": "score", "n": "n", "stderr": "stderr"}),
        ("gains.csv", {"base": "base", "gain": "gain", "low": "gain_low", "high": "gain_high"}),
    ):
        with (tmp_path / name).open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert rows
        for row in rows:
            own = table[
                (table.language == row["language"])
                & (table.task == row["task"])
                & (table.producer == row["producer"])
                & table.score.notna()
            ]
            for theirs, ours in columns.items():
                values = own[ours].dropna().to_list()
                if row[theirs]:
                    assert any(v == pytest.approx(float(row[theirs]), abs=1e-3) for v in values)


def test_what_has_no_score_is_a_row_with_its_reason(report: Report, tmp_path: Path) -> None:
    table = pd.read_parquet(write_parquet(report, tmp_path))
    lacking = table[table.score.isna()]
    assert len(lacking)
    assert (lacking.state != "result").all()
    assert lacking.reason.notna().all()
    assert (table[table.score.notna()].state == "result").all()
    cells = sum(len(row.cells) for panel in report.panels for row in panel.rows)
    assert len(table) == cells


def test_each_column_has_a_type_and_says_what_it_is(report: Report, tmp_path: Path) -> None:
    schema = pq.read_schema(write_parquet(report, tmp_path))
    assert schema.names == list(COLUMNS)
    for field in schema:
        assert str(field.type) in ("string", "double", "int64")
        assert field.metadata[b"description"]


def test_an_imported_table_has_what_it_tells(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("language,task,base,mine\nZulu,sib200,50.0,70.0\n")
    table = pd.read_parquet(write_parquet(Report.from_table(import_table(path)), tmp_path))
    (row,) = table[table.producer == "mine"].to_dict("records")
    assert (row["score"], row["base"], row["gain"]) == (70.0, 50.0, 20.0)
    assert pd.isna(row["key"])
