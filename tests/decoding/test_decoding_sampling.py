"""What the sampler draws has the model's own probabilities, whatever the batch."""

from collections import Counter
from typing import Any

import pytest
import torch
from scipy.stats import chisquare
from transformers import TopKLogitsWarper, TopPLogitsWarper

from decoding.greedy import decode_greedily
from decoding.packed import PackedModel, packing
from decoding.prompts import TokenPrompt, find_common_prefix
from decoding.sampling import (
    Drawn,
    Sampling,
    draw,
    draw_uniform,
    keep_probabilities,
    sample_answers,
)

SHARED = (3, 1, 4, 1, 5)
CONTEXTS = [(*SHARED, *tail) for tail in [(9,), (2, 6), (5, 3, 5, 8, 9), (7,), (9, 3)]]


def drawn(
    model: Any,
    letters: Any,
    prompts: list[TokenPrompt],
    sampling: Sampling,
    seeds: list[str],
    slots: int = 64,
    ends: frozenset[int] = frozenset(),
) -> list[Drawn]:
    with packing(model) as packed:
        shared = find_common_prefix([prompt.context for prompt in prompts])
        prefix = packed.run_prefix(shared)
        return sample_answers(
            packed, letters, ends, shared, prefix, prompts, slots, sampling, seeds
        )


def next_logits(model: Any, tokens: tuple[int, ...]) -> torch.Tensor:
    with torch.no_grad():
        logits: torch.Tensor = model(torch.tensor([tokens])).logits[0, -1]
    return logits


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_tokens_come_as_often_as_the_model_says(
    model: Any, letters: Any, temperature: float
) -> None:
    """The first token of many answers, and the second after the most frequent first."""
    count = 4000
    prompts = [TokenPrompt(CONTEXTS[0], 2)] * count
    found = drawn(
        model, letters, prompts, Sampling(temperature), [f"s/{i}" for i in range(count)], 1000
    )
    first = Counter(one.tokens[0] for one in found)
    (most, _), *_ = first.most_common(1)
    second = Counter(one.tokens[1] for one in found if one.tokens[0] == most)
    for counted, before in ((first, CONTEXTS[0]), (second, (*CONTEXTS[0], most))):
        expected = (next_logits(model, before).double() / temperature).softmax(-1).numpy()
        expected *= counted.total()
        rare = expected < 5  # together: the test's approximation needs five of a kind
        observed = [counted[token] for token in range(len(expected))]
        pairs = [(o, e) for o, e, few in zip(observed, expected, rare, strict=True) if not few]
        pairs.append(
            (sum(o for o, few in zip(observed, rare, strict=True) if few), expected[rare].sum())
        )
        assert len(pairs) >= 4
        test = chisquare(*zip(*[pair for pair in pairs if pair[1] > 0], strict=True))
        # Wrong by a tenth of the temperature, this is below 1e-6.
        assert test.pvalue > 0.001


@pytest.mark.parametrize("k", [None, 1, 5])
@pytest.mark.parametrize("p", [1.0, 0.9, 0.5, 0.01])
def test_the_tokens_left_out_are_those_of_transformers(k: int | None, p: float) -> None:
    torch.manual_seed(1)
    logits = 3 * torch.randn(40, 50)
    theirs = logits
    if k is not None:
        theirs = TopKLogitsWarper(k)(None, theirs)
    if p < 1:
        theirs = TopPLogitsWarper(p)(None, theirs)
    ours = keep_probabilities(logits, Sampling(top_p=p, top_k=k))
    ours = ours / ours.sum(-1, keepdim=True)
    torch.testing.assert_close(ours.float(), theirs.softmax(-1))
    assert ours.gt(0).equal(theirs.isfinite())


def test_the_nucleus_is_the_smallest_set_that_suffices() -> None:
    logits = torch.tensor([[0.125, 0.5, 0.25, 0.125]]).log()

    def kept(**limits: Any) -> list[bool]:
        return keep_probabilities(logits, Sampling(**limits))[0].gt(0).tolist()

    assert kept(top_p=0.49) == [False, True, False, False]
    assert kept(top_p=0.6) == [False, True, True, False]
    assert kept(top_p=0.8) == [True, True, True, False]  # of equals, the lower id
    assert kept(top_k=3) == [True, True, True, False]
    # The nucleus is taken among the k tokens, whose probabilities are 2/3 and 1/3.
    assert kept(top_k=2, top_p=0.6) == [False, True, False, False]
    assert kept(top_k=99) == [True] * 4


def test_the_interval_is_shared_in_the_order_of_ids() -> None:
    logits = torch.tensor([[0.25, 0.0, 0.5, 0.25, 0.0]]).log().expand(5, -1)
    numbers = [0.0, 0.24, 0.26, 0.76, 1 - 2**-53]
    assert draw(logits, Sampling(), numbers).tolist() == [0, 0, 2, 2 + 1, 3]


def test_numbers_are_even_and_of_a_seed_and_place() -> None:
    numbers = torch.tensor([draw_uniform(f"{a}", b) for a in range(100) for b in range(100)])
    counts = torch.histc(numbers, 20, 0, 1)
    assert chisquare(counts.numpy()).pvalue > 0.001
    assert len(set(numbers.tolist())) > 9990
    assert draw_uniform("1", 23) != draw_uniform("12", 3)
    assert 0 <= numbers.min() < numbers.max() < 1
    # The same on every machine and in every version: what was drawn once must be drawn again.
    assert draw_uniform("seed", 7) == 0.7120342927553487


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_a_draw_depends_on_its_seed_alone(model: Any, letters: Any, temperature: float) -> None:
    """Not on the batch, its order, the slots, padding or how the prompts are shared out."""
    prompts = [TokenPrompt(context, 12) for context in CONTEXTS for _ in range(4)]
    seeds = [f"7/{number}" for number in range(len(prompts))]
    sampling = Sampling(temperature, top_p=0.95)
    ends = frozenset({0, 5})
    whole = drawn(model, letters, prompts, sampling, seeds, ends=ends)
    assert len({one.tokens for one in whole}) > 10
    assert len({len(one.tokens) for one in whole}) > 3
    few = drawn(model, letters, prompts, sampling, seeds, slots=3, ends=ends)
    back = drawn(model, letters, prompts[::-1], sampling, seeds[::-1], ends=ends)[::-1]
    alone = [
        drawn(model, letters, [prompt], sampling, [seed], ends=ends)[0]
        for prompt, seed in zip(prompts, seeds, strict=True)
    ]
    halves: list[Drawn | None] = [None] * len(prompts)
    for rank in range(2):
        halves[rank::2] = drawn(
            model, letters, prompts[rank::2], sampling, seeds[rank::2], ends=ends
        )
    for other in (few, back, alone, halves):
        assert [one.tokens for one in other] == [one.tokens for one in whole]
        for one, same in zip(other, whole, strict=True):
            assert one.logprobs == pytest.approx(same.logprobs, abs=1e-5)
    again = drawn(model, letters, prompts, sampling, [f"8{seed}" for seed in seeds], ends=ends)
    assert [one.tokens for one in again] != [one.tokens for one in whole]


def test_log_probabilities_are_the_models_own(model: Any, letters: Any) -> None:
    """Whatever the temperature, the nucleus or a penalty made of them."""
    prompts = [TokenPrompt(context, 8, penalty=1.5) for context in CONTEXTS]
    found = drawn(
        model, letters, prompts, Sampling(0.6, 0.8), ["a", "b", "c", "d", "e"], ends=frozenset({5})
    )
    for prompt, one in zip(prompts, found, strict=True):
        assert len(one.logprobs) == len(one.tokens)
        for place, (token, logprob) in enumerate(zip(one.tokens, one.logprobs, strict=True)):
            own = next_logits(model, (*prompt.context, *one.tokens[:place])).log_softmax(-1)
            assert logprob == pytest.approx(float(own[token]), abs=1e-5)


@pytest.mark.parametrize("penalty", [1.0, 1.7])
def test_no_temperature_is_greedy(model: Any, letters: Any, penalty: float) -> None:
    prompts = [TokenPrompt(context, 10, ("bc",), penalty) for context in CONTEXTS]
    packed = PackedModel(model)
    ends = frozenset({0, 5})
    with torch.inference_mode():
        prefix = packed.run_prefix(SHARED)
        expected = decode_greedily(packed, letters, ends, SHARED, prefix, prompts, 2)
    packed.restore_attention()
    assert len({done.text for done in expected}) > 2
    for temperature in (0.0, 1e-4):
        found = drawn(model, letters, prompts, Sampling(temperature), list("abcde"), ends=ends)
        assert [(one.text, one.finished) for one in found] == [
            (done.text, done.finished) for done in expected
        ]
        assert [sum(token not in ends for token in one.tokens) for one in found] == [
            done.tokens for done in expected
        ]


def test_an_answer_ends_by_a_token_a_text_or_its_limit(model: Any, letters: Any) -> None:
    prompts = [TokenPrompt(CONTEXTS[2], 6, ("c", "fg"))] * 200
    found = drawn(
        model, letters, prompts, Sampling(2.0), [str(i) for i in range(200)], ends=frozenset({5})
    )
    ways = Counter()
    for one in found:
        spoken = letters.decode(one.tokens, skip_special_tokens=True)
        if one.tokens[-1] == 5:
            ways["token"] += 1
            assert one.finished
            assert one.text == spoken[:-1]
        elif "c" in spoken or "fg" in spoken:
            ways["text"] += 1
            assert one.finished
            assert spoken == one.text + ("c" if spoken.endswith("c") else "fg")
        else:
            ways["limit"] += 1
            assert not one.finished
            assert len(one.tokens) == 6
            assert one.text == spoken
        assert 5 not in one.tokens[:-1]
        assert len(one.tokens) <= 6
    assert min(ways["token"], ways["text"], ways["limit"]) > 5


def test_the_model_is_left_as_it_was(model: Any, letters: Any) -> None:
    model.train()
    before = model.config._attn_implementation
    prompts = [TokenPrompt(CONTEXTS[0], 3)] * 2
    with pytest.raises(ValueError, match="1 seeds for 2 prompts"):
        drawn(model, letters, prompts, Sampling(), ["a"])
    assert model.training
    assert model.config._attn_implementation == before
    drawn(model, letters, prompts, Sampling(), ["a", "b"])
    loss = model(torch.tensor([CONTEXTS[0]]), labels=torch.tensor([CONTEXTS[0]])).loss
    loss.backward()
    assert all(weight.grad is not None for weight in model.parameters())


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1.0}, {"temperature": float("nan")}, {"top_p": 0.0}, {"top_k": 0}]
)
def test_impossible_settings_are_named(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=name):
        Sampling(**wrong)


def test_a_model_in_training_is_drawn_from_under_autocast(model: Any, letters: Any) -> None:
    """Its weights are fp32 and it computes in bf16: probabilities are those of a plain pass."""
    prompts = [TokenPrompt(context, 6) for context in CONTEXTS]
    with torch.autocast("cpu", torch.bfloat16):
        found = drawn(model, letters, prompts, Sampling(), [f"s/{i}" for i in range(len(prompts))])
        for context, one in zip(CONTEXTS, found, strict=True):
            logits = model(torch.tensor([[*context, *one.tokens]])).logits[0]
            logprobs = logits.float().log_softmax(-1)[len(context) - 1 : -1]
            wanted = logprobs.gather(-1, torch.tensor(one.tokens)[:, None])[:, 0]
            assert one.logprobs == pytest.approx(wanted.tolist(), abs=0.05)
