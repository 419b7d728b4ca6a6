"""Softmax attention in parts: what rows see of a shared beginning, and what each sees of itself.

The parts' outputs are weighted by the denominators of their softmax (as in online softmax, Milakov
& Gimelshein 2018, arXiv 1805.02867), so that nothing that rows share is copied for each of them.
"""

import torch
from torch import Tensor

from decoding import varlen

Part = tuple[Tensor, Tensor]
"""Attention over some of the keys: outputs (..., D), and the logarithm of each softmax's
denominator, (...) in fp32."""


def attend_once(
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    scale: float,
    visible: Tensor | None = None,
    *,
    causal: bool = False,
) -> Part:
    """Computes attention over these keys alone: outputs (R, H, W, D), denominators (R, H, W).

    query (R, H, W, D); keys and values (R, H_kv, C, D), of which each serves H / H_kv query heads
    in turn. `visible` (R, 1, 1 or W, C) says which keys a query sees, at least one each; without it
    all of them, or, if `causal`, those up to its own place. Scores are taken in fp32.
    """
    if visible is None and keys.shape == values.shape and _is_fused(query):
        return _attend_fused(query, keys, values, scale, causal=causal)
    share = query.shape[1] // keys.shape[1]
    if share > 1:
        keys, values = keys.repeat_interleave(share, 1), values.repeat_interleave(share, 1)
    fused = query.device.type == "cpu" and keys.shape == values.shape
    if causal and not fused:
        visible = torch.ones(query.shape[2], keys.shape[2], device=query.device).tril().bool()
    hidden = None
    if visible is not None:
        hidden = torch.zeros_like(visible, dtype=query.dtype).masked_fill_(~visible, -torch.inf)
    if fused:
        # What scaled_dot_product_attention runs on a CPU, and keeps the denominator of.
        part: Part = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            query, keys, values, 0.0, causal, attn_mask=hidden, scale=scale
        )
        return part
    scores = torch.matmul(query * scale, keys.transpose(-1, -2)).float()
    if hidden is not None:
        scores += hidden
    total = scores.logsumexp(-1)
    weights = scores.sub_(total[..., None]).exp_()
    return torch.matmul(weights.to(values.dtype), values), total


def _is_fused(query: Tensor) -> bool:
    return varlen.find_obstacle(query.device, query.dtype) is None


def _attend_fused(
    query: Tensor, keys: Tensor, values: Tensor, scale: float, *, causal: bool
) -> Part:
    """Computes `attend_once` on a GPU without building the scores, which for shots of 6,000 tokens
    would take more memory than the model."""
    rows, heads, width, size = query.shape
    output, total = varlen.attend_within_rows(
        query.transpose(1, 2).reshape(rows * width, heads, size),
        keys.transpose(1, 2).reshape(-1, keys.shape[1], size),
        values.transpose(1, 2).reshape(-1, values.shape[1], size),
        (
            varlen.count_starts(rows, width, query.device),
            varlen.count_starts(rows, keys.shape[2], query.device),
        ),
        (width, keys.shape[2]),
        scale,
        varlen.CAUSAL if causal else varlen.EVERYTHING,
    )
    return (
        output.view(rows, width, heads, size).transpose(1, 2),
        total.reshape(rows, width, heads).transpose(1, 2),
    )


def merge_attention(one: Part, other: Part) -> Tensor:
    """Joins the attention over two parts into attention over the keys of both."""
    share = torch.sigmoid(one[1] - other[1])[..., None]
    return torch.lerp(other[0], one[0], share.to(one[0].dtype))
