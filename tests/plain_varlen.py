"""torch's `varlen_attn` in plain operations, for machines without a GPU: the same arguments, shapes
and traps, differentiable, and row by row."""

from typing import Any

import torch
from torch import Tensor


def attend_plainly(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cu_seq_q: Tensor,
    cu_seq_k: Tensor,
    max_q: int,
    max_k: int,
    *,
    return_aux: Any = None,
    scale: float | None = None,
    window_size: tuple[int, int] = (-1, -1),
    enable_gqa: bool = False,
) -> Any:
    """Outputs (T, H, D); with `return_aux.lse` the denominators' logarithms too, as (H, T)."""
    assert cu_seq_q.dtype == cu_seq_k.dtype == torch.int32
    assert enable_gqa or query.shape[1] == key.shape[1]
    share = query.shape[1] // key.shape[1]
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    outputs, totals = [], []
    q_ends, k_ends = cu_seq_q.tolist(), cu_seq_k.tolist()
    for row in range(len(q_ends) - 1):
        q = query[q_ends[row] : q_ends[row + 1]].transpose(0, 1)
        k = key[k_ends[row] : k_ends[row + 1]].repeat_interleave(share, 1).transpose(0, 1)
        v = value[k_ends[row] : k_ends[row + 1]].repeat_interleave(share, 1).transpose(0, 1)
        assert q.shape[1] <= max_q
        assert k.shape[1] <= max_k
        scores = (q @ k.transpose(1, 2)).float() * scale
        # The last query of a row is at its last key.
        place = torch.arange(q.shape[1])[:, None] + k.shape[1] - q.shape[1]
        other = torch.arange(k.shape[1])[None]
        before, after = window_size
        hidden = torch.zeros(q.shape[1], k.shape[1], dtype=torch.bool)
        if before >= 0:
            hidden |= other < place - before
        if after >= 0:
            hidden |= other > place + after
        scores = scores.masked_fill(hidden, -torch.inf)
        totals.append(scores.logsumexp(-1))
        outputs.append((scores.softmax(-1).to(v.dtype) @ v).transpose(0, 1))
    output, total = torch.cat(outputs), torch.cat(totals, 1)
    return (output, total) if return_aux is not None and return_aux.lse else output
