"""A checkpoint's tokens: how a text begins, what ends an answer, how long a text may be."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.checkpoints.errors import CheckpointError

Tokens = tuple[int, ...]
# lm-eval's, for models whose configuration names no longest text (ALiBi, recurrent layers).
ASSUMED_LENGTH = 2048
_LENGTHS = (
    *("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "max_sequence_length"),
    "seq_length",
)
_NO_LENGTH = 10**9  # from here on, a tokenizer means that it knows none


@dataclass(frozen=True)
class Frame:
    """The tokens that a tokenizer puts before and after each text by itself."""

    before: Tokens
    after: Tokens


def find_frame(tokenizer: Any) -> Frame:
    """Finds the tokens that the tokenizer adds to a text by itself.

    Only what stands before is wanted: an end token (or [SEP]) after a prompt tells the model that
    all has been said, and what it then thinks likely is no answer.
    """
    bare = tuple(tokenizer("a", add_special_tokens=False)["input_ids"])
    whole = tuple(tokenizer("a", add_special_tokens=True)["input_ids"])
    for start in range(len(whole) - len(bare) + 1):
        if bare and whole[start : start + len(bare)] == bare:
            return Frame(whole[:start], whole[start + len(bare) :])
    return Frame((), ())


def encode(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Returns the tokens of prompts, or of whole conversations that a template has rendered.

    They begin as the tokenizer begins every text, once: where a template has written the first
    token itself, it is not written again. Nothing is added at their ends.
    """
    if not texts:
        return []
    before = list(find_frame(tokenizer).before)
    bare = map(list, tokenizer(list(texts), add_special_tokens=False)["input_ids"])
    return [ids if ids[: len(before)] == before else before + ids for ids in bare]


def find_end_tokens(folder: Path, tokenizer: Any) -> frozenset[int]:
    """Returns all tokens that end an answer: the tokenizer's end token, and those of
    generation_config.json, or where there is none, of config.json."""
    found = {tokenizer.eos_token_id}
    for name in ("generation_config.json", "config.json"):
        if (folder / name).is_file():
            told = json.loads((folder / name).read_text(encoding="utf-8")).get("eos_token_id")
            found |= set(told) if isinstance(told, list) else {told}
            break
    return frozenset(token for token in found if isinstance(token, int) and token >= 0)


def read_stated_length(config: Any, tokenizer: Any) -> int | None:
    """Returns the longest text in tokens that the checkpoint says it takes; None where it says
    nothing."""
    text = config.get_text_config()
    for name in _LENGTHS:
        value = getattr(text, name, None)
        if isinstance(value, int) and value > 0:
            return value
    longest = getattr(tokenizer, "model_max_length", None)
    return int(longest) if longest and 0 < longest < _NO_LENGTH else None


def check_vocabulary(folder: Path, tokenizer: Any, rows: int) -> list[str]:
    """Warns of tokens for which the model has none of its `rows` of embeddings.

    Raises `CheckpointError` where a text could hold one of them, or a conversation must. (Special
    tokens that nobody writes, such as one for images, do no harm.)
    """
    beyond = {token for token, number in tokenizer.get_vocab().items() if number >= rows}
    if not beyond:
        return []
    special = {t.content for t in tokenizer.added_tokens_decoder.values() if t.special}
    template = str(getattr(tokenizer, "chat_template", None) or "")
    needed = {tokenizer.bos_token, tokenizer.eos_token}
    used = {t for t in beyond if t not in special or t in needed or t in template}
    names = ", ".join(sorted(beyond)[:3]) + (", ..." if len(beyond) > 3 else "")
    fault = (
        f"the tokenizer of {folder} has {len(beyond)} tokens ({names}) for which the model has no "
        f"embedding: it has {rows:,}"
    )
    if used:
        raise CheckpointError(
            f"{fault}. Remedy: put the tokenizer beside the model that belongs to it, or train "
            "the new tokens first: model.resize_token_embeddings(len(tokenizer))."
        )
    return [fault]


def check_tokens(ids: Sequence[Sequence[int]], rows: int) -> None:
    """Raises `CheckpointError` where a text has a token without embedding."""
    highest = max((max(some) for some in ids if some), default=0)
    if highest >= rows:
        raise CheckpointError(
            f"the tokenizer gives token {highest}, but the model has only {rows} embeddings. "
            "Remedy: use the tokenizer that belongs to the model."
        )
