"""Whole experiments through the command line, with a real teacher and real processes."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path

import pytest
from small import manifests, results, run, small

pytestmark = pytest.mark.slow

TASKS = 5


@pytest.fixture(scope="module")
def finished(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a finished small experiment."""
    store = tmp_path_factory.mktemp("finished")
    done = run(small(store, tiny))
    assert done.returncode == 0, done.stdout + done.stderr
    (store / "said.txt").write_text(done.stdout, encoding="utf-8")
    (store / "complained.txt").write_text(done.stderr, encoding="utf-8")
    return store


def teacher_calls(store: Path) -> int:
    """Requests in the ledger, failed ones included."""
    with sqlite3.connect(store / "ledger" / "swahili.sqlite") as ledger:
        tables = [r[0] for r in ledger.execute("select name from sqlite_master where type='table'")]
        return sum(ledger.execute(f"select count(*) from {t}").fetchone()[0] for t in tables)


def test_it_makes_every_stage_and_a_report(finished: Path) -> None:
    assert len(manifests(finished, "score")) == 2 * TASKS
    assert {m["about"]["source"] for m in manifests(finished, "source")} == {
        "topic",
        "scenario",
        "context",
        "translated",
    }
    (train,) = manifests(finished, "train")
    assert train["facts"]["steps"] == 4
    assert "checkpoint/model.safetensors" in train["files"]
    (page,) = finished.glob("runs/*/report.html")
    assert page.stat().st_size > 1000
    assert not list(finished.glob("*/*.partial"))


def test_it_says_nothing_but_its_own_words(finished: Path) -> None:
    """No library's warning stands in a first run, such as DeepSpeed's of a machine without GPU."""
    assert find_spec("deepspeed")  # else nothing would be there to warn
    assert (finished / "complained.txt").read_text(encoding="utf-8") == ""
    lines = (finished / "said.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 50
    assert not [line for line in lines if "WARNING" in line]
    for line in takewhile(str.strip, lines):  # the report begins after a blank one
        assert line.startswith(("begun    ", "done     ", "         ", "warning  ")), line


def test_the_report_reads_every_score(finished: Path) -> None:
    told = run([sys.executable, "-m", "reports.cli", "--store", str(finished)])
    assert told.returncode == 0, told.stderr
    assert "SIB-200" in told.stdout
    for word in ("damaged", "failed"):
        assert word not in told.stdout.lower()


def test_scores_are_of_the_items_after_the_shots(finished: Path) -> None:
    for manifest in manifests(finished, "score"):
        assert manifest["facts"]["n"] == 3
        assert manifest["facts"]["data"]["name"] == "embedded"
        assert 0 <= manifest["facts"]["score"] <= 100


def test_the_trained_checkpoint_loads(finished: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    (folder,) = (p.parent for p in finished.glob("train/*/manifest.json"))
    AutoModelForCausalLM.from_pretrained(folder / "checkpoint")
    assert AutoTokenizer.from_pretrained(folder / "checkpoint").chat_template


def test_a_second_run_finds_everything_done(finished: Path, tiny: Path) -> None:
    calls, before = teacher_calls(finished), results(finished)
    start = time.monotonic()
    done = run(small(finished, tiny))
    assert done.returncode == 0
    assert time.monotonic() - start < 60  # 4 s alone on a quiet machine
    # Base, four sources, mixture, what it holds of benchmarks, its tokens, checkpoint, scores.
    assert done.stdout.count("reused") == 9 + 2 * TASKS
    assert "begun" not in done.stdout
    assert (teacher_calls(finished), results(finished)) == (calls, before)


def test_a_lost_result_is_made_again_and_no_more(finished: Path, tiny: Path) -> None:
    before = results(finished)
    lost = next(iter(before))
    (finished / "score" / lost).rename(finished / "lost")
    done = run(small(finished, tiny))
    assert done.stdout.count("begun") == 1
    assert results(finished) == before


def test_trained_again_to_the_same_weights_it_keeps_its_scores(finished: Path, tiny: Path) -> None:
    """Logs and the card hold times and speeds, which never come out the same twice."""
    (folder,) = (path.parent for path in finished.glob("train/*/manifest.json"))
    folder.rename(finished / "trained_before")
    again = run(small(finished, tiny, "stop_after=train"))
    assert again.stdout.count("begun") == 1, again.stdout + again.stderr
    names = ("log.jsonl", "speed.jsonl", "checkpoint/README.md", "checkpoint/model.safetensors")
    same = {
        n: (folder / n).read_bytes() == (finished / "trained_before" / n).read_bytes()
        for n in names
    }
    assert same["checkpoint/model.safetensors"]
    assert not same["speed.jsonl"]
    done = run(small(finished, tiny))
    assert done.returncode == 0, done.stderr
    assert "begun" not in done.stdout


def test_damage_is_named(finished: Path, tiny: Path) -> None:
    victim = next(finished.glob("score/*/samples.parquet"))
    whole = victim.read_bytes()
    victim.write_bytes(whole[:-3])
    done = run(small(finished, tiny))
    victim.write_bytes(whole)
    assert done.returncode == 1
    assert f"{victim} has {len(whole) - 3} bytes" in done.stderr
    assert "Remedy" in done.stderr
    assert "Traceback" not in done.stderr


def test_generation_can_be_forbidden(tiny: Path, tmp_path: Path) -> None:
    done = run(small(tmp_path, tiny, "mix=topic", "on_missing.generate=fail"))
    assert done.returncode == 1
    assert "Swahili: topic is not done, and on_missing.generate=fail" in done.stderr


def test_it_stops_where_it_is_told(finished: Path, tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "ledger", tmp_path / "ledger")
    calls = teacher_calls(tmp_path)
    made = {
        "sources": {"source"},
        "mix": {"base", "mixture", "contamination"},
        "train": {"packed", "train"},
    }
    expected: set[str] = set()
    for stop, stages in made.items():
        done = run(small(tmp_path, tiny, "mix=topic", f"stop_after={stop}"))
        assert done.returncode == 0, done.stderr
        expected |= stages
        assert {p.parent.parent.name for p in tmp_path.glob("*/*/manifest.json")} == expected
    assert teacher_calls(tmp_path) == calls  # all answers were in the ledger


def test_ctrl_c_ends_cleanly_and_says_how_to_continue(tiny: Path, tmp_path: Path) -> None:
    # A shell starts what runs in the background deaf to Ctrl-C, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        small(tmp_path, tiny), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(tmp_path, "source/*.partial")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on from there" in errors
    assert "Traceback" not in errors


def test_killed_in_every_stage_it_ends_with_the_same_scores(
    finished: Path, tiny: Path, tmp_path: Path
) -> None:
    # Each kill comes once some work of that stage is on disk.
    for sign in (
        "ledger/swahili.sqlite",
        "source/*.partial/rows.jsonl*",
        "mixture/*.partial",
        "train/*.partial/trainer/*",
        "train/*/manifest.json",
        "score/*.partial/journal/0.jsonl",
        "score/*/manifest.json",
    ):
        process = subprocess.Popen(small(tmp_path, tiny), stdout=subprocess.DEVNULL)
        if wait_for(tmp_path, sign, process):
            process.send_signal(signal.SIGKILL)
        process.wait()
    done = run(small(tmp_path, tiny))
    assert done.returncode == 0, done.stdout + done.stderr
    assert results(tmp_path) == results(finished)


def wait_for(
    store: Path, sign: str, process: "subprocess.Popen[str] | subprocess.Popen[bytes] | None" = None
) -> bool:
    """Waits until a file of that pattern exists; False when the process ended before."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if any(store.glob(sign)):
            return True
        if process and process.poll() is not None:
            return False
        time.sleep(0.002)
    raise AssertionError(f"no {sign} in {store}")
