"""Attention within rows of unequal lengths that lie end to end, by torch's own fused operation.

`torch.nn.attention.varlen.varlen_attn` never builds the scores, so that its memory grows with the
tokens and not with their square. It is found by what this machine has, and not by a version.
Trap: it gives the denominators' logarithms as (H, T), whatever its docstring says.
"""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

CAUSAL = (-1, 0)
EVERYTHING = (-1, -1)
_NEEDED = {"scale", "window_size", "return_aux"}


def find_obstacle(device: torch.device, dtype: torch.dtype) -> str | None:
    """Names the reason why the operation does not run on such tensors; None where it does."""
    if device.type != "cuda" or torch.version.cuda is None:
        return "torch's varlen_attn runs on NVIDIA GPUs"
    if torch.cuda.get_device_capability(device) < (8, 0):
        return "torch's varlen_attn wants a GPU of Ampere's generation or later"
    if dtype not in (torch.bfloat16, torch.float16):
        return "torch's varlen_attn computes in bf16 or fp16"
    try:
        kernel = load_kernel()
    except ImportError:
        return f"torch {torch.__version__} has no varlen_attn"
    lacking = _NEEDED - inspect.signature(kernel).parameters.keys()
    return f"varlen_attn of torch {torch.__version__} has no {min(lacking)}" if lacking else None


def load_kernel() -> Callable[..., Any]:
    """Loads torch's operation. Raises ImportError where this torch has none."""
    from torch.nn.attention.varlen import varlen_attn

    return varlen_attn  # type: ignore[no-any-return,unused-ignore]


def attend_within_rows(
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    starts: tuple[Tensor, Tensor],
    longest: tuple[int, int],
    scale: float,
    window: tuple[int, int] = EVERYTHING,
) -> tuple[Tensor, Tensor]:
    """Computes attention of each row's queries over that row's keys: outputs (T, H, D), and the
    logarithm of each softmax's denominator, (T, H) in fp32.

    query (T, H, D); keys and values (C, H_kv, D), of which each serves H / H_kv query heads in
    turn. `starts` are where the rows of queries and of keys begin, and behind them T and C: (R + 1)
    in int32, on the tensors' device; `longest` are the most tokens of a row. `window` says how many
    keys before and after its own a query sees (-1: all of them), where the last query of a row is
    at its last key.
    """
    from torch.nn.attention.varlen import AuxRequest

    kernel = load_kernel()
    options: dict[str, Any] = {}
    if keys.shape[1] != query.shape[1]:
        if "enable_gqa" in inspect.signature(kernel).parameters:
            options["enable_gqa"] = True
        else:
            share = query.shape[1] // keys.shape[1]
            keys, values = keys.repeat_interleave(share, 1), values.repeat_interleave(share, 1)
    output, total = kernel(
        query,
        keys,
        values,
        starts[0],
        starts[1],
        longest[0],
        longest[1],
        return_aux=AuxRequest(lse=True),
        scale=scale,
        window_size=window,
        **options,
    )
    return output, total.transpose(0, 1)


def count_starts(rows: int, length: int, device: torch.device) -> Tensor:
    """Returns where rows of one length begin, and behind them their end: (rows + 1) in int32."""
    return torch.arange(rows + 1, device=device, dtype=torch.int32) * length
