"""`scripts/paper`: the paper's experiment as a script that can be rehearsed."""

import json
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "paper"
SMALL = ["mix=topic", "evaluate.tasks=[sib200]", "evaluate.limit=1", "train.steps=1"]


def run_script(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(SCRIPT), *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


@pytest.mark.slow
def test_the_rehearsal_goes_from_the_forecast_to_scores_of_both_checkpoints(
    tmp_path: Path,
) -> None:
    done = run_script("swahili", "--rehearse", f"store={tmp_path}", *SMALL)
    assert done.returncode == 0, done.stderr
    steps = ["calls", "begun    Swahili: topic", "Stopped after mix", "begun    Swahili: train"]
    places = [done.stdout.index(words) for words in steps]
    assert places == sorted(places), "nothing is begun before the step before it is done"
    manifests = [json.loads(p.read_text("utf-8")) for p in tmp_path.glob("score/*/manifest.json")]
    assert sorted(m["about"]["producer"] for m in manifests) == ["base", "trained:topic"]
    runs = [json.loads(p.read_text("utf-8")) for p in tmp_path.glob("runs/*/plan.json")]
    assert {run["experiment"] for run in runs} == {"paper"}


def test_without_a_language_it_says_how_it_is_called() -> None:
    for arguments in ([], ["--rehearse"]):
        done = run_script(*arguments)
        assert done.returncode == 2
        assert "scripts/paper LANGUAGE" in done.stderr
