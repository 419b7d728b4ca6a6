import json
from typing import Any

import pytest
from scripted import completion

from generation.reply import Reply, read_reply


def read(body: Any) -> Reply:
    return read_reply(json.dumps(body))


@pytest.mark.parametrize(
    "message",
    [
        {"reasoning": "because"},
        {"reasoning_content": "because"},
        {"reasoning": None, "reasoning_details": [{"text": "be"}, {"text": "cause"}, {"x": 1}]},
    ],
)
def test_reasoning_is_read_where_servers_put_it(message: dict[str, Any]) -> None:
    assert read(completion("Ndiyo.", **message)) == Reply("Ndiyo.", "because")


def test_reasoning_inside_the_text() -> None:
    assert read(completion("<think>because</think>\n\nNdiyo.")) == Reply("Ndiyo.", "because")
    assert read(completion("<think>because")).reason == "reasoning without end"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (completion("Ndi", "length"), "finish_reason length"),
        (completion("", "content_filter"), "finish_reason content_filter"),
        (completion("  "), "empty answer"),
        (completion(None), "empty answer"),  # type: ignore[arg-type]
        (completion("\ud83d"), "broken Unicode"),
        ({"choices": []}, "not a chat completion"),
        ([], "not a chat completion"),
    ],
)
def test_what_is_no_answer_has_a_reason(body: Any, reason: str) -> None:
    assert read(body) == Reply(reason=reason)
