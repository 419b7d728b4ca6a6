import json
from pathlib import Path
from typing import Any

import pytest

from core.reasoning import MARK_LEFT, Split, split_reasoning, strip_reasoning, strip_turn_end

CASES = json.loads(Path(__file__).with_name("reasoning_cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES["split"], ids=lambda case: case["name"])
def test_reasoning_and_answer_are_told_apart(case: dict[str, Any]) -> None:
    assert split_reasoning(case["text"]) == Split(case["answer"], case.get("reasoning", ""))


@pytest.mark.parametrize("text", CASES["untouched"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert split_reasoning(text) == Split(text)


@pytest.mark.parametrize("case", CASES["lost"], ids=lambda case: case["name"])
def test_what_is_left_over_is_named(case: dict[str, Any]) -> None:
    assert split_reasoning(case["text"]) == Split(case["text"], problem=case["problem"])


@pytest.mark.parametrize("text", ["a", "<think>a", "a</think>", "<think>\na\n</think>\n"])
def test_reasoning_of_its_own_field_loses_its_marks(text: str) -> None:
    assert strip_reasoning(text) == "a"


def test_html_keeps_its_last_tag() -> None:
    assert strip_turn_end("<s>old</s>") == "<s>old</s>"
    assert strip_turn_end("Ndiyo. </s>") == "Ndiyo."


def test_hostile_text_ends_quickly() -> None:
    for text in (
        "<think>" * 20_000,
        "```\n" * 2_001,
        "```a\n" * 5_000,
        "`" * 50_000,
        " \n" * 50_000,
    ):
        split_reasoning(text)


def test_real_answers(real_data: Path) -> None:
    """gpt-oss-120b's to MT-Bench: all are untouched, but the one that broke off into harmony."""
    for path in sorted((real_data / "mt_bench" / "model_answer").iterdir()):
        for line in path.read_text(encoding="utf-8").split("\n"):
            row = json.loads(line) if line else {"choices": [{"turns": []}]}
            for number, turn in enumerate(row["choices"][0]["turns"]):
                if not isinstance(turn, str):
                    turn = turn["choices"][0]["message"]["content"] or ""
                broken = "assistantfinal" in turn
                assert broken == ((path.stem, row["question_id"], number) == BROKEN)
                assert split_reasoning(turn) == Split(turn, problem=MARK_LEFT if broken else None)


BROKEN = ("gpt-oss-120b-reasoning-en", 143, 0)
