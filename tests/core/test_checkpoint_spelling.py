"""A checkpoint's settings as older programs know them. `scripts/bench loads` has the programs."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from small_checkpoints import KINDS, SIZE, save_model, small_tokenizer

from core.checkpoints.opening import open_model, open_tokenizer
from core.checkpoints.spelling import (
    making_spelled_copy,
    spell_checkpoint,
    spell_config,
    spell_tokenizer,
)

LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 64,
}  # fmt: skip
GRANITE = {
    "layer_types": ["mamba", "attention"], "shared_intermediate_size": 64,
    "num_local_experts": 0, "num_experts_per_tok": 0, "position_embedding_type": "rope",
    "mamba_n_heads": 4, "mamba_d_head": 16, "rope_parameters": {"rope_theta": 1e7},
}  # fmt: skip


def read(folder: Path, name: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return values


def compute_logits(folder: Path) -> torch.Tensor:
    model = open_model(folder, dtype=torch.float32).model.eval()
    with torch.no_grad():
        logits: torch.Tensor = model(torch.arange(20)[None]).logits
    return logits


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("llama", {"rope_parameters": {"rope_theta": 1e5}}, {"rope_theta": 1e5}),
        (
            "llama",
            {"rope_parameters": LLAMA3},
            {
                "rope_theta": 5e5,
                "rope_scaling": {k: v for k, v in LLAMA3.items() if k != "rope_theta"},
            },
        ),
        ("granitemoehybrid", GRANITE, {"layer_types": ["mamba", "attention"], "rope_theta": 1e7}),
    ],
)
def test_older_names_stand_in_the_configuration_and_change_no_answer(
    kind: str,
    changes: dict[str, Any],
    expected: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(KINDS, kind, KINDS["llama"])
    plain = save_model(tmp_path / "plain", kind, **changes)
    before = compute_logits(plain)
    assert not expected.items() <= read(plain, "config.json").items()
    with making_spelled_copy(plain) as linked:
        assert linked.name == "plain"
        assert expected.items() <= read(linked, "config.json").items()
        assert compute_logits(linked).equal(before)
        assert open_tokenizer(linked).encode("ሰላም 12") == open_tokenizer(plain).encode("ሰላም 12")
    assert not expected.items() <= read(plain, "config.json").items()


def test_rotary_positions_by_kind_of_layer_stay_as_they_are() -> None:
    rotary = {"full_attention": {"rope_theta": 1e6}, "sliding_attention": {"rope_theta": 1e4}}
    values = {"model_type": "gemma3_text", "rope_parameters": rotary, "hidden_size": SIZE}
    assert spell_config(values) == values


def test_a_tokenizer_has_a_class_and_tokens_that_older_programs_know(tmp_path: Path) -> None:
    tokenizer = small_tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<think>"]})
    folder = save_model(tmp_path / "model", tokenizer=tokenizer)
    assert read(folder, "tokenizer_config.json")["extra_special_tokens"] == ["<think>"]
    spell_checkpoint(folder)
    values = read(folder, "tokenizer_config.json")
    assert values["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert values["additional_special_tokens"] == ["<think>"]
    assert "extra_special_tokens" not in values
    found = open_tokenizer(folder)
    assert found.extra_special_tokens == ["<think>"]
    assert found.encode("a<think>b") == tokenizer.encode("a<think>b")


def test_other_classes_and_named_tokens_stay() -> None:
    values = {"tokenizer_class": "GPT2Tokenizer", "extra_special_tokens": {"image": "<i>"}}
    assert spell_tokenizer({**values, "local_files_only": True, "is_local": True}) == values
