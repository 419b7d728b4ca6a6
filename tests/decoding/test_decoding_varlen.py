"""torch's operation over rows of unequal lengths: what it is asked, and where it is taken."""

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from plain_varlen import attend_plainly
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.functional import scaled_dot_product_attention

import decoding.attention
from decoding import varlen
from decoding.attention import attend_once
from decoding.loop import Decoded
from decoding.prompts import TokenPrompt
from harness.scoring.engine import SharedPrefixLM
from harness.scoring.lm import TokenQuestion

CUDA = torch.device("cuda")


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Runs the plain operation in its place; returns the shapes that it is called with."""
    called: list[tuple[int, ...]] = []

    def attend(query: torch.Tensor, key: torch.Tensor, *rest: Any, **options: Any) -> Any:
        called.append((*query.shape[:2], *key.shape[:2]))
        return attend_plainly(query, key, *rest, **options)

    # A closure's signature is not the operation's, which is asked for enable_gqa.
    attend.__signature__ = inspect.signature(attend_plainly)  # type: ignore[attr-defined]
    monkeypatch.setattr(varlen, "load_kernel", lambda: attend)
    monkeypatch.setattr(varlen, "find_obstacle", lambda device, dtype: None)
    return called


@pytest.mark.parametrize("window", [(-1, -1), (-1, 0), (2, 0)])
def test_the_plain_operation_is_attention_under_a_dense_mask(window: tuple[int, int]) -> None:
    torch.manual_seed(0)
    lengths = [5, 1, 9]
    query, key, value = torch.randn(15, 6, 8), torch.randn(15, 2, 8), torch.randn(15, 2, 8)
    starts = torch.tensor([0, 5, 6, 15], dtype=torch.int32)
    rows = torch.repeat_interleave(torch.arange(3), torch.tensor(lengths))
    place = torch.arange(15)
    visible = rows[:, None] == rows[None]
    if window[1] == 0:
        visible &= place[:, None] >= place[None]
    if window[0] > 0:
        visible &= place[:, None] - place[None] <= window[0]
    dense = scaled_dot_product_attention(
        query.transpose(0, 1)[None],
        key.transpose(0, 1)[None],
        value.transpose(0, 1)[None],
        visible,
        scale=0.3,
        enable_gqa=True,
    )[0].transpose(0, 1)
    found = attend_plainly(
        query, key, value, starts, starts, 9, 9, scale=0.3, window_size=window, enable_gqa=True
    )
    torch.testing.assert_close(found, dense, atol=1e-5, rtol=0)


def test_torchs_own_operation_takes_what_it_is_asked_and_gives_the_shapes_that_we_read() -> None:
    """On tensors without content, which run here; its LSE is (H, T)."""
    with FakeTensorMode():
        query, key = torch.empty(7, 4, 8), torch.empty(9, 2, 8)
        starts = (torch.empty(3, dtype=torch.int32), torch.empty(3, dtype=torch.int32))
        output, total = varlen.attend_within_rows(query, key, key, starts, (4, 5), 0.3)
    assert output.shape == (7, 4, 8)
    assert total.shape == (7, 4)
    assert total.dtype == torch.float32


@pytest.mark.parametrize("causal", [True, False])
def test_fused_parts_are_those_computed_in_steps(replaced: list[Any], causal: bool) -> None:
    torch.manual_seed(0)
    query = torch.randn(3, 6, 5, 8)
    width = 5 if causal else 11
    keys, values = torch.randn(3, 2, width, 8), torch.randn(3, 2, width, 8)
    fused = attend_once(query, keys, values, 0.3, causal=causal)
    assert replaced == [(15, 6, 3 * width, 2)], "and no key is copied for the heads that share it"
    visible = torch.ones(5, width, dtype=torch.bool).tril() if causal else torch.ones(5, width) > 0
    masked = attend_once(query, keys, values, 0.3, visible.expand(3, 1, 5, width))
    assert len(replaced) == 1
    for one, other in zip(fused, masked, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_an_older_operation_without_shared_heads_is_given_their_copies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """torch 2.11's."""

    def older(q: Any, k: Any, v: Any, sq: Any, sk: Any, mq: int, mk: int, *, return_aux: Any,
              scale: float, window_size: tuple[int, int]) -> Any:  # fmt: skip
        assert q.shape[1] == k.shape[1]
        return attend_plainly(
            q, k, v, sq, sk, mq, mk, return_aux=return_aux, scale=scale, window_size=window_size
        )

    torch.manual_seed(0)
    query, keys = torch.randn(2, 6, 5, 8), torch.randn(2, 2, 5, 8)
    steps = attend_once(query, keys, keys, 0.3, causal=True)
    monkeypatch.setattr(varlen, "load_kernel", lambda: older)
    monkeypatch.setattr(varlen, "find_obstacle", lambda device, dtype: None)
    torch.testing.assert_close(attend_once(query, keys, keys, 0.3, causal=True), steps)


def test_the_engine_gives_the_same_scores_and_texts_through_it(
    tiny: Path, tmp_path: Path, replaced: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind shared shots, with rows of their own, and decoded."""
    shared = tuple(range(20, 60))
    questions = [TokenQuestion((*shared, 7, 8 + n), ((5, 9), (6,), (11,))) for n in range(5)]
    prompts = [TokenPrompt((*shared, 70 + n), 9) for n in range(4)]
    found = []
    for fused in (True, False):
        if not fused:
            monkeypatch.setattr(decoding.attention, "_is_fused", lambda query: False)
        before = len(replaced)
        lm = SharedPrefixLM(tiny, precision="fp32", budget=256, journal=tmp_path / str(fused))
        scores = lm.score_batch(shared, questions)
        found.append((scores, lm.continue_batch(shared, prompts)))
        assert (len(replaced) > before) == fused
    assert found[0][1] == found[1][1]
    for one, other in zip(found[0][0], found[1][0], strict=True):
        assert [value for value, _ in one] == pytest.approx([v for v, _ in other], abs=1e-4)


@pytest.mark.parametrize(
    ("capability", "dtype", "version", "words"),
    [
        ((9, 0), torch.bfloat16, "13.0", None),
        ((8, 0), torch.float16, "13.0", None),
        ((7, 5), torch.bfloat16, "13.0", "Ampere"),
        ((9, 0), torch.float32, "13.0", "bf16"),
        ((9, 0), torch.bfloat16, None, "NVIDIA"),  # ROCm calls its devices cuda, too
    ],
)
def test_it_is_taken_where_the_machine_has_it(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], dtype: Any, version: Any,
    words: str | None,
) -> None:  # fmt: skip
    monkeypatch.setattr(torch.version, "cuda", version)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    said = varlen.find_obstacle(CUDA, dtype)
    assert said is None if words is None else words in str(said)


def test_a_torch_without_it_and_a_cpu_are_obstacles(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "NVIDIA" in str(varlen.find_obstacle(torch.device("cpu"), torch.bfloat16))
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr(varlen, "load_kernel", lambda: lambda q, *, scale, window_size: None)
    assert "has no return_aux" in str(varlen.find_obstacle(CUDA, torch.bfloat16))

    def load() -> Any:
        raise ImportError

    monkeypatch.setattr(varlen, "load_kernel", load)
    assert "has no varlen_attn" in str(varlen.find_obstacle(CUDA, torch.bfloat16))


@pytest.mark.parametrize("text", ["a short answer\nand more", "ጤና ይስጥልኝ\n\n!", "   \n x", "none"])
@pytest.mark.parametrize("blank_first", [True, False])
def test_an_answer_stops_where_it_did_when_all_of_it_was_decoded(
    tokenizer: Any, text: str, blank_first: bool
) -> None:
    tokens = tokenizer.encode("word " * 40 + text, add_special_tokens=False)
    prompt = TokenPrompt((1,), 400, ("\n", "ልኝ", "\n\n"), 1.0, blank_first)
    under_way = Decoded(prompt, 0, ())
    for count, token in enumerate(tokens, 1):
        over = under_way.take(token, frozenset(), tokenizer)
        whole = tokenizer.decode(tokens[:count], skip_special_tokens=True)
        assert over == prompt.has_stopped(whole)
        if over:
            assert under_way.text == prompt.take_answer(whole)
            break


def test_a_step_decodes_a_few_tokens_however_long_the_answer(tokenizer: Any) -> None:
    class Counting:
        most = 0

        def decode(self, tokens: list[int], **options: Any) -> str:
            self.most = max(self.most, len(tokens))
            return str(tokenizer.decode(tokens, **options))

    counting = Counting()
    under_way = Decoded(TokenPrompt((1,), 1000, ("\n",)), 0, ())
    for token in tokenizer.encode("word " * 200, add_special_tokens=False):
        assert not under_way.take(token, frozenset(), counting)
    assert counting.most < 12
