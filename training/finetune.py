"""A whole fine-tuning run, from base and packed rows to checkpoint and log, in this process.

`training.launch` starts it in one process or in many.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.checkpoints.opening import open_config, open_model, open_tokenizer
from core.contract.facts import TuningFacts
from core.quiet import quiet_libraries
from training.distillation.settings import Lesson
from training.errors import LaunchError, LeakError, MemoryShort
from training.order import choose_kept_steps, count_steps, order_rows
from training.prepare import TRAIN, VALIDATION
from training.saving import save_checkpoint
from training.settings import Precision, Train

# Folder of the states from which an interrupted run goes on.
STATES = "trainer"
# Folder of the weights of earlier steps, each in a folder of its step's number.
KEPT = "kept"
Progress = Callable[[int, int, str], None]


def finetune(
    *,
    base: Path,
    packed: Path,
    out: Path,
    settings: Train,
    precision: Precision,
    seed: int,
    progress: Progress = lambda done, total, note: None,
    lesson: Lesson | None = None,
) -> TuningFacts:
    """Fine-tune the checkpoint directory `base` on the folder `packed` that `prepare` wrote; with a
    `lesson`, distil it.

    Writes `out`/checkpoint (bf16 safetensors, tokenizer, chat template: complete, for
    from_pretrained), `out`/kept/STEP (the weights of each step to keep), `out`/log.jsonl and
    speed.jsonl (see `training.journal`). The weights that are trained are fp32; precision "bf16"
    computes in bf16 over them.

    Interrupted states live in `out`/trainer, which the caller deletes when the result is safe.
    Called again after a kill, the run goes on from the last whole one and ends as an undisturbed
    one would, to the last bit on a CPU with the same number of threads.

    Not covered: bitwise equality on GPUs or across machines, and noticing that `base` changed
    between an interruption and its continuation.

    Raises CheckpointError, LeakError, LaunchError, MemoryShort and DivergedError.
    (`training.launch.run_training` makes sure that the states are this run's.)
    """
    with quiet_libraries(), _limiting_threads(settings.threads), _naming_memory_errors(settings):
        return _finetune(base, packed, out, settings, precision, seed, progress, lesson)


def _finetune(
    base: Path,
    packed: Path,
    out: Path,
    settings: Train,
    precision: Precision,
    seed: int,
    progress: Progress,
    lesson: Lesson | None,
) -> TuningFacts:
    out.mkdir(parents=True, exist_ok=True)
    states = out / STATES
    processes = _count_processes(settings)
    rows, validation = _open_packed_rows(packed / TRAIN), _open_packed_rows(packed / VALIDATION)
    order = order_rows(settings, len(rows), seed)
    steps = count_steps(settings, len(rows))
    kept = choose_kept_steps(settings, steps)
    progress(0, steps, "loading the student")

    import torch

    from training.attention import choose_attention, is_flat
    from training.collate import Collator
    from training.engine import PackedTrainer, make_training_arguments, train
    from training.flops import count_elements, count_flops_per_token
    from training.journal import TrainingJournal

    arguments = make_training_arguments(
        settings, precision, steps=steps, states=states, seed=seed, evaluate=len(validation) > 0
    )
    config, tokenizer = open_config(base), open_tokenizer(base)
    isolated = settings.isolation == "documents"
    lengths = _count_lengths(rows, by_document=isolated)
    # Frozen weights need no more than the precision that is computed in.
    frozen = settings.lora.rank > 0
    chosen = choose_attention(settings, precision, config)
    if chosen.said:
        progress(0, steps, chosen.said)
    model = open_model(
        base,
        dtype=torch.bfloat16 if frozen and precision == "bf16" else torch.float32,
        **chosen.options,
    ).model
    attention = str(model.config._attn_implementation)
    if isolated:
        held_out = _count_lengths(validation, by_document=True)
        if not is_flat(attention):
            _check_window(config, longest=max([*lengths, *held_out]))
    flattened = is_flat(attention) and settings.micro_batch > 1  # see training.collate
    # Padding is masked: any token with an embedding will do.
    pad = tokenizer.pad_token_id or 0
    pad = pad if pad < model.get_input_embeddings().num_embeddings else 0
    collator = Collator(attention, pad, isolated=isolated)
    size = sum(map(count_elements, model.parameters()))
    operations = count_flops_per_token(model, lengths, frozen=frozen)
    journal = TrainingJournal(
        out, states, progress, precision=precision, flops_per_token=None if lesson else operations
    )
    make_trainer: Callable[..., PackedTrainer] = PackedTrainer
    if lesson:
        from training.distillation.teaching import make_distilling_trainer

        progress(0, steps, "loading the teacher")
        device = arguments.device
        make_trainer = make_distilling_trainer(
            lesson, base, model, settings, precision, seed, device
        )
    trainer = train(
        model,
        tokenizer,
        _put_in_order(rows, order, -len(order) % (settings.micro_batch * processes)),
        validation,
        collator=collator,
        states=states,
        settings=settings,
        precision=precision,
        arguments=arguments,
        journal=journal,
        probed=isolated and (len(lengths) > len(rows) or flattened),
        kept={step: out / KEPT / str(step) for step in kept},
        make_trainer=make_trainer,
    )
    trained = sum(count_elements(p) for p in trainer.model.parameters() if p.requires_grad)
    save_checkpoint(trainer, config, tokenizer, out / "checkpoint")
    steps_logged = [line for line in journal.lines if "loss" in line]
    evaluated = [line["eval_loss"] for line in journal.lines if "eval_loss" in line]
    tokens = sum(line["tokens"] for line in steps_logged)
    supervised = sum(line["supervised_tokens"] for line in steps_logged)
    speed = journal.tokens / journal.seconds if journal.seconds else 0.0
    return TuningFacts(
        steps=steps,
        tokens=tokens,
        supervised_tokens=supervised,
        loss_first=steps_logged[0]["loss"],
        loss_last=steps_logged[-1]["loss"],
        eval_loss=evaluated[-1] if evaluated else None,
        tokens_per_second=round(speed, 1),
        supervised_tokens_per_second=round(speed * supervised / tokens, 1),
        mfu=journal.mfu,
        memory_gb=round(journal.peak_gb, 3),
        precision=precision,
        attention=attention,
        parameters=size,
        trained_parameters=trained,
        processes=processes,
        probe=trainer.probed,
        device=torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
    )


def _open_packed_rows(path: Path) -> Any:
    """The rows of a file that `prepare` wrote, as a `datasets.Dataset` in Arrow's memory."""
    import pyarrow.parquet as pq
    from datasets import Dataset

    return Dataset(pq.read_table(path))


def _put_in_order(rows: Any, order: list[int], blank: int) -> Any:
    """The rows of a run, and behind them `blank` ones that train nothing, so that every process has
    as many as the others."""
    from datasets import Dataset, concatenate_datasets

    chosen = rows.select(order)
    if not blank:
        return chosen
    nothing = {"input_ids": [0, 0], "labels": [-100, -100], "seq_lengths": [2]}
    return concatenate_datasets(
        [chosen, Dataset.from_list([nothing] * blank, features=rows.features)]
    )


def _count_lengths(rows: Any, *, by_document: bool) -> list[int]:
    """Count how many tokens see each other: those of a document, or of a whole row."""
    import pyarrow.compute as pc

    if by_document:
        return list(pc.list_flatten(rows.data.column("seq_lengths")).to_pylist())
    return list(pc.list_value_length(rows.data.column("input_ids")).to_pylist())


def _count_processes(settings: Train) -> int:
    """Count the processes that make the run. Raises LaunchError where they are not as many as
    asked for, since a step would have other rows then.
    """
    import torch

    there = int(os.environ.get("WORLD_SIZE", "1"))
    if there != settings.processes:
        raise LaunchError(
            f"{there} processes were started, but train.processes is {settings.processes}. Remedy: "
            f"train.processes={there}, of all nodes together, or as many in train.launcher."
        )
    gpus = torch.cuda.device_count()
    if gpus > 1 and not settings.launched:
        raise LaunchError(
            f"there are {gpus} GPUs, and one process would train on all of them, slowly. Remedy: "
            f"train.processes={gpus}, or CUDA_VISIBLE_DEVICES=0 for one."
        )
    return there


def _check_window(config: Any, *, longest: int) -> None:
    """Raises LeakError where our mask would let a token look further back than the student does."""
    window = getattr(config.get_text_config(), "sliding_window", None)
    if window and longest > window:
        raise LeakError(
            f"the student looks back at most {window} tokens in some layers, which the mask of "
            f"packed documents does not keep, and the longest conversation has {longest}. Remedy: "
            f"train.max_length={window}."
        )


@contextmanager
def _naming_memory_errors(settings: Train) -> Iterator[None]:
    """Turns every library's way to say that memory is short into one that names the settings."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        # PyTorch on GPUs and CPUs, the operating system, cuBLAS.
        short = ("out of memory", "can't allocate", "cannot allocate", "alloc_failed")
        if not isinstance(error, MemoryError) and all(w not in str(error).lower() for w in short):
            raise
        ways = []
        if settings.micro_batch > 1:
            ways.append(f"train.micro_batch=1 (now {settings.micro_batch})")
        if not settings.gradient_checkpointing:
            ways.append("train.gradient_checkpointing=true")
        if settings.deepspeed != "zero3" and not settings.lora.rank:
            ways.append("train.deepspeed=zero3 on several GPUs")
        if not settings.lora.rank and settings.deepspeed != "zero3":
            ways.append("train.lora.rank=16")
        ways.append(f"a smaller train.max_length (now {settings.max_length})")
        raise MemoryShort(
            f"the run does not fit into memory: {str(error).splitlines()[0]}\nRemedy, in this "
            f"order: {'; '.join(ways)}. Interrupted states are kept where only memory settings "
            "change."
        ) from error


@contextmanager
def _limiting_threads(count: int | None) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
