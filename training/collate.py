"""Packed rows become a batch in which no document sees another, for each attention implementation.

- eager and sdpa are given a 4-D mask, causal within each document. (Position ids alone are not
  enough: Granite 4's class hands them to neither mask nor layers, and packed logits then differ
  from separate ones by a fifth, silently.)
- varlen and flash attention are given one row of all documents with `cu_seq_lens`.

`training.probe` checks on the loaded model that it works. (Not covered: flex_attention, to which
transformers 5.23 hands no mask of ours; and sliding windows, which a 4-D mask would replace.)
"""

from collections.abc import Sequence
from itertools import accumulate, chain
from typing import Any

import torch

from training.attention import is_flat
from training.dataset import IGNORED

Packed = dict[str, list[int]]


class Collator:
    """Makes a batch of packed rows. `isolated=False`: one causal row, as LLaMA-Factory packs."""

    def __init__(self, attention: str, padding: int, *, isolated: bool = True) -> None:
        self._attention = attention
        self._padding = padding
        self._isolated = isolated

    def __call__(self, rows: Sequence[Packed]) -> dict[str, Any]:
        """`input_ids`, `labels`, `position_ids` (rows, length), and what isolates documents: the
        number of each token's document in `documents`, of which `mask` makes the mask."""
        if self._isolated and is_flat(self._attention):
            return self._flatten(rows)
        length = max(len(row["input_ids"]) for row in rows)
        lengths = [self._measure_lengths(row, length) for row in rows]
        batch: dict[str, Any] = {
            "input_ids": _pad([row["input_ids"] for row in rows], length, self._padding),
            "labels": _pad([row["labels"] for row in rows], length, IGNORED),
            "position_ids": torch.tensor([_count_positions(some) for some in lengths]),
        }
        if self._isolated:
            batch["documents"] = torch.tensor([_number_documents(some) for some in lengths])
        elif len({len(row["input_ids"]) for row in rows}) > 1:
            used = [[1] * len(row["input_ids"]) for row in rows]
            batch["attention_mask"] = _pad(used, length, 0)
        return batch

    def _measure_lengths(self, row: Packed, length: int) -> list[int]:
        """Measure the documents in tokens; the padding counts as one more."""
        lengths = row["seq_lengths"] if self._isolated else [len(row["input_ids"])]
        rest = length - len(row["input_ids"])
        return [*lengths, rest] if rest else list(lengths)

    def mask(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The batch with a 4-D mask (rows, 1, length, length) in place of `documents`.

        It is made where the batch lies, and for one micro-batch at a time: for 8,000 tokens it
        takes a CPU half a second and 64 MB.
        """
        if "documents" not in batch:
            return batch
        rest = {name: value for name, value in batch.items() if name != "documents"}
        return rest | {"attention_mask": self._mask(batch["documents"])}

    def _mask(self, documents: torch.Tensor) -> torch.Tensor:
        """True where a token may look; for eager attention, which adds the mask, 0 there."""
        length, device = documents.shape[1], documents.device
        causal = torch.ones(length, length, dtype=torch.bool, device=device).tril()
        allowed = (causal & (documents[:, :, None] == documents[:, None, :]))[:, None]
        if self._attention == "eager":
            worst = torch.finfo(torch.float32).min
            return torch.zeros(allowed.shape, device=device).masked_fill(~allowed, worst)
        return allowed

    def _flatten(self, rows: Sequence[Packed]) -> dict[str, Any]:
        lengths = list(chain.from_iterable(row["seq_lengths"] for row in rows))
        starts = torch.tensor([0, *accumulate(lengths)], dtype=torch.int32)
        return {
            "input_ids": torch.tensor([list(chain.from_iterable(r["input_ids"] for r in rows))]),
            "labels": torch.tensor([list(chain.from_iterable(r["labels"] for r in rows))]),
            "position_ids": torch.tensor([_count_positions(lengths)]),
            "cu_seq_lens_q": starts,
            "cu_seq_lens_k": starts,
            "max_length_q": max(lengths),
            "max_length_k": max(lengths),
        }


def _count_positions(lengths: Sequence[int]) -> list[int]:
    return list(chain.from_iterable(map(range, lengths)))


def _number_documents(lengths: Sequence[int]) -> list[int]:
    return [number for number, length in enumerate(lengths) for _ in range(length)]


def _pad(rows: Sequence[list[int]], length: int, value: int) -> torch.Tensor:
    return torch.tensor([row + [value] * (length - len(row)) for row in rows])
