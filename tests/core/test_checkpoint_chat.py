"""One way to speak to a checkpoint: its date, its system message, its thoughts, its tokens."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_checkpoints import TURNS, edit, save_model, small_tokenizer
from transformers import AutoConfig

from core.checkpoints.chat import build_prompt, describe_held_parts, render
from core.checkpoints.errors import ChatError, CheckpointError
from core.checkpoints.held import find_held_fast
from core.checkpoints.tokens import (
    check_tokens,
    encode,
    find_end_tokens,
    find_frame,
    read_stated_length,
)

ASKED = [{"role": "user", "content": "What is <think> for?"}]
WITH_SYSTEM = [{"role": "system", "content": "Be brief."}, *ASKED]
REFUSES = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
DROPS = TURNS.replace("messages %}", "messages if m.role != 'system' %}")


def opening(thought: str, off: str | None = None) -> str:
    """A template whose prompt opens a thought; with `off`, it has a switch that writes that."""
    asking = "<s>assistant\n"
    if off is not None:
        condition = "{% if enable_thinking is defined and not enable_thinking %}"
        thought = f"{condition}{off}{{% else %}}{thought}{{% endif %}}"
    return TURNS.replace(asking, asking + thought)


def test_a_date_is_always_the_same() -> None:
    written = "{{ strftime_now('%d %b %Y') }}{% macro day() %}{{ strftime_now('%A, %B %-d') }}"
    tokenizer = small_tokenizer(f"\n  {written}{{% endmacro %}} {{{{ day() }}}}{TURNS}")
    text = build_prompt(tokenizer, ASKED).text
    # White space at its beginning is the template's own: only the clock is another.
    assert text.startswith("\n  01 Jan 2026 Thursday, January 1<s>user")

    assert describe_held_parts(tokenizer) == {"date": "2026-01-01"}
    assert render(tokenizer, ASKED) == text.removesuffix("<s>assistant\n")


@pytest.mark.parametrize("template", [REFUSES + TURNS, DROPS], ids=["refuses", "drops"])
def test_a_system_message_that_is_not_taken_begins_the_first_turn(template: str) -> None:
    tokenizer = small_tokenizer(template)
    assert describe_held_parts(tokenizer) == {"system": "in the first user turn"}
    assert build_prompt(tokenizer, WITH_SYSTEM).text == (
        "<s>user\nBe brief.\n\nWhat is <think> for?</s>\n<s>assistant\n"
    )
    answered = [*WITH_SYSTEM, {"role": "assistant", "content": "Yes."}]
    assert render(tokenizer, answered).startswith(build_prompt(tokenizer, WITH_SYSTEM).text)


@pytest.mark.parametrize(
    ("thought", "closed"),
    [
        ("<think>\n", "<think>\n\n</think>\n\n"),
        ("<think>", "<think>\n\n</think>\n\n"),
        ("<think>\nOkay,", "<think>\nOkay,\n</think>\n\n"),
        ("[THINK]", "[THINK]\n\n[/THINK]\n\n"),
        ("◁think▷", "◁think▷\n\n◁/think▷\n\n"),
        ("<|START_THINKING|>", "<|START_THINKING|>\n\n<|END_THINKING|>\n\n"),
        ("Here are my reasoning steps:",
         "Here are my reasoning steps:\n\n[BEGIN FINAL RESPONSE]\n\n"),
    ],
)  # fmt: skip
def test_a_thought_that_the_prompt_opens_is_closed(thought: str, closed: str) -> None:
    tokenizer = small_tokenizer(opening(thought))
    for thinking in (None, False):
        prompt = build_prompt(tokenizer, ASKED, thinking=thinking)
        assert prompt.text == f"<s>user\nWhat is <think> for?</s>\n<s>assistant\n{closed}"
        assert (prompt.text.removesuffix(closed), "") == (prompt.before_thought, prompt.opened)
    assert describe_held_parts(tokenizer) == {"thinking": "closed"}
    wanted = build_prompt(tokenizer, ASKED, thinking=True)
    assert wanted.text.endswith(f"assistant\n{thought}")
    assert wanted.opened == thought


def test_the_templates_own_switch_comes_first() -> None:
    off = "<think>\n\n</think>\n\n"
    opens = small_tokenizer(opening("<think>\n", off=off))
    assert build_prompt(opens, ASKED).text.endswith(f"assistant\n{off}")
    # One that thinks unasked, without opening the thought, is told not to where it is scored.
    silent = small_tokenizer(opening("", off=off))
    assert build_prompt(silent, ASKED).text.endswith("assistant\n")
    assert build_prompt(silent, ASKED, thinking=False).text.endswith(f"assistant\n{off}")
    for tokenizer in (opens, silent):
        assert describe_held_parts(tokenizer) == {"thinking": "switched off"}
    # A switch that leaves the thought open does not help.
    stubborn = small_tokenizer(opening("<think>\n", off="/no_think <think>\n"))
    assert build_prompt(stubborn, ASKED).text.endswith(
        "assistant\n/no_think <think>\n\n</think>\n\n"
    )


def test_most_templates_are_left_alone() -> None:
    tokenizer = small_tokenizer()
    assert describe_held_parts(tokenizer) == {}
    assert build_prompt(tokenizer, WITH_SYSTEM).text == tokenizer.apply_chat_template(
        WITH_SYSTEM, tokenize=False, add_generation_prompt=True
    )
    several = small_tokenizer({"default": TURNS, "tool_use": "{{ raise_exception('no tools') }}"})  # type: ignore[arg-type]
    assert build_prompt(several, ASKED) == build_prompt(tokenizer, ASKED)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (None, "no chat template"),
        ("{{ raise_exception('users only') }}", "refuses the conversation: users only"),
        ("{% for m in messages %}", "refuses the conversation: "),
        ("{{ 1 + messages[0].content }}", "refuses the conversation: "),
    ],
)
def test_a_template_that_renders_nothing_is_a_sentence(template: str | None, message: str) -> None:
    with pytest.raises(ChatError, match=rf"{message}.*Remedy"):
        describe_held_parts(small_tokenizer(template))


@pytest.mark.parametrize(
    ("put", "before", "after"),
    [
        (None, (), ()),
        ("<s> $A", (0,), ()),
        ("$A </s>", (), (1,)),
        ("<s> $A </s>", (0,), (1,)),
        ("<s> <s> $A </s> </s>", (0, 0), (1, 1)),
    ],
)
def test_a_text_begins_as_the_tokenizer_begins_it_once_and_ends_as_it_ends(
    put: str | None, before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    tokenizer = small_tokenizer(frame=put)
    assert (find_frame(tokenizer).before, find_frame(tokenizer).after) == (before, after)
    texts = ["the river", "", build_prompt(tokenizer, ASKED).text]
    plain = small_tokenizer()(texts, add_special_tokens=False)["input_ids"]
    ours = encode(tokenizer, texts)
    assert ours[:2] == [[*before, *plain[0]], list(before)]
    # The template has written the first <s> itself.
    assert ours[2] == (plain[2] if len(before) < 2 else [*before, *plain[2]])
    # An end that the text asks for is kept.
    assert encode(tokenizer, ["four</s>"])[0][-1] == 1


def test_all_end_tokens_count(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "model")
    tokenizer = small_tokenizer()
    assert find_end_tokens(folder, tokenizer) == {1}
    edit(folder / "generation_config.json", eos_token_id=[1, 7, 9])
    assert find_end_tokens(folder, tokenizer) == {1, 7, 9}
    edit(folder / "generation_config.json", eos_token_id=None)
    tokenizer.eos_token = None
    assert find_end_tokens(folder, tokenizer) == frozenset()
    (folder / "generation_config.json").unlink()
    edit(folder / "config.json", eos_token_id=5)
    assert find_end_tokens(folder, tokenizer) == {5}


@pytest.mark.parametrize(
    ("kind", "sizes", "expected"),
    [
        ("llama", {"max_position_embeddings": 77}, 77),
        ("gpt2", {"n_positions": 78}, 78),
        ("bloom", {}, None),
        ("bloom", {"seq_length": 79}, 79),
        ("mamba", {}, None),
        ("mpt", {"max_seq_len": 80}, 80),
    ],
)
def test_the_longest_text(kind: str, sizes: dict[str, Any], expected: int | None) -> None:
    config = AutoConfig.for_model(kind, **sizes)
    assert read_stated_length(config, small_tokenizer()) == expected
    if expected is None:
        assert read_stated_length(config, small_tokenizer(model_max_length=81)) == 81


def test_a_token_without_embedding_is_named() -> None:
    check_tokens([[], [1, 9]], 10)
    with pytest.raises(CheckpointError, match="gives token 10, but the model has only 10"):
        check_tokens([[1], [10, 3]], 10)


def test_what_is_held_fast_is_read_from_the_files_alone(tmp_path: Path) -> None:
    sound = save_model(tmp_path / "sound")
    assert find_held_fast(sound) == {}
    assert "torch" not in imported_by(f"find_held_fast(Path({str(sound)!r}))")
    odd = save_model(
        tmp_path / "odd",
        tokenizer=small_tokenizer("{{ strftime_now('%Y') }}" + opening("<think>"), "<s> $A </s>"),
    )
    edit(odd / "generation_config.json", temperature=0.6, num_beams=2)
    held = find_held_fast(odd)
    assert held["date"] == "2026-01-01"
    assert (held["thinking"], held["end_not_added"]) == (False, ["</s>"])
    assert held["not_generated_with"] == ["num_beams"]


def imported_by(call: str) -> str:
    """The modules that a call leaves imported in a process of its own."""
    script = (
        "import sys; from pathlib import Path; from core.checkpoints.held import find_held_fast\n"
        f"{call}; print(*sys.modules)"
    )
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
