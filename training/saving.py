"""The finished checkpoint: one directory with everything that from_pretrained wants, in bf16."""

import json
import shutil
from pathlib import Path
from typing import Any


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
    if trainer.is_deepspeed_enabled and trainer.args.hf_deepspeed_config.is_zero3():
        trainer.save_model(str(scratch))
        if first:
            _halve(scratch)
    elif first:
        model.to(torch.bfloat16).save_pretrained(scratch)
    if first:
        (scratch / "training_args.bin").unlink(missing_ok=True)
        (scratch / "README.md").unlink(missing_ok=True)
        tokenizer.save_pretrained(scratch)
        scratch.replace(folder)
    trainer.accelerator.wait_for_everyone()


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
