"""The command line, as a person uses it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

KAKUGO = [sys.executable, "-m", "harness.cli"]


def kakugo(*arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*KAKUGO, *arguments], capture_output=True, text=True, **options)  # type: ignore[call-overload,no-any-return]


def test_help_is_quick_and_says_what_to_type() -> None:
    seconds = []
    for _ in range(3):
        start = time.monotonic()
        done = kakugo("--help")
        seconds.append(time.monotonic() - start)
    assert done.returncode == 0
    for words in ("language=other", "kakugo -m", "kakugo-report", "experiment=paper"):
        assert words in done.stdout
    assert min(seconds) < 1.5


def test_start_up_loads_nothing_heavy() -> None:
    heavy = ["torch", "transformers", "datasets", "lm_eval", "numpy", "openai"]
    program = f"import sys, harness.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_mistakes_are_named_without_a_traceback(tmp_path: Path) -> None:
    done = kakugo("train.stepz=3", "+mix.extra=1", f"store={tmp_path}")
    assert done.returncode == 1
    assert "train.stepz: there is no such key. Nearest: steps" in done.stderr
    assert "mix.extra" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr

    done = kakugo("language=swahilli")
    assert done.returncode == 1
    assert "Nearest: language=swahili" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("argument", ["store=${nope}", "hydra.run.dir=${nope}/x", "mix=${nope}"])
def test_a_reference_to_nothing_is_named_without_a_traceback(argument: str, tmp_path: Path) -> None:
    done = kakugo(argument, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(Path.cwd())})
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert said.startswith("kakugo: ")
    assert "nope" in said
    assert not list(tmp_path.iterdir())


def test_a_language_without_context_texts_is_told_which_mixtures_need_none(tmp_path: Path) -> None:
    done = kakugo("language=yoruba", f"store={tmp_path}")
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert "mix=topic" in said
    assert "gen" not in said.partition("Without the source context")[2]
    done = kakugo("language=yoruba", "mix=topic", f"store={tmp_path}", "plan=true")
    assert done.returncode == 0, done.stderr


def test_a_store_may_lie_in_the_home_folder(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    elsewhere.mkdir()
    known = os.environ | {"HOME": str(home), "PYTHONPATH": str(Path.cwd())}
    done = kakugo("store=~/mine", "cache=~/cache", "plan=true", cwd=elsewhere, env=known)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (home / "mine").iterdir()} == {"runs", "ledger"}
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("sweep", [[], ["-m"]])
def test_a_full_disk_is_named_without_a_traceback(tmp_path: Path, sweep: list[str]) -> None:
    """No file may grow, not even the one that would tell why the run failed."""
    limited = ["bash", "-c", 'ulimit -f 0; exec "$@"', "-", *KAKUGO, *sweep]
    done = subprocess.run([*limited, f"store={tmp_path}"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("Remedy: make room on the disk") == 1
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("sweep", [[], ["-m"]])
def test_a_store_that_cannot_be_made_is_named_once(tmp_path: Path, sweep: list[str]) -> None:
    (tmp_path / "file").write_text("no folder")
    done = kakugo(*sweep, f"store={tmp_path}/file/store", "plan=true")
    assert done.returncode == 1
    assert done.stderr.startswith(f"kakugo: {tmp_path}/file/store")
    assert done.stderr.count("Not a directory. Remedy: let this user read and write there") == 1
    assert "Traceback" not in done.stderr


def test_shell_completion_installs_and_answers() -> None:
    done = kakugo("-sc", "install=bash")
    assert done.returncode == 0, done.stderr
    assert "complete" in done.stdout
    done = kakugo(
        "-sc", "query=bash", env=os.environ | {"COMP_LINE": "kakugo mix=to", "COMP_POINT": "13"}
    )
    assert "mix=topic" in done.stdout


def test_a_mistyped_data_directory_is_an_error(tmp_path: Path) -> None:
    done = kakugo(f"store={tmp_path}", "data_dir=/nowhere")
    assert done.returncode == 1
    assert "data_dir=/nowhere: there is no such directory" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["data_dir=hub", "evaluate.hub.sib200=nowhere"], "neither a folder nor a repository"),
        (["evaluate.protocol.instructions=language", "language=mizo", "mix=topic"], "words.yaml"),
    ],
)
def test_benchmarks_that_cannot_be_read_or_asked_are_an_error_before_any_work(
    tmp_path: Path, overrides: list[str], words: str
) -> None:
    done = kakugo(f"store={tmp_path / 'store'}", *overrides)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("store/s*"))


def test_what_was_typed_is_recorded_as_it_can_be_typed_again(tmp_path: Path) -> None:
    kakugo(f"store={tmp_path}", "language=other", "language.name=West Frisian", "mix=topic",
           "on_missing.generate=fail")  # fmt: skip
    (plan,) = tmp_path.glob("runs/*/plan.json")
    command = json.loads(plan.read_text())["command"]
    assert "language=other 'language.name=West Frisian' mix=topic" in command
    (error,) = tmp_path.glob("runs/*/error.txt")
    assert error.read_text().startswith("ArtifactMissing: West Frisian: topic is not done")


def test_a_missing_file_is_an_error_before_any_work(tmp_path: Path) -> None:
    done = kakugo(
        f"store={tmp_path}", "sources.translated.conversations=/nowhere.jsonl", "mix=tran"
    )
    assert done.returncode == 1
    assert "/nowhere.jsonl" in done.stderr
    assert "Remedy" in done.stderr
    assert not (tmp_path / "source").exists()
