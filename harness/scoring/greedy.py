"""Greedy decoding of a batch that continues from a shared prefix."""

from collections.abc import Sequence
from typing import Any

import torch

from harness.scoring.prefix import SharedPrefix


def greedy(
    model: Any,
    tokenizer: Any,
    prefix: SharedPrefix,
    suffixes: Sequence[Sequence[int]],
    limits: Sequence[int],
    stops: Sequence[Sequence[str]],
) -> list[str]:
    """The greedy continuation of each suffix, cut before the first of its stop texts.

    Suffixes are padded on the left, so that all sequences end in the same column; padding is
    masked and does not count in positions. A sequence that is finished leaves the batch.
    """
    device = model.device
    rows = len(suffixes)
    width = max(len(suffix) for suffix in suffixes)
    padding = torch.tensor([width - len(suffix) for suffix in suffixes], device=device)
    ids = torch.tensor([[0] * (width - len(s)) + list(s) for s in suffixes], device=device)
    columns = torch.arange(width, device=device)
    mask = torch.ones(rows, prefix.length + width, dtype=torch.long, device=device)
    mask[:, prefix.length :] = (columns[None] >= padding[:, None]).long()
    positions = (prefix.length + columns[None] - padding[:, None]).clamp(min=0)

    cache = prefix.cache(rows)
    generated: list[list[int]] = [[] for _ in range(rows)]
    alive = list(range(rows))
    ends = set(_ids(tokenizer.eos_token_id)) | set(_ids(model.generation_config.eos_token_id))
    while alive:
        output = model(
            ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache = output.past_key_values
        tokens = output.logits[:, -1].argmax(-1)
        keep = []
        for row, (sequence, token) in enumerate(zip(alive, tokens.tolist(), strict=True)):
            if token in ends:
                continue
            generated[sequence].append(token)
            text = tokenizer.decode(generated[sequence], skip_special_tokens=True)
            stopped = any(stop in text for stop in stops[sequence])
            if not stopped and len(generated[sequence]) < limits[sequence]:
                keep.append(row)
        if len(keep) < len(alive):
            index = torch.tensor(keep, dtype=torch.long, device=device)
            alive = [alive[row] for row in keep]
            if not alive:
                break
            cache.batch_select_indices(index)
            tokens, mask, positions = tokens[index], mask[index], positions[index]
        ids = tokens[:, None]
        mask = torch.cat([mask, mask.new_ones(len(alive), 1)], dim=1)
        positions = positions[:, -1:] + 1

    texts = []
    for tokens_of, stops_of in zip(generated, stops, strict=True):
        text = tokenizer.decode(tokens_of, skip_special_tokens=True)
        for stop in stops_of:
            text = text.split(stop)[0]
        texts.append(text)
    return texts


def _ids(value: int | list[int] | None) -> list[int]:
    """End tokens as a list: configurations give none, one or several."""
    return [] if value is None else value if isinstance(value, list) else [value]
