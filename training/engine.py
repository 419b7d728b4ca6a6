"""The optimizer steps of a run: a thin layer on transformers' Trainer.

Added to the Trainer are a fixed order of rows, a loss that weights every trained token of a step
alike whatever the micro-batches, one log line per step, and states that survive a kill. Where
DeepSpeed or TRL's trainer takes over, it takes the place of `train` here.
"""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from training.checkpoints import last_whole, mark_whole
from training.dataset import IGNORED, Example
from training.errors import DivergedError
from training.settings import Precision, Train

_COLUMNS = ("step", "loss", "learning_rate", "tokens", "supervised_tokens")
_SCHEDULES = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


class Journal(TrainerCallback):  # type: ignore[misc]
    """One line per step, in the Trainer's state, in log.jsonl, and to `progress`.

    The state's copy is saved with each interrupted state, so that a continued run rewrites
    log.jsonl up to where it takes over and ends with the log of an undisturbed one.
    """

    def __init__(self, log: Path, states: Path, progress: Callable[[int, int, str], None]) -> None:
        self.lines: list[dict[str, Any]] = []
        self.seconds = 0.0  # inside steps of this process, without saving
        self.tokens = 0  # computed by this process
        self._log, self._states, self._progress = log, states, progress
        self._began = 0.0
        self._step: dict[str, Any] = {}

    def add(self, loss: float, tokens: int, supervised: int) -> None:
        """Count one micro-batch; its loss is its share of the step's."""
        self._step["loss"] += loss
        self._step["tokens"] += tokens
        self._step["supervised_tokens"] += supervised

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.lines = list(state.log_history)  # to which the Trainer adds lines of its own
        self._log.write_text("".join(map(_line, self.lines)), encoding="utf-8")
        self._progress(state.global_step, state.max_steps, "")

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._began = time.perf_counter()
        self._step = dict.fromkeys(_COLUMNS, 0) | {"step": state.global_step + 1, "loss": 0.0}

    def on_pre_optimizer_step(
        self, args: Any, state: Any, control: Any, lr_scheduler: Any = None, **_: Any
    ) -> None:
        self._step["learning_rate"] = lr_scheduler.get_last_lr()[0]

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        step = self._step
        self.seconds += time.perf_counter() - self._began
        self.tokens += step["tokens"]
        if not math.isfinite(step["loss"]):
            raise DivergedError(
                f"the loss became {step['loss']} at step {step['step']}. "
                "Remedy: lower train.learning_rate, or set train.precision to fp32."
            )
        state.log_history.append(step)
        self.lines.append(step)
        with self._log.open("a", encoding="utf-8") as file:
            file.write(_line(step))
        if state.global_step == state.max_steps:
            control.should_save = False  # the checkpoint itself is about to be written
        self._progress(state.global_step, state.max_steps, f"loss {step['loss']:.2f}")

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        mark_whole(self._states, state.global_step)


class OrderedTrainer(Trainer):  # type: ignore[misc]
    """Takes the rows as they come, and tells the journal of every micro-batch."""

    def __init__(self, *, journal: Journal, **arguments: Any) -> None:
        super().__init__(callbacks=[journal], compute_loss_func=token_loss, **arguments)
        self._journal = journal

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return torch.utils.data.SequentialSampler(self.train_dataset)

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        tokens = int(inputs["attention_mask"].sum())
        supervised = int((inputs["labels"][:, 1:] != IGNORED).sum())
        loss = super().training_step(model, inputs, num_items_in_batch)
        self._journal.add(float(loss), tokens, supervised)
        return loss


def token_loss(
    outputs: Any, labels: torch.Tensor, num_items_in_batch: int | torch.Tensor
) -> torch.Tensor:
    """The summed cross-entropy in nats over the trained tokens, divided by those of the whole step.

    `outputs.logits` is (rows, length, vocabulary), `labels` (rows, length). The sum over the
    micro-batches of a step is the mean over its tokens. Computed in fp32 for trained tokens only.
    Not covered: the auxiliary loss of mixtures of experts.
    """
    targets = labels[:, 1:]
    trained = targets != IGNORED
    logits = outputs.logits[:, :-1][trained].float()
    total: torch.Tensor = functional.cross_entropy(logits, targets[trained], reduction="sum")
    return total / num_items_in_batch


def train(
    model: torch.nn.Module,
    examples: list[Example],
    *,
    steps: int,
    padding: int,
    states: Path,
    log: Path,
    settings: Train,
    precision: Precision,
    seed: int,
    progress: Callable[[int, int, str], None],
) -> Journal:
    """Train `model` in place on `examples` in their order, continuing from `states` if it can.

    `padding` is the token that fills up the shorter rows of a micro-batch.
    """
    arguments = TrainingArguments(
        output_dir=str(states),
        max_steps=steps,
        per_device_train_batch_size=settings.micro_batch,
        gradient_accumulation_steps=settings.batch_size // settings.micro_batch,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=_SCHEDULES[settings.schedule],
        warmup_steps=math.ceil(settings.warmup * steps),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        bf16=precision == "bf16",
        use_cpu=not torch.accelerator.is_available(),
        seed=seed,
        save_strategy="steps",
        save_steps=settings.save_every,
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )
    journal = Journal(log, states, progress)
    trainer = OrderedTrainer(
        journal=journal,
        model=model,
        args=arguments,
        train_dataset=examples,
        data_collator=lambda batch: _collate(batch, padding),
    )
    trainer.remove_callback(PrinterCallback)
    whole = last_whole(states)
    trainer.train(resume_from_checkpoint=str(whole) if whole else None)
    return journal


def _collate(batch: list[Example], padding: int) -> dict[str, torch.Tensor]:
    """Three (rows, length) tensors, padded on the right to the longest row."""
    length = max(len(example.input_ids) for example in batch)

    def padded(rows: list[list[int]], value: int) -> torch.Tensor:
        return torch.tensor([row + [value] * (length - len(row)) for row in rows])

    ids = [example.input_ids for example in batch]
    return {
        "input_ids": padded(ids, padding),
        "attention_mask": padded([[1] * len(row) for row in ids], 0),
        "labels": padded([example.labels for example in batch], IGNORED),
    }


def _line(entry: dict[str, Any]) -> str:
    # In this order, whichever one the Trainer's saved state gave the entry.
    return json.dumps({name: entry[name] for name in _COLUMNS}, ensure_ascii=False) + "\n"
