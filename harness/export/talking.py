"""Checks an exported file by talking to it: its template, its tokens, and that answers end."""

import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.checkpoints.chat import build_prompt
from core.checkpoints.opening import open_tokenizer
from harness.errors import ExportError
from harness.teacher import running_llama

QUESTION = "What is the capital of France?"
_CONTEXT, _MOST = 2048, 64
_TEXTS = (
    "Habari ya asubuhi? 12,345",
    "ሰላም ለዓለም",
    "سلام دنیا\u200cها",
    "བཀྲ་ཤིས་བདེ་ལེགས།",
    "  two  spaces\n\nand lines\t",
)


@dataclass(frozen=True)
class Talk:
    """An answer to `QUESTION`, greedily and of at most 64 tokens: `finished` says that the file's
    stop token ended it."""

    said: str
    finished: bool


def ask_file(file: Path, checkpoint: Path) -> Talk:
    """Talks to a GGUF file on llama.cpp's server.

    Raises `ExportError` where it makes another prompt of a conversation, or other tokens of a text,
    than the checkpoint that it was made from: its answers would not be the model's.
    """
    tokenizer = open_tokenizer(checkpoint)
    with running_llama(file, "exported", _CONTEXT, "llama.cpp's server") as address:
        for text in _TEXTS:
            theirs = request(address, "/tokenize", {"content": text})["tokens"]
            ours = tokenizer.encode(text, add_special_tokens=False)
            _compare(file, f"the tokens of {text!r}", ours, theirs)
        question = [{"role": "user", "content": QUESTION}]
        prompt = request(address, "/apply-template", {"messages": question})["prompt"]
        if tokenizer.chat_template:
            _compare(file, "a prompt", build_prompt(tokenizer, question).text, prompt)
        order = {"messages": question, "temperature": 0, "max_tokens": _MOST}
        (choice,) = request(address, "/v1/chat/completions", order)["choices"]
    return Talk(choice["message"]["content"] or "", choice["finish_reason"] == "stop")


def _compare(file: Path, what: str, ours: str | Sequence[int], theirs: Any) -> None:
    if ours != theirs:
        raise ExportError(
            f"{file.name}: llama.cpp makes {theirs!r} of {what}, and the checkpoint {ours!r}. "
            "Remedy: report it, with the name of the student; the file is not kept."
        )


def request(address: str, path: str, body: object) -> Any:
    """Asks a server on this machine, never through a proxy; returns its answer, read as JSON.

    Raises OSError where it does not answer.
    """
    import json

    asked = urllib.request.Request(
        f"{address}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    loopback = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with loopback.open(asked, timeout=600) as answer:
        return json.load(answer)
