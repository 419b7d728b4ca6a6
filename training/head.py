"""The output layer computes only the positions whose next token is trained.

TRL's fused head leaves the others out on GPUs; on a CPU it would score every position, and with a
large vocabulary that is a third of a small student's step, half of it for nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


class TrainedPositions:
    """Chooses among the hidden states that the backbone of `model` hands to its output layer."""

    def __init__(self, model: Any) -> None:
        self._trained: torch.Tensor | None = None
        self._taken: list[torch.Tensor] | None = None
        model.base_model.register_forward_hook(self._choose)

    @contextmanager
    def limiting_to(self, trained: torch.Tensor) -> Iterator[None]:
        """While it lasts, the output layer is given the positions (rows, length - 1) that are true
        in `trained`, as one row. (The last position of each row predicts nothing.)"""
        self._trained = trained
        try:
            yield
        finally:
            self._trained = None

    @contextmanager
    def collecting(self, trained: torch.Tensor) -> Iterator[list[torch.Tensor]]:
        """While it lasts, the hidden states (N, width) at these positions go into the list, a
        tensor for each pass, and the output layer is given a single position, of no use."""
        self._trained, self._taken = trained, []
        try:
            yield self._taken
        finally:
            self._trained = self._taken = None

    def _choose(self, _module: Any, _inputs: Any, outputs: Any) -> Any:
        if self._trained is None:
            return outputs
        chosen = outputs.last_hidden_state[:, :-1][self._trained]
        if self._taken is None:
            outputs.last_hidden_state = chosen[None]
        else:
            self._taken.append(chosen)
            outputs.last_hidden_state = outputs.last_hidden_state[:, :1]
        return outputs
