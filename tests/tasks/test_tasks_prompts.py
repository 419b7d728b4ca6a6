"""What the model sees, letter by letter, through lm-eval itself."""

from pathlib import Path
from typing import Any

import pytest
from lm_eval.tasks import TaskManager

from tasks.catalogue import TASKS
from tasks.generate import HERE, main

GOLDEN = Path(__file__).parent / "golden"
CODES = {"global_mmlu": "sw"}


@pytest.fixture(scope="module")
def manager() -> TaskManager:
    return TaskManager(include_path=str(HERE), include_defaults=False)


def built(manager: TaskManager, name: str) -> Any:
    task = manager.load([name])["tasks"][name]
    task.build_all_requests(limit=None, rank=0, world_size=1)
    return task


@pytest.mark.parametrize("name", TASKS)
def test_prompt_is_the_golden_one(manager: TaskManager, name: str) -> None:
    task = built(manager, TASKS[name].lm_eval_name(CODES.get(name, "swh_Latn")))
    prompt = task.instances[0].args[0]
    path = GOLDEN / f"{name}.txt"
    assert prompt == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TASKS)
def test_the_shots_are_the_first_three_and_are_not_scored(manager: TaskManager, name: str) -> None:
    task = built(manager, TASKS[name].lm_eval_name(CODES.get(name, "swh_Latn")))
    split = task.dataset[TASKS[name].split]
    assert len(task.eval_docs) == len(split) - 3
    shots = [task.doc_to_text(split[index]) for index in range(3)]
    for instance in task.instances:
        prompt = instance.args[0]
        assert [prompt.count(shot) for shot in shots] == [1, 1, 1]
        assert prompt.index(shots[0]) < prompt.index(shots[1]) < prompt.index(shots[2])
        assert prompt.endswith(task.doc_to_text(instance.doc))
        assert instance.doc != split[0]


def test_generated_files_are_up_to_date() -> None:
    assert main(["--check"]) == 0


def test_an_outdated_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tasks.generate.HERE", tmp_path)
    assert main([]) == 0
    assert main(["--check"]) == 0
    (tmp_path / "kakugo_sib200_swh_Latn.yaml").write_text("task: other\n")
    (tmp_path / "kakugo_sib200_xxx.yaml").write_text("task: surplus\n")
    assert main(["--check"]) == 1
    named = capsys.readouterr().err
    assert "kakugo_sib200_swh_Latn.yaml" in named
    assert "kakugo_sib200_xxx.yaml" in named
