"""A study's result in `kakugo-report`, as every format shows it, and what a changed file does."""

import csv
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from small_study import prepared, vote_all

from preference import cli
from preference.closing import close
from preference.screens import Screen
from reports import cli as report_cli
from reports.report import Report
from reports.store.read import read_store


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


def rehashed(folder: Path) -> None:
    """Makes the manifest fit the files again, as a forger does."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    for name in manifest["files"]:
        data = (folder / name).read_bytes()
        entry = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        manifest["files"][name] = entry
    path.write_text(json.dumps(manifest), "utf-8")


def set_in(result: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    inner: Any = result
    for name in outer:
        inner = inner[int(name)] if name.isdigit() else inner[name]
    inner[last] = value


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("votes", 99, "says 99 votes, votes.csv gives 16"),
        ("prompts", 80, "says 80 prompts, votes.csv gives 8"),
        ("estimate.net.value", 0.9, "says net 0.9"),
        ("estimate.wins.value", 0.9, "says wins 0.9"),
        ("primary.p", 0.001, "says p 0.001"),
        ("primary.p", None, "says p None"),
        ("raters.1.wins", 11, "says 11 wins of rater 2"),
        ("categories.0.losses", 7, "says 7 losses of maths"),
        ("raters", [], "names other raters"),
    ],
)
def test_a_result_that_its_votes_do_not_give_is_left_out_whatever_its_manifest_says(
    store: Path, tmp_path: Path, path: str, value: Any, said: str
) -> None:
    copy = Path(shutil.copytree(store, tmp_path / "store"))
    (folder,) = (
        place.parent
        for place in copy.rglob("result.json")
        if json.loads(place.read_text("utf-8"))["study"]["language"] == "Galician"
    )
    result = json.loads((folder / "result.json").read_text("utf-8"))
    set_in(result, path, value)
    (folder / "result.json").write_text(json.dumps(result), "utf-8")
    rehashed(folder)
    view = read_store(copy)
    assert [study.language for study in view.studies] == ["Swahili"]
    assert said in str(view.problems[0])


def test_the_report_says_that_it_verifies_nothing(store: Path, tmp_path: Path) -> None:
    """Votes and result forged alike are shown, with what tells them beside them."""
    copy = Path(shutil.copytree(store, tmp_path / "store"))
    assert report_cli.main(["--store", str(copy), "--format", "markdown", "--out", str(copy)]) == 0
    said = (copy / "report.md").read_text("utf-8")
    assert "Not verified by this report" in said
    assert "kakugo-preference verify FOLDER --commitment C --head H" in said
    assert "Trained on A" in said


def test_a_changed_result_is_named_and_left_out(store: Path, tmp_path: Path) -> None:
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
    assert not Report.from_store(view).studies


def test_a_study_that_is_still_being_written_is_not_counted_twice(
    store: Path, tmp_path: Path
) -> None:
    copied = tmp_path / "store"
    shutil.copytree(store, copied)
    for name in ("one.partial", ".hidden"):
        shutil.copytree(next((store / "preference").iterdir()), copied / "preference" / name)
    found = read_store(copied)
    assert len(found.studies) == len(read_store(store).studies) == 2
    assert not found.problems
