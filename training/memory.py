"""Estimates the memory that training needs, before any weight is loaded.

The weights are counted and the activations measured on the student's own configuration, with
tensors that have a shape and no content (torch's FakeTensorMode), so that no formula for a kind of
model is needed: one layer more or less of it, and one token more or less, give the bytes of each.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from training.settings import Precision, Train

_FP32, _BF16 = 4, 2
# The numbers that AdamW keeps for each weight, beside the weight and its gradient.
_ADAM = 2
# ZeRO-3 holds up to so many whole weights at once (DeepSpeed's stage3_max_live_parameters).
_MOST_GATHERED = 1e9
_TOKENS = (64, 128)


@dataclass(frozen=True)
class StudentShape:
    """The numbers of a student on which memory depends.

    weights counts all of them and linear those of one layer's matrices; activation and kept are
    bytes for one token and layer, with everything that the backward pass wants and with only the
    layer's input, as under gradient checkpointing.
    """

    weights: int
    linear: int
    layers: int
    activation: float
    kept: float


@dataclass(frozen=True)
class MemoryNeed:
    """The bytes that one process of a training run needs, by what holds them.

    state is weights, gradients and AdamW; copies are the weights in bf16 that autocast makes, or
    what ZeRO gathers; activations are of one micro-batch of full rows.
    """

    state: float
    copies: float
    activations: float

    @property
    def total(self) -> float:
        """The sum, without what allocators and kernels take beside it."""
        return self.state + self.copies + self.activations


def estimate_need(shape: StudentShape, settings: Train, precision: Precision) -> MemoryNeed:
    """Estimates the memory of one process.

    Not covered: the mask of attention without a fused kernel, logits, fragments of the allocator,
    and layers that differ from each other.
    """
    processes, bf16 = settings.processes, precision == "bf16"
    tokens = settings.micro_batch * settings.max_length
    computed = _BF16 if bf16 else _FP32
    copies: float = 0
    if settings.lora.rank:
        # Frozen weights have the precision of the run, and adapters are a hundredth of them.
        each: float = computed / (processes if settings.deepspeed == "zero3" else 1)
    elif settings.deepspeed:
        # Weights and gradients as they are computed with, and in fp32 what AdamW works on.
        master = _FP32 if bf16 else 0
        whole = computed if settings.deepspeed == "zero2" else 0
        each = whole + (2 * computed - whole + master + _ADAM * _FP32) / processes
    else:
        buckets = _FP32 if processes > 1 else 0
        each = _FP32 * (2 + _ADAM) + buckets
        copies = _BF16 * shape.linear * shape.layers if bf16 else 0
    if settings.deepspeed == "zero3":
        copies = computed * min(shape.weights, _MOST_GATHERED)
    if settings.gradient_checkpointing:
        per_token = shape.layers * shape.kept + shape.activation
    else:
        per_token = shape.layers * shape.activation
    return MemoryNeed(shape.weights * each, copies, tokens * per_token)


def measure_shape(config: Any, precision: Precision) -> StudentShape | None:
    """Measures a student by its transformers configuration, in seconds, without weights.

    None where what the model computes depends on content, as a mixture of experts does.
    """
    text = config.get_text_config()
    try:
        with _quiet_torch():
            whole = _count_weights(config)
            one, two = _Layers(config, 1, precision), _Layers(config, 2, precision)
    except Exception:  # models of others raise of every kind, and nothing but a number is lost
        return None
    short, long = _TOKENS
    per_token = (two.saved[long] - one.saved[long] - two.saved[short] + one.saved[short]) / (
        long - short
    )
    return StudentShape(
        weights=whole,
        linear=two.linear - one.linear,
        layers=text.num_hidden_layers,
        activation=per_token,
        kept=float(_FP32 * text.hidden_size),  # fp32 weights embed into an fp32 residual stream
    )


def _count_weights(config: Any) -> int:
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    return sum(p.numel() for p in model.parameters())


@contextmanager
def _quiet_torch() -> Iterator[None]:
    """Keeps torch from printing the traceback of what it could not compute without content."""
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


class _Layers:
    """A student cut to its first layers: its matrices, and the bytes that a backward pass wants."""

    def __init__(self, config: Any, layers: int, precision: Precision) -> None:
        import torch
        from torch._subclasses.fake_tensor import FakeTensorMode
        from transformers import AutoModelForCausalLM

        values = config.to_dict() | {"num_hidden_layers": layers}
        if values.get("layer_types"):
            values["layer_types"] = values["layer_types"][:layers]
        with FakeTensorMode():
            model = AutoModelForCausalLM.from_config(type(config).from_dict(values))
            model.train()
            modules = model.base_model.modules()
            self.linear = sum(m.weight.numel() for m in modules if isinstance(m, torch.nn.Linear))
            own = {p.untyped_storage()._cdata for p in model.parameters()}
            self.saved = {}
            for tokens in _TOKENS:
                ids = torch.zeros((1, tokens), dtype=torch.long)
                with (
                    _collecting_storages(own) as saved,
                    torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"),
                ):
                    model.base_model(input_ids=ids, use_cache=False)
                self.saved[tokens] = sum(storage.nbytes() for storage in saved.values())


@contextmanager
def _collecting_storages(own: set[int]) -> Iterator[dict[int, Any]]:
    """Collects the storages that autograd keeps for the backward pass, each once, without `own`."""
    import torch

    found: dict[int, Any] = {}

    def keep(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            found[storage._cdata] = storage  # held, so that its address is not given again
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        yield found
