"""Greedy decoding without a shared prefix, for models whose rows cannot be packed.

Recurrent layers carry a state from token to token, and attention windows lose sight of the shots:
every prompt is run whole.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import StoppingCriteria, StoppingCriteriaList

from decoding.prompts import Continuation, TokenPrompt


class _Stopped(StoppingCriteria):  # type: ignore[misc]  # transformers has no type information
    """Stops each row whose answer holds one of its stop texts."""

    def __init__(self, tokenizer: Any, prompts: Sequence[TokenPrompt], start: int) -> None:
        self.tokenizer, self.prompts, self.start = tokenizer, prompts, start

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        texts = self.tokenizer.batch_decode(input_ids[:, self.start :], skip_special_tokens=True)
        return torch.tensor(
            [prompt.has_stopped(text) for text, prompt in zip(texts, self.prompts, strict=True)],
            device=input_ids.device,
        )


def decode(
    model: Any, tokenizer: Any, ends: frozenset[int], prompts: Sequence[TokenPrompt]
) -> list[Continuation]:
    """Continues prompts greedily by transformers' own `generate`, those of one length at a time:
    padding before a prompt would enter the state of a recurrent layer.

    Nothing but what is said here decides a token: the model's own generation configuration must
    be empty."""
    found: dict[int, Continuation] = {}
    kinds: dict[tuple[int, int, float], list[int]] = {}
    for index, prompt in enumerate(prompts):
        kinds.setdefault((len(prompt.context), prompt.limit, prompt.penalty), []).append(index)
    for (length, limit, penalty), members in kinds.items():
        ids = torch.tensor([prompts[index].context for index in members], device=model.device)
        stopped = _Stopped(tokenizer, [prompts[index] for index in members], length)
        output = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=limit,
            do_sample=False,
            repetition_penalty=penalty,
            eos_token_id=sorted(ends) or None,
            pad_token_id=min(ends, default=0),
            stopping_criteria=StoppingCriteriaList([stopped]),
        )
        for index, row in zip(members, output[:, length:].tolist(), strict=True):
            found[index] = _make_continuation(row, prompts[index], ends, tokenizer)
    return [found[index] for index in range(len(prompts))]


def _make_continuation(
    row: Sequence[int], prompt: TokenPrompt, ends: frozenset[int], tokenizer: Any
) -> Continuation:
    tokens = []
    for token in row:
        if token in ends:
            break
        tokens.append(token)
    text = tokenizer.decode(tokens, skip_special_tokens=True)
    finished = len(tokens) < len(row) or prompt.has_stopped(text)
    return Continuation(prompt.take_answer(text), len(tokens), finished or len(row) < prompt.limit)
