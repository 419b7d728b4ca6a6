"""Draws answers by chance: temperature, the k most probable tokens, the nucleus.

The chance of a token is a number made of the sequence's own seed and the token's place in it. So
what is drawn depends neither on the batch nor on how many processes share the prompts, and an
interrupted run draws the same again. Logits depend on a batch's shape in their last digits; a draw
changes by that only where its number falls into that small a gap.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from decoding.loop import Decoded, decode
from decoding.packed import PackedModel, Prefix
from decoding.prompts import TokenPrompt, Tokens


@dataclass(frozen=True)
class Sampling:
    """The settings of sampling: which tokens may be drawn, and how often.

    The logits are divided by `temperature`; at 0 the most probable token is taken. Of the `top_k`
    most probable tokens (None: all) the smallest set is kept whose probabilities among them sum to
    `top_p` or more (nucleus sampling, Holtzman et al. 2020, arXiv 1904.09751). Of tokens that are
    equally probable, the lower ids come first.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int | None = None

    def __post_init__(self) -> None:
        if not self.temperature >= 0:
            raise ValueError(f"temperature is {self.temperature}; it must be 0 or more")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is {self.top_p}; it must be above 0 and at most 1")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k is {self.top_k}; it must be 1 or more, or None")


@dataclass(frozen=True)
class Drawn:
    """An answer that was drawn.

    `tokens` are all that were drawn, the one that ended the answer among them, and `logprobs` their
    log-probabilities in nats under the model itself: at temperature 1, over the whole vocabulary
    and before any penalty. `text` is without the stop text and what follows it. `finished` says
    that it ended by itself, not by its limit.
    """

    tokens: Tokens
    logprobs: tuple[float, ...]
    text: str
    finished: bool


@torch.no_grad()  # and no inference mode: training may use the same tensors afterwards
def sample_answers(
    model: PackedModel,
    tokenizer: Any,
    ends: frozenset[int],
    shared: Tokens,
    prefix: Prefix,
    prompts: Sequence[TokenPrompt],
    slots: int,
    sampling: Sampling,
    seeds: Sequence[str],
) -> list[Drawn]:
    """Draws an answer to each prompt, from the seed of the same place in `seeds`.

    A seed names one answer: say, the run's seed, the row's id and the number of the draw. The other
    arguments are those of `decoding.loop.decode`.
    """
    if len(seeds) != len(prompts):
        raise ValueError(f"{len(seeds)} seeds for {len(prompts)} prompts; there must be one each")

    def choose(logits: Tensor, penalised: Tensor, sequences: Sequence[Decoded]) -> list[int]:
        numbers = [draw_uniform(seeds[one.index], len(one.tokens)) for one in sequences]
        chosen = draw(penalised, sampling, numbers)
        logprobs = logits.float().log_softmax(-1).gather(-1, chosen[:, None])[:, 0]
        for sequence, logprob in zip(sequences, logprobs.tolist(), strict=True):
            sequence.logprobs.append(logprob)
        tokens: list[int] = chosen.tolist()
        return tokens

    found = decode(model, tokenizer, ends, shared, prefix, prompts, slots, choose)
    return [
        Drawn(
            (*done.tokens, *([] if done.end is None else [done.end])),
            tuple(done.logprobs),
            done.text,
            done.finished,
        )
        for done in found
    ]


def draw_uniform(seed: str, place: int) -> float:
    """Returns a number from 0 to below 1 that is the same on every machine."""
    digest = hashlib.blake2b(f"{seed}/{place}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) * 2.0**-53


def draw(logits: Tensor, sampling: Sampling, numbers: Sequence[float]) -> Tensor:
    """Draws the token (n) of each row of `logits` (n, vocabulary) whose share of the interval
    from 0 to 1 holds the row's number."""
    if sampling.temperature == 0:
        return logits.argmax(-1)
    probabilities = keep_probabilities(logits, sampling)
    ends = probabilities.cumsum(-1)  # of each token's share, in the order of ids
    total = ends[:, -1:]
    wanted = torch.tensor(numbers, dtype=ends.dtype, device=ends.device)[:, None] * total
    # Below the total after rounding, too; tokens without a share are never met.
    wanted = torch.minimum(wanted, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(ends, wanted, right=True)[:, 0]


def keep_probabilities(logits: Tensor, sampling: Sampling) -> Tensor:
    """Returns probabilities in fp64, 0 for tokens that may not be drawn; the others do not sum
    to 1."""
    probabilities = (logits.double() / sampling.temperature).softmax(-1)
    if sampling.top_k is None and sampling.top_p == 1:
        return probabilities
    ordered, order = torch.sort(probabilities, dim=-1, descending=True, stable=True)
    if sampling.top_k is not None:
        ordered[:, sampling.top_k :] = 0
    if sampling.top_p < 1:
        before = pad(ordered.cumsum(-1)[:, :-1], (1, 0))
        ordered = ordered.masked_fill(before >= sampling.top_p * ordered.sum(-1, keepdim=True), 0)
    return torch.zeros_like(ordered).scatter(-1, order, ordered)
