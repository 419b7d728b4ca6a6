"""The pages of all languages are read by the Hub's own classes, and say what a reader needs."""

import json
from pathlib import Path

import pytest
import yaml
from huggingface_hub import DatasetCard, ModelCard, parse_eval_result_entries
from published_store import COMMIT, CORPORA, GRANITE, SYSTEMS, set_fields, write_language

from core.languages import Language, list_papers_languages
from publishing.cards import READERS, find_size, write_data_card, write_model_card
from publishing.data import COLUMNS, write_parquet
from publishing.files import build_files
from publishing.plan import HubRepository, Publication, Wanted, plan_publication
from publishing.registered import read_tasks
from publishing.results import list_hub_scores, write_eval_files
from reports import StoreView, read_store

REGISTERED = """
name: SIB-200
tasks:
  - {id: topics-amharic, config: amh_Ethi, split: test}
  - {id: topics-swahili, config: swh_Latn, split: test}
"""
LANGUAGES = {one.name: one for one in list_papers_languages().values()}


def plan(store: Path) -> tuple[StoreView, Publication]:
    view = read_store(store)
    return view, plan_publication(view, Wanted("org"))


def find(planned: Publication, kind: str, language: str) -> HubRepository:
    (found,) = (
        one for one in planned.repositories if one.kind == kind and one.tongue.name == language
    )
    return found


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> tuple[StoreView, Publication]:
    store = tmp_path_factory.mktemp("every") / "store"
    for language in LANGUAGES.values():
        write_language(store, language, hub_data=True)
    return plan(store)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda one: one.id)
def test_a_models_page(every: tuple[StoreView, Publication], language: Language) -> None:
    view, planned = every
    repository = find(planned, "model", language.name)
    text = write_model_card(view, repository)
    data = ModelCard(text).data
    assert data.language == language.tag.partition("-")[0]
    assert 2 <= len(data.language) <= 3
    assert (data.license, data.base_model) == ("apache-2.0", GRANITE)
    corpora = sorted(name for name, _ in CORPORA.values())
    assert sorted(data.datasets) == sorted([*corpora, str(repository.partner)])
    (result,) = data.eval_results
    assert (result.dataset_type, result.dataset_revision) == ("Davlan/sib200", COMMIT)
    assert (result.metric_value, result.dataset_config) == (75.0, language.flores_code)
    if language.autonym:
        assert language.autonym in text
    assert all(system in text for system in SYSTEMS)
    for section in ("Scores", "Cost", "Limitations", "Benchmark texts", "Licence", "Citation"):
        assert f"\n## {section}\n" in text
    assert "saved by transformers 5.23.0. Checkpoints of its kind (`granitemoehybrid`)" in text
    assert all(program in text for program in READERS)
    assert len(repository.name) <= 96


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda one: one.id)
def test_a_data_sets_page(every: tuple[StoreView, Publication], language: Language) -> None:
    _, planned = every
    repository = find(planned, "dataset", language.name)
    rows = dict.fromkeys(("topic", "context", "translated"), 3)
    data = DatasetCard(write_data_card(every[0], repository, rows)).data
    assert data.language == language.tag.partition("-")[0]
    assert data.license == ["cc-by-sa-4.0", "odc-by"]
    assert [one["config_name"] for one in data.to_dict()["configs"]] == list(rows)


def test_a_kind_that_no_other_program_was_tried_with_is_said_so(tmp_path: Path) -> None:
    language = next(iter(LANGUAGES.values()))
    config = {"config.json": json.dumps({"model_type": "mamba"})}
    write_language(tmp_path / "store", language, extra=config)
    view, planned = plan(tmp_path / "store")
    text = write_model_card(view, find(planned, "model", language.name))
    assert "its kind of checkpoint (`mamba`) was not tried" in text
    assert not any(program in text for program in READERS)


def test_every_language_of_the_paper_is_planned(every: tuple[StoreView, Publication]) -> None:
    names = [one.name for one in every[1].repositories]
    assert len(names) == len(set(names)) == 2 * len(LANGUAGES)
    assert every[1].refusals == []


def test_results_for_the_hub_are_read_back(tmp_path: Path) -> None:
    write_language(tmp_path, LANGUAGES["Swahili"], hub_data=True)
    view, planned = plan(tmp_path)
    key = find(planned, "model", "Swahili").key
    scores = list_hub_scores(view, key)
    tasks = {"Davlan/sib200": read_tasks(REGISTERED)}
    ((path, text),) = write_eval_files(scores, tasks)
    (entry,) = parse_eval_result_entries(yaml.safe_load(text))
    assert path == ".eval_results/sib200.yaml"
    assert (entry.dataset_id, entry.dataset_revision) == ("Davlan/sib200", COMMIT)
    assert (entry.value, entry.task_id) == (75.0, "topics-swahili")
    assert "3-shot" in str(entry.notes)
    # No id is made up, and none taken where several are meant.
    for unfit in ("", "tasks: [{id: all}, {id: other}]", "tasks: [{id: x, config: amh_Ethi}]", "]"):
        assert list(write_eval_files(scores, {"Davlan/sib200": read_tasks(unfit)})) == []
    assert list(write_eval_files(scores, {})) == []


@pytest.mark.parametrize("what", ["embedded", "limit", "no record of a limit"])
def test_what_is_no_result_of_the_benchmark_is_in_the_table_alone(
    tmp_path: Path, what: str
) -> None:
    write_language(tmp_path, LANGUAGES["Swahili"], hub_data=what != "embedded")
    for score in tmp_path.glob("score/*"):
        config = {"code": "swh_Latn", **({"limit": 20} if what == "limit" else {})}
        set_fields(score, config=config | ({"limit": None} if what == "embedded" else {}))
    view, planned = plan(tmp_path)
    repository = find(planned, "model", "Swahili")
    text = write_model_card(view, repository)
    assert list_hub_scores(view, repository.key) == []
    assert ModelCard(text).data.eval_results is None
    assert "| SIB-200 |" in text
    assert ("say nothing about the benchmarks" in text) == (what == "embedded")


def test_the_files_load_with_datasets(tmp_path: Path) -> None:
    from datasets import load_dataset

    write_language(tmp_path / "store", LANGUAGES["Uyghur"], answer="جاۋاب")
    view, planned = plan(tmp_path / "store")
    folder = tmp_path / "data"
    folder.mkdir()
    files = build_files(view, find(planned, "dataset", "Uyghur"), folder, {})
    assert sorted(files) == [
        *("README.md", "context/train.parquet", "kakugo.json"),
        *("topic/train.parquet", "translated/train.parquet"),
    ]
    cache = str(tmp_path / "cache")
    rows = load_dataset(str(folder), "topic", split="train", cache_dir=cache)
    assert rows.column_names == list(COLUMNS)
    assert rows[0]["messages"][1]["content"] == "جاۋاب"
    assert json.loads(rows[0]["provenance"]) == {"seed": 0, "topic": "mito"}
    assert rows[0]["teacher"] == "openai/gpt-oss-120b"


def test_rows_with_a_benchmarks_text_are_left_out_and_bytes_repeat(tmp_path: Path) -> None:
    write_language(tmp_path / "store", LANGUAGES["Swahili"], contaminated=1)
    view, planned = plan(tmp_path / "store")
    repository = find(planned, "dataset", "Swahili")
    (tmp_path / "data").mkdir()
    files = build_files(view, repository, tmp_path / "data", {})
    (topic,) = (a for a in repository.artifacts if a.about.source == "topic")
    assert write_parquet(topic, tmp_path / "again.parquet", {"topic-1"}) == 2
    again = (tmp_path / "again.parquet").read_bytes()
    assert files["topic/train.parquet"].read_bytes() == again
    assert "1 rows hold one" in files["README.md"].read_text()


def test_sizes() -> None:
    sizes = [find_size(rows) for rows in (999, 1000, 99_999, 999_999, 1_000_000)]
    assert sizes == ["n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M"]
