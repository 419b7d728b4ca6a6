"""The optimizer steps of a run: a thin layer on TRL's SFTTrainer.

Added are packed rows in a fixed order, in which no document sees another; a loss that weights every
trained token of a step alike, on however many processes and in whatever micro-batches; the same
loss on the validation rows; a journal; and states that survive a kill. TRL's fused head computes
log-probabilities in tiles: the logits of a whole row are never built.
"""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from training.checkpoints import STOP, find_last_whole
from training.collate import Collator, Packed
from training.dataset import IGNORED
from training.errors import ToldToStop
from training.head import TrainedPositions
from training.journal import TrainingJournal
from training.probe import probe
from training.saving import save_weights
from training.settings import Precision, Train
from training.trackers import PROJECT, tracking
from training.zero import make_deepspeed_config

_SCHEDULES = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


class PackedTrainer(SFTTrainer):  # type: ignore[misc]
    """Takes packed rows as they come, and tells the journal of every micro-batch."""

    def __init__(
        self,
        *,
        model: Any,
        journal: TrainingJournal,
        validation: Dataset,
        collator: Collator,
        **arguments: Any,
    ) -> None:
        self._head = TrainedPositions(model)  # before PEFT wraps it
        super().__init__(
            model=model, callbacks=[journal], data_collator=Counting(collator), **arguments
        )
        self._journal = journal
        self._validation = validation
        self._collator = collator
        self.probed: float | None = None
        """What `probe` found before the first step."""

    def probe(self, config: Any, precision: Precision) -> float:
        """See `training.probe`. To be called once the model is wrapped."""
        with self.compute_loss_context_manager():
            return probe(
                self.model_wrapped,
                self._collator,
                config,
                precision=precision,
                device=self.args.device,
            )

    def start_clock(self) -> None:
        """Leave what was done since the last step out of the journal's speed."""
        self._journal.start_clock()

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return torch.utils.data.SequentialSampler(self.train_dataset)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The summed cross-entropy in nats over the trained tokens, divided by those of the whole
        step. (Not covered: the auxiliary loss of mixtures of experts.)"""
        tokens = inputs.pop("tokens")
        total, supervised = self._sum_loss(model, inputs)
        loss = total / num_items_in_batch
        sums = {"loss": loss, "tokens": tokens, "supervised_tokens": supervised}
        self._journal.add(sums)
        return loss * self.accelerator.num_processes  # by which DDP and DeepSpeed divide again

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """The mean loss of the validation rows' trained tokens. (Trainer's own is a mean of the
        batches' means.)"""
        if self._journal.lines[-1:] and "eval_loss" in self._journal.lines[-1]:
            return {"eval_loss": self._journal.lines[-1]["eval_loss"]}  # the last step asks twice
        model, rank = self.model_wrapped, self.args.process_index
        was_training = model.training
        model.eval()
        sums = torch.zeros(2, dtype=torch.float64)
        processes = self.args.world_size
        for at in range(0, len(self._validation), processes):
            # Under ZeRO-3 all processes must compute alike; one without a row repeats the first.
            mine = at + rank < len(self._validation)
            row = self._validation[at + rank if mine else 0]
            inputs = self._prepare_inputs(self._collator([row]))
            with torch.no_grad(), self.compute_loss_context_manager():
                total, supervised = self._sum_loss(model, inputs)
            if mine:
                sums += torch.tensor([float(total), float(supervised)], dtype=torch.float64)
        if processes > 1:
            sums = self.accelerator.reduce(sums.to(self.args.device), "sum").cpu()
        model.train(was_training)
        loss = float(sums[0] / sums[1])
        self._journal.add_evaluation(loss, self.state)
        if self.args.report_to:
            self.log({"eval_loss": loss})
        return {"eval_loss": loss}

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Send the Trainer's numbers of a step and the journal's speed to the tracker."""
        if "loss" in logs:
            logs |= self._journal.speed
        super().log(logs, start_time)

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """None in interrupted states; the finished checkpoint's is `training.card`'s."""

    def _sum_loss(self, model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """The cross-entropy of a micro-batch in nats, and over how many tokens it is the sum."""
        targets = inputs.pop("labels")[:, 1:]
        trained = targets != IGNORED
        with self._head.limiting_to(trained):
            outputs = model(
                **self._collator.mask(inputs),
                shift_labels=targets[trained][None],
                fused_lm_head=True,
            )
        return -outputs.log_probs.sum(), trained.sum()


def train(
    model: torch.nn.Module,
    tokenizer: Any,
    rows: Dataset,
    validation: Dataset,
    *,
    collator: Collator,
    states: Path,
    settings: Train,
    precision: Precision,
    arguments: SFTConfig,
    journal: TrainingJournal,
    probed: bool,
    kept: Mapping[int, Path],
    make_trainer: Callable[..., PackedTrainer] = PackedTrainer,
) -> PackedTrainer:
    """Train `model` in place on `rows` in their order, continuing from `states` if it can.

    With `probed`, nothing is trained before the probe has passed. `kept` is step -> folder of the
    weights that are to be kept of it. `make_trainer` takes the arguments of PackedTrainer.
    """
    with warnings.catch_warnings():
        # PEFT asks by a name that transformers 5.23 has replaced.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        trainer = make_trainer(
            journal=journal,
            validation=validation,
            model=model,
            processing_class=tokenizer,
            args=arguments,
            train_dataset=rows,
            eval_dataset=validation if len(validation) else None,
            collator=collator,
            peft_config=_make_lora_config(settings),
        )
    trainer.remove_callback(PrinterCallback)
    if probed:
        trainer.add_callback(_ProbeFirst(trainer, model.config, precision))
    if kept:
        trainer.add_callback(_KeepWeights(trainer, kept))
    trainer.add_callback(_StopWhenTold(states / STOP))
    whole = find_last_whole(states)
    with tracking(settings):
        trainer.train(resume_from_checkpoint=str(whole) if whole else None)
    if trainer.state.global_step < arguments.max_steps:
        raise ToldToStop(
            f"the run was told to stop, and has saved its state behind step "
            f"{trainer.state.global_step} of {arguments.max_steps}. Remedy: the same command goes "
            "on from there"
        )
    return trainer


def make_training_arguments(
    settings: Train, precision: Precision, *, steps: int, states: Path, seed: int, evaluate: bool
) -> SFTConfig:
    """The Trainer's arguments. Under DeepSpeed they must exist before the model is loaded."""
    return SFTConfig(
        output_dir=str(states),
        max_steps=steps,
        per_device_train_batch_size=settings.micro_batch,
        gradient_accumulation_steps=settings.batch_size
        // (settings.micro_batch * settings.processes),
        learning_rate=settings.learning_rate,
        lr_scheduler_type=_SCHEDULES[settings.schedule],
        # The first step of a warm-up has a learning rate of 0; a run of one step must train.
        warmup_steps=min(math.ceil(settings.warmup * steps), steps - 1),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        bf16=precision == "bf16",
        use_cpu=not torch.accelerator.is_available(),
        deepspeed=make_deepspeed_config(settings),
        activation_checkpointing=settings.gradient_checkpointing,
        gradient_checkpointing=None,
        seed=seed,
        max_length=None,
        packing=False,  # the rows are packed already
        dataset_kwargs={"skip_prepare_dataset": True},
        router_aux_loss_coef=0.0,
        eval_strategy="steps" if evaluate else "no",
        eval_steps=max(1, math.ceil(steps / settings.evaluations)),
        save_strategy="steps",
        save_steps=settings.save_every,
        logging_strategy="steps" if settings.tracker else "no",
        logging_steps=1,
        report_to=settings.tracker or "none",
        project=PROJECT,
        run_name=settings.name,
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        ddp_find_unused_parameters=False,
    )


class _ProbeFirst(TrainerCallback):  # type: ignore[misc]
    """Runs the probe once all wrappers are on, before the first step."""

    def __init__(self, trainer: PackedTrainer, config: Any, precision: Precision) -> None:
        self._asked = (trainer, config, precision)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        trainer, config, precision = self._asked
        found = trainer.probe(config, precision)
        # A continued run says what the run found that it continues.
        earlier = [entry["probe"] for entry in state.log_history if "probe" in entry]
        if not earlier:
            state.log_history.append({"probe": found})
        trainer.probed = earlier[0] if earlier else found


class _KeepWeights(TrainerCallback):  # type: ignore[misc]
    """Writes the weights of some steps beside the run."""

    def __init__(self, trainer: PackedTrainer, kept: Mapping[int, Path]) -> None:
        self._trainer, self._kept = trainer, kept

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step in self._kept:
            folder = self._kept[state.global_step]
            folder.parent.mkdir(exist_ok=True)
            save_weights(self._trainer, folder)
            self._trainer.start_clock()


class _StopWhenTold(TrainerCallback):  # type: ignore[misc]
    """Ends a run behind a step, with its state saved, when a file says so."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        told = torch.tensor(int(self._file.exists()), device=args.device)
        if args.world_size > 1:  # all must end behind the same step, whoever sees the file first
            torch.distributed.all_reduce(told, torch.distributed.ReduceOp.MAX)
        if told and state.global_step < state.max_steps:
            control.should_save = control.should_training_stop = True


class Counting:
    """The collator's batch, and the number of its tokens without padding."""

    def __init__(self, collator: Collator) -> None:
        self._collator = collator

    def __call__(self, rows: Sequence[Packed]) -> dict[str, Any]:
        tokens = sum(len(row["input_ids"]) for row in rows)
        return {**self._collator(rows), "tokens": torch.tensor(tokens)}


def _make_lora_config(settings: Train) -> Any:
    if not settings.lora.rank:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=settings.lora.rank,
        lora_alpha=settings.lora.alpha,
        lora_dropout=settings.lora.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
