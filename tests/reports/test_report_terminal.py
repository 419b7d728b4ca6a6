import io
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from store_maker import SWAHILI, cell, choices, write_plan, write_score

from reports import StoreView, read_store
from reports.outputs.terminal import print_report
from reports.report import Report


def printed(view: StoreView, width: int, run: Path | None = None) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    print_report(Report.from_store(read_store(view.root, run) if run else view), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_is_wider_than_the_terminal_nor_cut(view: StoreView, width: int) -> None:
    text = printed(view, width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    for words in (
        "the harness's own small sets, not the benchmarks",
        "+35.4 ± 10.1",
        "+14.6 to +56.2",
        "Belebele does not cover Uyghur.",
        "train: the loss is not finite at step 3",
        "not run yet",
        "the 3 examples share one label",
        "timeout 2,",
        "Damaged files",
    ):
        assert words in text


def test_a_right_to_left_name_ends_its_line(view: StoreView) -> None:
    (line,) = [line for line in printed(view, 80).splitlines() if "ئۇيغۇرچە" in line]
    assert line.rstrip().endswith("ئۇيغۇرچە")


def test_one_run_shows_only_its_cells(view: StoreView, store: Path) -> None:
    text = printed(view, 80, run=store / "runs" / "20260101-120000")
    assert "Uyghur" not in text
    assert "trained:topic" not in text
    assert "Damaged" not in text


def test_names_are_neither_markup_nor_escape_sequences(tmp_path: Path) -> None:
    name = "[red]Evil[/red]\x1b[31m\u202e\ud800"
    samples = choices([1, 2], [True, False])
    write_score(tmp_path, "s", name, "base", ("base", "b"), "sib200", samples)
    plan = [cell(name, "base", ("base", "b"), "sib200", "s")]
    write_plan(tmp_path, "r", SWAHILI | {"name": name}, plan)
    text = printed(read_store(tmp_path), 80)
    assert "[red]Evil[/red]" in text
    assert not {"\x1b", "\u202e", "\ud800"} & set(text)
