"""The optimizer steps of a distillation: those of fine-tuning, with a loss of several signals.

Each signal has a denominator of its own, counted over the whole step and all processes: the trained
tokens of the corpus's responses, the tokens of the drawn ones, and the pairs of both. So all
responses of a step are drawn before its first micro-batch. In one pass over a micro-batch the
student computes its rows and, as a further row, what was drawn for them.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor

from training.collate import Collator, Packed
from training.dataset import IGNORED
from training.distillation.documents import (
    Rollout,
    join_responses,
    list_last_answers,
    list_trained,
    take_beside,
)
from training.distillation.drawing import Drawing
from training.distillation.frozen import FrozenModel
from training.distillation.guides import OFF_POLICY
from training.distillation.losses import (
    Predictions,
    Scored,
    measure_preference,
    score_positions,
)
from training.distillation.output_layer import OutputLayer
from training.distillation.settings import Distillation
from training.engine import Counting, PackedTrainer


@dataclass(frozen=True)
class Distilling:
    """The models and settings that a distillation has beside a fine-tuning.

    `teacher` and `start` are there where a signal asks for them; `vocabulary` is the number of
    tokens that teacher and student share.
    """

    settings: Distillation
    drawing: Drawing
    layer: OutputLayer  # the student's
    teacher: FrozenModel | None
    start: FrozenModel | None
    vocabulary: int | None


class DistillingTrainer(PackedTrainer):
    """Adds the teacher's and the sequences' signals to the trainer of packed rows."""

    def __init__(
        self, *, distilling: Distilling, train_dataset: Any, collator: Collator, **arguments: Any
    ) -> None:
        super().__init__(train_dataset=train_dataset, collator=collator, **arguments)
        self.train_dataset = _NumberedRows(train_dataset)
        self.data_collator = _Keeping(collator)
        self._distilling = distilling
        self._drawn: tuple[float, float] | None = None  # tokens and responses of the whole step

    def get_batch_samples(
        self, epoch_iterator: Any, num_batches: int, device: torch.device
    ) -> tuple[list[Any], Any]:
        """The micro-batches of a step, with what was drawn for them, and its trained tokens."""
        batches, items = super().get_batch_samples(epoch_iterator, num_batches, device)
        settings, self._drawn = self._distilling.settings, None
        if settings.draws and (self.state.global_step + 1) % settings.rollouts.every == 0:
            began = time.perf_counter()
            counts = torch.zeros(2, device=self.args.device)
            for batch, drawn in zip(batches, self._draw(batches), strict=True):
                batch["drawn"] = _Held(drawn)
                every = [one for some in drawn for one in some]
                tokens = sum(len(one.tokens) for one in every)
                counts += torch.tensor([float(tokens), float(len(every))], device=counts.device)
            if self.args.world_size > 1:
                counts = self.accelerator.reduce(counts, "sum")
            tokens, responses = counts.tolist()
            self._drawn = (tokens, responses) if responses else None
            self._journal.spend("rollout_seconds", time.perf_counter() - began)
        return batches, items

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The weighted sum of the signals' losses over the micro-batch, each divided by what the
        whole step has of it."""
        rows: list[dict[str, Any]] = inputs["rows"].content
        drawn: list[list[Rollout]] = inputs["drawn"].content if self._drawn else [[] for _ in rows]
        batch = _MicroBatch.join(rows, drawn, whole=not self._distilling.settings.on_policy_alone)
        hidden = self._compute_hidden(model, [*batch.corpus, *batch.drawn])
        with self._lowering():
            losses = self._measure(batch, hidden, num_items_in_batch)
        weights = vars(self._distilling.settings.weights)
        # Nothing of the hidden states, where a process has nothing to learn from.
        loss = sum((weights[name] * value for name, value in losses.items()), 0.0 * hidden.sum())
        counts = {
            "tokens": batch.count_tokens(),
            "supervised_tokens": len(list_trained(batch.corpus)),
        }
        if self._drawn:
            counts["rollouts"] = len(batch.rollouts)
            counts["rollouts_ended"] = sum(one.ended for one in batch.rollouts)
            counts["rollout_tokens"] = len(list_trained(batch.drawn))
        told = {name: torch.tensor(float(n), device=loss.device) for name, n in counts.items()}
        self._journal.add({"loss": loss, **losses, **told})
        return loss * self.accelerator.num_processes  # by which DDP and DeepSpeed divide again

    def _measure(self, batch: "_MicroBatch", hidden: Tensor, items: Any) -> dict[str, Tensor]:
        """Each signal's share of the step's loss, by its name in the log."""
        own, weights = self._distilling, self._distilling.settings.weights
        corpus = torch.tensor(list_trained(batch.corpus), dtype=torch.long, device=hidden.device)
        drawn = torch.tensor(list_trained(batch.drawn), dtype=torch.long, device=hidden.device)
        on_corpus, on_drawn = self._ask_teacher(batch)
        of_corpus = score_positions(
            Predictions(hidden[: len(corpus)], own.layer),
            corpus,
            on_corpus,
            own.settings.off_policy,
            vocabulary=own.vocabulary,
        )
        of_drawn = score_positions(
            Predictions(hidden[len(corpus) :], own.layer),
            drawn,
            on_drawn,
            own.settings.on_policy,
            vocabulary=own.vocabulary,
        )
        losses: dict[str, Tensor] = {}
        if weights.supervised:
            losses["supervised"] = -of_corpus.logprobs.sum() / items
        if weights.off_policy:
            losses["off_policy"] = _sum_divergences(of_corpus) / items
        if self._drawn and weights.on_policy:
            losses["on_policy"] = _sum_divergences(of_drawn) / self._drawn[0]
        if self._drawn and weights.sequence:
            before = self._score_start(batch, corpus, drawn)
            ratios = [
                now.logprobs - then for now, then in zip((of_corpus, of_drawn), before, strict=True)
            ]
            references = _sum_spans(ratios[0], batch.references)
            rollouts = _sum_spans(ratios[1], batch.responses)
            preferred = measure_preference(references, rollouts, own.settings.beta)
            losses["sequence"] = preferred.sum() / self._drawn[1]
        return losses

    def _lowering(self) -> torch.autocast:
        """The precision of the run, for what is computed outside the wrapped model."""
        return torch.autocast(self.args.device.type, torch.bfloat16, enabled=self.args.bf16)

    def _compute_hidden(self, model: Any, rows: Sequence[Packed]) -> Tensor:
        """The student's hidden states at all trained positions, row by row."""
        inputs = self._prepare_inputs(self._collator(rows))
        trained = inputs.pop("labels")[:, 1:] != IGNORED
        with self._head.collecting(trained) as taken:
            model(**self._collator.mask(inputs), use_cache=False)
        return taken[0]

    def _ask_teacher(self, batch: "_MicroBatch") -> tuple[Predictions | None, Predictions | None]:
        """The teacher's predictions of the corpus's responses, and of the drawn ones."""
        teacher, weights = self._distilling.teacher, self._distilling.settings.weights
        if teacher is None:
            return None, None
        began = time.perf_counter()
        off = batch.beside if weights.off_policy else []
        on = batch.guided if weights.on_policy else []
        if off and list_trained(off) != list_trained(batch.corpus):
            raise ValueError("the teacher's texts do not end in the tokens that are trained")
        predicted = teacher.predict([*off, *on])
        split = len(list_trained(off))
        self._journal.spend("frozen_seconds", time.perf_counter() - began)
        return (
            Predictions(predicted.hidden[:split], predicted.layer) if weights.off_policy else None,
            Predictions(predicted.hidden[split:], predicted.layer) if weights.on_policy else None,
        )

    @torch.no_grad()
    def _score_start(
        self, batch: "_MicroBatch", corpus: Tensor, drawn: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The log-probabilities of all trained tokens under the frozen start."""
        assert self._distilling.start is not None
        began = time.perf_counter()
        predicted = self._distilling.start.predict([*batch.corpus, *batch.drawn])
        found = score_positions(predicted, torch.cat([corpus, drawn])).logprobs
        self._journal.spend("frozen_seconds", time.perf_counter() - began)
        return found[: len(corpus)], found[len(corpus) :]

    def _draw(self, batches: Sequence[dict[str, Any]]) -> list[list[list[Rollout]]]:
        """The responses that are drawn for each row of each micro-batch."""
        rows = [row for batch in batches for row in batch["rows"].content]
        answers = [list_last_answers(row) for row in rows]
        named = [
            (f"{row['place']}/{answer.number}", answer)
            for row, some in zip(rows, answers, strict=True)
            for answer in some
        ]
        own = self._distilling
        if own.settings.rollouts.writer == "start":
            assert own.start is not None
            writer = own.start.model
        else:
            writer = self.accelerator.unwrap_model(self.model_wrapped)
        with self._lowering():
            found = iter(own.drawing.draw_responses(writer, named))
        of_rows = iter([[one for _ in some for one in next(found)] for some in answers])
        return [[next(of_rows) for _ in batch["rows"].content] for batch in batches]


@dataclass(frozen=True)
class _MicroBatch:
    """The packed rows of a micro-batch: the corpus's, and one of all that was drawn for them.

    `beside` and `guided` are the same as the teacher reads them. `references` are from where to
    where the last answers stand among the trained tokens of `corpus`, one for each rollout, and
    `responses` those of the rollouts among those of `drawn`.
    """

    corpus: list[Packed]
    drawn: list[Packed]
    beside: list[Packed]
    guided: list[Packed]
    rollouts: list[Rollout]
    references: list[tuple[int, int]]
    responses: list[tuple[int, int]]

    @classmethod
    def join(
        cls, rows: Sequence[dict[str, Any]], drawn: Sequence[Sequence[Rollout]], *, whole: bool
    ) -> "_MicroBatch":
        """`whole`: the corpus's rows, too, and not only what was drawn for them."""
        rollouts = [one for some in drawn for one in some]
        corpus = [{name: row[name] for name in _COLUMNS} for row in rows]
        references, before = [], 0
        for row, some in zip(corpus, drawn, strict=True):
            for one in some:
                first = before + one.answer.first
                references.append((first, first + len(one.answer.tokens)))
            before += len(list_trained([row]))
        ends = list(accumulate((len(one.tokens) for one in rollouts), initial=0))
        beside = [take_beside(row, OFF_POLICY) for row in rows]
        pairs = [(one.answer.context, one.tokens) for one in rollouts]
        guided = [(one.answer.guide or (), one.tokens) for one in rollouts]
        return cls(
            corpus=corpus if whole or not rollouts else [],
            drawn=[join_responses(pairs)] if rollouts else [],
            beside=[row for row in beside if row["input_ids"]],
            guided=[join_responses(guided)] if rollouts else [],
            rollouts=rollouts,
            references=references,
            responses=list(pairwise(ends)),
        )

    def count_tokens(self) -> int:
        """Count the tokens that the student computes."""
        return sum(len(row["input_ids"]) for row in (*self.corpus, *self.drawn))


class _NumberedRows(torch.utils.data.Dataset[dict[str, Any]]):
    """Rows that know their place in the run, from which what is drawn for them follows."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> dict[str, Any]:
        return {**self._rows[place], "place": place}


@dataclass(frozen=True)
class _Held:
    """A list that no library looks into on its way to `compute_loss`."""

    content: list[Any]


class _Keeping(Counting):
    """The collator's batch, and beside it the rows of which it was made."""

    def __call__(self, rows: Sequence[Any]) -> dict[str, Any]:
        return {**super().__call__(rows), "rows": _Held(list(rows))}


_COLUMNS = ("input_ids", "labels", "seq_lengths")


def _sum_divergences(scored: Scored) -> Tensor:
    assert scored.divergences is not None
    return scored.divergences.sum()


def _sum_spans(values: Tensor, spans: Sequence[tuple[int, int]]) -> Tensor:
    """Sums of some stretches of (N) values: (len(spans))."""
    sums = [values[start:end].sum() for start, end in spans]
    return torch.stack(sums) if sums else values[:0]
