"""A study's result in `kakugo-report`, as every format shows it, and what a changed file does."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from small_study import prepared, vote_all

from harness.preference import cli
from harness.preference.closing import close
from harness.preference.screens import Screen
from reports import cli as report_cli
from reports.store.read import read_store
from reports.tables.sheets import Report


def prefers(word: str, but: int = 0) -> Any:
    """A rule of voting: the side whose text has the word, but for so many votes."""
    left = [but]

    def choose(pack: dict[str, Any], screen: Screen, slot: int) -> str:
        on = [word in pack["texts"][text] for text in (screen.a, screen.b)]
        if on[0] == on[1]:
            return "equal"
        side = "a" if on[0] else "b"
        if left[0] > 0:
            left[0] -= 1
            side = "b" if side == "a" else "a"
        return side

    return choose


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two studies and nothing else: one clear, one not."""
    folder = tmp_path_factory.mktemp("studies")
    for language, but in (("swahili", 0), ("galician", 5)):
        place = folder / language
        pack, key = prepared(place, language=language)
        vote_all(pack, prefers("nrehtuos", but))
        close(pack)
        unblind = ["unblind", str(pack), "--key", str(key), "--store", str(folder / "store")]
        assert cli.main(unblind) == 0
    return folder / "store"


def test_the_report_has_what_native_speakers_said(store: Path, tmp_path: Path) -> None:
    forms = ("csv", "markdown", "html", "latex", "svg")
    options = [option for form in forms for option in ("--format", form)]
    assert report_cli.main(["--store", str(store), *options, "--out", str(tmp_path)]) == 0
    with (tmp_path / "preference.csv").open(encoding="utf-8") as lines:
        rows = {row["language"]: row for row in csv.DictReader(lines)}
    results = {
        value["study"]["language"]: value
        for value in (json.loads(p.read_text("utf-8")) for p in store.rglob("result.json"))
    }
    assert rows.keys() == results.keys() == {"Galician", "Swahili"}
    for language, row in rows.items():
        result = results[language]
        for name in ("wins", "ties", "losses", "net"):
            assert float(row[name]) == pytest.approx(result["estimate"][name]["value"])
        assert float(row["p"]) == pytest.approx(result["primary"]["p"], abs=1e-4)
        assert (row["base"], row["trained"]) == ("northern", "southern")
    # Of two tests the smaller p counts double.
    assert float(rows["Swahili"]["p_holm"]) == pytest.approx(
        2 * float(rows["Swahili"]["p"]), abs=1e-4
    )
    assert float(rows["Galician"]["p_holm"]) == pytest.approx(float(rows["Galician"]["p"]))
    page = (tmp_path / "report.html").read_text("utf-8")
    assert 'id="preference"' in page
    assert "100%" in page
    assert results["Swahili"]["study"]["commitment"] in page
    assert "What native speakers preferred" in (tmp_path / "report.md").read_text("utf-8")
    assert (tmp_path / "latex" / "preference.tex").exists()
    assert "trained preferred" in (tmp_path / "figures" / "preference.svg").read_text("utf-8")


def test_one_language_and_the_terminal(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report_cli.main(["--store", str(store), "--language", "galician"]) == 0
    said = capsys.readouterr().out
    assert "What native speakers preferred" in said
    assert "Swahili" not in said


def test_a_changed_result_is_named_and_left_out(store: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "store"
    shutil.copytree(store, copy)
    changed, half = sorted((copy / "preference").iterdir())
    path = changed / "result.json"
    path.write_text(path.read_text("utf-8").replace('"votes": 16', '"votes": 99'), "utf-8")
    (half / "manifest.json").unlink()
    view = read_store(copy)
    assert view.studies == ()
    assert [problem.where for problem in view.problems] == [
        f"preference/{changed.name}",
        f"preference/{half.name}",
    ]
    assert "its SHA-256 differs" in str(view.problems[0])
    assert "unblind again" in str(view.problems[1])
    assert not any(sheet.rows for sheet in Report.of_store(view).preference[:1])
