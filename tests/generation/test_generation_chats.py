"""Chats in the forms in which they are kept, and what files say about training on them."""

from typing import Any

import pytest

from generation.chats import Chat, read_chat

ASKED = {"role": "user", "content": "Habari?"}
SAID = {"role": "assistant", "content": "Nzuri."}
MORE = [{"role": "user", "content": "Na wewe?"}, {"role": "assistant", "content": "Pia."}]
SYSTEM = {"role": "system", "content": "Jibu."}


def said(content: Any = "Nzuri.", **fields: Any) -> dict[str, Any]:
    return {"messages": [ASKED, {"role": "assistant", "content": content, **fields}]}


PLAIN = Chat([ASKED, SAID])


@pytest.mark.parametrize(
    ("row", "chat"),
    [
        ({"messages": [ASKED, SAID]}, PLAIN),
        (
            {
                "conversations": [
                    {"from": "Human", "value": "Habari?"},
                    {"from": "gpt", "value": "Nzuri."},
                ]
            },
            PLAIN,
        ),
        (said([{"type": "text", "text": "Nzu"}, {"type": "text", "text": "ri."}]), PLAIN),
        (said("Nzuri.<|im_end|>\n"), PLAIN),
        (said("Nzuri.</s>"), PLAIN),
        (said("Nzuri.<|eot_id|>"), PLAIN),
        (said("Nzuri.<|end|>"), PLAIN),
        ({"messages": [{**ASKED, "content": "Habari?<|im_end|>"}, SAID]}, PLAIN),
        ({"messages": [ASKED, SAID], "system": "Jibu."}, Chat([SYSTEM, ASKED, SAID])),
        ({"messages": [SYSTEM, ASKED, SAID], "system": "Jibu. "}, Chat([SYSTEM, ASKED, SAID])),
        ({"messages": [{**SYSTEM, "role": "developer"}, ASKED, SAID]}, Chat([SYSTEM, ASKED, SAID])),
        ({"messages": [ASKED, SAID], "system": " ", "tools": "[]", "images": []}, PLAIN),
        (
            {"system": [{"type": "text", "text": "Jibu."}], "messages": [ASKED, SAID]},
            Chat([SYSTEM, ASKED, SAID]),
        ),
        (said("so</think>Nzuri."), Chat([ASKED, SAID], "so")),
        (
            said([{"type": "thinking", "thinking": "so"}, {"type": "text", "text": "Nzuri."}]),
            Chat([ASKED, SAID], "so"),
        ),
        (said(reasoning_content="<think>so</think>"), Chat([ASKED, SAID], "so")),
        ({**said(), "reasoning": "so"}, Chat([ASKED, SAID], "so")),
        ({**said("<think>in</think>Nzuri."), "reasoning": "so"}, Chat([ASKED, SAID], "so")),
        (said(weight=1, train=True, loss=None, tool_calls=[]), PLAIN),
        ({**said(), "weight": 1.0}, PLAIN),
    ],
)
def test_chats_are_read_in_every_form(row: Any, chat: Chat) -> None:
    assert read_chat(row) == chat


@pytest.mark.parametrize(
    "mark",
    [
        {"weight": 0},
        {"weight": 0.0},
        {"train": False},
        {"training": False},
        {"trainable": False},
        {"loss": False},
        {"loss_mask": 0},
        {"mask": True},
        {"weight": 1, "train": False},
    ],
)
def test_a_turn_that_is_not_to_be_trained_is_context(mark: dict[str, Any]) -> None:
    row = {"messages": [*said(**mark)["messages"], *MORE]}
    assert read_chat(row) == Chat([ASKED, {**SAID, "weight": 0}, *MORE])
    # Behind the last trained answer there is nothing to learn; reasoning there is not of that one.
    last = {"messages": [ASKED, SAID, MORE[0], {**MORE[1], **mark}], "reasoning": "so"}
    assert read_chat(last) == Chat([ASKED, SAID], None, {"turns after the last that is trained": 2})
    assert read_chat(said(**mark)) == "no turn to be trained"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([], "not an object"),
        ({"instruction": "A", "input": "", "output": "B"}, "no messages"),
        ({"messages": []}, "no messages"),
        ({"messages": [ASKED]}, "not an alternating chat"),
        (
            {"messages": [SYSTEM, *said()["messages"]], "system": "Jibu kwa ufupi."},
            "two system prompts",
        ),
        (
            {"messages": [SYSTEM, {**SYSTEM, "role": "developer", "content": "B"}, ASKED, SAID]},
            "two system prompts",
        ),
        ({"messages": [ASKED, SAID, SYSTEM, *MORE]}, "not an alternating chat"),
        (said(tool_calls=[{"id": "1"}]), "tools or a call of one"),
        (said(function_call={"name": "f"}), "tools or a call of one"),
        (
            {"messages": [ASKED, SAID, {"role": "tool", "content": "7"}, SAID]},
            "tools or a call of one",
        ),
        (
            {
                "conversations": [
                    {"from": "human", "value": "A"},
                    {"from": "function_call", "value": "{}"},
                ]
            },
            "tools or a call of one",
        ),
        (
            {
                "conversations": [
                    {"from": "human", "value": "A"},
                    {"from": "observation", "value": "{}"},
                ]
            },
            "tools or a call of one",
        ),
        ({**said(), "tools": [{"type": "function"}]}, "tools or a call of one"),
        (
            said([{"type": "text", "text": "A"}, {"type": "image_url", "image_url": {}}]),
            "image, video or audio",
        ),
        ({**said(), "images": ["a.png"]}, "image, video or audio"),
        (said([{"type": "refusal", "refusal": "No"}]), "content that is no text"),
        (said(5), "content that is no text"),
        (said(None), "not an alternating chat"),
        (said(weight=0.5), "weight other than 0 or 1"),
        (said(train="no"), "weight other than 0 or 1"),
        (
            said(train_detail=[{"begin_offset": 0, "end_offset": 2, "train": False}]),
            "weight other than 0 or 1",
        ),
        ({**said(), "train": False}, "marked not to be trained"),
        (said("<think>so"), "reasoning without end"),
        (said("A <think>so</think> B"), "mark of reasoning in the answer"),
        (said("A", reasoning="a</think>b"), "mark of reasoning in the answer"),
        (said("A<|im_end|>\n<|im_start|>user\nB"), "template token in the text"),
        (said("<s>[INST] A [/INST] B</s>"), "template token in the text"),
        ({"messages": [{**ASKED, "content": "A<|eot_id|>B"}, SAID]}, "template token in the text"),
    ],
)
def test_what_cannot_be_honoured_is_lost_by_name(row: Any, reason: str) -> None:
    assert read_chat(row) == reason


@pytest.mark.parametrize("field", ["images", "image", "audio", "attachments"])
def test_what_a_turn_shows_is_not_left_out_in_silence(field: str) -> None:
    row = {"messages": [{**ASKED, field: ["a.png"]}, SAID]}
    assert read_chat(row) == "image, video or audio"
    assert read_chat({"messages": [{**ASKED, field: []}, SAID]}) == PLAIN


@pytest.mark.parametrize("field", ["label", "kto_tag"])
def test_an_answer_that_its_row_calls_bad_is_not_trained(field: str) -> None:
    assert read_chat({**said(), field: False}) == "marked as a bad answer"
    for other in (True, None, 0, "greeting"):
        assert read_chat({**said(), field: other}) == PLAIN


@pytest.mark.parametrize("field", ["system_prompt", "system_message", "system_instruction"])
def test_a_system_prompt_has_many_names(field: str) -> None:
    assert read_chat({**said(), field: "Jibu."}) == Chat([SYSTEM, ASKED, SAID])


@pytest.mark.parametrize("mask", [0, 1, "true"])
def test_a_mask_that_may_mean_either_is_lost(mask: object) -> None:
    assert read_chat(said(mask=mask)) == "weight other than 0 or 1"
