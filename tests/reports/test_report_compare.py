"""Two reports side by side, and what neither may hide."""

import shutil
from pathlib import Path

import pytest
from store_maker import (
    SWAHILI,
    cell,
    choices,
    key_of,
    make_store,
    task_samples,
    write_plan,
    write_score,
)

from reports import read_store
from reports.cli import main
from reports.report import Report
from reports.tables.compare import compare
from reports.tables.importing import import_table, read_published
from reports.tables.results import Results


def one_score(folder: Path, skill: float, seed: int, **changes: object) -> Results:
    """A store with a base and a trained checkpoint of this skill."""
    cells = []
    for producer, ability, draw in (("base", 0.3, 1), ("trained:gen", skill, seed)):
        key = key_of(str(folder), producer)
        checkpoint = ("train", key_of(producer, str(seed)))
        samples = task_samples("Swahili", "sib200", ability, draw)
        write_score(folder, key, "Swahili", producer, checkpoint, "sib200", samples, **changes)
        cells.append(cell("Swahili", producer, checkpoint, "sib200", key))
    write_plan(folder, "run", SWAHILI, cells)
    return Report.from_store(read_store(folder)).results


def column(sheet: object, name: str) -> dict[str, object]:
    """One column of a table of changes, by producer."""
    names = [c.name for c in sheet.columns]  # type: ignore[attr-defined]
    rows = [dict(zip(names, row, strict=True)) for row in sheet.rows]  # type: ignore[attr-defined]
    return {str(row["producer"]): row[name] for row in rows}


def test_a_change_is_tested_on_the_same_items(tmp_path: Path) -> None:
    old, new = one_score(tmp_path / "a", 0.35, 2), one_score(tmp_path / "b", 0.95, 3)
    means, each, one_sided = compare(old, new)
    assert column(each, "verdict") == {"base": "no clear change", "trained:gen": "better"}
    assert column(each, "change")["base"] == 0.0
    p = column(each, "p_holm")["trained:gen"]
    assert isinstance(p, float)
    assert p < 0.001
    assert column(means, "better") == {"base": 0, "trained:gen": 1}
    assert one_sided.rows == ()
    back = compare(new, old)[1]
    assert column(back, "verdict")["trained:gen"] == "worse"


def test_other_prompts_and_other_data_are_said(tmp_path: Path) -> None:
    old = one_score(tmp_path / "a", 0.5, 2)
    new = one_score(tmp_path / "b", 0.5, 2, shots=0)
    assert "base was scored as: 3-shot" in str(column(compare(old, new)[1], "verdict")["base"])
    folder = tmp_path / "c"
    rows = [row | {"doc_sha256": "x"} for row in choices(range(3, 51), [True] * 48)]
    write_score(folder, "k", "Swahili", "base", ("base", "b"), "sib200", rows)
    write_plan(folder, "r", SWAHILI, [cell("Swahili", "base", ("base", "b"), "sib200", "k")])
    other = Report.from_store(read_store(folder)).results
    each = compare(old, other)[1]
    assert "the data differ" in str(column(each, "verdict")["base"])
    assert column(each, "change")["base"] is None


def test_the_same_artifact_is_no_change_and_a_table_is_not_tested(tmp_path: Path) -> None:
    old = one_score(tmp_path / "a", 0.5, 2)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    same = Report.from_store(read_store(tmp_path / "b")).results
    assert set(column(compare(old, same)[1], "verdict").values()) == {"the same artifact"}
    path = tmp_path / "t.csv"
    path.write_text("language,task,base,mine\nZulu,sib200,50.0,70.0\n")
    means, each, one_sided = compare(read_published(), import_table(path))
    assert set(column(each, "producer")) == {"base", "kakugo → mine"}
    assert all("no samples" in str(v) for v in column(each, "verdict").values())
    assert column(means, "tested") == {"base": 0, "kakugo → mine": 0}
    assert ("Amharic", "sib200", "base", "old", "does not have it") in one_sided.rows


def test_the_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = make_store(tmp_path / "store")
    assert main(["compare", "published", str(store)]) == 0
    assert "From Kakugo, arXiv 2601.14051" in capsys.readouterr().out
    out = tmp_path / "out"
    for form in ("csv", "markdown"):
        assert main(["compare", "published", str(store), "--format", form, "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {
        *("changes.csv", "changes_mean.csv", "one_sided.csv", "comparison.md"),
    }
    assert main(["compare", "published", str(tmp_path / "nothing")]) == 2
    assert "Remedy" in capsys.readouterr().err


def test_an_equal_key_with_another_result_is_a_change(tmp_path: Path) -> None:
    """A key says how a score is made. Made again, on another machine, it may be another."""
    one_score(tmp_path / "a", 0.05, 2)
    (tmp_path / "a").rename(tmp_path / "first")
    old = Report.from_store(read_store(tmp_path / "first")).results
    again = one_score(tmp_path / "a", 0.99, 2)
    each = compare(old, again)[1]
    assert column(each, "verdict") == {
        "base": "the same artifact",
        "trained:gen": "better; made again under the same key, with another result",
    }
    change = column(each, "change")["trained:gen"]
    old_score, new_score = (column(each, side)["trained:gen"] for side in ("old", "new"))
    assert change == pytest.approx(new_score - old_score)  # type: ignore[operator]
