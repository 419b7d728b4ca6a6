"""Tokens that many prompts share, computed once.

All prompts of a task begin with the same shots. `SharedPrefix` runs the model over that common
part once and lets every batch continue from its key-value cache, which makes the cost of a task
P + N q tokens rather than N (P + q), for N items of q tokens behind a prefix of P.
"""

import copy
from collections.abc import Sequence
from typing import Any

import torch


def common_prefix(sequences: Sequence[list[int]]) -> list[int]:
    """The longest common beginning, leaving at least one token of each sequence outside.

    The last token must be run again, since it is its output that is wanted.
    """
    if len(sequences) < 2:
        return []  # nothing is shared, and a single sequence is cheapest in one piece
    first, last = min(sequences), max(sequences)
    limit = min(len(sequence) for sequence in sequences) - 1
    length = 0
    while length < limit and first[length] == last[length]:
        length += 1
    return first[:length]


class SharedPrefix:
    """The cache of one token sequence, expanded for each batch that continues from it."""

    def __init__(self, model: Any, tokens: Sequence[int]) -> None:
        self.length = len(tokens)
        self._cache: Any = None
        if tokens:
            ids = torch.tensor([list(tokens)], device=model.device)
            self._cache = model(ids, use_cache=True, logits_to_keep=1).past_key_values

    def cache(self, rows: int) -> Any:
        """A fresh cache for `rows` sequences; None where there is no prefix."""
        if self._cache is None:
            return None
        cache = copy.deepcopy(self._cache)
        cache.batch_repeat_interleave(rows)
        return cache


def can_share(model: Any) -> str | None:
    """Why this model's cache cannot be expanded and continued, or None if it can.

    Recurrent layers keep a state that padding would corrupt, and sliding windows drop the prefix.
    """
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    kinds |= set(getattr(config, "layers_block_type", None) or [])
    if kinds - {"full_attention", "attention"}:
        return f"its layers are of the kinds {', '.join(sorted(kinds))}"
    if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
        return f"its attention window is {config.sliding_window} tokens"
    return None
