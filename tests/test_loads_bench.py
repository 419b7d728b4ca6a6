"""`scripts/bench loads`: what it calls the same, and that pages name the programs that it tries."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from publishing.cards import READERS

BENCH = Path(__file__).parents[1] / "scripts/benches/loads.py"
EXPECTED = {"prompt": "<s>Hi", "tokens": [[1, 2], [3]], "best": {"5": -0.5, "7": -1.5}}


@pytest.fixture(scope="module")
def bench() -> Any:
    spec = importlib.util.spec_from_file_location("loads_bench", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["loads_bench"] = module
    spec.loader.exec_module(module)
    return module


def test_the_programs_on_a_page_are_tried_by_the_bench(bench: Any) -> None:
    tried = (*bench.PROGRAMS, bench.LLAMA)
    # Of vLLM, Llama's checkpoints as we write them were not tried.
    assert tuple(one for one in tried if not one.startswith("vLLM")) == READERS


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "same (log-probabilities within 0)"),
        # vLLM and llama.cpp tell tokens by their numbers, and round in another order.
        ({"best": {5: -0.51, 7: -1.5}}, "same (log-probabilities within 0.01)"),
        ({"best": {5: -0.4, 7: -1.5}}, "OTHER ANSWERS (log-probabilities within 0.1)"),
        ({"best": {5: -0.5, 8: -1.5}}, "OTHER ANSWERS"),
        ({"prompt": "Hi"}, "another prompt"),
        ({"tokens": [[1], [3]]}, "other tokens"),
    ],
)
def test_the_same_is_what_agrees_in_prompt_tokens_and_answers(
    bench: Any, change: dict[str, Any], said: str
) -> None:
    assert bench.compare({**EXPECTED, **change}, EXPECTED).startswith(said)
