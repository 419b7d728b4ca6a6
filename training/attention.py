"""Chooses how attention keeps packed documents apart, by what the machine and the student have.

The best first: torch's own operation over rows of unequal lengths (``varlen``), which every NVIDIA
GPU of these years runs without a further package; flash attention, of the package flash-attn or as
the package kernels fetches it; and dense masks, which take the square of a row and are said, since
on a GPU steps then take two to three times as long.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from decoding.varlen import CAUSAL, EVERYTHING, attend_within_rows, count_starts, find_obstacle
from training.errors import LaunchError
from training.settings import Precision, Train

# Not to be called something with "flash": transformers would look for a package of that name.
VARLEN = "varlen"
# The kernels take heads of so many numbers at most.
_MOST_NUMBERS = 256


@dataclass(frozen=True)
class AttentionChoice:
    """The name by which transformers knows an implementation (None: its default), and what a person
    should know of it."""

    name: str | None
    said: str = ""

    @property
    def options(self) -> dict[str, str]:
        """The argument of `from_pretrained`."""
        return {"attn_implementation": self.name} if self.name else {}


def choose_attention(
    settings: Train, precision: Precision, config: Any, device: torch.device | None = None
) -> AttentionChoice:
    """Chooses the implementation for a student's transformers configuration.

    device: where it is trained; None finds it. Raises LaunchError where one was asked for that does
    not run.
    """
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING
    from transformers.utils import is_flash_attn_2_available

    device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
    architecture = MODEL_FOR_CAUSAL_LM_MAPPING.get(type(config), None)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    lacks = find_obstacle(device, dtype) or find_lacking(config, architecture)
    flash = precision == "bf16" and is_flash_attn_2_available(kernels_fallback_ok=True)
    if settings.attention == "auto":
        # Without isolation a row is one text, which transformers' default computes fused.
        if settings.isolation == "documents" and lacks is None:
            return AttentionChoice(VARLEN)
        if flash and getattr(architecture, "_supports_flash_attn", False):
            return AttentionChoice("flash_attention_2")
        if settings.isolation == "documents" and device.type == "cuda":
            return AttentionChoice(
                None,
                f"dense masks keep documents apart, which is slow: {lacks}, and there is neither "
                "flash-attn nor kernels for it",
            )
        return AttentionChoice(None)
    if settings.attention == VARLEN and lacks:
        raise LaunchError(
            f"train.attention=varlen: {lacks} (train.precision is {precision}). Remedy: "
            "train.attention=auto, which takes it where it can."
        )
    if settings.attention == VARLEN and settings.isolation != "documents":
        raise LaunchError(
            "train.attention=varlen keeps documents apart, and train.isolation=none wants them "
            "together. Remedy: train.attention=auto."
        )
    if settings.attention == "flash_attention_2" and not flash:
        raise LaunchError(
            "train.attention=flash_attention_2 needs an NVIDIA GPU, the package flash-attn or "
            f"kernels, and train.precision=bf16 (now {precision}). Remedy: train.attention=auto, "
            "which takes it where it can."
        )
    return AttentionChoice(settings.attention)


def is_flat(attention: str) -> bool:
    """Says whether an implementation takes all documents as one row, and where each begins."""
    return attention == VARLEN or "flash" in attention


def find_lacking(config: Any, architecture: Any) -> str | None:
    """Names what a student's attention has and `varlen` has not; None where it lacks nothing."""
    text = config.get_text_config()
    heads = getattr(text, "num_attention_heads", 1)
    numbers = getattr(text, "head_dim", None) or getattr(text, "hidden_size", 0) // heads
    if not getattr(architecture, "_supports_attention_backend", False):
        return "transformers lets no other attention into students of this kind"
    if getattr(text, "attn_logit_softcapping", None) or config.model_type == "gpt_oss":
        return "varlen_attn caps no scores and has no sinks, as this student's attention does"
    if getattr(text, "attention_dropout", 0.0):
        return "varlen_attn has no dropout, as this student's attention does"
    if numbers > _MOST_NUMBERS or numbers % 8:
        return f"varlen_attn takes heads of a multiple of 8 numbers up to 256, not of {numbers}"
    return None


def _attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    cu_seq_lens_q: Tensor | None = None,
    max_length_q: int | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Computes attention as transformers asks for it: query (B, H, N, D), key and value
    (B, H_kv, N, D); returns (B, N, H, D).

    Without `cu_seq_lens_q`, each of the B rows is one document.
    """
    for option in ("softcap", "s_aux", "position_bias"):
        if options.get(option) is not None:
            raise LaunchError(
                f"train.attention=varlen knows no {option}, which this student's attention has. "
                "Remedy: train.attention=sdpa."
            )
    rows, heads, length, size = query.shape
    kind = query.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else query.dtype
    starts = cu_seq_lens_q
    if starts is None:
        starts, max_length_q = count_starts(rows, length, query.device), length
    flat = [
        # Rotary positions leave queries and keys in fp32, under autocast too.
        tokens.transpose(1, 2).reshape(rows * length, -1, size).to(dtype)
        for tokens in (query, key, value)
    ]
    longest = int(max_length_q or length)
    before = CAUSAL[0] if sliding_window is None else sliding_window - 1
    window = (before, 0) if getattr(module, "is_causal", True) else EVERYTHING
    scale = size**-0.5 if scaling is None else scaling
    output, _ = attend_within_rows(
        flat[0], flat[1], flat[2], (starts, starts), (longest, longest), scale, window
    )
    return output.view(rows, length, heads, size), None


AttentionInterface.register(VARLEN, _attend)
AttentionMaskInterface.register(VARLEN, lambda *args, **kwargs: None)
