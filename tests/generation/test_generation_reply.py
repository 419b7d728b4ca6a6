import json
from pathlib import Path
from typing import Any

import pytest
from scripted import completion

from generation.teacher.failures import BROKEN_OFF
from generation.teacher.reply import Reply, find_fault, read_reply


def read(body: Any) -> Reply:
    return read_reply(json.dumps(body))


@pytest.mark.parametrize(
    "message",
    [
        {"reasoning": "because"},
        {"reasoning_content": "because"},
        {"reasoning": None, "reasoning_details": [{"text": "be"}, {"text": "cause"}, {"x": 1}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "because"}]},
        {"thinking": "because"},
        {"reasoning": "", "reasoning_content": "because"},
    ],
)
def test_reasoning_is_read_where_servers_put_it(message: dict[str, Any]) -> None:
    assert read(completion("Ndiyo.", **message)) == Reply("Ndiyo.", "because")


def test_reasoning_inside_the_text() -> None:
    assert read(completion("<think>because</think>\n\nNdiyo.")) == Reply("Ndiyo.", "because")
    channels = (
        "<|channel|>analysis<|message|>because<|end|><|start|>assistant"
        "<|channel|>final<|message|>Ndiyo.<|return|>"
    )
    assert read(completion(channels)) == Reply("Ndiyo.", "because")
    assert read(completion(channels.partition("<|end|>")[0])).reason == "reasoning without end"
    parts: Any = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "because"}]},
        {"type": "text", "text": "Ndiyo."},
    ]
    assert read(completion(parts)) == Reply("Ndiyo.", "because")
    assert read(completion("<think>because")).reason == "reasoning without end"


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
@pytest.mark.parametrize("text", ["Ndiyo.", "</think>\n\nNdiyo.", "<think>why</think>Ndiyo."])
@pytest.mark.parametrize("trace", ["because", "<think>because", "because\n</think>\n"])
def test_reasoning_in_its_field_may_leave_marks_in_both(name: str, text: str, trace: str) -> None:
    assert read(completion(text, **{name: trace})) == Reply("Ndiyo.", "because")


@pytest.mark.parametrize(
    ("text", "message", "reason"),
    [
        ("Ndiyo <think>au</think> hapana.", {}, "mark of reasoning in the answer"),
        ("Ndiyo.", {"reasoning": "a </think> b"}, "mark of reasoning in the answer"),
        ("Ndiyo.<|im_end|><|im_start|>user\nA", {}, "template token in the text"),
        ("Ndiyo.", {"tool_calls": [{"function": {"name": "f"}}]}, "tool call"),
        ("so</think>  ", {}, "empty answer"),
    ],
)
def test_what_a_server_left_in_the_answer_is_a_loss(
    text: str, message: dict[str, Any], reason: str
) -> None:
    assert read(completion(text, **message)) == Reply(reason=reason)


def test_final_alone_is_an_answer() -> None:
    assert read(completion("<|channel|>final<|message|>Habari!<|return|>")) == Reply("Habari!")
    assert read(completion("I greet.\n</think>\n\nHabari!")) == Reply("Habari!", "I greet.")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (completion("Ndi", "length"), "finish_reason length"),
        (completion("", "content_filter"), "finish_reason content_filter"),
        (completion("  "), "empty answer"),
        (completion(None), "empty answer"),  # type: ignore[arg-type]
        (completion("\ud83d"), "broken Unicode"),
        (completion("", refusal="I cannot help"), "refusal"),
        ({"choices": []}, "not a chat completion"),
        ([], "not a chat completion"),
    ],
)
def test_what_is_no_answer_has_a_reason(body: Any, reason: str) -> None:
    assert read(body) == Reply(reason=reason)


def test_real_responses_of_the_papers_teacher(real_data: Path) -> None:
    """gpt-oss-120b through OpenRouter: every finished one is read, with its trace."""
    for name in ("en", "fi"):
        path = real_data / "mt_bench" / "model_answer" / f"gpt-oss-120b-reasoning-{name}.jsonl"
        turns = [
            turn
            for line in path.read_text(encoding="utf-8").splitlines()
            for turn in json.loads(line)["choices"][0]["turns"]
        ]
        assert len(turns) == 160
        broken = [find_fault(json.dumps(turn)) for turn in turns]
        # One and two of them ended in the provider's error, after a part of the text.
        assert broken.count(BROKEN_OFF) == {"en": 1, "fi": 2}[name]
        assert broken.count(None) == 160 - broken.count(BROKEN_OFF)
        for turn in turns:
            reply = read(turn)
            choice = turn["choices"][0]
            if "assistantfinal" in (choice["message"]["content"] or ""):
                # The server lost the tokens of a second thought, amid the answer.
                assert reply.reason == "mark of reasoning in the answer"
            elif choice["finish_reason"] == "stop" and choice["message"]["content"].strip():
                assert reply.text == choice["message"]["content"].strip()
                assert reply.reasoning == choice["message"]["reasoning"].strip()
            else:
                assert reply.reason
