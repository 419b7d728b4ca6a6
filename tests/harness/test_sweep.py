"""Hydra's multirun over a real experiment: what is shared, and what a failed job leaves."""

import json
from pathlib import Path

import pytest
from small import manifests, run, small


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_a_sweep_shares_what_its_jobs_have_in_common(
    tiny: Path, tmp_path: Path, launcher: str
) -> None:
    sweep = ["-m", "mix=topic,gen", "evaluate.tasks=[sib200]", f"hydra/launcher={launcher}"]
    done = run(small(tmp_path, tiny, *sweep))
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(manifests(tmp_path, "source")) == 3
    assert len(manifests(tmp_path, "mixture")) == 2
    assert len(manifests(tmp_path, "train")) == 2
    # The base is scored once for both.
    assert len(manifests(tmp_path, "score")) == 3
    plans = [json.loads(p.read_text()) for p in tmp_path.glob("runs/*/*/plan.json")]
    assert {plan["mix"] for plan in plans} == {"topic", "gen"}


def test_a_failed_job_leaves_the_others_and_its_reason(tiny: Path, tmp_path: Path) -> None:
    done = run(
        small(
            tmp_path,
            tiny,
            "-m",
            "mix=topic,context",
            "sources.context.texts=/nowhere",
            "evaluate.tasks=[sib200]",
        )
    )
    assert done.returncode != 0
    (error,) = tmp_path.glob("runs/*/*/error.txt")
    text = error.read_text()
    assert "/nowhere" in text.splitlines()[0]
    assert "Traceback" in text
    assert len(manifests(tmp_path, "score")) == 2
