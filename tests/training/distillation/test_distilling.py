"""The steps of a distillation: each signal against what it must be, and a loop over tokens."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from distilling import PLAIN, SETTINGS, distil, guide, only, read_log
from safetensors.torch import load_file
from small_checkpoints import save_model

from training.distillation.documents import LastAnswer, Rollout, list_last_answers
from training.distillation.engine import DistillingTrainer
from training.distillation.settings import Divergence, Rollouts
from training.launch import run_training

WEIGHTS = "checkpoint/model.safetensors"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A random model with a vocabulary of 300 tokens."""
    return save_model(tmp_path / "student")


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    """Another random model with the student's vocabulary."""
    return save_model(tmp_path / "teacher", hidden_size=48)


@pytest.fixture
def data(tiny: Path, rows: Path, teacher: Path, tmp_path: Path) -> Path:
    guide(tiny, teacher, rows, tmp_path / "guided", PLAIN)
    return tmp_path / "guided"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Keeps what was drawn: rows and rollouts of each step."""
    kept: list[Any] = []
    real = DistillingTrainer._draw

    def draw(self: Any, batches: Any) -> Any:
        found = real(self, batches)
        rows = [row for batch in batches for row in batch["rows"].content]
        kept.append((rows, [some for batch in found for some in batch]))
        return found

    monkeypatch.setattr(DistillingTrainer, "_draw", draw)
    return kept


def test_supervision_alone_is_fine_tuning(tiny: Path, data: Path, tmp_path: Path) -> None:
    tuned, distilled = tmp_path / "tuned", tmp_path / "distilled"
    run_training(base=tiny, packed=data, out=tuned, settings=SETTINGS, precision="fp32", seed=3)
    distil(tiny, data, distilled, replace(PLAIN, weights=only(supervised=1)))
    for one, other in zip(read_log(tuned), read_log(distilled), strict=True):
        assert other["loss"] == other["supervised"] == pytest.approx(one["loss"], abs=1e-5)
        assert other["supervised_tokens"] == one["supervised_tokens"]
        assert "off_policy" not in other
        assert "rollouts" not in other
    start = load_file(tiny / "model.safetensors")
    weights, wanted = load_file(distilled / WEIGHTS), load_file(tuned / WEIGHTS)
    for name, tensor in wanted.items():
        moved = (tensor.float() - start[name].float()).abs().max()
        assert (weights[name].float() - tensor.float()).abs().max() <= 0.02 * moved + 1e-3, name


def test_a_teacher_that_is_the_student_has_nothing_to_say(
    tiny: Path, rows: Path, tmp_path: Path
) -> None:
    data = tmp_path / "own"
    guide(tiny, tiny, rows, data, PLAIN)
    distil(tiny, data, tmp_path / "out", teacher=tiny, changes={"steps": 2})
    first, second = read_log(tmp_path / "out")
    assert abs(first["off_policy"]) < 1e-6
    assert abs(first["on_policy"]) < 1e-6
    # Before any step the student is its start, and a sigmoid of 0 is a half.
    assert first["sequence"] == pytest.approx(math.log(2), abs=1e-6)
    assert first["loss"] == pytest.approx(first["supervised"] + math.log(2), abs=1e-5)
    # Once supervision has moved the student, all three have.
    assert second["off_policy"] > 1e-3
    assert second["on_policy"] > 1e-3
    assert second["sequence"] < math.log(2) - 1e-3


def measure_by_hand(
    student: Any, start: Any, teacher: Any, rows: list[Any], drawn: list[list[Rollout]], beta: float
) -> dict[str, float]:
    """The losses of a step from each document by itself, in float64, one token after the other."""

    def predict(model: Any, ids: Any) -> Any:
        with torch.no_grad():
            return model(torch.tensor([list(ids)])).logits[0].double().log_softmax(-1)

    def log_ratio(context: Any, tokens: Any) -> float:
        ids = [*context, *tokens]
        own, before = predict(student, ids), predict(start, ids)
        places = range(len(context) - 1, len(ids) - 1)
        return math.fsum(float(own[n, ids[n + 1]] - before[n, ids[n + 1]]) for n in places)

    supervised, off, on, sequence, trained, tokens = [], [], [], [], 0, 0
    for row, some in zip(rows, drawn, strict=True):
        at = 0
        for length in row["seq_lengths"]:
            ids, labels = (row[name][at : at + length] for name in ("input_ids", "labels"))
            at += length
            own, given = predict(student, ids), predict(teacher, ids)
            for n in range(length - 1):
                if labels[n + 1] != -100:
                    trained += 1
                    supervised.append(-float(own[n, ids[n + 1]]))
                    off.append(float((given[n].exp() * (given[n] - own[n])).sum()))
        for one in some:
            tokens += len(one.tokens)
            ids, guided = [*one.answer.context, *one.tokens], [*one.answer.guide, *one.tokens]  # type: ignore[misc]
            own, given = predict(student, ids), predict(teacher, guided)
            for n in range(len(one.tokens)):
                q = own[len(one.answer.context) - 1 + n]
                p = given[len(one.answer.guide) - 1 + n]  # type: ignore[arg-type]
                on.append(float((q.exp() * (q - p)).sum()))
            gap = log_ratio(one.answer.context, one.answer.tokens)
            gap -= log_ratio(one.answer.context, one.tokens)
            sequence.append(math.log1p(math.exp(-beta * gap)))
    return {
        "supervised": math.fsum(supervised) / trained,
        "off_policy": math.fsum(off) / trained,
        "on_policy": math.fsum(on) / tokens,
        "sequence": math.fsum(sequence) / len(sequence),
    }


@pytest.mark.parametrize("micro_batch", [1, 2, 4])
def test_the_losses_of_a_step_are_those_of_its_tokens_one_by_one(
    tiny: Path,
    rows: Path,
    teacher: Path,
    tmp_path: Path,
    drawn: list[Any],
    micro_batch: int,
) -> None:
    """With another prompt for the teacher, and documents of different lengths in one step."""
    from core.checkpoints.opening import open_model

    distillation = replace(
        PLAIN,
        rollouts=Rollouts(max_tokens=11, per_prompt=2),
        verbalizer=replace(PLAIN.verbalizer, on_policy="reference"),
        beta=0.7,
    )
    data, out = tmp_path / "guided", tmp_path / "out"
    facts = guide(tiny, teacher, rows, data, distillation)
    assert facts.views["on_policy"] == {"reference": 10}
    assert facts.views["off_policy"] == {"plain": 10}
    changes = {"steps": 1, "batch_size": 4, "micro_batch": micro_batch}
    distil(tiny, data, out, distillation, teacher, changes=changes)
    student = open_model(tiny).model.double()
    line = read_log(out)[0]
    ((given, rollouts),) = drawn
    assert sum(len(row["seq_lengths"]) for row in given) > len(given)  # packed
    start, other = open_model(tiny).model.double(), open_model(teacher).model.double()
    wanted = measure_by_hand(student, start, other, given, rollouts, beta=0.7)
    for name, value in wanted.items():
        assert line[name] == pytest.approx(value, abs=1e-5), name
    assert line["loss"] == pytest.approx(sum(wanted.values()), abs=1e-4)
    every = [one for some in rollouts for one in some]
    assert line["rollouts"] == len(every) == 2 * sum(len(row["seq_lengths"]) for row in given)
    assert line["rollout_tokens"] == sum(len(one.tokens) for one in every)
    assert line["rollouts_ended"] == sum(one.ended for one in every)


def test_a_kept_step_is_measured_against_its_start(
    tiny: Path, data: Path, teacher: Path, tmp_path: Path, drawn: list[Any]
) -> None:
    """Of the second step: the start is another model than the student by then."""
    from core.checkpoints.opening import open_model

    whole, first = tmp_path / "whole", tmp_path / "first"
    constant = {"schedule": "constant"}
    distil(tiny, data, whole, PLAIN, teacher, changes={"steps": 2, **constant})
    second = drawn[1]
    # A run that ends behind the first step has the weights of the second's beginning.
    distil(tiny, data, first, PLAIN, teacher, changes={"steps": 1, **constant})
    student = open_model(first / "checkpoint").model.double()
    start, other = open_model(tiny).model.double(), open_model(teacher).model.double()
    wanted = measure_by_hand(student, start, other, *second, beta=PLAIN.beta)
    line = read_log(whole)[1]
    for name, value in wanted.items():  # up to the rounding of a checkpoint to bf16
        assert line[name] == pytest.approx(value, rel=0.01, abs=0.01), name
    assert abs(line["sequence"] - math.log(2)) > 1e-3


def test_what_is_drawn_depends_on_no_micro_batch(
    tiny: Path, data: Path, teacher: Path, tmp_path: Path, drawn: list[Any]
) -> None:
    tokens = []
    for micro_batch in (1, 4):
        drawn.clear()
        changes = {"steps": 2, "batch_size": 4, "micro_batch": micro_batch}
        distil(tiny, data, tmp_path / str(micro_batch), PLAIN, teacher, changes=changes)
        tokens.append([one.tokens for _, found in drawn[:1] for some in found for one in some])
    assert tokens[0] == tokens[1]
    assert len(set(tokens[0])) > 1
    # Another pass over the same rows draws anew.
    names = [[(row["place"], len(row["seq_lengths"])) for row in rows] for rows, _ in drawn]
    assert names[0] != names[1]


def test_each_signal_can_be_left_out_with_all_that_it_needs(
    tiny: Path, data: Path, teacher: Path, tmp_path: Path, drawn: list[Any]
) -> None:
    for name in ("off_policy", "on_policy", "sequence"):
        distillation = replace(PLAIN, weights=only(**{name: 0.5}))
        out = tmp_path / name
        asked = teacher if distillation.asks_teacher else None
        distil(tiny, data, out, distillation, asked, changes={"steps": 2})
        for line in read_log(out):
            assert line["loss"] == pytest.approx(0.5 * line[name], abs=1e-5)
            assert not {"supervised", "off_policy", "on_policy", "sequence"} - {name} & line.keys()
            assert ("rollouts" in line) == (name != "off_policy")


def test_steps_between_drawn_ones_have_no_signal_of_them(
    tiny: Path, data: Path, teacher: Path, tmp_path: Path
) -> None:
    sparse = replace(PLAIN, rollouts=Rollouts(max_tokens=4, every=2))
    distil(tiny, data, tmp_path / "out", sparse, teacher)
    assert ["on_policy" in line for line in read_log(tmp_path / "out")] == [False, True] * 2


def test_spin_draws_from_the_frozen_start(
    tiny: Path, data: Path, tmp_path: Path, drawn: list[Any]
) -> None:
    spin = replace(PLAIN, weights=only(sequence=1), rollouts=Rollouts(writer="start", max_tokens=6))
    changes = {"learning_rate": 0.3, "schedule": "constant"}
    distil(tiny, data, tmp_path / "far", spin, changes=changes)
    far = [[one.tokens for some in found for one in some] for _, found in drawn]
    drawn.clear()
    distil(tiny, data, tmp_path / "near", spin, changes={**changes, "learning_rate": 1e-9})
    near = [[one.tokens for some in found for one in some] for _, found in drawn]
    assert far == near
    losses = [[line["sequence"] for line in read_log(tmp_path / n)] for n in ("far", "near")]
    assert losses[0][1:] != pytest.approx(losses[1][1:], abs=1e-3)


def test_a_teacher_of_its_own_padding_and_a_pooled_tail(
    tiny: Path, rows: Path, tmp_path: Path
) -> None:
    padded = save_model(tmp_path / "padded", vocab_size=320)
    data = tmp_path / "guided"
    guide(tiny, padded, rows, data, PLAIN)
    losses = []
    for top_k in (None, 50):
        distillation = replace(
            PLAIN,
            off_policy=Divergence("forward", top_k=top_k),
            on_policy=Divergence("reverse", top_k=top_k),
        )
        out = tmp_path / str(top_k)
        distil(tiny, data, out, distillation, padded, changes={"steps": 1})
        losses.append(read_log(out)[0])
    for name in ("off_policy", "on_policy"):
        assert 0 <= losses[1][name] < losses[0][name]


def test_the_last_answer_of_each_document_is_found() -> None:
    row = {
        "input_ids": list(range(1, 13)),
        "labels": [-100, 2, -100, 4, 5, -100, -100, -100, -100, 10, 11, 12],
        "seq_lengths": [5, 3, 4],
        "on_policy_ids": [90, 91, 4, 5, 80, 81, 70, 10, 11, 12],
        "on_policy_labels": [-100, -100, 4, 5, -100, -100, -100, 10, 11, 12],
        "on_policy_lengths": [4, 2, 4],
    }
    assert list_last_answers(row) == [
        LastAnswer(0, 1, (1, 2, 3), (4, 5), (90, 91)),
        LastAnswer(2, 3, (9,), (10, 11, 12), (70,)),
    ]
