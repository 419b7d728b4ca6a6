"""Answers of a checkpoint to conversations, decoded greedily: what people compare."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lm_eval.api.instance import Instance

from core.checkpoints.chat import build_prompt
from harness.errors import ScoringError
from harness.scoring.engine import SharedPrefixLM


@dataclass(frozen=True)
class Answer:
    """Raw text, a thinking part included, the tokens it took, and whether it ended by itself."""

    text: str
    tokens: int
    finished: bool


def generate_answers(
    checkpoint: Path,
    conversations: Sequence[Sequence[Mapping[str, str]]],
    *,
    system_prompt: str | None,
    thinking: bool | None,
    max_new_tokens: int,
    repetition_penalty: float,
    precision: str,
    batch_tokens: int | None,
    journal: Path,
    progress: Callable[[int, int, str], None],
) -> list[Answer]:
    """Generates the checkpoint's next turn in each conversation of {role, content}, in its own
    template.

    `thinking` is as in `core.checkpoints.chat.build_prompt`. A thought that the prompt has opened
    is part of the answer. Finished answers are kept in the folder `journal`, from which an
    interrupted call goes on. Raises `ScoringError` without a chat template, or when a conversation
    does not fit in the model's context: answers to a cut prompt would not be comparable.
    """
    lm = SharedPrefixLM(
        checkpoint,
        precision=precision,
        budget=batch_tokens,
        journal=journal,
        on_progress=lambda done, total: progress(done, total, ""),
    )
    system = [{"role": "system", "content": system_prompt}] if system_prompt else []
    asked = [
        build_prompt(lm.tokenizer, [*system, *conversation], thinking=thinking)
        for conversation in conversations
    ]
    prompts = [prompt.text for prompt in asked]
    room = lm.max_length - max_new_tokens
    long = sum(tokens > room for tokens in map(len, map(lm.tok_encode, prompts)))
    if long:
        raise ScoringError(
            f"{long} of {len(prompts)} conversations do not fit in the model's {lm.max_length} "
            f"tokens beside an answer of {max_new_tokens}. Remedy: a smaller limit for answers."
        )
    settings = {
        "until": [],
        "max_gen_toks": max_new_tokens,
        "repetition_penalty": repetition_penalty,
    }
    unique = list(dict.fromkeys(prompts))
    lm.generate_until([Instance("generate_until", {}, (text, settings), 0) for text in unique])
    done = [lm.continuations[prompt] for prompt in prompts]
    return [
        Answer(prompt.opened + one.text, one.tokens, one.finished)
        for prompt, one in zip(asked, done, strict=True)
    ]
