"""A student is trained on the very prompts that it will be asked in."""

import json
from pathlib import Path
from typing import Any

import pytest
from small_checkpoints import TURNS, edit, save_model, small_tokenizer

from core.checkpoints.chat import build_prompt
from core.checkpoints.errors import CheckpointError
from core.checkpoints.opening import check_checkpoint
from core.checkpoints.tokens import encode
from training.dataset import IGNORED, make_examples
from training.errors import MaskError
from training.finetune import finetune
from training.prepare import prepare
from training.settings import Train

ENDS = frozenset({1})
QUESTION = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "the river"}]
ASKING = "<s>assistant\n"
OPENS = TURNS.replace(ASKING, f"{ASKING}<think>\n")
SWITCHED = TURNS.replace(
    ASKING, f"{ASKING}{{% if enable_thinking is not defined or enable_thinking %}}<think>\n"
    "{% else %}<think>\n\n</think>\n\n{% endif %}"
)  # fmt: skip
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}" + TURNS
WITHOUT_REASONING = OPENS.replace("m.content", "m.content.split('</think>')[-1]")


def answered(content: str) -> list[dict[str, Any]]:
    return [*QUESTION, {"role": "assistant", "content": content}]


@pytest.mark.parametrize("template", [TURNS, OPENS, SWITCHED, NO_SYSTEM, WITHOUT_REASONING])
@pytest.mark.parametrize("frame", [None, "<s> <s> $A", "<s> $A </s>"])
def test_the_prompt_of_scoring_and_then_the_answer_alone_is_trained(
    template: str, frame: str | None
) -> None:
    tokenizer = small_tokenizer(template, frame)
    (example,) = make_examples(answered("four"), tokenizer, ENDS)
    prompt = encode(tokenizer, [build_prompt(tokenizer, QUESTION, thinking=False).text])[0]
    answer = tokenizer("four</s>", add_special_tokens=False)["input_ids"]
    length = len(prompt) + len(answer)
    assert example.input_ids[:length] == prompt + answer
    assert example.labels == [IGNORED] * len(prompt) + answer + [IGNORED] * (
        len(example.labels) - length
    )


@pytest.mark.parametrize("template", [OPENS, SWITCHED])
def test_an_answer_that_thinks_is_trained_with_its_thought(template: str) -> None:
    tokenizer = small_tokenizer(template)
    content = "<think>\nthe sea\n</think>\n\nfour"
    (example,) = make_examples(answered(content), tokenizer, ENDS)
    trained = [token for token in example.labels if token != IGNORED]
    assert tokenizer.decode(trained) == f"{content}</s>"
    assert tokenizer.decode(example.input_ids).count("<think>") == 1


def test_every_answer_of_a_longer_talk_is_asked_for_in_the_same_way() -> None:
    tokenizer = small_tokenizer(OPENS)
    talk = [*answered("four"), {"role": "user", "content": "the sea"},
            {"role": "assistant", "content": "is"}]  # fmt: skip
    first, second = make_examples(talk, tokenizer, ENDS)
    texts = [tokenizer.decode(each.input_ids) for each in (first, second)]
    assert texts[0].endswith("<think>\n\n</think>\n\nfour</s>\n")
    assert texts[1].endswith(
        "<s>assistant\nfour</s>\n<s>user\nthe sea</s>\n"
        "<s>assistant\n<think>\n\n</think>\n\nis</s>\n"
    )


def test_reasoning_that_a_template_drops_is_named() -> None:
    tokenizer = small_tokenizer(WITHOUT_REASONING)
    with pytest.raises(MaskError, match=r"leaves out the reasoning of an answer.*Remedy"):
        make_examples(answered("<think>\nthe sea\n</think>\n\nfour"), tokenizer, ENDS)


def trained(base: Path, out: Path) -> Path:
    rows = out / "rows.jsonl"
    out.mkdir()
    rows.write_text("".join(f"{json.dumps({'messages': answered(text)})}\n" for text in "abcd"))
    settings = Train("small", steps=1, batch_size=2, max_length=64, validation=0.0, threads=1)
    prepare(base=base, rows=rows, out=out / "packed", data=settings.data, seed=0)
    finetune(base=base, packed=out / "packed", out=out, settings=settings, precision="fp32", seed=0)
    return out / "checkpoint"


def test_random_weights_are_not_trained(tmp_path: Path) -> None:
    base = save_model(tmp_path / "base")
    edit(base / "config.json", num_hidden_layers=3)
    with pytest.raises(CheckpointError, match=r"9 are not in its files and would be random"):
        trained(base, tmp_path / "out")


@pytest.mark.parametrize("odd", ["padding", "sampling", "old configuration"])
def test_what_is_odd_in_a_base_leaves_a_checkpoint_that_opens(tmp_path: Path, odd: str) -> None:
    tokenizer = small_tokenizer()
    if odd == "padding":  # many add such a token, and leave the model as it is
        tokenizer.add_special_tokens({"pad_token": "[PAD]"})
    base = save_model(tmp_path / "base", tokenizer=tokenizer, vocab_size=286)
    if odd == "sampling":
        edit(base / "generation_config.json", temperature=0.6, top_p=0.9)
    if odd == "old configuration":
        (base / "generation_config.json").unlink()
        edit(base / "config.json", repetition_penalty=1.3)
    checkpoint = trained(base, tmp_path / "out")
    assert check_checkpoint(checkpoint) == check_checkpoint(base) or odd == "padding"
