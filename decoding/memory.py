"""Limits a forward pass to what the memory allows, and halves it when that was too much."""

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch

from decoding.errors import TooLarge

Item = TypeVar("Item")
Result = TypeVar("Result")

# On a CPU larger passes are no faster (measured with SmolLM2-135M: 1,024 to 2,048 tokens).
CPU_TOKENS = 2048
GPU_TOKENS = 65536
# Of what the weights leave free on a GPU; the rest is for keys, values and fragments.
SHARE = 0.4


def estimate_batch_tokens(model: Any) -> int:
    """Estimates the number of tokens in a forward pass that fit in memory, a power of two.

    Taken from the memory that there is, not from what is free at the moment, so that base and
    trained checkpoint get the same on the same machine.
    """
    if model.device.type != "cuda":
        return CPU_TOKENS
    config = model.config.get_text_config()
    total = torch.cuda.get_device_properties(model.device).total_memory
    weights = sum(value.numel() * value.element_size() for value in model.parameters())
    width = 2 if model.dtype in (torch.bfloat16, torch.float16) else 4
    layer = 4 * config.hidden_size + 3 * getattr(config, "intermediate_size", 0)
    # Attention's scores over a prompt of 2,048 tokens, in fp32, twice.
    scores = 2 * 4 * 2048 * config.num_attention_heads
    fitting = SHARE * (total - weights) / (width * layer + scores)
    tokens = 256
    while tokens * 2 <= min(fitting, GPU_TOKENS):
        tokens *= 2
    return tokens


class Halving:
    """Runs batches, in halves once memory has run out. `times` says how often that happened."""

    def __init__(self) -> None:
        self.times = 0

    def run(
        self, items: Sequence[Item], compute: Callable[[Sequence[Item]], list[Result]]
    ) -> list[Result]:
        """Runs `compute` on all items, in order. Raises `TooLarge` when one alone does not fit."""
        pieces = min(2**self.times, len(items))
        size = -(-len(items) // pieces)
        results: list[Result] = []
        place = 0
        while place < len(items):
            part = items[place : place + size]
            try:
                results += compute(part)
            except (RuntimeError, MemoryError) as error:
                if not _is_out_of_memory(error):
                    raise
                if size == 1:
                    raise TooLarge("memory does not suffice for a single item") from None
                self.times += 1
                size = -(-size // 2)
            else:
                place += size
                continue
            # Outside of the handler: the error holds the tensors of the failed pass.
            _release_memory()
        return results


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return "not enough memory" in str(error) or "can't allocate memory" in str(error)


def _release_memory() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def find_local_rank() -> int:
    """Returns the number of the machine's GPU that this process uses."""
    return int(os.environ.get("LOCAL_RANK", 0))
