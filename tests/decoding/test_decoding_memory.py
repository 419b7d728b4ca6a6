"""A pass is as large as memory allows; where that was too much it is halved, and nothing lost."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from decoding.errors import TooLarge
from decoding.memory import CPU_TOKENS, GPU_TOKENS, Halving, estimate_batch_tokens


def hold(most: int, error: Exception) -> tuple[Callable[[Sequence[int]], list[int]], list[int]]:
    """A pass that has memory for so many items, and the sizes of those that were tried."""
    tried: list[int] = []

    def compute(part: Sequence[int]) -> list[int]:
        tried.append(len(part))
        if len(part) > most:
            raise error
        return [item * item for item in part]

    return compute, tried


FULL = [
    torch.OutOfMemoryError("CUDA out of memory"),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: not enough memory"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
]


@pytest.mark.parametrize("error", FULL)
@pytest.mark.parametrize(("count", "most"), [(1, 1), (7, 3), (8, 8), (9, 2), (16, 1)])
def test_what_does_not_fit_is_halved_and_every_item_is_computed_once(
    count: int, most: int, error: Exception
) -> None:
    halving = Halving()
    compute, tried = hold(most, error)
    assert halving.run(range(count), compute) == [item * item for item in range(count)]
    assert sum(size for size in tried if size <= most) == count
    assert (halving.times > 0) == (count > most)
    # What was learned holds for the next batch: no pass of it fails.
    tried.clear()
    assert halving.run(range(count), compute) == [item * item for item in range(count)]
    assert max(tried) <= most


def test_one_item_that_does_not_fit_ends_it() -> None:
    halving = Halving()
    compute, tried = hold(0, MemoryError())
    with pytest.raises(TooLarge, match="a single item"):
        halving.run(range(4), compute)
    assert tried == [4, 2, 1]


def test_another_error_is_no_lack_of_memory() -> None:
    compute, tried = hold(2, RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        Halving().run(range(4), compute)
    assert tried == [4]


def stand_in(total: int, monkeypatch: pytest.MonkeyPatch, weights: int, **sizes: int) -> Any:
    """A model on a GPU of so many bytes, which this machine need not have."""
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda device: SimpleNamespace(total_memory=total)
    )
    text = SimpleNamespace(**sizes)
    return SimpleNamespace(
        device=torch.device("cuda"),
        dtype=torch.bfloat16,
        config=SimpleNamespace(get_text_config=lambda: text),
        parameters=lambda: [torch.empty(weights, dtype=torch.bfloat16, device="meta")],
    )


def test_the_size_of_a_pass_follows_from_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    granite = {"hidden_size": 2560, "intermediate_size": 8192, "num_attention_heads": 40}
    for total, expected in ((80e9, 32_768), (24e9, 8_192), (16e9, 4_096), (7e9, 256)):
        model = stand_in(int(total), monkeypatch, 3_402_836_480, **granite)
        tokens = estimate_batch_tokens(model)
        assert tokens == expected
        # By hand: activations of a token and its attention's scores, in 40% of what is free.
        each = 2 * (4 * 2560 + 3 * 8192) + 2 * 4 * 2048 * 40
        free = 0.4 * (total - 2 * 3_402_836_480)
        assert tokens == 256 or tokens * each <= free < 2 * tokens * each
    small = stand_in(int(80e9), monkeypatch, 1000, hidden_size=32, num_attention_heads=2)
    assert estimate_batch_tokens(small) == GPU_TOKENS


def test_on_a_cpu_it_is_always_the_same(model: Any) -> None:
    assert estimate_batch_tokens(model) == CPU_TOKENS
