"""Questions from the Hub's layout and translations by a teacher, over HTTP, asked for once."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_study import questions, write_lines

from preference import cli
from preference.questions import read_draft
from preference.sources import HUB_FILE

# The generation package's tests have a chat-completions server that answers by rule.
sys.path.insert(0, str(Path(__file__).parents[1] / "generation"))

from scripted import Scripted, completion, serving


@pytest.fixture
def teacher() -> Iterator[Scripted]:
    with serving() as server:
        yield server


def test_a_teacher_translates_and_is_asked_once(
    teacher: Scripted, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_lines(tmp_path / "q.jsonl", questions(4))

    def behave(body: dict[str, Any], nth: int) -> dict[str, Any] | None:
        user = str(body["messages"][1]["content"])
        if "number 3?" in user:
            return completion("[", "length")
        if "number 2?" in user:
            return completion('[{"role": "user", "content": "Swali"}]')
        return None

    teacher.behave = behave
    study = tmp_path / "study"
    command = [
        "questions", str(study), "--from", str(source), "--language", "swahili", "--translate",
        "teacher=gpt_oss_120b", f"teacher.base_url={teacher.url}", "teacher.reasoning=optional",
        "teacher.api_key_env=null",
    ]  # fmt: skip
    assert cli.main(command) == 0
    said = capsys.readouterr()
    assert "not translated: question 3:" in said.err
    assert "1 of them for a speaker to translate" in said.out
    draft = read_draft(study)
    assert [q.prompt for q in draft.questions][1:] == ["Question number 1?", "Swali", ""]
    assert draft.origin["translated_by"] == "openai/gpt-oss-120b"
    assert "into Swahili" in str(teacher.bodies[0]["messages"])

    asked = len(teacher.bodies)
    teacher.behave = lambda body, nth: None
    assert cli.main(command) == 0
    assert len(teacher.bodies) == asked, "what was answered is paid for once"
    assert cli.main([*command, "seed=1"]) == 0
    assert len(teacher.bodies) == asked + 4
    assert read_draft(study).questions[3].prompt == "Question number 3?"
    assert cli.main(["freeze", str(study), "--unreviewed"]) == 0


def test_a_question_without_translation_is_not_frozen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from preference.questions import make_draft

    make_draft(tmp_path, "swahili", {"1": ("all", "a"), "2": ("all", "b")}, {"1": "A", "2": ""})
    assert cli.main(["freeze", str(tmp_path), "--unreviewed"]) == 2
    assert "questions without a translation: 2" in capsys.readouterr().err


def test_mt_bench_in_the_hubs_layout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A local copy of the repository; its file calls the turns `prompt`."""
    rows = [
        {"question_id": 81 + n, "category": "math", "prompt": [f"Q{n}", "later"]} for n in (0, 1)
    ]
    write_lines(tmp_path / "hub" / HUB_FILE, rows)
    study = tmp_path / "study"
    command = ["questions", str(study), "--from", f"hub:{tmp_path / 'hub'}", "--language", "irish"]
    assert cli.main(command) == 0
    draft = read_draft(study)
    assert [(q.id, q.category, q.prompt) for q in draft.questions] == [
        ("81", "math", "Q0"),
        ("82", "math", "Q1"),
    ]
    kept = json.loads((study / "questions.json").read_text("utf-8"))["origin"]
    assert kept["repository"] == str(tmp_path / "hub")
    assert len(kept["sha256"]) == 64
    assert cli.main([*command[:3], "hub:nowhere", *command[4:]]) == 2
    said = capsys.readouterr().err
    assert "question.jsonl as a file" in said
    assert "evaluate.hub" not in said
