import csv
from pathlib import Path

import pytest

from reports import StoreView
from reports.csv_files import write_csv
from reports.markdown import as_markdown, escape

GOLDEN = Path(__file__).parent / "golden"
# gains.csv is left out: its bootstrap depends on numpy's generator, and is tested by computing.
NAMES = sorted(path.name for path in GOLDEN.glob("*.csv"))


@pytest.mark.parametrize("name", NAMES)
def test_csv_files_are_as_agreed(tmp_path: Path, view: StoreView, name: str) -> None:
    write_csv(view, tmp_path)
    assert (tmp_path / name).read_text() == (GOLDEN / name).read_text()


def test_there_is_one_csv_file_per_table(tmp_path: Path, view: StoreView) -> None:
    names = {path.name for path in write_csv(view, tmp_path)}
    assert names == {*NAMES, "gains.csv"}
    with (tmp_path / "gains.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 11
    for row in rows:
        assert float(row["gain"]) == pytest.approx(
            float(row["score"]) - float(row["base"]), abs=2e-4
        )
        assert float(row["low"]) < float(row["gain"]) < float(row["high"])


def test_markdown_tables_are_whole_and_nothing_in_them_is_markup(view: StoreView) -> None:
    text = as_markdown(view)
    blocks = [block for block in text.split("\n\n") if block.startswith("|")]
    for block in blocks:
        assert len({line.replace("\\|", "").count("|") for line in block.splitlines()}) == 1
    assert "| SIB-200 | trained:gen | 20.8 | 56.2 | +35.4 ± 10.1 | +15.1 to +55.7 | 48 |" in text
    assert escape("a|b <i>*c*\n[d](e)") == r"a\|b \<i\>\*c\* \[d\](e)"
