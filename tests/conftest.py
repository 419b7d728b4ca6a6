"""Tests of several packages share these: a real checkpoint, a tiny one and a browser."""

import os
import resource
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

from training.students import find_embedded_gguf, materialise_gguf

# A test is fast unless it, its file or a fixture is known to be costly: `scripts/test -m fast`.
# These make models, servers and browsers.
COSTLY = {
    *("browser", "checkpoints", "finished", "llama", "models", "real_data", "smollm2", "sound"),
    *("doubtful", "published", "repositories", "talkers"),
}
ON_REQUEST = ("distributed", "long")
# Processor seconds, of which a busy machine takes no more than an idle one. What is loaded at
# first use is counted with the test that comes first.
FAST_SECONDS = 10.0


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Loads no file whose tests are all slow where the fast ones are wanted alone."""
    if config.option.markexpr != "fast" or collection_path.suffix != ".py":
        return None
    return "\npytestmark = pytest.mark.slow\n" in collection_path.read_text("utf-8") or None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks as `fast` all tests that nothing makes slow, and leaves out those that only run where
    they are asked for."""
    unasked = [name for name in ON_REQUEST if name not in config.option.markexpr]
    left_out = [item for item in items if any(map(item.get_closest_marker, unasked))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    for item in items:
        marked = any(item.get_closest_marker(name) for name in ("slow", *ON_REQUEST))
        if not marked and not COSTLY.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("fast")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Keeps `fast` honest, wherever the test is run."""
    item.stash[BEGUN] = _processor_seconds()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    report = yield
    if call.when == "call" and report.passed and item.get_closest_marker("fast"):
        took = _processor_seconds() - item.stash[BEGUN]
        if took > FAST_SECONDS:
            report.outcome = "failed"
            report.longrepr = (
                f"a fast test took {took:.1f} s of the processor, more than {FAST_SECONDS:.0f}. "
                "Remedy: mark it with pytest.mark.slow, or make it cheaper."
            )
    return report


BEGUN = pytest.StashKey[float]()


def _processor_seconds() -> float:
    """Of this process and of those that it has started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


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

    from harness.overrides import CONF
    from harness.resolvers import register_resolvers
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
    materialise_gguf(find_embedded_gguf(), out)
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
