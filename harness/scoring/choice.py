"""Chooses the engine that scores, as plain values: known before torch or lm-eval is imported."""

from dataclasses import dataclass, field
from typing import Literal

from training.precision import has_nvidia_gpu

EngineName = Literal["transformers", "vllm", "completions", "llama.cpp"]

# Bumped by hand when a change may move a score in more than its last digits: part of every key.
VERSION = "2"


@dataclass(frozen=True)
class EngineChoice:
    """An engine and how it runs.

    transformers: our own, shots computed once; `batch_tokens` is the size of a forward pass in
        tokens, None to take it from the memory.
    vllm: a vLLM server of the checkpoint, started for it by `command` and `arguments`.
    completions: an OpenAI-compatible completions endpoint at `base_url` that serves the
        checkpoint as `model`; `api_key_env` names the environment variable with its key.
    llama.cpp: a server of our own on the GGUF file `file`, whose type of weights is `precision`.
    """

    name: EngineName
    precision: str = "fp32"
    batch_tokens: int | None = None
    command: str = field(default="vllm", metadata={"keyed": False})
    arguments: tuple[str, ...] = ()
    base_url: str | None = None
    model: str | None = None
    api_key_env: str | None = field(default=None, metadata={"keyed": False})
    file: str | None = field(default=None, metadata={"keyed": False})


def choose_precision(asked: str) -> str:
    """Chooses the precision to score in: the one asked for, or for "auto" bf16 on a GPU, and fp32
    without, where scores then agree from machine to machine."""
    if asked != "auto":
        return asked
    return "bf16" if has_nvidia_gpu() else "fp32"
