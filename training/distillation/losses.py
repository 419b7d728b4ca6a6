"""The losses of distillation, as functions of log-probabilities; nats throughout.

supervised   the cross-entropy of the corpus's responses
off-policy   a divergence of teacher and student on each token of those responses
on-policy    a divergence on each token of the student's own responses
sequence     pulls the student from its own response to the corpus's, measured from a frozen start

All are computed from hidden states, some positions at a time: logits of all positions are never in
memory at once, neither in the forward pass nor in the backward one, which computes them again.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid
from torch.utils.checkpoint import checkpoint

from training.distillation.output_layer import OutputLayer
from training.distillation.settings import Divergence

LOGITS = 2**24
"""The most logits of a model that are in memory at once: 64 MB in fp32."""


@dataclass(frozen=True)
class Predictions:
    """The predictions of a model at N positions: hidden states (N, width), and the layer that makes
    logits of them."""

    hidden: Tensor
    layer: OutputLayer


class Scored(NamedTuple):
    """The log-probability (N) of each target under the student, and the divergence (N) at each
    position; None without a teacher."""

    logprobs: Tensor
    divergences: Tensor | None


def score_positions(
    student: Predictions,
    targets: Tensor,
    teacher: Predictions | None = None,
    divergence: Divergence | None = None,
    *,
    vocabulary: int | None = None,
    chunk: int | None = None,
) -> Scored:
    """Scores the student at N positions whose next tokens are `targets` (N).

    The teacher's positions are those of the same targets, in the same order. Divergences are over
    the first `vocabulary` tokens: the rows behind them, where one model has more, are padding.
    `chunk` positions are computed at once; None: as many as `LOGITS` allows.
    """
    chunk = chunk or max(1, LOGITS // student.layer.count_tokens())
    at_hand = teacher is not None and divergence is not None
    if teacher is not None and len(teacher.hidden) != len(student.hidden):
        raise ValueError(f"{len(teacher.hidden)} positions of {len(student.hidden)} have a teacher")

    def score(hidden: Tensor, told: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        logits = student.layer.compute_logits(hidden)
        logprobs = logits.log_softmax(-1).gather(-1, wanted[:, None])[:, 0]
        if teacher is None or divergence is None:
            return logprobs, logprobs
        with torch.no_grad():
            given = teacher.layer.compute_logits(told)[:, :vocabulary]
        return logprobs, measure_divergence(logits[:, :vocabulary], given, divergence)

    found = [
        checkpoint(
            score,
            student.hidden[at : at + chunk],
            teacher.hidden[at : at + chunk] if teacher is not None else student.hidden[:0],
            targets[at : at + chunk],
            use_reentrant=False,
        )
        for at in range(0, len(targets), chunk)
    ]
    if not found:
        # With a gradient of 0 for the layer: processes wait for each other's.
        nothing = student.layer.compute_logits(student.hidden).sum(-1)
        return Scored(nothing, nothing if at_hand else None)
    logprobs = torch.cat([one[0] for one in found])
    return Scored(logprobs, torch.cat([one[1] for one in found]) if at_hand else None)


def measure_divergence(student: Tensor, teacher: Tensor, how: Divergence) -> Tensor:
    """Measures how far two next-token distributions are apart: (N) from logits (N, vocabulary).

    `forward` is KL(teacher || student), `reverse` KL(student || teacher), and `jsd` the generalised
    Jensen-Shannon divergence of Agarwal et al. (2024, arXiv 2306.13649, equation 1). Both
    distributions are taken at the temperature, and the result is multiplied by its square, by which
    gradients keep their size (Hinton et al. 2015, arXiv 1503.02531, section 2).

    With `top_k`, the k tokens that are the most probable ones to the distribution over which the
    mean is taken stand alone, and all others are one token. That is at most the whole divergence,
    and never below 0, which a sum over k tokens alone can be.
    """
    own = (student.float() / how.temperature).log_softmax(-1)
    given = (teacher.float() / how.temperature).log_softmax(-1)
    if how.top_k is not None and how.top_k < own.shape[-1]:
        chosen = (own if how.kind == "reverse" else given).detach().topk(how.top_k).indices
        own, given = _pool_tail(own, chosen), _pool_tail(given, chosen)
    if how.kind == "forward":
        measured = _measure_kl(given, own)
    elif how.kind == "reverse":
        measured = _measure_kl(own, given)
    else:
        share = how.teacher_share
        middle = torch.logaddexp(given + math.log(share), own + math.log1p(-share))
        measured = share * _measure_kl(given, middle) + (1 - share) * _measure_kl(own, middle)
    return measured * how.temperature**2


def measure_preference(reference: Tensor, rollout: Tensor, beta: float) -> Tensor:
    """Computes -log sigmoid(beta (reference - rollout)) of each pair of answers.

    Both are log-ratios of whole answers, of the student to its frozen start: log S(y|x) - log
    S0(y|x). It is the loss of SPIN (Chen et al. 2024, arXiv 2401.01335, equation 4.7) with the
    logistic function, whose form is DPO's (arXiv 2305.18290, equation 7).
    """
    return -logsigmoid(beta * (reference - rollout))


def _measure_kl(first: Tensor, second: Tensor) -> Tensor:
    """Computes KL(first || second) from log-probabilities; a token without probability adds 0."""
    share = first.exp()
    return (share * (first - second)).masked_fill(share == 0, 0.0).sum(-1)


def _pool_tail(logprobs: Tensor, chosen: Tensor) -> Tensor:
    """Returns the log-probabilities (N, k) of the chosen tokens, and behind them that of any
    other: (N, k + 1)."""
    rest = logprobs.scatter(-1, chosen, -math.inf).logsumexp(-1, keepdim=True)
    return torch.cat([logprobs.gather(-1, chosen), rest], -1)
