"""What the model sees, letter by letter, through lm-eval itself, in each variant of asking."""

import json
from pathlib import Path
from typing import Any

import pytest
from lm_eval.tasks import TaskManager

from tasks.catalogue import PAPERS_TASKS, TASKS
from tasks.data import open_data
from tasks.generate import HERE, main
from tasks.loading import Loaded, load_task
from tasks.protocol import Protocol

GOLDEN = Path(__file__).parent / "golden"
CODES = {"global_mmlu": "sw"}
VARIANTS: dict[str, dict[str, Any]] = {
    "paper": {},
    "labels": {"answers": "labels"},
    "language": {"instructions": "language"},
    "balanced": {"shots": "balanced"},
    "chat-turns": {"prompt": "chat-turns"},
    "chat-message": {"prompt": "chat-message", "system_prompt": "You know Swahili."},
    "all": {
        "answers": "labels",
        "instructions": "language",
        "shots": "balanced",
        "prompt": "chat-turns",
    },
}


def chatml(messages: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
    """A chat template in miniature, as an `LM.apply_chat_template`."""
    turns = [f"<|{message['role']}|>{message['content']}<|end|>\n" for message in messages]
    return "".join(turns) + ("<|assistant|>" if add_generation_prompt else "")


def loaded(name: str, **choices: Any) -> Loaded:
    code = CODES.get(name, "swh_Latn")
    return load_task(TASKS[name], code, "Swahili", open_data(None), Protocol(**choices))


def built(task: Any, **options: Any) -> Any:
    task.build_all_requests(
        limit=None, rank=0, world_size=1, chat_template=chatml, tokenizer_name="chatml", **options
    )
    return task


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", PAPERS_TASKS)
def test_prompt_is_the_golden_one(name: str, variant: str) -> None:
    ready = loaded(name, **VARIANTS[variant])
    task = built(ready.make_lm_eval_tasks()["tasks"][ready.name], **ready.evaluate_options)
    first = [instance for instance in task.instances if instance.doc_id == 0]
    golden = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))[variant]
    assert ready.in_words == golden["protocol"]
    assert first[0].args[0] == golden["prompt"]
    if ready.task.kind == "choice":
        assert [instance.args[1] for instance in first] == golden["continuations"]
        assert task.doc_to_target(first[0].doc) == golden["answer"]
    else:
        assert first[0].args[1]["until"] == ["\n"]
        assert task.doc_to_target(first[0].doc) == golden["answer"]


@pytest.mark.parametrize("folder", [HERE, HERE.parent], ids=["tasks/lm_eval", "tasks"])
def test_the_generated_files_ask_the_same(folder: Path) -> None:
    manager = TaskManager(include_path=str(folder), include_defaults=False)
    for name in PAPERS_TASKS:
        ready = loaded(name)
        stock = built(manager.load([ready.name])["tasks"][ready.name])
        ours = built(ready.make_lm_eval_tasks()["tasks"][ready.name])
        assert [i.args for i in stock.instances] == [i.args for i in ours.instances]


def test_stock_lm_eval_takes_the_variants_as_metadata() -> None:
    choices = {"answers": "labels", "instructions": "language", "shots": "balanced"}
    manager = TaskManager(include_path=str(HERE), include_defaults=False, metadata=choices)
    for name in PAPERS_TASKS:
        ready = loaded(name, **choices)
        stock = built(manager.load([ready.name])["tasks"][ready.name])
        ours = built(ready.make_lm_eval_tasks()["tasks"][ready.name])
        assert [i.args for i in stock.instances] == [i.args for i in ours.instances]
    wrong = TaskManager(
        include_path=str(HERE), include_defaults=False, metadata={"answers": "words"}
    )
    with pytest.raises(ValueError, match="one of letters, labels, received 'words'"):
        wrong.load(["kakugo_sib200_swh_Latn"])


@pytest.mark.parametrize("shots", ["first", "balanced"])
@pytest.mark.parametrize("name", PAPERS_TASKS)
def test_three_rows_are_the_shots_and_are_not_scored(name: str, shots: str) -> None:
    ready = loaded(name, shots=shots)
    assert len(ready.shots) == 3
    assert len(ready.items) == len(ready.data.rows) - 3
    task = built(ready.make_lm_eval_tasks()["tasks"][ready.name])
    assert len(task.eval_docs) == len(ready.items)
    queries = [shot.query for shot in ready.shots]
    for instance in task.instances:
        prompt = instance.args[0]
        assert [prompt.count(query) for query in queries] == [1, 1, 1]
        assert prompt.index(queries[0]) < prompt.index(queries[1]) < prompt.index(queries[2])
        assert prompt.endswith(instance.doc["query"])
        assert instance.doc["query"] not in queries
    if shots == "balanced" and ready.task.kind == "choice":
        assert len({shot.label for shot in ready.shots}) == 3


def test_a_document_says_who_it_is() -> None:
    for name, task in ((name, TASKS[name]) for name in PAPERS_TASKS):
        ready = loaded(name)
        documents = ready.make_splits()["scored"]
        identities = [(document["id"], document["cluster"]) for document in documents]
        assert identities == [(item.id, item.cluster) for item in ready.items]
        assert len({identity[0] for identity in identities}) == len(documents)
        assert all(task.take_text(document) for document in documents)
    assert len({item.cluster for item in loaded("belebele").items}) < len(loaded("belebele").items)


def test_a_system_prompt_without_a_chat_is_an_error() -> None:
    with pytest.raises(ValueError, match="only a chat has one"):
        Protocol(system_prompt="x")
    with pytest.raises(ValueError, match="received an empty one"):
        Protocol(prompt="chat-turns", system_prompt=" ")


def test_generated_files_are_up_to_date() -> None:
    assert main(["--check"]) == 0


def test_an_outdated_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tasks.generate.HERE", tmp_path)
    monkeypatch.setattr("core.tasks.FILE", tmp_path / "tasks.yaml")
    assert main([]) == 0
    assert main(["--check"]) == 0
    (tmp_path / "kakugo_sib200_swh_Latn.yaml").write_text("task: other\n")
    (tmp_path / "tasks.yaml").write_text("{}\n")
    (tmp_path / "kakugo_sib200_xxx.yaml").write_text("task: surplus\n")
    assert main(["--check"]) == 1
    named = capsys.readouterr().err
    assert "kakugo_sib200_swh_Latn.yaml" in named
    assert "kakugo_sib200_xxx.yaml" in named
    assert "tasks.yaml" in named
