"""A benchmark's broken file costs its own cells, is named before the run, and ends nothing else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small import manifests, run, small

from harness.experiment import plan_experiment
from harness.stages.benchmarks import open_benchmarks, read_benchmark_items
from tasks.files import EMBEDDED


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The embedded sets: a stray quote mark in SIB-200, one blank option in Belebele."""
    root = tmp_path / "data"
    shutil.copytree(EMBEDDED, root)
    topics = root / "sib200/swh_Latn/test.tsv"
    topics.write_text(topics.read_text().replace("10\tgeography\t", '10\tgeography\t"'))
    questions = root / "belebele/swh_Latn.jsonl"
    first, *rest = questions.read_text().strip().split("\n")
    row = json.loads(rest[8]) | {"mc_answer2": "\u200b"}
    rest[8] = json.dumps(row)
    questions.write_text("\n".join([first, *rest]) + "\n")
    return root


def test_the_other_cells_go_on_and_the_report_names_file_line_and_remedy(
    broken: Path, tiny: Path, tmp_path: Path
) -> None:
    tasks = "evaluate.tasks=[sib200,belebele]"
    store = tmp_path / "store"
    done = run(small(store, tiny, "producers=[base]", "mix=topic", tasks, f"data_dir={broken}"))
    assert done.returncode == 0, done.stderr
    (score,) = manifests(store, "score")
    assert score["about"]["task"] == "belebele"
    said = f"{broken}/sib200/swh_Latn/test.tsv, line 11: a quote mark opens a cell"
    before, _, report = done.stdout.partition("begun")
    assert said in before
    (recorded,) = [json.loads(path.read_text()) for path in store.glob("runs/*/plan.json")]
    (gap,) = [cell["gap"] for cell in recorded["cells"] if cell["gap"]]
    assert said in gap
    assert "a text with quote marks is quoted whole" in gap
    assert "gap  SIB-200" in report
    (path,) = store.glob("score/*/scores.json")
    scores = json.loads(path.read_text())
    assert scores["left_out"] == {"mc_answer2": 1}
    assert scores["measures"]["items_left_out"] == 1
    left = "1 of 30 rows are left out, since mc_answer2 is empty or invisible: line 10"
    assert left in scores["warnings"]
    assert left in " ".join(report.split())
    assert "Left out" in report


def test_a_file_that_makes_no_sense_is_not_taken_for_clean(
    broken: Path, composed: Callable[..., Any], tmp_path: Path
) -> None:
    config = composed(f"++data_dir={broken}", "mix=topic")
    made = plan_experiment(config, tmp_path)
    (reason,) = made.amiss
    assert "line 11: a quote mark opens" in reason
    assert {cell.task for cell in made.cells if not cell.score} == {"sib200"}
    found = read_benchmark_items(config, open_benchmarks(config))
    items, unchecked = found.items, found.unchecked
    assert "line 11: a quote mark opens" in unchecked["sib200 in Swahili"]
    assert {item.benchmark for item in items if item.language == "Swahili"} == {
        *("belebele", "global_mmlu", "flores")
    }


def test_a_run_that_can_score_nothing_says_so_before_anything_is_made(
    tiny: Path, tmp_path: Path
) -> None:
    shutil.copytree(EMBEDDED, root := tmp_path / "data")
    (root / "belebele/swh_Latn.jsonl").write_text("[")
    (root / "sib200/swh_Latn/test.tsv").unlink()
    store = tmp_path / "store"
    asked = ["mix=topic", "evaluate.tasks=[sib200,belebele]", f"data_dir={root}"]
    done = run(small(store, tiny, *asked))
    assert done.returncode == 1
    assert "warning  no result:" in done.stdout
    (said,) = done.stderr.splitlines()
    assert said.startswith("kakugo: nothing can be scored")
    assert "Remedy:" in said
    assert "stop_after=train" in said
    assert not list(store.glob("*/*/manifest.json"))
    (recorded,) = [json.loads(path.read_text()) for path in store.glob("runs/*/plan.json")]
    assert all(cell["gap"] for cell in recorded["cells"])
    alone = run(small(store, tiny, *asked, "producers=[base]"))  # costs nothing: a report of gaps
    assert alone.returncode == 0, alone.stderr
    assert "belebele/swh_Latn.jsonl, line 1: not JSON" in " ".join(alone.stdout.split())


def test_a_data_directory_of_another_layout_is_noticed_before_anything_is_made(
    tiny: Path, tmp_path: Path, composed: Callable[..., Any]
) -> None:
    shutil.copytree(EMBEDDED, tmp_path / "above" / "data")
    store = tmp_path / "store"
    done = run(small(store, tiny, "mix=topic", f"data_dir={tmp_path / 'above'}"))
    assert done.returncode == 1
    assert done.stderr.startswith("kakugo: nothing can be scored")
    assert "the directory that holds a folder for each benchmark" in done.stdout
    assert not list(store.glob("*/*/manifest.json"))
    assert not list(store.glob("ledger/*.sqlite"))
    # Of some benchmarks alone, all others are named, and the run goes on.
    shutil.copytree(EMBEDDED / "sib200", tmp_path / "some" / "sib200")
    made = plan_experiment(composed(f"++data_dir={tmp_path / 'some'}", "mix=topic"), tmp_path)
    made.refuse_without_scores()
    assert {cell.task for cell in made.cells if cell.score} == {"sib200"}
    assert {cell.task for cell in made.cells if cell.amiss} == {
        *("belebele", "global_mmlu", "flores_xx_en", "flores_en_xx")
    }
    # A language that the embedded sets lack is trained all the same.
    assert not plan_experiment(composed("language=yoruba", "mix=topic"), tmp_path).amiss
