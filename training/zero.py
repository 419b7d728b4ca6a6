"""DeepSpeed's settings: ZeRO-2 and ZeRO-3, the rest as the Trainer has it."""

import os
from typing import Any

from training.settings import Train


def start_deepspeed() -> None:
    """Join the processes of the run. (from_pretrained under ZeRO-3 needs that before it loads.)"""
    import torch

    on_gpu = torch.cuda.is_available()
    if not on_gpu:
        os.environ["DS_ACCELERATOR"] = "cpu"
    import deepspeed
    from deepspeed.ops import __compatible_ops__

    if not on_gpu:
        # Only a faster all-reduce between processes of one machine, compiled for minutes.
        __compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed("nccl" if on_gpu else "gloo")


def make_deepspeed_config(settings: Train) -> dict[str, Any] | None:
    """Give the configuration that the Trainer hands to DeepSpeed; None without it."""
    if settings.deepspeed is None:
        return None
    import torch

    zero: dict[str, Any] = {"stage": 2 if settings.deepspeed == "zero2" else 3}
    zero |= {"overlap_comm": torch.cuda.is_available(), "contiguous_gradients": True}
    if settings.deepspeed == "zero3":
        zero["stage3_gather_16bit_weights_on_model_save"] = True
    return {
        "zero_optimization": zero,
        "bf16": {"enabled": "auto"},
        "train_batch_size": "auto",
        "train_micro_batch_size_per_gpu": "auto",
        "gradient_accumulation_steps": "auto",
        "gradient_clipping": "auto",
    }
