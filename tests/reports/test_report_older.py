"""Stores of other versions: an older one reports as it did, a newer one is refused by name."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from preference import cli as preference_cli
from reports.cli import main
from reports.store.read import read_store

GOLDEN = Path(__file__).parent / "golden" / "version_0"
"""A small experiment and a study, written before records had a schema, and their tables as the
reports of that version wrote them."""


def test_a_store_of_before_gives_the_same_tables(tmp_path: Path) -> None:
    options = ["--store", str(GOLDEN / "store"), "--format", "csv", "--out", str(tmp_path)]
    assert main(options) == 0
    expected = {path.name: path.read_text("utf-8") for path in (GOLDEN / "csv").iterdir()}
    # A later version may have more tables.
    assert {name: (tmp_path / name).read_text("utf-8") for name in expected} == expected


def test_a_study_of_before_still_verifies() -> None:
    (folder,) = (GOLDEN / "store" / "preference").iterdir()
    result = json.loads((folder / "result.json").read_text("utf-8"))["study"]
    asked = ["--commitment", result["commitment"], "--head", result["head"]]
    assert preference_cli.main(["verify", str(folder), *asked]) == 0


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("base/*/manifest.json", "base/"),
        ("train/*/manifest.json", "train/"),
        ("score/*/scores.json", "score/"),
        ("runs/*/plan.json", "runs/"),
        ("preference/*/result.json", "preference/"),
    ],
)
def test_a_record_of_a_newer_version_is_a_problem_with_a_remedy(
    tmp_path: Path, name: str, where: str
) -> None:
    store = tmp_path / "store"
    shutil.copytree(GOLDEN / "store", store)
    path = next(store.glob(name))
    # A newer version may call anything otherwise, and lists what it wrote.
    path.write_text('{"schema": 99, "other": "names"}')
    if path.name != "manifest.json" and "runs" not in path.parts:
        _list_again(path)
    (problem,) = read_store(store).problems
    assert problem.where.startswith(where)
    assert path.name in str(problem)
    assert "schema is 99: a newer version of kakugo wrote it" in problem.what
    assert problem.remedy.startswith("install the version of kakugo that wrote it")


def _list_again(path: Path) -> None:
    """Puts a changed file's size and hash into its manifest."""
    listed = path.with_name("manifest.json")
    manifest = json.loads(listed.read_text("utf-8"))
    content = path.read_bytes()
    manifest["files"][path.name] = {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    listed.write_text(json.dumps(manifest))
