"""Who only scores needs no source, teacher, mixture or training, and no network for them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small import manifests, run, small

from core.languages import list_papers_languages
from harness.config import MakingConfig
from harness.errors import ConfigError
from harness.experiment import plan_experiment
from harness.overrides import prepare_arguments
from tasks.catalogue import PAPERS_TASKS

ALONE = "++producers=[base]"
# Nothing that data is made from is as it should be.
BROKEN = (
    "++sources.context.texts=/nowhere",
    "++sources.translated.conversations=hub:no/such",
    "++prompts_file=/nowhere.yaml",
    "++teacher.concurrency=-1",
    "++teacher.base_url=http://127.0.0.1:1/v1",
    "++mix.weights={nothing: 1}",
    "++train.precision=none",
)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any connection is an error, also one that the code would take for a network that is down."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("the network was asked")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)


@pytest.mark.parametrize("language", [*list_papers_languages(), "west_frisian", "tamil"])
@pytest.mark.usefixtures("no_network")
def test_the_base_is_planned_alone(
    composed: Callable[..., Any], tmp_path: Path, language: str
) -> None:
    config = composed(*prepare_arguments([f"language={language}"]), ALONE, *BROKEN)
    assert not isinstance(config, MakingConfig)
    made = plan_experiment(config, tmp_path / "ledgers")
    assert made.list_named("base")
    assert {stage.name for stage in made.stages} <= {"base", "score"}
    assert [cell.task for cell in made.cells] == list(PAPERS_TASKS)
    assert not (tmp_path / "ledgers").exists()


@pytest.mark.usefixtures("no_network")
def test_the_papers_experiment_scores_a_base_without_its_teacher(
    composed: Callable[..., Any], tmp_path: Path
) -> None:
    given = ("experiment=paper", "student=smollm2", "++data_dir=null", "language=yoruba")
    assert not plan_experiment(composed(*given, ALONE), tmp_path).taught
    with pytest.raises(ConfigError, match=r"teacher\.base_url: a value is needed"):
        composed(*given)


def test_scores_have_the_same_keys_with_and_without_training(
    composed: Callable[..., Any], tmp_path: Path, tiny: Path
) -> None:
    published = f"++published=[{{name: theirs, kind: directory, path: {tiny}}}]"

    def keys(*overrides: str) -> dict[tuple[str, str], str]:
        cells = plan_experiment(composed(*overrides, published), tmp_path).cells
        return {(c.producer, c.task): c.score.key for c in cells if c.score}

    whole = keys("++producers=[base,trained]")
    for alone in (keys(ALONE, *BROKEN), keys("++producers=[]", *BROKEN)):
        assert alone.items() < whole.items()
    assert {producer for producer, _ in whole} == {"base", "trained:gen_tran", "published:theirs"}


def test_a_published_checkpoint_needs_no_student(
    composed: Callable[..., Any], tmp_path: Path, tiny: Path
) -> None:
    published = f"++published=[{{name: theirs, kind: directory, path: {tiny}}}]"
    lost = ("student=directory", "student.name=lost", "student.path=/nowhere")
    made = plan_experiment(composed("++producers=[]", published, *lost), tmp_path)
    assert [stage.about.student for stage in made.list_named("base")] == ["theirs"]


def test_sources_need_no_student_that_they_do_not_count_by(
    composed: Callable[..., Any], tmp_path: Path
) -> None:
    lost = ("student=directory", "student.name=lost", "student.path=/nowhere")
    made = plan_experiment(composed("mix=topic", "++stop_after=sources", *lost), tmp_path)
    assert [stage.name for stage in made.stages] == ["source"]


def test_a_mistyped_key_is_named_also_where_its_value_would_not_matter(
    composed: Callable[..., Any],
) -> None:
    with pytest.raises(ConfigError, match=r"train\.stepz: there is no such key\. Nearest: steps"):
        composed(ALONE, "++train.stepz=3", *BROKEN)


def test_there_is_something_to_score(composed: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match="producers: nothing to score"):
        composed("++producers=[]")
    composed("++producers=[]", "++stop_after=mix")


def test_a_base_is_scored_and_reported_with_everything_else_broken(
    tiny: Path, tmp_path: Path
) -> None:
    """And what it scored is not scored again by the whole experiment (see the keys above)."""
    command = small(
        tmp_path, tiny, "language=yoruba", "producers=[base]", "evaluate.tasks=[sib200]"
    )
    command += [override.removeprefix("++") for override in BROKEN]
    command.append("hydra.run.dir=${store}/runs/alone")
    offline = os.environ | {
        "HTTPS_PROXY": "http://127.0.0.1:1",
        "HF_ENDPOINT": "http://127.0.0.1:1",
    }
    planned = subprocess.run([*command, "plan=true"], capture_output=True, text=True, env=offline)
    assert planned.returncode == 0, planned.stderr
    assert "no teacher is asked" in planned.stdout
    assert not list(tmp_path.glob("base/*"))
    done = subprocess.run(command, capture_output=True, text=True, env=offline)
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((tmp_path / "runs" / "alone" / "plan.json").read_text())
    assert (record["teacher"], record["mix"]) == ("", "")
    assert {stage["stage"] for stage in record["stages"]} <= {"base", "score"}
    assert not manifests(tmp_path, "source")
    told = run([sys.executable, "-m", "reports.cli", "--store", str(tmp_path)])
    assert told.returncode == 0, told.stderr
    assert "Yoruba" in told.stdout
