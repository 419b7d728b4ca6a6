"""Stores of other versions: an older one reports as it did, a newer one is refused by name."""

import csv
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


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_store_of_before_gives_the_same_tables(tmp_path: Path) -> None:
    options = ["--store", str(GOLDEN / "store"), "--format", "csv", "--out", str(tmp_path)]
    assert main(options) == 0
    for path in sorted((GOLDEN / "csv").iterdir()):
        before, now = read_table(path), read_table(tmp_path / path.name)
        # A later version may have more tables, and more columns in a table.
        same = [{name: row.get(name) for name in before[0]} for row in now] if before else now
        assert same == before, path.name


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
