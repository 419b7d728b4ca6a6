"""Count the floating-point operations that training takes, and those that a device could do."""

from collections.abc import Sequence
from typing import Any

from training.settings import Precision


def count_flops_per_token(model: Any, lengths: Sequence[int], *, frozen: bool) -> float:
    """Operations of a forward and backward pass over one token (Chowdhery et al. 2022, arXiv
    2204.02311, appendix B): 6 a weight, and 12 x layers x width x length / 2 of causal attention.

    A weight that is `frozen`, under adapters, takes 4: nothing is computed for its own gradient.
    `lengths` are those of the texts in which tokens see each other, in tokens; the mean is over
    tokens, since a text of twice the length has twice the tokens that look twice as far. (Not
    covered: mixtures of experts and layers without attention.)
    """
    config = model.config.get_text_config()
    embeddings = model.get_input_embeddings().weight
    weights = sum(count_elements(p) for p in model.parameters())
    if model.get_output_embeddings().weight is not embeddings:
        weights -= count_elements(embeddings)  # only looked up
    heads = config.num_attention_heads
    width = heads * (getattr(config, "head_dim", None) or config.hidden_size // heads)
    length = sum(n * n for n in lengths) / sum(lengths)
    return float((4 if frozen else 6) * weights + 6 * config.num_hidden_layers * width * length)


def find_peak_flops(device: str, precision: Precision) -> float | None:
    """Look up what a device can do in a second in bf16, from TRL's table of the makers' data
    sheets; None where it does not stand there, and in fp32.
    """
    from trl.trainer.utils import get_peak_flops

    return get_peak_flops(device, "bfloat16") if precision == "bf16" else None


def count_elements(parameter: Any) -> int:
    """The number of a parameter's elements, also where ZeRO-3 has spread it."""
    return int(getattr(parameter, "ds_numel", parameter.numel()))
