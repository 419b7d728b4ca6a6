"""Decodes greedily: the most probable token comes next, the first of several."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from decoding.loop import Decoded, decode
from decoding.packed import PackedModel, Prefix
from decoding.prompts import Continuation, TokenPrompt, Tokens


def decode_greedily(
    model: PackedModel,
    tokenizer: Any,
    ends: frozenset[int],
    shared: Tokens,
    prefix: Prefix,
    prompts: Sequence[TokenPrompt],
    slots: int,
) -> list[Continuation]:
    """Continues each prompt greedily; the arguments are those of `decoding.loop.decode`."""
    found = decode(model, tokenizer, ends, shared, prefix, prompts, slots, _choose_most_probable)
    return [Continuation(done.text, len(done.tokens), done.finished) for done in found]


def _choose_most_probable(
    logits: Tensor, penalised: Tensor, sequences: Sequence[Decoded]
) -> list[int]:
    chosen: list[int] = penalised.argmax(-1).tolist()
    return chosen
