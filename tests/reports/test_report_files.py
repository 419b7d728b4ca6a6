import csv
import multiprocessing
import threading
from pathlib import Path

import pytest

from reports import StoreView
from reports.outputs.csv_files import write_csv
from reports.outputs.markdown import as_markdown, escape, write_markdown
from reports.page.write import write_page
from reports.report import Report
from reports.store.files import write_whole

GOLDEN = Path(__file__).parent / "golden"
# What a bootstrap made is left out: it depends on numpy's generator, and is tested by computing.
BOOTSTRAPPED = {"precision.csv", "gains.csv", "wins.csv", "summary.csv"}
# Likewise what takes draws, or sums whose last digits depend on the machine.
DRAWN = {"glance.csv", "ranking.csv", "pairs.csv", "kinds.csv", "kind_measures.csv"}
NAMES = sorted(path.name for path in GOLDEN.glob("*.csv"))


def write_often(path: Path, letter: str) -> None:
    for _ in range(150):
        write_whole(path, letter * 300_000)


def test_two_processes_may_write_one_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_often, args=(path, letter)) for letter in "ab"]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        if path.exists():
            seen.add(path.read_text())
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert seen <= {"a" * 300_000, "b" * 300_000}
    assert list(tmp_path.iterdir()) == [path]


def test_every_format_can_be_written_at_once(tmp_path: Path, view: StoreView) -> None:
    failed: list[BaseException] = []

    def write() -> None:
        try:
            write_page(Report.from_store(view), tmp_path)
            write_markdown(Report.from_store(view), tmp_path)
            write_csv(Report.from_store(view), tmp_path)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", NAMES)
def test_csv_files_are_as_agreed(tmp_path: Path, view: StoreView, name: str) -> None:
    write_csv(Report.from_store(view), tmp_path)
    assert (tmp_path / name).read_text() == (GOLDEN / name).read_text()


def test_there_is_one_csv_file_per_table(tmp_path: Path, view: StoreView) -> None:
    names = {path.name for path in write_csv(Report.from_store(view), tmp_path)}
    assert names == {*NAMES, *BOOTSTRAPPED, *DRAWN}
    with (tmp_path / "gains.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 11
    for row in rows:
        assert float(row["gain"]) == pytest.approx(
            float(row["score"]) - float(row["base"]), abs=2e-4
        )
        assert float(row["low"]) < float(row["gain"]) < float(row["high"])


def test_markdown_tables_are_whole_and_nothing_in_them_is_markup(view: StoreView) -> None:
    text = as_markdown(Report.from_store(view))
    blocks = [block for block in text.split("\n\n") if block.startswith("|")]
    for block in blocks:
        assert len({line.replace("\\|", "").count("|") for line in block.splitlines()}) == 1
    assert "| SIB-200 | trained:gen | 20.8 | 56.2 | +35.4 ± 10.1 | +14.6 to +56.2 | 48 |" in text
    assert escape("a|b <i>*c*\n[d](e)") == r"a\|b \<i\>\*c\* \[d\](e)"
