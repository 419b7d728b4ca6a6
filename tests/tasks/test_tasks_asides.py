"""What a benchmark says of its items beside the question reaches the items, and no score's key."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hub_repositories
import pytest

from tasks.catalogue import TASKS
from tasks.data import BenchmarkData, open_data
from tasks.files import EMBEDDED, read_lines
from tasks.loading import Loaded, load_task

ROWS = [json.loads(line) for line in read_lines(EMBEDDED / "global_mmlu/sw.jsonl")]
LABEL = "cultural_sensitivity_label"


def local(root: Path, rows: list[dict[str, Any]]) -> Loaded:
    (root / "global_mmlu").mkdir(parents=True)
    write(root / "global_mmlu/sw.jsonl", rows)
    return load_task(TASKS["global_mmlu"], "sw", "Swahili", BenchmarkData("local", root))


def of_hub(root: Path, rows: list[dict[str, Any]]) -> Loaded:
    root.mkdir()
    write(root / "test.jsonl", rows)
    hub_repositories.readme(root, {"sw": {"test": "test.jsonl"}})
    data = open_data("hub", {"global_mmlu": str(root)})
    return load_task(TASKS["global_mmlu"], "sw", "Swahili", data)


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.mark.parametrize("reader", [local, of_hub])
def test_labels_reach_the_items_and_no_key(
    reader: Callable[[Path, list[dict[str, Any]]], Loaded], tmp_path: Path
) -> None:
    said = ["CS", "CA", "-", "cs", None, "no label", ""]
    labels = [said[place % len(said)] for place in range(len(ROWS))]
    rows = [{**row, LABEL: label} for row, label in zip(ROWS, labels, strict=True)]
    loaded = reader(tmp_path / "labelled", rows)
    found = [item.cultural_sensitivity for item in (*loaded.shots, *loaded.items)]
    meant = {"cs": "CS", "no label": None, "": None}
    assert found == [meant.get(str(label), label) for label in labels]
    assert {item.category for item in loaded.items} == {row["subject_category"] for row in ROWS[3:]}

    without = [{name: row[name] for name in row if name != LABEL} for row in ROWS]
    bare = reader(tmp_path / "bare", without)
    assert {item.cultural_sensitivity for item in bare.items} == {None}
    # Both are in the key of a score, by which finished ones are found.
    assert bare.prompts_sha256 == loaded.prompts_sha256
    assert bare.data.sha256 == loaded.data.sha256
    # Gains are paired by the hash of lm-eval's own documents, which know nothing of it.
    assert [*bare.make_splits()["scored"]] == [*loaded.make_splits()["scored"]]
    assert "category" not in loaded.make_splits()["scored"].column_names
