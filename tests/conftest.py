"""Tests of several packages share these: a real checkpoint, a tiny one and a browser."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Before torch is loaded: tests run side by side, where threads that spin are in each other's way.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# The tests run on the embedded sets wherever they run; `real_data` is for those that want more.
# Processes that pytest starts to share the tests find it under the second name.
REAL_DATA = os.environ.pop("KAKUGO_DATA_DIR", None) or os.environ.get("KAKUGO_TEST_DATA_DIR")
if REAL_DATA:
    os.environ["KAKUGO_TEST_DATA_DIR"] = REAL_DATA

from training.students import embedded_gguf, materialise_gguf


@pytest.fixture
def real_data() -> Path:
    """The benchmarks' own files, where KAKUGO_DATA_DIR gives them."""
    if not REAL_DATA:
        pytest.skip("KAKUGO_DATA_DIR does not give the benchmarks' own files")
    return Path(REAL_DATA)


@pytest.fixture
def composed() -> Iterator[Callable[..., Any]]:
    """Composes the shipped configuration with overrides into a typed `harness.config.Config`."""
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from omegaconf import OmegaConf

    from harness.cli import register_resolvers
    from harness.overrides import CONF
    from harness.validate import build_config

    register_resolvers()

    def build(*overrides: str) -> Any:
        values = OmegaConf.to_container(compose("run", list(overrides)), resolve=True)
        return build_config(values)  # type: ignore[arg-type]

    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield build
    GlobalHydra.instance().clear()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real Chromium."""
    from chromium import launched

    with launched() as found:
        yield found


@pytest.fixture(scope="session")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2-135M-Instruct as a transformers checkpoint."""
    out = tmp_path_factory.mktemp("students") / "smollm2"
    materialise_gguf(embedded_gguf(), out)
    return out


@pytest.fixture(scope="session")
def tokenizer(smollm2: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(smollm2)


@pytest.fixture(scope="session")
def tiny(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama of two layers with SmolLM2's tokenizer, saved in bf16 like a real base."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    out = tmp_path_factory.mktemp("students") / "tiny"
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)
    return out
