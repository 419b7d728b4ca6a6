"""What depends on what: which keys a change moves, and which it leaves alone."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.experiment import Plan, plan_experiment
from harness.overrides import CONF
from harness.stage import Stage
from tasks import hub
from tasks.catalogue import PAPERS_TASKS
from tasks.errors import DataMissing, WordsMissing
from tasks.files import EMBEDDED

Planned = Callable[..., Plan]


@pytest.fixture
def planned(composed: Callable[..., Any]) -> Planned:
    """The plan of the shipped configuration with overrides."""
    return lambda *overrides: plan_experiment(composed(*overrides), Path("ledgers"))


def keys(made: Plan) -> dict[str, Any]:
    return {
        "source": {name: stage.key for name, stage in sources(made).items()},
        "mixture": [stage.key for stage in made.list_named("mixture")],
        "train": [stage.key for stage in made.list_named("train")],
        "base scores": [c.score.key for c in made.cells if c.score and c.producer == "base"],
        "scores": [c.score.key for c in made.cells if c.score and c.producer != "base"],
    }


def sources(made: Plan) -> dict[str, Stage]:
    return {str(stage.about.source): stage for stage in made.list_named("source")}


def mixture(made: Plan) -> Stage:
    (found,) = made.list_named("mixture")
    return found


@pytest.mark.parametrize(
    ("override", "moved"),
    [
        ("++teacher.concurrency=7", set()),
        ("++teacher.base_url=http://127.0.0.1:1/v1", set()),
        ("++train.save_every=3", set()),
        ("++store=/elsewhere", set()),
        ("++mix.name=renamed", set()),
        # The default mixture has no reasoning, and no budget.
        ("++mix.thinking_system_prompt=Think", set()),
        ("++mix.budget.reasoning=false", set()),
        ("++mix.budget.unit=examples", set()),
        ("++train.max_length=300", {"mixture", "train", "scores"}),
        ("++train.overlong=truncate", {"mixture", "train", "scores"}),
        # They also say which language a benchmark's items and translations should be in.
        ("++language.script=Arabic", {"source", "mixture", "train", "base scores", "scores"}),
        (
            "++language.flores_code=yor_Latn",
            {"source", "mixture", "train", "base scores", "scores"},
        ),
        ("++train.steps=3", {"train", "scores"}),
        ("++mix.budget.amount=300", {"mixture", "train", "scores"}),
        ("++teacher.temperature=0.5", {"source", "mixture", "train", "scores"}),
        ("++seed=1", {"source", "mixture", "train", "scores"}),
        ("++evaluate.limit=3", {"base scores", "scores"}),
        ("language=english", {"source", "mixture", "train", "base scores", "scores"}),
    ],
)
def test_a_change_moves_only_what_depends_on_it(
    planned: Planned, override: str, moved: set[str]
) -> None:
    # The contexts are Swahili; English takes them here all the same, to compare all stages.
    texts = f"++sources.context.texts={CONF.parent}/generation/embedded/contexts/swh_Latn.txt"
    before, after = keys(planned(texts)), keys(planned(texts, override))
    assert {name for name in before if before[name] != after[name]} == moved


def test_a_mixture_needs_only_the_sources_that_it_weighs(planned: Planned) -> None:
    assert set(sources(planned("mix=topic"))) == {"topic"}
    without = planned("++mix.weights.translated=0", "++mix.weights.context=0")
    assert set(sources(without)) == {"topic", "scenario"}


def test_a_mixture_of_one_source_has_no_weight(planned: Planned) -> None:
    doubled = ("++mix.weights.topic=2", "++mix.shares=rows")
    assert mixture(planned("mix=topic")).key == mixture(planned("mix=topic", *doubled)).key


def test_sources_are_made_before_a_student_is_loaded(planned: Planned) -> None:
    assert list(mixture(planned("mix=topic")).inputs) == ["topic", "base"]


def test_sources_do_not_depend_on_the_mixture(planned: Planned) -> None:
    alone, among = planned("mix=topic"), planned("mix=gen")
    assert sources(alone)["topic"].key == sources(among)["topic"].key


def test_a_language_without_benchmarks_is_trained_all_the_same(planned: Planned) -> None:
    made = planned("language=other", "++language.name=West Frisian", "mix=topic")
    assert made.targets == made.list_named("train")
    assert made.targets
    assert all("no " in str(c.gap) and "West Frisian" in str(c.gap) for c in made.cells)


def test_a_gap_has_the_benchmarks_reason(planned: Planned) -> None:
    made = planned("language=galician", "mix=topic")
    gaps = {cell.task: cell.gap for cell in made.cells}
    assert gaps["belebele"] == "Belebele does not cover Galician."
    assert "the embedded sets have no" in str(gaps["sib200"])


def test_a_mistyped_data_directory_is_no_gap(planned: Planned) -> None:
    with pytest.raises(DataMissing, match="there is no such directory"):
        planned("++data_dir=/nowhere")


def test_a_code_that_ships_with_no_file_is_scored_too(planned: Planned, tmp_path: Path) -> None:
    folder = tmp_path / "flores" / "devtest"
    folder.mkdir(parents=True)
    for code in ("fry_Latn", "eng_Latn"):
        (folder / f"{code}.txt").write_text("ien\ntwa\ntrije\nfjouwer\nfiif\n")
    made = planned(
        "language=other",
        "++language.name=West Frisian",
        "++language.benchmarks.flores=fry_Latn",
        f"++data_dir={tmp_path}",
        "mix=topic",
    )
    assert {cell.task for cell in made.cells if cell.score} == {"flores_xx_en", "flores_en_xx"}


@pytest.mark.parametrize(
    ("override", "moved"),
    [
        ("++evaluate.protocol.answers=labels", {"sib200", "belebele", "global_mmlu"}),
        ("++evaluate.protocol.shots=balanced", {"sib200", "belebele", "global_mmlu"}),
        ("++evaluate.protocol.instructions=language", set(PAPERS_TASKS)),
        ("++evaluate.protocol.prompt=chat-turns", set(PAPERS_TASKS)),
        ("++evaluate.hub.belebele=me/mine", set()),
    ],
)
def test_a_protocol_moves_the_scores_that_it_applies_to(
    planned: Planned, override: str, moved: set[str]
) -> None:
    def scores(made: Plan) -> dict[str, str]:
        return {c.task: c.score.key for c in made.cells if c.score and c.producer == "base"}

    before, after = scores(planned("mix=topic")), scores(planned("mix=topic", override))
    assert {task for task in before if before[task] != after[task]} == moved


def test_a_language_without_words_is_an_error_before_any_work(planned: Planned) -> None:
    with pytest.raises(WordsMissing, match=r"not written in Mizo yet .* to .*words\.yaml"):
        planned("language=mizo", "mix=topic", "++evaluate.protocol.instructions=language")


def test_the_commit_of_a_hub_repository_is_in_the_key(planned: Planned, tmp_path: Path) -> None:
    def commit() -> str:
        git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@x"]
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
            subprocess.run([*git, *command], check=True)
        done = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, check=True)
        return done.stdout.decode().strip()

    def scored() -> Any:
        hub.resolve.cache_clear()
        made = planned(
            "mix=topic",
            "++data_dir=hub",
            f"++evaluate.hub.sib200={tmp_path}",
            "++evaluate.tasks=[sib200]",
        )
        return made.cells[0].score

    shutil.copyfile(EMBEDDED / "sib200" / "swh_Latn" / "test.tsv", tmp_path / "test.tsv")
    card = "configs: [{config_name: swh_Latn, data_files: [{split: test, path: test.tsv}]}]"
    (tmp_path / "README.md").write_text(f"---\n{card}\n---\n")
    first_commit, first = commit(), scored()
    (tmp_path / "LICENSE").write_text("x")
    second_commit, second = commit(), scored()
    assert [stage.fields["data"]["revision"] for stage in (first, second)] == [
        first_commit,
        second_commit,
    ]
    assert first.fields["data"]["sha256"] == second.fields["data"]["sha256"]
    assert first.key != second.key


def test_without_training_nothing_is_made_of_data(planned: Planned, tiny: Path) -> None:
    published = f"++published=[{{name: theirs, kind: directory, path: {tiny}}}]"
    made = planned("++producers=[base]", published, "++evaluate.tasks=[sib200,belebele]")
    names = [cell.producer for cell in made.cells]
    assert names == ["base", "base", "published:theirs", "published:theirs"]
    assert {stage.name for stage in made.stages} == {"base", "score"}
    inputs = {stage.inputs["checkpoint"].name for stage in made.targets}
    assert inputs == {"base"}
    assert len({stage.key for stage in made.targets}) == 4


@pytest.mark.parametrize(
    ("stop", "targets", "planned_too"),
    [
        ("sources", ["source"], {"source"}),
        ("mix", ["mixture", "contamination"], {"source", "base"}),
        ("train", ["train"], {"source", "base", "mixture", "contamination", "packed", "score"}),
    ],
)
def test_a_run_stops_behind_a_step_of_its_producers(
    planned: Planned, stop: str, targets: list[str], planned_too: set[str]
) -> None:
    made = planned("mix=topic", f"++stop_after={stop}")
    assert [stage.name for stage in made.targets] == targets
    assert {stage.name for stage in made.stages} == planned_too | {*targets}
    # Data can be made where only the base is scored, or nothing.
    for producers in ("[base]", "[]"):
        alone = planned("mix=topic", f"++stop_after={stop}", f"++producers={producers}")
        assert [stage.key for stage in alone.targets] == [stage.key for stage in made.targets]
