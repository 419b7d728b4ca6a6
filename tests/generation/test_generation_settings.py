from pathlib import Path
from typing import Any

import pytest
import yaml

from generation.errors import PromptsError
from generation.mixture.settings import Budget, Contamination, Mix
from generation.prompts import DEFAULT_FILE, load_prompts
from generation.settings import Context, Endpoint, Own, Sources, Teacher, Topic, Translated


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: Teacher(""), "Teacher.name"),
        (lambda: Teacher("m", concurrency=0), "Teacher.concurrency"),
        (lambda: Teacher("m", lists="xml"), "Teacher.lists: one of fenced, schema"),  # type: ignore[arg-type]
        (lambda: Topic(general_seeds=0, language_seeds=0), "Topic"),
        (lambda: Context(first_tokens=0), "Context.first_tokens: at least 1, received 0"),
        (lambda: Translated(min_ratio=2, max_ratio=1), "Translated.max_ratio"),
        (lambda: Sources(revised_share=1.5), "Sources.revised_share: from 0.0 to 1.0"),
        (lambda: Mix("m", {"topic": -1}), "Mix.weights.topic"),
        (lambda: Budget(amount=0), "Budget.amount"),
        (lambda: Contamination(overlap=0), "Contamination.overlap"),
        (lambda: Own("parallel", ("a", "b", "c")), "Own.files: one or two, received 3"),
        (lambda: Own("chat", ("a",), prompts=("{txt}",)), "Own.prompts: each holds {text}"),
        (lambda: Sources(own={"topic": Own("chat", ("a",))}), "Sources.own: .*received 'topic'"),
        (lambda: Mix("m", {}), "Mix.weights: at least one weight above 0"),
        (lambda: Mix("m", {"topic": 0.0}), "Mix.weights: at least one weight above 0"),
    ],
)
def test_values_are_checked_at_the_door(build: Any, field: str) -> None:
    with pytest.raises(ValueError, match=field):
        build()


@pytest.mark.parametrize(
    "address",
    ["http://user:s3cret@host/v1", "https://s3cret@host:8000/v1?a=b", "user:s3cret@host/v1"],
)
def test_an_address_holds_no_secret(address: str) -> None:
    with pytest.raises(ValueError, match=r"Teacher\.base_url.*Remedy.*api_key_env") as error:
        Teacher("m", base_url=address)
    assert "s3cret" not in str(error.value)
    assert Teacher("m", base_url="http://host:8000/@team/v1").base_url


@pytest.mark.parametrize(
    "address", ["localhost:8000/v1", "host/v1", "http://", "ftp://host/v1", "http://host:x/v1", ""]
)
def test_an_address_is_one(address: str) -> None:
    """Otherwise each request fails as if the connection were lost, which may pass."""
    with pytest.raises(ValueError, match=r"base_url: an address such as http://HOST:8000/v1"):
        Teacher("m", base_url=address)
    with pytest.raises(ValueError, match=r"base_url: an address"):
        Endpoint(address)


@pytest.mark.parametrize("pasted", ["sk-s3cret", "9s3cret", "s3cret\n", "${S3CRET}", ""])
def test_a_key_in_place_of_its_variable_is_not_repeated(pasted: str) -> None:
    with pytest.raises(ValueError, match=r"Teacher\.api_key_env.*Remedy") as error:
        Teacher("m", api_key_env=pasted)
    assert "s3cret" not in str(error.value).lower()
    assert Teacher("m", api_key_env="_KEY_2").api_key_env


def test_shipped_prompts_have_eight_seeds_of_each_kind_and_eight_tasks() -> None:
    prompts = load_prompts(DEFAULT_FILE, language="Yoruba", lists="fenced")
    assert len(prompts.general_seeds) == len(prompts.language_seeds) == 8
    assert len(prompts.context_tasks) == 8
    assert all("Yoruba" in seed for seed in prompts.language_seeds)


def test_texts_are_never_read_as_templates() -> None:
    prompts = load_prompts(DEFAULT_FILE, language="Yoruba", lists="fenced")
    hostile = "Cost: $5 for {0} and $topic, ${x}"
    system, user = prompts.write_messages("topic_prompts", count=3, topic=hostile)
    assert hostile in user["content"]
    assert "array of 3 strings" in system["content"]


def test_all_faults_of_a_prompts_file_are_named_at_once(tmp_path: Path) -> None:
    content = yaml.safe_load(DEFAULT_FILE.read_text(encoding="utf-8"))
    del content["revise"]
    content["topics"]["user"] = "About $tpoic for $5"
    content["macro_topics"]["user"] = "About $topic"
    file = tmp_path / "prompts.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(PromptsError) as error:
        load_prompts(file, language="Yoruba", lists="fenced")
    for words in ("revise.system", "revise.user", "topics.user has a single", "names $topic"):
        assert words in str(error.value)
