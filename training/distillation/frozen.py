"""A model whose probabilities are asked for and whose weights stay: the teacher, or the start."""

from collections.abc import Sequence
from pathlib import Path

import torch

from core.checkpoints.opening import open_config, open_model
from training.attention import choose_attention
from training.collate import Collator, Packed
from training.dataset import IGNORED
from training.distillation.losses import Predictions
from training.distillation.output_layer import check_output_layer, find_output_layer
from training.probe import probe
from training.settings import Precision, Train


class FrozenModel:
    """A checkpoint that stands whole in each process."""

    def __init__(
        self,
        folder: Path,
        settings: Train,
        precision: Precision,
        device: torch.device,
        *,
        whole: bool = False,
    ) -> None:
        """Its weights are in the precision that is computed in; `whole`: in fp32, as the student's
        are. Of the start that is needed: a sequence's log-ratio is a small difference of large
        numbers, of which the rounding of a whole model in bf16 would be a good part.

        Raises CheckpointError, LeakError and DistillationError where it cannot be used.
        """
        config = open_config(folder)
        chosen = choose_attention(settings, precision, config, device)
        lowered = precision == "bf16"
        dtype = torch.bfloat16 if lowered and not whole else torch.float32
        self.model = open_model(folder, dtype=dtype, **chosen.options).model
        self.model.to(device).eval().requires_grad_(False)
        self._device = device
        self._lowering = torch.autocast(device.type, torch.bfloat16, enabled=lowered and whole)
        self._collator = Collator(str(self.model.config._attn_implementation), padding=0)
        self._layer = find_output_layer(self.model)
        check_output_layer(self.model, self._layer)
        with self._lowering:
            probe(self.model, self._collator, self.model.config, precision=precision, device=device)

    @torch.no_grad()
    def predict(self, rows: Sequence[Packed]) -> Predictions:
        """Compute what it predicts at the positions whose next token is trained, row by row."""
        if not rows:
            width = self.model.config.get_text_config().hidden_size
            return Predictions(
                self.model.get_output_embeddings().weight.new_zeros(0, width), self._layer
            )
        batch = self._collator(rows)
        inputs = {
            name: value.to(self._device) if isinstance(value, torch.Tensor) else value
            for name, value in batch.items()
        }
        trained = inputs.pop("labels")[:, 1:] != IGNORED
        with self._lowering:
            outputs = self.model.base_model(**self._collator.mask(inputs), use_cache=False)
        return Predictions(outputs.last_hidden_state[:, :-1][trained], self._layer)
