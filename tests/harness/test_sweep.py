"""Hydra's multirun over a real experiment: what is shared, and what a failed job leaves."""

import json
from pathlib import Path

import pytest
from small import KAKUGO, manifests, run, small


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
    # One table of the members stands at the end, and one page.
    _, _, end = done.stdout.partition("Which producer is best")
    for name in ("base", "trained:topic", "trained:gen"):
        assert name in end
    assert done.stdout.count("Which producer is best") == 1
    (page,) = tmp_path.glob("runs/**/report.html")
    assert len(page.relative_to(tmp_path).parts) == 3, "the sweep's own, not its jobs'"
    again = run(small(tmp_path, tiny, *sweep))
    jobs = [line for line in again.stdout.splitlines() if line.startswith("[job 0]")]
    assert len(jobs) == 2, "what is done already is told in two lines"
    assert jobs[0] == "[job 0] Swahili: base, trained:topic: all is there already"
    assert jobs[1].startswith("[job 0] SIB-200 ")


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
    _, _, end = done.stdout.partition("Each language")
    assert "trained:topic" in end, "the members that ended well are compared all the same"
    assert "/nowhere" in done.stdout + done.stderr
    assert len(manifests(tmp_path, "score")) == 2


def test_a_sweep_that_scores_nothing_says_so(tiny: Path, tmp_path: Path) -> None:
    done = run(small(tmp_path, tiny, "-m", "mix=topic", "stop_after=sources,mix"))
    assert done.returncode == 0, done.stderr
    assert "[job 1] Swahili: benchmark texts in topic: " in done.stdout
    assert f"No checkpoint was scored. Results: {tmp_path}" in done.stdout
    assert not list(tmp_path.glob("runs/**/report.html"))


def test_a_value_that_cannot_be_put_in_is_told_in_one_sentence() -> None:
    done = run([*KAKUGO, "-m", "store=${nope}"])
    assert done.returncode == 1
    assert done.stderr.startswith("kakugo: a value cannot be put in: ")
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_end_that_cannot_be_told_hides_no_error_of_a_job(tiny: Path, tmp_path: Path) -> None:
    """A sweep's page cannot be written into a folder in which there is something in its place."""
    command = small(tmp_path, tiny, "-m", "mix=topic,context", "sources.context.texts=/nowhere")
    runs = tmp_path / "runs" / "mine"
    (runs / "report.html" / "full").mkdir(parents=True)
    done = run([*command, "evaluate.tasks=[sib200]", f"hydra.sweep.dir={runs}"])
    assert done.returncode == 1
    assert "/nowhere" in done.stderr
    assert "kakugo: the sweep's table and page: " in done.stderr
