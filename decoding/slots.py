"""Room for the keys and values of sequences that are decoded side by side.

Each sequence has a slot, so that no tensor grows and none is copied when sequences come and go.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from decoding.attention import attend_once
from decoding.packed import KeysValues, Prefix


class Slots:
    """Room for the keys and values of `count` sequences of at most `room` tokens each."""

    def __init__(self, count: int, room: int) -> None:
        self.count, self.room = count, room
        self.layers: dict[int, KeysValues] = {}

    def find_layer(self, layer: int, key: Tensor, value: Tensor) -> KeysValues:
        """Returns keys and values (count, H_kv, room, D) of a layer, made at first sight of its
        shapes."""
        if layer not in self.layers:
            self.layers[layer] = (
                key.new_zeros(self.count, key.shape[1], self.room, key.shape[3]),
                value.new_zeros(self.count, value.shape[1], self.room, value.shape[3]),
            )
        return self.layers[layer]

    def fill(self, slot: int, kept: dict[int, KeysValues], start: int, length: int) -> None:
        """Puts a row of a finished pass into a slot."""
        for layer, (key, value) in kept.items():
            keys, values = self.find_layer(layer, key[None], value[None])
            keys[slot, :, :length] = key[:, start : start + length]
            values[slot, :, :length] = value[:, start : start + length]

    def move(self, source: int, target: int) -> None:
        """Copies a slot over another."""
        for keys, values in self.layers.values():
            keys[target], values[target] = keys[source], values[source]


class TokenStep:
    """A pass over one token of each of the first slots; see `decoding.packed.Pass`."""

    def __init__(self, slots: Slots, prefix: Prefix, lengths: Sequence[int], device: Any) -> None:
        self.slots, self.prefix = slots, prefix
        self.longest = max(lengths) + 1
        self.places = torch.tensor(lengths, device=device)
        columns = torch.arange(self.longest, device=device)
        self.visible = (columns <= self.places[:, None])[:, None, None]  # (R, 1, 1, C)

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """Computes the attention of one layer over the prefix and the slots; see
        `decoding.packed.Pass`."""
        rows = len(self.places)
        keys, values = self.slots.find_layer(layer, key, value)
        every = torch.arange(rows, device=key.device)
        keys[every, :, self.places] = key[0].transpose(0, 1)
        values[every, :, self.places] = value[0].transpose(0, 1)
        # A row has one token: the query heads that share keys are as so many tokens of one head.
        groups = (rows, key.shape[1], -1, key.shape[3])
        output, total = attend_once(
            query[0].transpose(0, 1).reshape(groups),
            keys[:rows, :, : self.longest],
            values[:rows, :, : self.longest],
            scale,
            self.visible,
        )
        own = (output.reshape(rows, query.shape[1], -1), total.reshape(rows, -1))
        return self.prefix.attend_over(layer, query, own, scale)
