"""The store: one maker per key, nothing half-written, damage named."""

import errno
import fcntl
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from counting import Silent, counting_stage

from harness.errors import ArtifactCorrupt, ArtifactMissing, ArtifactNewer, HarnessError
from harness.stage import Outcome, Stage, Work
from harness.store import Store

pytestmark = pytest.mark.slow

PROGRAM = [sys.executable, str(Path(__file__).parent / "counting.py")]


def store_in(folder: Path) -> Store:
    return Store(folder, folder / "cache", Silent())


def process(store: Path, trace: Path, seconds: float) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*PROGRAM, str(store), str(trace), str(seconds)], stdout=subprocess.PIPE, text=True
    )


def test_a_stage_is_made_once(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    for _ in range(3):
        artifact = store_in(tmp_path).build(counting_stage(trace))
        assert artifact.manifest.facts["sum"] == 285
    assert len(trace.read_text().split()) == 1


def test_racing_processes_make_it_once(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    racers = [process(tmp_path / "store", trace, 1.0) for _ in range(4)]
    assert [racer.communicate()[0] for racer in racers] == ["285\n"] * 4
    assert len(trace.read_text().split()) == 1


def test_a_killed_process_frees_the_lock_and_leaves_its_work(tmp_path: Path) -> None:
    store, trace = tmp_path / "store", tmp_path / "trace"
    victim = process(store, trace, 20.0)
    partial = store / "slow" / f"{counting_stage(trace).key}.partial"
    while not (partial / "1.txt").exists():
        time.sleep(0.01)
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    assert not partial.with_suffix("").exists()
    before = (partial / "0.txt").stat().st_mtime_ns

    artifact = store_in(store).build(counting_stage(trace))
    assert artifact.manifest.facts["sum"] == 285
    assert (artifact.path / "0.txt").stat().st_mtime_ns == before
    assert artifact.manifest.resumed is True
    assert not partial.exists()


def test_killed_before_it_got_its_name_it_is_made_again(tmp_path: Path) -> None:
    stage = counting_stage(tmp_path / "trace")
    partial = store_in(tmp_path).find_folder(stage).with_suffix(".partial")
    partial.mkdir(parents=True)
    for name in ("manifest.json", "manifest.json.tmp"):
        (partial / name).write_text("{}")
    folder = store_in(tmp_path).build(stage).path
    assert store_in(tmp_path).find(stage)
    assert sorted(json.loads((folder / "manifest.json").read_text())["files"]) == [
        f"{number}.txt" for number in range(10)
    ]


def test_scratch_is_no_part_of_an_artifact_but_there_until_it_is_finished(tmp_path: Path) -> None:
    def make(_: object, work: Work) -> Outcome:
        (work.out / "states").mkdir(exist_ok=True)
        (work.out / "states" / "1").write_text("x")
        (work.out / "journal").write_text("x")
        (work.out / "result").write_text("x")
        return Outcome(scratch=("states", "journal", "never-written"))

    artifact = store_in(tmp_path).build(Stage("s", 1, "s", {}, make))
    assert list(artifact.manifest.files) == ["result"]
    assert sorted(p.name for p in artifact.path.iterdir()) == ["manifest.json", "result"]


def test_a_failed_stage_leaves_no_manifest(tmp_path: Path) -> None:
    def fail(_: object, work: Work) -> Outcome:
        (work.out / "half").write_text("x")
        raise RuntimeError("no")

    stage = Stage("bad", 1, "bad", {}, fail)
    with pytest.raises(RuntimeError):
        store_in(tmp_path).build(stage)
    assert store_in(tmp_path).find(stage) is None


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda p: (p / "3.txt").unlink(), "3.txt is missing"),
        (lambda p: (p / "3.txt").write_text(""), "3.txt has 0 bytes instead of 1"),
        (lambda p: (p / "3.txt").write_text("8"), "3.txt was changed"),
        (lambda p: (p / "manifest.json").write_text("{"), "manifest.json is damaged: is not JSON"),
        (lambda p: (p / "manifest.json").unlink(), "manifest.json is damaged: cannot be opened"),
    ],
)
def test_damage_is_named_with_a_remedy_that_works(tmp_path: Path, damage, named) -> None:  # type: ignore[no-untyped-def]
    stage = counting_stage(tmp_path / "trace")
    folder = store_in(tmp_path).build(stage).path
    damage(folder)
    with pytest.raises(ArtifactCorrupt, match=named) as caught:
        store_in(tmp_path).build(stage)
    remedy = str(caught.value).strip().splitlines()[-1].strip()
    assert remedy == f"rm -r {folder}"
    shutil.rmtree(folder)
    assert store_in(tmp_path).build(stage).manifest.facts["sum"] == 285


def test_large_inputs_are_hashed_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.store.QUICK_HASH_BYTES", 0)
    big = counting_stage(tmp_path / "trace")
    folder = store_in(tmp_path).build(big).path
    (folder / "3.txt").write_text("8")
    store_in(tmp_path).build(big)  # found by its sizes: nobody reads it
    reader = Stage("reader", 1, "reader", {}, lambda _, work: Outcome(), {"big": big})
    with pytest.raises(ArtifactCorrupt, match="was changed"):
        store_in(tmp_path).build(reader)


def test_a_finished_result_does_not_need_its_inputs(tmp_path: Path) -> None:
    first = counting_stage(tmp_path / "trace")
    second = Stage("second", 1, "second", {}, lambda _, work: Outcome({"x": 1}), {"first": first})
    store_in(tmp_path).build(second)
    shutil.rmtree(store_in(tmp_path).find_folder(first))
    store_in(tmp_path).build_all([second])
    assert len((tmp_path / "trace").read_text().split()) == 1


def test_what_was_made_from_other_content_is_made_again(tmp_path: Path) -> None:
    """As after training on a GPU again, which gives other weights under the same key."""
    content = ["first", "second", "second"]

    def train(_: object, work: Work) -> Outcome:
        (work.out / "weights").write_text(content.pop(0))
        (work.out / "log").write_text(str(len(content)))
        return Outcome(records=("log",))

    def score(_: object, work: Work) -> Outcome:
        return Outcome({"of": (work.inputs["trained"].path / "weights").read_text()})

    trained = Stage("train", 1, "train", {}, train)
    scored = Stage("score", 1, "score", {}, score, {"trained": trained})
    told = Stage("told", 1, "told", {}, lambda _, work: Outcome(), {"scored": scored})

    def train_again() -> Store:
        shutil.rmtree(store_in(tmp_path).find_folder(trained))
        store_in(tmp_path).build(trained)
        return store_in(tmp_path)

    store_in(tmp_path).build_all([told])
    assert store_in(tmp_path).build(scored).manifest.facts["of"] == "first"
    assert store_in(tmp_path).find(told)

    store = train_again()
    assert store.find(scored) is None
    assert store.find(told) is None
    store.build_all([told])
    assert store.build(scored).manifest.facts["of"] == "second"

    before = store.build(scored).manifest
    store = train_again()  # the same weights, another log
    store.build_all([told])
    assert store.build(scored).manifest == before


def test_inputs_of_all_targets_come_before_the_first_target(tmp_path: Path) -> None:
    order: list[str] = []

    def stage(name: str, **inputs: Stage) -> Stage:
        def make(_: object, work: Work) -> Outcome:
            order.append(name)
            return Outcome()

        return Stage(name, 1, name, {}, make, inputs)

    base = stage("base")
    targets = [stage("score_base", c=base), stage("score_trained", c=stage("trained", b=base))]
    store_in(tmp_path).build_all(targets)
    assert order == ["base", "trained", "score_base", "score_trained"]


def test_a_manifest_of_a_newer_version_is_not_called_damaged(tmp_path: Path) -> None:
    stage = counting_stage(tmp_path / "trace")
    path = store_in(tmp_path).build(stage).path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 99}))
    with pytest.raises(ArtifactNewer, match=r"schema is 99(.|\n)*Remedy: install the version"):
        store_in(tmp_path).build(stage)


def test_a_forbidden_stage_is_an_error_with_the_reason(tmp_path: Path) -> None:
    store = Store(tmp_path, tmp_path, Silent(), lambda stage: "it may not be made")
    with pytest.raises(ArtifactMissing, match="a slow stage is not done, and it may not be made"):
        store.build(counting_stage(tmp_path / "trace"))


def test_the_manifest_says_with_what_it_was_made(tmp_path: Path) -> None:
    folder = store_in(tmp_path).build(counting_stage(tmp_path / "trace")).path
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["packages"]["torch"].startswith("2.")
    assert set(manifest["git"]) == {"commit", "dirty"}
    assert manifest["files"]["3.txt"]["bytes"] == 1
    assert manifest["seconds"] >= 0
    assert manifest["config"] == {"numbers": 10}


def test_shared_stages_live_in_the_cache(tmp_path: Path) -> None:
    stage = Stage("shared", 1, "shared", {}, lambda _, work: Outcome(), shared=True)
    store = Store(tmp_path / "a", tmp_path / "cache", Silent())
    assert store.build(stage).path.parent == tmp_path / "cache" / "shared"


def test_a_file_system_without_locks_is_refused_where_nothing_else_keeps_processes_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(HarnessError, match=r"has no locks.*\nRemedy: kakugo submit"):
        store_in(tmp_path / "one").build(counting_stage(tmp_path / "trace"))
    assert not list((tmp_path / "one").glob("*/*.partial"))
    held: list[Path] = []

    @contextmanager
    def hold(file: Path, _: Callable[[], None]) -> Iterator[None]:
        held.append(file)
        yield

    store = Store(tmp_path / "two", tmp_path / "cache", Silent(), hold=hold)
    made = store.build(counting_stage(tmp_path / "trace"))
    assert [file.name for file in held] == [f"{made.stage}-{made.key}.owner"]
