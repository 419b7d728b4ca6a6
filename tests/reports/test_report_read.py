import html
import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console
from store_maker import (
    SWAHILI,
    cell,
    choices,
    key_of,
    make_store,
    write_plan,
    write_score,
)

from reports import (
    EmptyStoreError,
    RunNotFoundError,
    StoreNotFoundError,
    StoreView,
    read_store,
)
from reports.outputs.csv_files import write_csv
from reports.outputs.markdown import as_markdown
from reports.outputs.terminal import print_report
from reports.page.write import render
from reports.report import Report
from reports.store.languages import describe_language


def test_every_artifact_and_run_is_read(view: StoreView) -> None:
    assert [run.path for run in view.runs] == [
        "20260101-120000",
        "20260101-120001",
        "20260102-090000",
        "20260102-100000",
    ]
    assert {stage: len(found) for stage, found in view.artifacts.items()} == {
        "base": 1,
        "source": 4,
        "mixture": 3,
        "contamination": 0,
        "packed": 0,
        "train": 3,
        "score": 20,
        "text": 0,
    }
    assert view.runs[-1].error == "train: the loss is not finite at step 3"


def test_a_damaged_score_is_a_problem_with_a_remedy_and_no_score(view: StoreView) -> None:
    key = key_of("score", "Swahili", "trained:topic", "belebele")
    assert key not in view.scores
    (problem,) = view.problems
    assert problem.where == f"score/{key}"
    assert "scores.json has 15 bytes" in problem.what
    assert "run the same command again" in problem.remedy


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("scores.json", None, "scores.json cannot be opened"),
        ("samples.parquet", None, "samples.parquet cannot be opened"),
        ("samples.parquet", "flip", "samples.parquet was changed"),
        ("manifest.json", "{", "manifest.json is not JSON"),
        ("manifest.json", "[]", "manifest.json is not a JSON object"),
        ("manifest.json", '{"stage": "train"}', "manifest.json names another stage"),
    ],
)
def test_damage_is_named_and_the_rest_is_read(
    tmp_path: Path, store: Path, name: str, content: str | None, said: str
) -> None:
    copy = shutil.copytree(store, tmp_path / "copy")
    key = key_of("score", "Swahili", "base", "sib200")
    path = copy / "score" / key / name
    if content is None:
        path.unlink()
    elif content == "flip":
        old = path.read_bytes()
        path.write_bytes(bytes([old[0] ^ 1]) + old[1:])
    else:
        path.write_text(content)
    view = read_store(copy)
    assert any(p.where == f"score/{key}" and said in p.what for p in view.problems)
    assert said in view.damaged[key]
    assert len(view.scores) == 18


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("score", float("nan"), "score must be a finite number"),
        ("score", 101.0, "score must lie in [0, 100]"),
        ("n", 0, "n must be a whole number >= 1"),
        ("shots", None, "shots must be a whole number"),
    ],
)
def test_a_score_that_cannot_be_is_refused(
    tmp_path: Path, field: str, value: object, said: str
) -> None:
    write_score(
        tmp_path,
        "aa",
        "Swahili",
        "base",
        ("base", "bb"),
        "sib200",
        choices([3, 4], [True, False]),
        **{"score": 50.0, field: value},
    )
    view = read_store(tmp_path)
    assert said in view.damaged["aa"]


def test_a_damaged_log_and_an_unreadable_plan_are_problems(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s")
    key = key_of("train", "Swahili", "gen")
    (store / "train" / key / "log.jsonl").write_text("")
    (store / "runs" / "20260101-120000" / "plan.json").write_text('{"language": 3}')
    what = {p.where: p.what for p in read_store(store).problems}
    assert "log.jsonl has 0 bytes" in what[f"train/{key}"]
    assert "language must be an object" in what["runs/20260101-120000/plan.json"]


def test_no_store_and_an_empty_store_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreNotFoundError, match="Remedy"):
        read_store(tmp_path / "nowhere")
    with pytest.raises(EmptyStoreError, match="Remedy"):
        read_store(tmp_path)


def test_unfinished_folders_are_no_artifacts(tmp_path: Path) -> None:
    partial = tmp_path / "score" / "abc.partial"
    partial.mkdir(parents=True)
    (partial / "manifest.json").write_text("{}")
    write_plan(tmp_path, "r1", SWAHILI, [cell("Swahili", "base", ("base", "b"), "sib200", "abc")])
    view = read_store(tmp_path)
    assert not view.artifacts["score"]
    assert view.unfinished == {"abc"}


def test_one_run_and_a_sweep_can_be_selected(tmp_path: Path, store: Path) -> None:
    one = read_store(store, store / "runs" / "20260101-120000")
    assert {s.artifact.about.producer for s in one.scores.values()} == {"base", "trained:gen"}
    assert len(one.artifacts["train"]) == 1
    assert not one.problems
    assert read_store(store, Path("20260101-120001")).problems
    with pytest.raises(RunNotFoundError, match="20260102-100000"):
        read_store(store, tmp_path)


def test_reading_a_run_opens_nothing_of_other_runs(tmp_path: Path, store: Path) -> None:
    copy = tmp_path / "artifacts"
    shutil.copytree(store, copy)
    run = Path("20260101-120000")
    before = read_store(copy, run)
    for path in copy.glob("runs/*/plan.json"):
        if path.parent.name != run.name:
            path.write_text("no plan", "utf-8")
    known = {key for found in before.artifacts.values() for key in found}
    for path in copy.glob("*/*/manifest.json"):
        if path.parent.name not in known:
            path.write_text("no manifest", "utf-8")
    after = read_store(copy, run)
    assert (after.runs, after.artifacts, after.scores) == (
        before.runs, before.artifacts, before.scores
    )  # fmt: skip
    assert not after.problems
    assert read_store(copy).problems, "which a report on the whole store names"


def test_jobs_of_a_sweep_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for job in (10, 9, 1):
        write_plan(tmp_path, f"20260101-000000/{job}", SWAHILI, [])
    view = read_store(tmp_path)
    assert [run.path.rpartition("/")[2] for run in view.runs] == ["1", "9", "10"]
    assert len(read_store(tmp_path, tmp_path / "runs" / "20260101-000000").runs) == 3
    assert len(read_store(tmp_path, tmp_path / "runs" / "20260101-000000" / "1").runs) == 1


def test_a_run_that_failed_before_its_plan_is_named_everywhere(tmp_path: Path) -> None:
    for name, error in (
        ("20260101-000000", "DataMalformed: a <b> file\n\nTraceback"),
        ("20260102-000000/1", "MixtureError: nothing to mix"),
    ):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "error.txt").write_text(error)
    gap = cell("Swahili", "trained:gen", ("train", "t"), "sib200", None, "no data")
    write_plan(tmp_path, "20260103-000000", SWAHILI, [], error="StageError: no cells")
    write_plan(tmp_path, "20260104-000000", SWAHILI, [gap], error="StageError: gaps only")
    seen = cell("Swahili", "base", ("base", "b"), "sib200", "s")
    write_plan(tmp_path, "20260105-000000", SWAHILI, [seen], error="StageError: of a cell")
    view = read_store(tmp_path)
    failed = {run.path: run.error for run in view.runs if run.failed_unseen}
    assert failed == {
        "20260101-000000": "DataMalformed: a <b> file",
        "20260102-000000/1": "MixtureError: nothing to mix",
        "20260103-000000": "StageError: no cells",
        "20260104-000000": "StageError: gaps only",
    }
    console = Console(file=io.StringIO(), width=80, color_system=None)
    print_report(Report.from_store(view), console)
    assert isinstance(console.file, io.StringIO)
    texts = [console.file.getvalue(), html.unescape(render(Report.from_store(view)))]
    texts.append(as_markdown(Report.from_store(view)).replace("\\", ""))
    write_csv(Report.from_store(view), tmp_path / "out")
    texts.append((tmp_path / "out" / "failed_runs.csv").read_text())
    for text in texts:
        for name, error in failed.items():
            assert name in text
            assert error in text
    assert texts[-1].count("\n") == 5
    assert len(read_store(tmp_path, tmp_path / "runs" / "20260102-000000").runs) == 1


def test_the_maker_writes_what_the_reader_expects(store: Path) -> None:
    manifest = json.loads(next((store / "score").glob("*/manifest.json")).read_text())
    assert set(manifest["files"]) == {"scores.json", "samples.parquet"}


def test_a_store_of_before_gets_tags_and_directions_from_the_registry() -> None:
    recorded = {"name": "Uyghur", "autonym": "ئۇيغۇرچە", "flores_code": "uig_Arab"}
    assert describe_language(**recorded) == describe_language("Uyghur")
    assert (describe_language("Uyghur").tag, describe_language("Uyghur").direction) == ("ug", "rtl")
    assert describe_language("made up").tag == ""
    # What is recorded goes before: another language may be given a name of the registry's.
    other = describe_language("Uyghur", direction="ltr", flores_code="uig_Latn")
    assert (other.tag, other.direction, other.autonym) == ("ug-Latn", "ltr", "")
    assert describe_language("Uyghur", tag="ug-x-mine").tag == "ug-x-mine"
