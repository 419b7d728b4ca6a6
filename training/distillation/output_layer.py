"""The last layer of a model, which makes logits of hidden states, apart from the rest of it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from training.errors import DistillationError

# Tokens of the text on which a layer is compared with the model's own logits.
_PROBE = (5, 6, 7, 8)
# Of the largest logit: fp32, and bf16.
_ROUNDING = {torch.float32: 1e-4, torch.bfloat16: 5e-2}


@dataclass(frozen=True)
class OutputLayer:
    """A linear layer, then a factor, then a cap: softcap x tanh(logits / softcap)."""

    linear: Any
    factor: float = 1.0
    softcap: float | None = None

    def count_tokens(self) -> int:
        """Count the tokens for which it has logits."""
        return int(self.linear.weight.shape[0])

    def compute_logits(self, hidden: Tensor) -> Tensor:
        """Computes the logits (N, vocabulary), in fp32, of hidden states (N, width)."""
        logits: Tensor = self.linear(hidden).float() * self.factor
        if self.softcap:
            logits = self.softcap * torch.tanh(logits / self.softcap)
        return logits


def find_output_layer(model: Any) -> OutputLayer:
    """Finds a transformers model's last layer, with what its configuration says of the logits.

    `check_output_layer` shows whether that is all.
    """
    config = model.config.get_text_config()
    factor = 1.0
    for name in ("logit_scale", "output_multiplier", "lm_head_multiplier"):
        factor *= getattr(config, name, None) or 1.0
    divisor = getattr(config, "logits_scaling", None)  # Granite's
    return OutputLayer(
        model.get_output_embeddings(),
        factor / divisor if divisor else factor,
        getattr(config, "final_logit_softcapping", None),
    )


@torch.no_grad()
def check_output_layer(model: Any, layer: OutputLayer) -> None:
    """Compares the layer's logits with the model's own. Raises DistillationError where they
    differ by more than rounding."""
    ids = torch.tensor([_PROBE], device=model.device)
    was_training = model.training
    model.eval()
    whole = model(ids, use_cache=False).logits[0].float()
    hidden = model.base_model(ids, use_cache=False).last_hidden_state[0]
    found = layer.compute_logits(hidden)
    model.train(was_training)
    difference = float((found - whole).abs().max() / whole.abs().max())
    exact = hidden.dtype == torch.float32 and not torch.is_autocast_enabled(hidden.device.type)
    if not difference <= _ROUNDING[torch.float32 if exact else torch.bfloat16]:
        raise DistillationError(
            f"the logits of {type(model).__name__} are made of its hidden states in a way that is "
            f"not known here (they differ by {difference:.2g} of the largest). Remedy: another "
            "student and teacher, or producers=[base,trained]."
        )
