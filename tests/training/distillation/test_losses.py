"""The losses of distillation against plain loops in float64, over the whole vocabulary at once."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from training.distillation.losses import (
    Predictions,
    measure_divergence,
    measure_preference,
    score_positions,
)
from training.distillation.output_layer import OutputLayer, check_output_layer, find_output_layer
from training.distillation.settings import Divergence, DivergenceKind
from training.errors import DistillationError

KINDS: tuple[DivergenceKind, ...] = ("forward", "reverse", "jsd")
POSITIONS, WIDTH, VOCABULARY = 7, 5, 11


def softmax(logits: Any) -> list[float]:
    values = [math.exp(value - max(logits)) for value in logits]
    return [value / sum(values) for value in values]


def diverge(student: list[float], teacher: list[float], how: Divergence) -> float:
    """One position by hand, from the definition, in Python's own numbers."""
    q = softmax([x / how.temperature for x in student])
    p = softmax([x / how.temperature for x in teacher])
    if how.top_k is not None and how.top_k < len(p):
        by = q if how.kind == "reverse" else p
        top = sorted(range(len(by)), key=lambda i: -by[i])[: how.top_k]
        p = [p[i] for i in top] + [math.fsum(p[i] for i in range(len(p)) if i not in top)]
        q = [q[i] for i in top] + [math.fsum(q[i] for i in range(len(q)) if i not in top)]

    def kl(a: list[float], b: list[float]) -> float:
        return math.fsum(x * math.log(x / y) for x, y in zip(a, b, strict=True) if x > 0)

    if how.kind == "forward":
        found = kl(p, q)
    elif how.kind == "reverse":
        found = kl(q, p)
    else:
        m = [how.teacher_share * a + (1 - how.teacher_share) * b for a, b in zip(p, q, strict=True)]
        found = how.teacher_share * kl(p, m) + (1 - how.teacher_share) * kl(q, m)
    return found * how.temperature**2


@pytest.fixture
def logits() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return 3 * torch.randn(POSITIONS, VOCABULARY), 3 * torch.randn(POSITIONS, VOCABULARY)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("top_k", [None, 1, 4, VOCABULARY, 99])
def test_a_divergence_is_that_of_its_definition(
    logits: Any, kind: DivergenceKind, temperature: float, top_k: int | None
) -> None:
    how = Divergence(kind, temperature, 0.3, top_k)
    found = measure_divergence(*logits, how)
    wanted = [diverge(a.tolist(), b.tolist(), how) for a, b in zip(*logits, strict=True)]
    assert found.tolist() == pytest.approx(wanted, abs=1e-5)
    assert min(wanted) > 0.01  # or nothing is compared


@pytest.mark.parametrize("kind", KINDS)
def test_a_teacher_like_the_student_diverges_by_nothing(logits: Any, kind: DivergenceKind) -> None:
    for top_k in (None, 3):
        found = measure_divergence(logits[0], logits[0].clone(), Divergence(kind, top_k=top_k))
        assert found.abs().max() < 1e-6


def test_a_teacher_that_is_sure_gives_the_supervised_loss(logits: Any) -> None:
    targets = torch.arange(POSITIONS)
    sure = torch.full_like(logits[0], -torch.inf).scatter(-1, targets[:, None], 0.0)
    student = logits[0].requires_grad_()
    found = measure_divergence(student, sure, Divergence("forward"))
    wanted = torch.nn.functional.cross_entropy(student, targets, reduction="none")
    assert torch.allclose(found, wanted, atol=1e-5)
    (gradient,) = torch.autograd.grad(found.sum(), student, retain_graph=True)
    (expected,) = torch.autograd.grad(wanted.sum(), student)
    assert torch.allclose(gradient, expected, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pooled_tail_never_gives_less_than_nothing_nor_more_than_the_whole(
    kind: DivergenceKind,
) -> None:
    torch.manual_seed(2)
    student, teacher = torch.randn(500, 30), torch.randn(500, 30)
    whole = measure_divergence(student, teacher, Divergence(kind))
    before = torch.zeros(500)
    for top_k in (1, 5, 20, 29):
        found = measure_divergence(student, teacher, Divergence(kind, top_k=top_k))
        assert (found >= -1e-6).all()
        assert (found <= whole + 1e-5).all()
        assert found.mean() > before.mean()
        before = found
    # What the trap is: a sum over the top alone goes below 0.
    own, given = student.log_softmax(-1), teacher.log_softmax(-1)
    top = given.topk(5).indices
    alone = (own.exp() * (own - given)).gather(-1, top).sum(-1)
    assert alone.min() < -0.1


def make_predictions(seed: int, vocabulary: int = VOCABULARY) -> Predictions:
    torch.manual_seed(seed)
    layer = torch.nn.Linear(WIDTH, vocabulary, bias=False)
    hidden = torch.randn(POSITIONS, WIDTH, requires_grad=True)
    return Predictions(hidden, OutputLayer(layer, factor=1.7, softcap=4.0))


@pytest.mark.parametrize("chunk", [1, 3, 1024])
@pytest.mark.parametrize("how", [Divergence(kind) for kind in KINDS] + [Divergence(top_k=3)])
def test_scores_and_gradients_in_chunks_are_those_of_all_at_once(
    how: Divergence, chunk: int
) -> None:
    student, teacher = make_predictions(3), make_predictions(4)
    targets = torch.arange(POSITIONS)
    found = score_positions(student, targets, teacher, how, chunk=chunk)
    assert found.divergences is not None
    weights = torch.arange(1.0, POSITIONS + 1)
    loss = (weights * found.logprobs).sum() + (weights.flip(0) * found.divergences).sum()
    wanted = [student.hidden, student.layer.linear.weight]
    gradients = torch.autograd.grad(loss, wanted)

    def compute_logits(of: Predictions) -> Any:
        raw = 1.7 * (of.hidden.double() @ of.layer.linear.weight.double().T)
        return 4.0 * torch.tanh(raw / 4.0)

    own, given = compute_logits(student), compute_logits(teacher).detach()
    logprobs = own.log_softmax(-1)[torch.arange(POSITIONS), targets]
    assert torch.allclose(found.logprobs.double(), logprobs, atol=1e-5)
    by_hand = [diverge(a.tolist(), b.tolist(), how) for a, b in zip(own, given, strict=True)]
    assert np.allclose(found.divergences.tolist(), by_hand, atol=1e-5)
    whole = measure_divergence(own.float(), given.float(), how)
    loss = (weights * logprobs).sum() + (weights.flip(0) * whole).sum()
    for gradient, expected in zip(gradients, torch.autograd.grad(loss, wanted), strict=True):
        assert torch.allclose(gradient, expected, atol=1e-4)
    assert teacher.hidden.grad is None


def test_the_gradient_of_a_divergence_is_its_slope(logits: Any) -> None:
    student = logits[0].double().requires_grad_()
    for kind in KINDS:
        how = Divergence(kind, temperature=1.0, top_k=None)
        (gradient,) = torch.autograd.grad(
            measure_divergence(student, logits[1], how).sum(), student
        )
        for place in ((0, 0), (3, 7)):
            step = 1e-5
            moved = []
            for sign in (1, -1):
                row = student[place[0]].tolist()
                row[place[1]] += sign * step
                moved.append(diverge(row, logits[1][place[0]].tolist(), how))
            slope = (moved[0] - moved[1]) / (2 * step)
            assert float(gradient[place]) == pytest.approx(slope, abs=1e-4)


def test_padding_behind_a_shared_vocabulary_takes_no_part() -> None:
    student, teacher = make_predictions(3), make_predictions(4, VOCABULARY + 4)
    targets = torch.arange(POSITIONS)
    found = score_positions(student, targets, teacher, Divergence(), vocabulary=VOCABULARY)
    cut = replace(teacher, layer=replace(teacher.layer))
    cut.layer.linear.weight.data = teacher.layer.linear.weight.data[:VOCABULARY]
    wanted = score_positions(student, targets, cut, Divergence())
    assert found.divergences is not None
    assert wanted.divergences is not None
    assert torch.allclose(found.divergences, wanted.divergences, atol=1e-6)


def test_no_position_gives_no_loss_and_a_gradient_of_nothing() -> None:
    student = make_predictions(3)
    none = Predictions(student.hidden[:0], student.layer)
    found = score_positions(none, torch.zeros(0, dtype=torch.long), none, Divergence())
    assert found.divergences is not None
    assert (found.logprobs.sum() + found.divergences.sum()).item() == 0.0
    with pytest.raises(ValueError, match="0 positions of 7 have a teacher"):
        score_positions(student, torch.arange(POSITIONS), none, Divergence())


def test_the_preference_is_spins_logistic_loss() -> None:
    reference, rollout = torch.tensor([0.0, 2.0, -3.0]), torch.tensor([0.0, -1.0, 40.0])
    found = measure_preference(reference, rollout, beta=0.1)
    wanted = [math.log1p(math.exp(-0.1 * (a - b))) for a, b in zip(reference, rollout, strict=True)]
    assert found.tolist() == pytest.approx(wanted, abs=1e-6)
    assert found[0] == pytest.approx(math.log(2))


@pytest.mark.parametrize("kind", ["llama", "granite", "qwen3", "gpt2", "gemma2", "cohere"])
def test_an_output_layer_makes_the_models_own_logits(kind: str, tmp_path: Any) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = {
        "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "vocab_size": 60,
        "num_attention_heads": 4, "num_key_value_heads": 2, "n_embd": 32, "n_layer": 1, "n_head": 4,
        "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1,
    }  # fmt: skip
    own = {"granite": {"logits_scaling": 8.0}, "gemma2": {"final_logit_softcapping": 3.0}}
    own["cohere"] = {"logit_scale": 0.25}
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, **sizes | own.get(kind, {}))
    model = AutoModelForCausalLM.from_config(config)
    layer = find_output_layer(model)
    check_output_layer(model, layer)
    with pytest.raises(DistillationError, match=r"not known here.*Remedy"):
        check_output_layer(model, replace(layer, factor=layer.factor * 1.01))
