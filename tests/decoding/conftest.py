from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM


class Letters:
    """The tokenizer of a vocabulary of letters; token 0 is special and has no text."""

    def decode(self, tokens: list[int], skip_special_tokens: bool = False) -> str:
        assert skip_special_tokens
        return "".join(chr(96 + token) for token in tokens if token)


@pytest.fixture
def letters() -> Letters:
    return Letters()


@pytest.fixture
def model() -> Any:
    """A random model of 24 letters whose next token depends much on what came before."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=25,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        initializer_range=0.4,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config).eval()
