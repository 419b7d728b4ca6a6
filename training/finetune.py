"""A whole fine-tuning run, from base and rows to checkpoint and log."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training import checkpoints
from training.dataset import read_examples
from training.errors import RowsError, StudentError
from training.order import data_order, steps_of
from training.quiet import quiet_libraries
from training.settings import Precision, Train

# Folder of the states from which an interrupted run goes on.
STATES = "trainer"


@dataclass(frozen=True)
class TrainFacts:
    """What a run did. Losses are means per trained token, in nats, of the first and last step."""

    steps: int
    rows: int  # that fit, out of rows + dropped
    dropped: int  # longer than max_length
    tokens: int  # computed over the run, without padding
    supervised_tokens: int  # of these, trained
    loss_first: float
    loss_last: float
    tokens_per_second: float  # in steps of the process that ended the run; 0 if it made none
    precision: Precision
    parameters: int


def finetune(
    *,
    base: Path,
    rows: Path,
    out: Path,
    settings: Train,
    precision: Precision,
    seed: int,
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> TrainFacts:
    """Fine-tune the checkpoint directory `base` on the chat rows of the JSONL file `rows`.

    Writes `out`/checkpoint (bf16 safetensors, tokenizer, chat template: complete, for
    from_pretrained) and `out`/log.jsonl (per step: step, loss, learning_rate, tokens,
    supervised_tokens). The weights that are trained are fp32; precision "bf16" computes in bf16
    over them.

    Interrupted states live in `out`/trainer, which the caller deletes when the result is safe.
    Called again after a kill, the run goes on from the last whole one and ends as an undisturbed
    one would, to the last bit on a CPU with the same number of threads.

    Not covered: bitwise equality on GPUs or across machines, and noticing that `base` changed
    between an interruption and its continuation.

    Raises StudentError, RowsError and MaskError before the weights are loaded; ResumeError;
    DivergedError.
    """
    if not (base / "config.json").is_file():
        raise StudentError(
            f"{base} is not a checkpoint directory: it has no config.json. "
            "Remedy: give the folder that save_pretrained wrote, or that the Hub's model was "
            "downloaded to."
        )
    with quiet_libraries(), _threads(settings.threads):
        return _finetune(base, rows, out, settings, precision, seed, progress)


def _finetune(
    base: Path,
    rows: Path,
    out: Path,
    settings: Train,
    precision: Precision,
    seed: int,
    progress: Callable[[int, int, str], None],
) -> TrainFacts:
    from transformers import AutoConfig, AutoTokenizer

    config = AutoConfig.from_pretrained(base, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    limit = min(settings.max_length, getattr(config, "max_position_embeddings", None) or 2**31)
    progress(0, settings.steps or 0, "tokenising")
    end_ids = _end_ids(base, tokenizer)
    data = read_examples(rows, tokenizer, max_length=limit, end_ids=end_ids)
    highest = max(max(example.input_ids) for example in data.examples)
    if highest >= config.vocab_size:
        raise RowsError(
            f"the tokenizer gives token {highest}, but the student has only {config.vocab_size} "
            "embeddings. Remedy: use the tokenizer that belongs to the student."
        )
    out.mkdir(parents=True, exist_ok=True)
    states = out / STATES
    checkpoints.claim(states, checkpoints.identity(settings, precision, seed, rows))

    import torch
    from transformers import AutoModelForCausalLM

    from training.engine import train

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, local_files_only=True)
    order = data_order(settings, len(data.examples), seed)
    steps = steps_of(settings, len(data.examples))
    journal = train(
        model,
        [data.examples[i] for i in order],
        steps=steps,
        padding=tokenizer.pad_token_id or 0,
        states=states,
        log=out / "log.jsonl",
        settings=settings,
        precision=precision,
        seed=seed,
        progress=progress,
    )
    model.config.use_cache = config.use_cache  # which the Trainer switched off
    _save(model, tokenizer, out / "checkpoint")
    return TrainFacts(
        steps=steps,
        rows=len(data.examples),
        dropped=data.dropped,
        tokens=sum(line["tokens"] for line in journal.lines),
        supervised_tokens=sum(line["supervised_tokens"] for line in journal.lines),
        loss_first=journal.lines[0]["loss"],
        loss_last=journal.lines[-1]["loss"],
        tokens_per_second=round(journal.tokens / journal.seconds, 1) if journal.seconds else 0.0,
        precision=precision,
        parameters=sum(p.numel() for p in model.parameters()),
    )


def _end_ids(base: Path, tokenizer: Any) -> frozenset[int]:
    """The tokens at which the student stops: the tokenizer's and those generation is told of."""
    from transformers import GenerationConfig

    ids = {tokenizer.eos_token_id}
    if (base / "generation_config.json").is_file():
        told = GenerationConfig.from_pretrained(base, local_files_only=True).eos_token_id
        ids |= set(told) if isinstance(told, list) else {told}
    return frozenset(ids - {None})


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    import torch

    scratch = folder.with_name(f"{folder.name}.tmp")
    for stale in (scratch, folder):
        shutil.rmtree(stale, ignore_errors=True)
    model.to(torch.bfloat16).save_pretrained(scratch)
    tokenizer.save_pretrained(scratch)
    scratch.replace(folder)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
