"""Decodes behind a shared prefix: a finished sequence's place is taken by a waiting one.

A pass runs one token of every sequence under way. Which token comes next is decided by who calls.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from decoding.packed import KeysValues, PackedModel, Prefix, Rows
from decoding.prompts import TokenPrompt, Tokens
from decoding.slots import Slots, TokenStep

# Tokens that are decoded before those that may hold a stop text: some tokenizers drop the space
# that a text begins with, and the first bytes may be the rest of a character.
_BEFORE = 8


@dataclass
class Decoded:
    """A sequence under way, and at last what came of it.

    `suffix` is the part of the prompt after the shared prefix. `tokens` are those of the answer
    without the one that ended it, which is `end`; `finished` says that the limit did not end it.
    `logprobs` are for who chooses the tokens.
    """

    prompt: TokenPrompt
    index: int
    suffix: Tokens
    length: int = 0  # tokens in the slot
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    end: int | None = None
    finished: bool = False
    text: str = ""

    def take(self, token: int, ends: frozenset[int], tokenizer: Any) -> bool:
        """Appends one more token; True if that was the last."""
        if token in ends:
            self.end, self.finished = token, True
        else:
            self.tokens.append(token)
            if self.prompt.stops and self._may_have_stopped(tokenizer):
                self.finished = self.prompt.has_stopped(self._decode(tokenizer))
        over = self.finished or len(self.tokens) >= self.prompt.limit
        if over:
            self.text = self.prompt.take_answer(self._decode(tokenizer))
        return over

    def _may_have_stopped(self, tokenizer: Any) -> bool:
        """Says whether the last tokens hold a stop text: decoding all of them at every step takes
        time that grows with the square of the answer's length.

        A stop text ends in the last token, and none of its tokens is shorter than a byte.
        """
        most = max(len(stop.encode()) for stop in self.prompt.stops) + _BEFORE
        text = tokenizer.decode(self.tokens[-most:], skip_special_tokens=True)
        return any(stop in text for stop in self.prompt.stops)

    def _decode(self, tokenizer: Any) -> str:
        text: str = tokenizer.decode(self.tokens, skip_special_tokens=True)
        return text


Choose = Callable[[Tensor, Tensor, Sequence[Decoded]], list[int]]
"""Chooses the next token of each sequence: takes the model's logits (n, vocabulary), the same after
the repetition penalty, and the n sequences."""


def decode(
    model: PackedModel,
    tokenizer: Any,
    ends: frozenset[int],
    shared: Tokens,
    prefix: Prefix,
    prompts: Sequence[TokenPrompt],
    slots: int,
    choose: Choose,
) -> list[Decoded]:
    """Continues each prompt with the tokens that `choose` chooses, at most `slots` at once.

    All contexts begin with `shared`, whose keys and values are in `prefix`; `ends` are the tokens
    that end an answer. The logits do not depend on `slots` but for rounding.
    """
    room = max(len(prompt.context) - len(shared) + prompt.limit for prompt in prompts)
    store = Slots(min(slots, len(prompts)), room)
    waiting = list(reversed(range(len(prompts))))
    under_way: list[Decoded] = []
    seen = (
        Seen(model, shared, store.count)
        if any(prompt.penalty != 1.0 for prompt in prompts)
        else None
    )
    found: dict[int, Decoded] = {}
    while waiting or under_way:
        free = store.count - len(under_way)
        # A pass over few tokens costs nearly as much as one over many: newcomers enter in groups.
        if waiting and (not under_way or free >= max(1, store.count // 8)):
            fresh = [
                Decoded(prompts[i], i, prompts[i].context[len(shared) :])
                for i in reversed(waiting[-free:])
            ]
            del waiting[-len(fresh) :]
            logits = _enter(model, prefix, store, under_way, fresh)
            entered, under_way = len(under_way), [*under_way, *fresh]
            if seen:
                seen.enter(entered, fresh)
            active = under_way[entered:]
        else:
            entered, active = 0, under_way
            step = TokenStep(store, prefix, [s.length for s in active], model.device)
            logits = model.forward(
                step,
                [[s.tokens[-1]] for s in active],
                0,
                range(len(active)),
                [prefix.length + s.length for s in active],
            )
            for sequence in active:
                sequence.length += 1
        penalised = seen.penalise(logits, entered, active) if seen else logits
        chosen = choose(logits, penalised, active)
        if seen:
            seen.add(entered, chosen)
        over = []
        for place, (sequence, token) in enumerate(zip(active, chosen, strict=True), entered):
            if sequence.take(token, ends, tokenizer):
                found[sequence.index] = sequence
                over.append(place)
        for place in reversed(over):  # the last one moves into the gap
            last = len(under_way) - 1
            if place != last:
                store.move(last, place)
                if seen:
                    seen.move(last, place)
                under_way[place] = under_way[last]
            under_way.pop()
    return [found[index] for index in range(len(prompts))]


def _enter(
    model: PackedModel,
    prefix: Prefix,
    store: Slots,
    under_way: Sequence[Decoded],
    fresh: Sequence[Decoded],
) -> Tensor:
    """Runs the suffixes of new sequences into the slots after those under way: their next logits,
    (len(fresh), vocabulary)."""
    rows = [sequence.suffix for sequence in fresh]
    kept: dict[int, KeysValues] = {}
    layout = Rows([len(row) for row in rows], prefix, model.device, kept=kept)
    ends, end = [], 0
    for row in rows:
        end += len(row)
        ends.append(end - 1)
    logits = model.forward(layout, rows, prefix.length, ends)
    for slot, (sequence, end) in enumerate(zip(fresh, ends, strict=True), len(under_way)):
        sequence.length = len(sequence.suffix)
        store.fill(slot, kept, end + 1 - sequence.length, sequence.length)
    return logits


class Seen:
    """The tokens that each slot's prompt and answer hold, for the repetition penalty."""

    def __init__(self, model: PackedModel, shared: Tokens, count: int) -> None:
        size = model.model.get_output_embeddings().weight.shape[0]
        self.shared = torch.tensor(list(shared), dtype=torch.long, device=model.device)
        self.tokens = torch.zeros(count, size, dtype=torch.bool, device=model.device)

    def enter(self, first: int, fresh: Sequence[Decoded]) -> None:
        for slot, sequence in enumerate(fresh, first):
            self.tokens[slot] = False
            self.tokens[slot, self.shared] = True
            self.tokens[slot, list(sequence.suffix)] = True

    def add(self, first: int, chosen: Sequence[int]) -> None:
        rows = range(first, first + len(chosen))
        self.tokens[list(rows), list(chosen)] = True

    def move(self, source: int, target: int) -> None:
        self.tokens[target] = self.tokens[source]

    def penalise(self, logits: Tensor, first: int, active: Sequence[Decoded]) -> Tensor:
        penalty = torch.tensor([[s.prompt.penalty] for s in active], device=logits.device)
        lowered = torch.where(logits < 0, logits * penalty, logits / penalty)
        seen = self.tokens[first : first + len(active), : logits.shape[-1]]
        return torch.where(seen, lowered, logits)
