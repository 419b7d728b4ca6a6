"""The memory that training needs is told from the configuration alone, and told rightly."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from small_checkpoints import KINDS
from transformers import AutoConfig, AutoModelForCausalLM

from training.memory import StudentShape, estimate_need, measure_shape
from training.settings import Lora, Precision, Train

GB = 1e9
PAPER = Train(name="paper", precision="bf16")
# Granite 4.0 Micro as its configuration says (3,402,836,480 weights).
GRANITE = {
    "hidden_size": 2560, "intermediate_size": 8192, "shared_intermediate_size": 8192,
    "num_hidden_layers": 40, "layer_types": ["attention"] * 40, "num_attention_heads": 40,
    "num_key_value_heads": 8, "vocab_size": 100_352, "tie_word_embeddings": True,
    "num_local_experts": 0, "num_experts_per_tok": 0, "position_embedding_type": "rope",
}  # fmt: skip


@pytest.fixture(scope="module")
def granite() -> StudentShape:
    return shape_of(AutoConfig.for_model("granitemoehybrid", **GRANITE), "bf16")


def shape_of(config: Any, precision: Precision) -> StudentShape:
    shape = measure_shape(config, precision)
    assert shape is not None
    return shape


def test_weights_are_counted_without_any(granite: StudentShape) -> None:
    assert granite.weights == 3_402_836_480
    assert granite.layers == 40


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # By hand: 16 bytes a weight; 2 a weight of the layers; 148 kB a token and layer, which was
        # measured on a larger machine, or 4 bytes x 2,560 with checkpointing.
        ({}, 109),
        ({"gradient_checkpointing": True}, 66),
        ({"processes": 8, "deepspeed": "zero3"}, 54),
        ({"processes": 8, "deepspeed": "zero3", "gradient_checkpointing": True}, 13),
    ],
)
def test_the_papers_run(granite: StudentShape, changes: dict[str, Any], expected: float) -> None:
    need = estimate_need(granite, replace(PAPER, **changes), "bf16")
    assert need.total / GB == pytest.approx(expected, rel=0.05)


def test_adapters_take_little_beside_the_weights(granite: StudentShape) -> None:
    need = estimate_need(granite, replace(PAPER, lora=Lora(rank=16)), "bf16")
    assert need.state / GB == pytest.approx(6.8, rel=0.01)


@pytest.mark.parametrize("kind", ["llama", "qwen3", "granitemoehybrid"])
@pytest.mark.parametrize("bf16", [True, False])
def test_activations_are_those_of_a_real_model(kind: str, bf16: bool) -> None:
    """Against the bytes that autograd holds of a model with content."""
    sizes = GRANITE | {
        "hidden_size": 256, "intermediate_size": 768, "shared_intermediate_size": 768,
        "num_hidden_layers": 3, "layer_types": ["attention"] * 3, "num_attention_heads": 4,
        "num_key_value_heads": 2, "vocab_size": 128, "head_dim": 64,
    }  # fmt: skip
    if kind != "granitemoehybrid":
        sizes = {name: size for name, size in sizes.items() if name != "layer_types"}
    config = AutoConfig.for_model(kind, **sizes)
    shape = shape_of(config, "bf16" if bf16 else "fp32")
    model = AutoModelForCausalLM.from_config(config)
    model.train()
    assert shape.weights == sum(p.numel() for p in model.parameters())
    held: dict[int, Any] = {}
    weights = {p.data_ptr() for p in model.parameters()}

    def hold(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            held[storage.data_ptr()] = (storage.nbytes(), tensor)
        return tensor

    with (
        torch.autograd.graph.saved_tensors_hooks(hold, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=bf16),
    ):
        model.base_model(input_ids=torch.zeros((1, 512), dtype=torch.long), use_cache=False)
    measured = sum(size for size, _ in held.values())
    copies = 2 * shape.linear * shape.layers if bf16 else 0
    # Beside the layers there are the embeddings, the last norm and the angles of the positions.
    assert measured == pytest.approx(512 * 3 * shape.activation + copies, rel=0.1)


def test_a_student_of_any_kind_is_measured_or_not_known() -> None:
    for kind, sizes in KINDS.items():
        config = AutoConfig.for_model(kind, vocab_size=300, **sizes)
        shape = measure_shape(config, "fp32")
        if kind == "mixtral":  # which experts a token asks for depends on the token
            assert shape is None
            continue
        assert shape is not None, kind
        model = AutoModelForCausalLM.from_config(config)
        assert shape.weights == sum(p.numel() for p in model.parameters()), kind
        assert shape.activation > 0
