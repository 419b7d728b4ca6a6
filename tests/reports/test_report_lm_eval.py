"""Results files as lm-evaluation-harness writes them, read by lm-eval's own readers."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lm_eval.utils import get_file_datetime, get_results_filenames, make_table, sanitize_model_name
from store_maker import key_of, task_samples, write_score

from reports import read_store
from reports.errors import StoreNeededError
from reports.outputs.lm_eval_files import write_lm_eval
from reports.report import Report
from reports.store.model import Score
from reports.tables.importing import import_table


@pytest.fixture(scope="module")
def paths(report: Report, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_lm_eval(report, tmp_path_factory.mktemp("out"))


def read_all(paths: list[Path]) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def list_scores(report: Report) -> dict[str, Score]:
    """The scores that the report shows, by key."""
    cells = [cell for panel in report.panels for row in panel.rows for cell in row.cells]
    return {cell.score.artifact.key: cell.score for cell in cells if cell.score}


def test_each_score_stands_in_one_file_and_no_other_number_does(
    report: Report, paths: list[Path]
) -> None:
    scores, seen = list_scores(report), []
    for content in read_all(paths):
        keys = content["kakugo"]["keys"]
        for part in ("configs", "versions", "n-shot", "n-samples", "higher_is_better"):
            assert content[part].keys() == content["results"].keys() == keys.keys()
        for task, found in content["results"].items():
            score = scores[keys[task]]
            seen.append(keys[task])
            if score.metric == "accuracy":
                assert found["acc,none"] == pytest.approx(score.score / 100)
                assert found["acc_stderr,none"] == pytest.approx((score.stderr or 0) / 100)
            else:
                assert found["chrf++,none"] == pytest.approx(score.score)
                assert found["chrf++_stderr,none"] == "N/A", "it has none, which is no zero"
            assert content["n-samples"][task] == {"original": score.n, "effective": score.n}
            assert content["n-shot"][task] == 3
    assert sorted(seen) == sorted(scores)


def test_a_file_is_of_one_checkpoint_and_one_language(paths: list[Path]) -> None:
    found = {(path.parent.name, path.name.split("_")[1]) for path in paths}
    assert len(found) == len(paths)
    assert ("SmolLM2-135M-Instruct-trained__gen", "swh") in found
    for path, content in zip(paths, read_all(paths), strict=True):
        assert content["model_name_sanitized"] == path.parent.name
        assert sanitize_model_name(path.parent.name) == path.parent.name


def test_lm_eval_reads_them(paths: list[Path]) -> None:
    assert get_results_filenames([str(path) for path in paths]) == [str(path) for path in paths]
    for path, content in zip(paths, read_all(paths), strict=True):
        assert get_file_datetime(path.name) == "2026-01-01T00-00-00.json"
        assert content["date"] == datetime(2026, 1, 1, tzinfo=UTC).timestamp()
        table = make_table(content)
        for task, found in content["results"].items():
            assert task in table
            if "acc,none" in found:
                assert f"{found['acc,none']:.4f}" in table


def test_a_limit_leaves_the_size_of_the_set_unknown(tmp_path: Path, store: Path) -> None:
    copy = shutil.copytree(store, tmp_path / "artifacts")
    for path in copy.glob("score/*/manifest.json"):
        manifest = json.loads(path.read_text())
        path.write_text(json.dumps(manifest | {"config": {"limit": 8}}))
    for content in read_all(write_lm_eval(Report.from_store(read_store(copy)), tmp_path)):
        assert content["config"]["limit"] == 8
        assert {samples["original"] for samples in content["n-samples"].values()} == {None}


def test_two_ways_of_asking_are_two_files(tmp_path: Path, store: Path) -> None:
    copy = shutil.copytree(store, tmp_path / "artifacts")
    samples = task_samples("Swahili", "sib200", 0.3, 1)
    base = ("base", key_of("base"))
    write_score(copy, key_of("other"), "Swahili", "base", base, "sib200", samples, shots=0)
    report = Report.from_store(read_store(copy)).keep_languages(["Swahili"])
    found = [
        content["n-shot"]["kakugo_sib200"]
        for content in read_all(write_lm_eval(report, tmp_path))
        if content["kakugo"]["role"] == "base" and "kakugo_sib200" in content["n-shot"]
    ]
    assert sorted(found) == [0, 3]


def test_an_imported_table_is_refused_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("language,task,base,mine\nZulu,sib200,50.0,70.0\n")
    with pytest.raises(StoreNeededError, match="Remedy: --store"):
        write_lm_eval(Report.from_table(import_table(path)), tmp_path)
