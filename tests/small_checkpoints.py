"""Random models of a few kilobytes, with a tokenizer of their own, for tests of what is opened."""

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

TURNS = (
    "{% for m in messages %}<s>{{ m.role }}\n{{ m.content }}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant\n{% endif %}"
)
SIZE = 32
_SIZES = {
    "hidden_size": SIZE, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256, "initializer_range": 0.3,
}  # fmt: skip
# As transformers names them, with the sizes that each kind has.
KINDS: dict[str, dict[str, Any]] = {
    "llama": {**_SIZES, "tie_word_embeddings": True},
    "qwen3": {**_SIZES, "head_dim": 8, "tie_word_embeddings": False},
    "granite": _SIZES,
    "mistral": {**_SIZES, "sliding_window": 16},
    "mixtral": {**_SIZES, "num_local_experts": 2, "num_experts_per_tok": 1},
    "gpt2": {"n_embd": SIZE, "n_layer": 2, "n_head": 4, "n_positions": 256},
    "bloom": {"hidden_size": SIZE, "n_layer": 2, "n_head": 4},
    "mamba": {"hidden_size": SIZE, "num_hidden_layers": 2, "state_size": 8},
}


@cache
def vocabulary() -> str:
    """A byte-level tokenizer of 300 tokens, as JSON; every text has tokens in it."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    raw.train_from_iterator(["the river runs to the sea, and the answer is four"] * 9, trainer)
    return raw.to_str()


def small_tokenizer(
    template: str | None = TURNS, frame: str | None = None, **options: Any
) -> PreTrainedTokenizerFast:
    """`frame` is what is put around each text, such as "<s> $A </s>"."""
    raw = Tokenizer.from_str(vocabulary())
    if frame:
        ends = [("<s>", 0), ("</s>", 1)]
        raw.post_processor = processors.TemplateProcessing(single=frame, special_tokens=ends)
    special = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>", **options}
    return PreTrainedTokenizerFast(tokenizer_object=raw, chat_template=template, **special)


def save_model(out: Path, kind: str = "llama", tokenizer: Any = None, **changes: Any) -> Path:
    """A whole checkpoint; `changes` are to its configuration."""
    tokenizer = tokenizer or small_tokenizer()
    ids = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    sizes = {"vocab_size": len(tokenizer), **ids, **KINDS[kind], **changes}
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **sizes)).save_pretrained(out)
    tokenizer.save_pretrained(out)
    return out


def copied(sound: Path, out: Path) -> Path:
    """Another of the same, to do harm to."""
    return Path(shutil.copytree(sound, out))


def edit(path: Path, **changes: Any) -> None:
    """Changes values of a JSON file; None takes one out."""
    values = json.loads(path.read_text()) if path.exists() else {}
    values |= changes
    path.write_text(json.dumps({k: v for k, v in values.items() if v is not None}))
