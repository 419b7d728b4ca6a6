"""The finished checkpoint: one directory with everything that from_pretrained wants, in bf16. And
the weights of those before it, of which nothing else differs."""

import copy
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from core.checkpoints.spelling import spell_checkpoint

_WEIGHTS = (".safetensors", ".safetensors.index.json")


def save_checkpoint(trainer: Any, config: Any, tokenizer: Any, folder: Path) -> None:
    """Write `folder`, whole or not at all. Adapters are merged; weights that ZeRO-3 has spread are
    gathered by all processes and written by the first.

    `config` is the base's, of which the trainer changed what only training needs.
    """
    import torch

    scratch = folder.with_name(f"{folder.name}.tmp")
    first = trainer.is_world_process_zero()
    if first:
        for stale in (scratch, folder):
            shutil.rmtree(stale, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    model = trainer.accelerator.unwrap_model(trainer.model)
    model = model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
    for name in ("use_cache", "router_aux_loss_coef"):
        if hasattr(config, name):
            setattr(model.config, name, getattr(config, name))
    # The Trainer takes the tokenizer's, for which a model may have no embedding.
    pad = model.config.pad_token_id
    if pad is not None and pad >= model.get_input_embeddings().num_embeddings:
        model.config.pad_token_id = model.generation_config.pad_token_id = config.pad_token_id
    model.model_tags = None  # which only name the trainer
    if _is_spread(trainer):
        trainer.save_model(str(scratch))
        if first:
            _halve(scratch)
    elif first:
        model.to(torch.bfloat16).save_pretrained(scratch)
    if first:
        (scratch / "training_args.bin").unlink(missing_ok=True)
        (scratch / "README.md").unlink(missing_ok=True)
        tokenizer.save_pretrained(scratch)
        spell_checkpoint(scratch)
        scratch.replace(folder)
    trainer.accelerator.wait_for_everyone()


def save_weights(trainer: Any, folder: Path) -> None:
    """Write the weights as they are now into `folder`, in bf16 and as `save_checkpoint` names them,
    whole or not at all. The model that is trained stays as it is, to the last bit."""
    import torch

    scratch = folder.with_name(f"{folder.name}.tmp")
    first = trainer.is_world_process_zero()
    if first:
        for stale in (scratch, folder):
            shutil.rmtree(stale, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    model = trainer.accelerator.unwrap_model(trainer.model)
    if _is_spread(trainer):
        trainer.save_model(str(scratch))
        if first:
            _halve(scratch)
    elif first and hasattr(model, "merge_and_unload"):
        merged = copy.deepcopy(model).merge_and_unload()
        merged.to(torch.bfloat16).save_pretrained(scratch)
    elif first:
        with _holding_bf16(model):
            model.save_pretrained(scratch)
    if first:
        for path in scratch.iterdir():
            if not path.name.endswith(_WEIGHTS):
                path.unlink()
        scratch.replace(folder)
    trainer.accelerator.wait_for_everyone()


def list_weight_files(folder: Path) -> list[Path]:
    """List the files of a checkpoint or of `save_weights` that hold weights, by name."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(_WEIGHTS))


def average_weights(files: Sequence[Path], folder: Path) -> None:
    """Write the mean of files of the same tensors into `folder`, under their name; an index of
    files is copied. The mean is taken in fp32 and rounded once to what the last file holds.

    Raises ValueError for files that do not hold the same tensors.
    """
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file

    last = files[-1]
    if last.suffix != ".safetensors":
        shutil.copy2(last, folder / last.name)
        return
    with ExitStack() as stack:
        opened = [stack.enter_context(safe_open(path, "pt")) for path in files]
        if len({tuple(sorted(one.keys())) for one in opened}) > 1:
            raise ValueError(f"{last.name} does not hold the same tensors in each checkpoint")
        mean: dict[str, Any] = {}
        for name in opened[-1].keys():  # noqa: SIM118
            parts = [one.get_tensor(name) for one in opened]
            whole = sum(part.to(torch.float32) for part in parts) / len(parts)
            mean[name] = whole.to(parts[-1].dtype) if parts[-1].is_floating_point() else parts[-1]
    save_file(mean, folder / last.name, metadata={"format": "pt"})


@contextmanager
def _holding_bf16(model: Any) -> Iterator[None]:
    """A model's weights in bf16; then the very tensors again that it had before."""
    import torch

    weights = [one for one in (*model.parameters(), *model.buffers()) if one.is_floating_point()]
    before, dtype = [one.data for one in weights], model.config.dtype
    try:
        for one in weights:
            one.data = one.data.to(torch.bfloat16)
        yield
    finally:
        for one, data in zip(weights, before, strict=True):
            one.data = data
        model.config.dtype = dtype


def _is_spread(trainer: Any) -> bool:
    return bool(trainer.is_deepspeed_enabled and trainer.args.hf_deepspeed_config.is_zero3())


def _halve(folder: Path) -> None:
    """Weights that were gathered in the precision of training, as bf16."""
    import torch
    from safetensors.torch import load_file, save_file

    for path in folder.glob("*.safetensors"):
        tensors = {n: t.to(torch.bfloat16) for n, t in load_file(path).items()}
        save_file(tensors, path, metadata={"format": "pt"})
    file = folder / "config.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    values["dtype"] = "bfloat16"
    file.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")
