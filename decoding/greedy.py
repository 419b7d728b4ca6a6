"""Greedy decoding behind a shared prefix: a finished sequence's place is taken by a waiting one.

A pass runs one token of every sequence under way; each sequence has a slot with room for its keys
and values, so that no tensor grows and none is copied when sequences come and go.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from decoding.attention import attention
from decoding.packed import KeysValues, PackedModel, Prefix, Rows
from decoding.prompts import Continuation, Prompt, Tokens


@dataclass
class _Sequence:
    prompt: Prompt
    index: int
    suffix: Tokens
    length: int = 0  # tokens in the slot
    tokens: list[int] = field(default_factory=list)


class Slots:
    """Room for the keys and values of `count` sequences of at most `room` tokens each."""

    def __init__(self, count: int, room: int) -> None:
        self.count, self.room = count, room
        self.layers: dict[int, KeysValues] = {}

    def layer(self, layer: int, key: Tensor, value: Tensor) -> KeysValues:
        """Keys and values (count, H_kv, room, D) of a layer, made at first sight of its shapes."""
        if layer not in self.layers:
            self.layers[layer] = (
                key.new_zeros(self.count, key.shape[1], self.room, key.shape[3]),
                value.new_zeros(self.count, value.shape[1], self.room, value.shape[3]),
            )
        return self.layers[layer]

    def fill(self, slot: int, kept: dict[int, KeysValues], start: int, length: int) -> None:
        """Puts a row of a finished pass into a slot."""
        for layer, (key, value) in kept.items():
            keys, values = self.layer(layer, key[None], value[None])
            keys[slot, :, :length] = key[:, start : start + length]
            values[slot, :, :length] = value[:, start : start + length]

    def move(self, source: int, target: int) -> None:
        """Copies a slot over another."""
        for keys, values in self.layers.values():
            keys[target], values[target] = keys[source], values[source]


class Step:
    """A pass over one token of each of the first slots; see `decoding.packed.Pass`."""

    def __init__(self, slots: Slots, prefix: Prefix, lengths: Sequence[int], device: Any) -> None:
        self.slots, self.prefix = slots, prefix
        self.longest = max(lengths) + 1
        self.places = torch.tensor(lengths, device=device)
        columns = torch.arange(self.longest, device=device)
        self.visible = (columns <= self.places[:, None])[:, None, None]  # (R, 1, 1, C)

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """See `Pass`."""
        rows = len(self.places)
        keys, values = self.slots.layer(layer, key, value)
        every = torch.arange(rows, device=key.device)
        keys[every, :, self.places] = key[0].transpose(0, 1)
        values[every, :, self.places] = value[0].transpose(0, 1)
        # A row has one token: the query heads that share keys are as so many tokens of one head.
        groups = (rows, key.shape[1], -1, key.shape[3])
        output, total = attention(
            query[0].transpose(0, 1).reshape(groups),
            keys[:rows, :, : self.longest],
            values[:rows, :, : self.longest],
            scale,
            self.visible,
        )
        own = (output.reshape(rows, query.shape[1], -1), total.reshape(rows, -1))
        return self.prefix.joined(layer, query, own, scale)


def greedy(
    model: PackedModel,
    tokenizer: Any,
    ends: frozenset[int],
    shared: Tokens,
    prefix: Prefix,
    prompts: Sequence[Prompt],
    slots: int,
) -> list[Continuation]:
    """The greedy continuation of each prompt, at most `slots` at once.

    All contexts begin with `shared`, whose keys and values are in `prefix`; `ends` are the tokens
    that end an answer. The result does not
    depend on `slots` but for rounding.
    """
    room = max(len(prompt.context) - len(shared) + prompt.limit for prompt in prompts)
    store = Slots(min(slots, len(prompts)), room)
    waiting = list(reversed(range(len(prompts))))
    under_way: list[_Sequence] = []
    seen = (
        _Seen(model, shared, store.count)
        if any(prompt.penalty != 1.0 for prompt in prompts)
        else None
    )
    found: dict[int, Continuation] = {}
    while waiting or under_way:
        free = store.count - len(under_way)
        # A pass over few tokens costs nearly as much as one over many: newcomers enter in groups.
        if waiting and (not under_way or free >= max(1, store.count // 8)):
            fresh = [
                _Sequence(prompts[i], i, prompts[i].context[len(shared) :])
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
            step = Step(store, prefix, [s.length for s in active], model.device)
            logits = model.forward(
                step,
                [[s.tokens[-1]] for s in active],
                0,
                range(len(active)),
                [prefix.length + s.length for s in active],
            )
            for sequence in active:
                sequence.length += 1
        if seen:
            logits = seen.penalised(logits, entered, active)
        chosen = logits.argmax(-1).tolist()
        if seen:
            seen.add(entered, chosen)
        over = []
        for place, (sequence, token) in enumerate(zip(active, chosen, strict=True), entered):
            done = _advance(sequence, token, ends, tokenizer)
            if done is not None:
                found[sequence.index] = done
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
    under_way: Sequence[_Sequence],
    fresh: Sequence[_Sequence],
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


def _advance(
    sequence: _Sequence, token: int, ends: frozenset[int], tokenizer: Any
) -> Continuation | None:
    """Takes one more token; the result if that was the last."""
    if token in ends:
        return _result(sequence, tokenizer, finished=True)
    sequence.tokens.append(token)
    if sequence.prompt.stops:
        text = tokenizer.decode(sequence.tokens, skip_special_tokens=True)
        if sequence.prompt.stopped(text):
            return _result(sequence, tokenizer, finished=True)
    if len(sequence.tokens) >= sequence.prompt.limit:
        return _result(sequence, tokenizer, finished=False)
    return None


def _result(sequence: _Sequence, tokenizer: Any, *, finished: bool) -> Continuation:
    text = tokenizer.decode(sequence.tokens, skip_special_tokens=True)
    return Continuation(sequence.prompt.said(text), len(sequence.tokens), finished)


class _Seen:
    """Which tokens each slot's prompt and answer hold, for the repetition penalty."""

    def __init__(self, model: PackedModel, shared: Tokens, count: int) -> None:
        size = model.model.get_output_embeddings().weight.shape[0]
        self.shared = torch.tensor(list(shared), dtype=torch.long, device=model.device)
        self.tokens = torch.zeros(count, size, dtype=torch.bool, device=model.device)

    def enter(self, first: int, fresh: Sequence[_Sequence]) -> None:
        for slot, sequence in enumerate(fresh, first):
            self.tokens[slot] = False
            self.tokens[slot, self.shared] = True
            self.tokens[slot, list(sequence.suffix)] = True

    def add(self, first: int, chosen: Sequence[int]) -> None:
        rows = range(first, first + len(chosen))
        self.tokens[list(rows), list(chosen)] = True

    def move(self, source: int, target: int) -> None:
        self.tokens[target] = self.tokens[source]

    def penalised(self, logits: Tensor, first: int, active: Sequence[_Sequence]) -> Tensor:
        penalty = torch.tensor([[s.prompt.penalty] for s in active], device=logits.device)
        lowered = torch.where(logits < 0, logits * penalty, logits / penalty)
        seen = self.tokens[first : first + len(active), : logits.shape[-1]]
        return torch.where(seen, lowered, logits)
