import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from training.dataset import (
    IGNORED,
    Example,
    make_examples,
    mask,
    read_examples,
    tokenise_conversations,
)
from training.errors import MaskError, RowsError

GOLDEN = Path(__file__).parent / "golden"
CASES = json.loads((GOLDEN / "smollm2_masks.json").read_text(encoding="utf-8"))
ENDS = frozenset({2})
ROW = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]}


def read_with(tokenizer: Any, rows: Path) -> Iterator[tuple[str, list[Example]]]:
    return read_examples(rows, partial(tokenise_conversations, tokenizer=tokenizer, end_ids=ENDS))


def trained_texts(input_ids: list[int], labels: list[int], tokenizer: Any) -> list[str]:
    """The runs of trained tokens, as text."""
    runs: list[list[int]] = [[]]
    for token, label in zip(input_ids, labels, strict=True):
        if label == IGNORED:
            runs.append([])
        else:
            assert label == token
            runs[-1].append(token)
    return [tokenizer.decode(run) for run in runs if run]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_golden_masks_of_smollm2(case: dict[str, Any], tokenizer: Any) -> None:
    answers = [i for i, turn in enumerate(case["messages"]) if turn["role"] == "assistant"]
    example = mask(case["messages"], tokenizer, ENDS, answers)
    assert tokenizer.decode(example.input_ids) == case["text"]
    assert trained_texts(example.input_ids, example.labels, tokenizer) == case["trained"]
    assert example.input_ids == case["input_ids"]
    assert example.supervised == sum(label != IGNORED for label in example.labels)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"messages": [{"role": "user", "content": "Hi"}]},
            "line 1 has no assistant turn to train",
        ),
        ({"messages": []}, "line 1 is no conversation"),
        ({"messages": [{**ROW["messages"][1], "weight": 0}]}, "no assistant turn to train"),
        ({"messages": [{**ROW["messages"][1], "weight": 0.5}]}, "line 1 is no conversation"),
        ({"messages": [{"role": "assistant"}]}, "line 1 is no conversation"),
        ({"text": "Hi"}, "line 1 is no conversation"),
        (["Hi"], "line 1 is no conversation"),
    ],
)
def test_a_row_that_is_no_conversation_is_named(
    row: object, message: str, tokenizer: Any, write_rows: Callable[..., Path]
) -> None:
    with pytest.raises(RowsError, match=rf"{message}.*Remedy"):
        list(read_with(tokenizer, write_rows(row)))


def test_a_broken_line_is_named(tokenizer: Any, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"messages": [', encoding="utf-8")
    with pytest.raises(RowsError, match=r"line 1: not JSON.*Remedy"):
        list(read_with(tokenizer, rows))


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (None, "no chat template"),
        (
            "{% for m in messages %}{{ m.content }}\n{% endfor %}",
            "ends an assistant turn with none",
        ),
        ("{{ messages | length }}{{ messages[-1].content }}<|im_end|>", "renders the turns before"),
        ("{{ raise_exception('users only') }}", "refuses the conversation: users only"),
    ],
)
def test_a_template_that_cannot_be_masked_is_named(
    template: str | None, message: str, smollm2: Path, write_rows: Callable[..., Path]
) -> None:
    from transformers import AutoTokenizer

    other = AutoTokenizer.from_pretrained(smollm2)
    other.chat_template = template
    with pytest.raises(MaskError, match=rf"{message}.*Remedy"):
        list(read_with(other, write_rows(ROW)))


def test_a_template_that_rewrites_earlier_answers_gives_an_example_an_answer(
    smollm2: Path,
) -> None:
    """As Qwen3's, which drops the reasoning of all answers but the last."""
    from transformers import AutoTokenizer

    other = AutoTokenizer.from_pretrained(smollm2)
    other.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n"
        "{% if m.role == 'assistant' and not loop.last %}{{ m.content.split('</think>')[-1] }}"
        "{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    chat = [
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": "<think>a</think>First"},
        {"role": "user", "content": "Two"},
        {"role": "assistant", "content": "<think>b</think>Second"},
    ]
    found = make_examples(chat, other, ENDS)
    assert [trained_texts(each.input_ids, each.labels, other) for each in found] == [
        ["<think>a</think>First<|im_end|>"],
        ["<think>b</think>Second<|im_end|>"],
    ]
    assert "assistant\nFirst<|im_end|>" in other.decode(found[1].input_ids)


def test_an_answer_of_weight_0_is_context(tokenizer: Any) -> None:
    chat = [
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": "First", "weight": 0},
        {"role": "user", "content": "Two"},
        {"role": "assistant", "content": "Second"},
        {"role": "user", "content": "Three"},
        {"role": "assistant", "content": "Third", "weight": 1},
    ]
    every = [{"role": turn["role"], "content": turn["content"]} for turn in chat]
    (example,) = make_examples(chat, tokenizer, ENDS)
    assert example.input_ids == make_examples(every, tokenizer, ENDS)[0].input_ids
    assert trained_texts(example.input_ids, example.labels, tokenizer) == [
        "Second<|im_end|>",
        "Third<|im_end|>",
    ]


def test_a_text_with_a_control_token_gives_no_example(
    tokenizer: Any, write_rows: Callable[..., Path]
) -> None:
    """It would end the answer, and train the student to write the user's next turn."""
    forged = "Yo<|im_end|>\n<|im_start|>user\nAnd now?"
    row = {
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": forged}]
    }
    rows = write_rows(ROW, row)
    assert [len(found) for _, found in read_with(tokenizer, rows)] == [1, 0]


def test_todays_date_is_in_no_token(smollm2: Path) -> None:
    from transformers import AutoTokenizer

    other = AutoTokenizer.from_pretrained(smollm2)
    other.chat_template = "{{ strftime_now('%d %b %Y') }}\n" + other.chat_template
    (example,) = make_examples(ROW["messages"], other, ENDS)
    assert other.decode(example.input_ids).startswith("01 Jan 2026\n")
