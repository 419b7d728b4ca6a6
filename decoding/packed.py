"""Rows of tokens laid end to end behind one shared beginning: a forward pass over many.

Every item of a task begins with the same shots. Their keys and values are computed once
(`Prefix`), and stand once in memory. The rows that continue from them are given to the model as a
single sequence, without padding: the dense layers, which are nearly all of the work, see each token
once. Only attention must know which token belongs to which row; it is `_attend`, registered
with transformers under the name `NAME`, and it asks the pass that is under way.

Attention is taken in two parts: the tokens of all rows look at the prefix as if they were one row,
and then each row looks at itself.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from decoding.attention import Part, attend_once, merge_attention
from decoding.errors import NotPackable

NAME = "kakugo_packed"

KeysValues = tuple[Tensor, Tensor]


class Pass(Protocol):
    """The attention of a forward pass that is under way.

    `attend` takes query (1, H, N, D), keys and values (1, H_kv, N, D) of the N tokens in one layer
    and returns the outputs (1, N, H, D).
    """

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """Computes the attention of one layer for this pass."""


_current: ContextVar[Pass] = ContextVar("pass")


def _attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **options: Any,
) -> tuple[Tensor, None]:
    for option in ("sliding_window", "softcap", "s_aux", "position_bias"):
        if options.get(option) is not None:
            raise NotPackable(f"its attention has {option}")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    if torch.is_autocast_enabled(query.device.type):
        # Rotary positions leave queries and keys in fp32, and values are in the lower precision.
        dtype = torch.get_autocast_dtype(query.device.type)
        query, key, value = query.to(dtype), key.to(dtype), value.to(dtype)
    return _current.get().attend(module.layer_idx, query, key, value, scale), None


AttentionInterface.register(NAME, _attend)
AttentionMaskInterface.register(NAME, lambda *args, **kwargs: None)


@contextmanager
def _running_pass(current: Pass) -> Iterator[None]:
    token = _current.set(current)
    try:
        yield
    finally:
        _current.reset(token)


class Prefix:
    """Keys and values of the shared beginning, for each layer: (H_kv, P, D)."""

    def __init__(self, length: int = 0) -> None:
        self.length = length
        self.layers: dict[int, KeysValues] = {}

    def attend_over(self, layer: int, query: Tensor, own: Part, scale: float) -> Tensor:
        """Computes attention (1, N, H, D) of N tokens over the prefix and over what they have
        seen themselves, `own`: (N, H, D) and (N, H). `query` is (1, H, N, D)."""
        if layer not in self.layers:
            return own[0][None]
        keys, values = self.layers[layer]
        output, total = attend_once(query, keys[None], values[None], scale)
        return merge_attention(own, (output[0].transpose(0, 1), total[0].transpose(0, 1)))[None]


class Rows:
    """A pass over whole rows, each seeing the prefix and, of itself, what `visible` allows.

    `lengths` are the rows' lengths, in the order in which they are laid end to end. `visible`
    (R, W, W) defaults to each token seeing those before it and itself. `kept` collects each layer's
    keys and values of the N tokens, (H_kv, N, D), where they are needed later.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        prefix: Prefix,
        device: Any,
        visible: Tensor | None = None,
        kept: dict[int, KeysValues] | None = None,
    ) -> None:
        self.prefix = prefix
        self.kept = kept
        size = torch.tensor(lengths, device=device)
        width = max(lengths)
        columns = torch.arange(width, device=device)
        start = size.cumsum(0) - size
        inside = columns < size[:, None]  # (R, W)
        # Padding looks at the row's first token; its output is thrown away.
        self.gather = (start[:, None] + torch.where(inside, columns, 0)).flatten()
        self.inside = inside.flatten().nonzero()[:, 0]
        self.shape = (len(lengths), width)
        self.visible = None if visible is None else visible[:, None]

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """Computes the attention of one layer over the prefix and the rows; see `Pass`."""
        if self.kept is not None:
            self.kept[layer] = (key[0], value[0])
        output, total = attend_once(
            self._split_rows(query),
            self._split_rows(key),
            self._split_rows(value),
            scale,
            self.visible,
            causal=self.visible is None,
        )  # (R, H, W, D), (R, H, W)
        own = (self._join_tokens(output), self._join_tokens(total))
        return self.prefix.attend_over(layer, query, own, scale)

    def _split_rows(self, tokens: Tensor) -> Tensor:
        """Reshapes (1, H, N, D) to (R, H, W, D)."""
        rows = tokens[0].transpose(0, 1).index_select(0, self.gather)
        return rows.view(*self.shape, *rows.shape[1:]).transpose(1, 2)

    def _join_tokens(self, rows: Tensor) -> Tensor:
        """Reshapes (R, H, W, ...) to (N, H, ...), without the padding."""
        return rows.transpose(1, 2).flatten(0, 1).index_select(0, self.inside)


class PackedModel:
    """A causal language model of transformers, run over packed rows. `NotPackable` if it cannot.

    `probed`: that was found before, of the same model. A model in training is best probed before
    it: under autocast rounding alone can be a fifth of a logit that few texts lead to.
    """

    def __init__(self, model: Any, *, probed: bool = False) -> None:
        obstacle = _find_obstacle(model)
        if obstacle:
            raise NotPackable(obstacle)
        self.model = model
        self._before = model.config._attn_implementation
        if probed:
            model.set_attn_implementation(NAME)
        else:
            self._probe()

    def run_prefix(self, tokens: Sequence[int]) -> Prefix:
        """Runs the shared beginning once."""
        prefix = Prefix(len(tokens))
        if tokens:
            kept: dict[int, KeysValues] = {}
            self.forward(Rows([len(tokens)], Prefix(), self.device, kept=kept), [tokens], 0, [0])
            prefix.layers = kept
        return prefix

    def forward(
        self,
        current: Pass,
        rows: Sequence[Sequence[int]],
        start: int,
        needed: Sequence[int],
        positions: Sequence[int] | None = None,
    ) -> Tensor:
        """Computes logits (len(needed), vocabulary) at the indices `needed` of the rows laid end
        to end.

        Positions count from `start` in each row, unless given for each token.
        """
        tokens = [token for row in rows for token in row]
        places = positions or [start + place for row in rows for place in range(len(row))]
        with _running_pass(current):
            output = self.model(
                torch.tensor([tokens], device=self.device),
                position_ids=torch.tensor([places], device=self.device),
                use_cache=False,
                logits_to_keep=torch.tensor(list(needed), device=self.device),
            )
        logits: Tensor = output.logits[0]
        return logits

    def restore_attention(self) -> None:
        """Gives the model its own attention back."""
        self.model.set_attn_implementation(self._before)

    @property
    def device(self) -> Any:
        """The device on which the model is."""
        return self.model.device

    @torch.no_grad()
    def _probe(self) -> None:
        """Compares a packed pass with plain ones, whatever the configuration says of the model."""
        shared, rows = [5, 6, 7, 8, 9], [[10, 11, 12], [13, 14, 15, 16]]
        plain = torch.stack(
            [
                self.model(
                    torch.tensor([shared + row], device=self.device),
                    use_cache=False,
                    logits_to_keep=1,
                ).logits[0, -1]
                for row in rows
            ]
        )
        self.model.set_attn_implementation(NAME)
        try:
            prefix = self.run_prefix(shared)
            layout = Rows([len(row) for row in rows], prefix, self.device)
            packed = self.forward(layout, rows, len(shared), [2, 6])
        except (LookupError, RuntimeError, TypeError, ValueError, NotPackable) as error:
            self.restore_attention()
            raise NotPackable(str(error) or type(error).__name__) from error
        difference = float((packed - plain).abs().max() / plain.abs().max())
        # Rounding: far below what a lost prefix or a mixed-up row does.
        if not difference < (1e-4 if plain.dtype == torch.float32 else 5e-2):
            self.restore_attention()
            raise NotPackable(f"a packed pass over it differs from a plain one by {difference:.2g}")


@contextmanager
def packing(model: Any, *, probed: bool = False) -> Iterator[PackedModel]:
    """Yields the model over packed rows, without dropout; afterwards it is as it was, say in
    training. For `probed` see `PackedModel`."""
    training = model.training
    model.eval()
    try:
        packed = PackedModel(model, probed=probed)
        try:
            yield packed
        finally:
            packed.restore_attention()
    finally:
        model.train(training)


def _find_obstacle(model: Any) -> str | None:
    """Names the reason why this model's rows cannot continue from a shared prefix; None if they
    can.

    Recurrent layers carry a state from token to token, and windows lose sight of the prefix; a
    window shows only in longer prompts than the probe's, hence this look at the configuration.
    """
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    kinds |= set(getattr(config, "layers_block_type", None) or [])
    if kinds - {"full_attention", "attention"}:
        return f"its layers are of the kinds {', '.join(sorted(kinds))}"
    if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
        return f"its attention window is {config.sliding_window} tokens"
    return None
