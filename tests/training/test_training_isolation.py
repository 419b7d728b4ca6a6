"""Packed documents do not see each other, on every attention implementation that runs here."""

from pathlib import Path
from typing import Any

import pytest

from training.errors import LeakError
from training.settings import Precision

ROW = {"input_ids": [5, 6, 7, 8, 9, 10, 11], "labels": [-100] * 7, "seq_lengths": [3, 4]}
SHORT = {"input_ids": [5, 6], "labels": [-100, 6], "seq_lengths": [2]}


def model_of(family: str, attention: str) -> Any:
    """A random model of two layers: Llama, or the class of Granite 4 (attention layers only)."""
    import torch
    from transformers import (
        GraniteMoeHybridConfig,
        GraniteMoeHybridForCausalLM,
        LlamaConfig,
        LlamaForCausalLM,
    )

    torch.manual_seed(0)
    size: dict[str, Any] = {
        "vocab_size": 1000,
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "attn_implementation": attention,
    }
    if family == "llama":
        return LlamaForCausalLM(LlamaConfig(**size)).eval()
    config = GraniteMoeHybridConfig(
        **size,
        layer_types=["attention", "attention"],
        shared_intermediate_size=64,
        num_local_experts=0,
        num_experts_per_tok=0,
        position_embedding_type="rope",
    )
    return GraniteMoeHybridForCausalLM(config).eval()


def probed(model: Any, collator: Any, precision: Precision = "fp32") -> float:
    import torch

    from training.probe import probe

    device = torch.device("cpu")
    return probe(model, collator, model.config, precision=precision, device=device)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("family", ["llama", "granite"])
def test_the_probe_passes(family: str, attention: str) -> None:
    from training.collate import Collator

    model = model_of(family, attention)
    assert probed(model, Collator(attention, 0)) < 1e-4


@pytest.mark.parametrize("family", ["llama", "granite"])
def test_the_probe_finds_a_leak(family: str) -> None:
    """A mask that lets documents see each other, and for Granite 4 even position ids alone."""
    from training.collate import Collator

    model = model_of(family, "sdpa")
    with pytest.raises(LeakError, match=r"see each other on .* with sdpa.*train\.packing=false"):
        probed(model, Collator("sdpa", 0, isolated=False))

    class PositionsAlone(Collator):
        def mask(self, batch: dict[str, Any]) -> dict[str, Any]:
            return {name: value for name, value in batch.items() if name != "documents"}

    if family == "granite":
        with pytest.raises(LeakError):
            probed(model, PositionsAlone("sdpa", 0))


def test_padding_changes_nothing() -> None:
    import torch

    from training.collate import Collator

    model = model_of("llama", "sdpa")
    collate = Collator("sdpa", 0)
    together, alone = collate.mask(collate([ROW, SHORT])), collate.mask(collate([SHORT]))
    labels = [batch.pop("labels") for batch in (together, alone)]
    assert labels[0].tolist()[1] == [-100, 6, -100, -100, -100, -100, -100]
    with torch.no_grad():
        a, b = model(**together).logits[1, :2], model(**alone).logits[0]
    assert torch.allclose(a, b, atol=1e-5)


def test_flash_attention_is_given_the_ends_of_the_documents() -> None:
    from training.collate import Collator

    batch = Collator("flash_attention_2", 0)([ROW, SHORT])
    assert batch["input_ids"].tolist() == [[5, 6, 7, 8, 9, 10, 11, 5, 6]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1, 2, 3, 0, 1]]
    assert batch["cu_seq_lens_q"].tolist() == [0, 3, 7, 9]
    assert (batch["max_length_q"], batch["max_length_k"]) == (4, 4)
    assert not {"attention_mask", "documents"} & set(batch)


def test_without_isolation_a_row_is_one_causal_text() -> None:
    from training.collate import Collator

    batch = Collator("sdpa", 0, isolated=False)([ROW, SHORT])
    assert batch["position_ids"][0].tolist() == list(range(7))
    assert batch["attention_mask"].tolist()[1] == [1, 1, 0, 0, 0, 0, 0]


def test_a_students_real_tokens_pass_too(tiny: Path) -> None:
    from transformers import AutoModelForCausalLM

    from training.collate import Collator

    model = AutoModelForCausalLM.from_pretrained(tiny)
    assert probed(model, Collator("sdpa", 2), "bf16") < 0.05
