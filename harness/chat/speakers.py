"""Opens who is talked to: a checkpoint, a GGUF file or an endpoint, each answering in pieces."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from core.contract.names import MANIFEST
from harness.errors import TalkError
from harness.stage import Artifact
from harness.store import read_manifest
from harness.students import find_checkpoint_path
from harness.teacher import running_llama

Messages = Sequence[Mapping[str, str]]
_CONTEXT = 8192


@dataclass(frozen=True)
class Manner:
    """The way in which answers are asked for. `thinking`: None leaves it to the template;
    `temperature` 0 is greedy."""

    max_tokens: int = 512
    temperature: float = 0.0
    thinking: bool | None = None


class Speaker(Protocol):
    """Someone who is talked to."""

    name: str

    def stream(self, messages: Messages, manner: Manner) -> Iterator[str]:
        """Yields the pieces of the answer to a conversation. Closing it ends the work. Raises
        `TalkError` where there can be no answer."""
        ...


class ServedSpeaker:
    """A model behind an OpenAI-compatible endpoint."""

    def __init__(self, name: str, address: str, model: str | None = None) -> None:
        """Asks the endpoint which model it serves, unless it is named. Raises `TalkError`."""
        import os

        from openai import OpenAI, OpenAIError

        self.name, self.address = name, address
        key = os.environ.get("OPENAI_API_KEY") or "none"
        self.client = OpenAI(base_url=address, api_key=key, max_retries=2, timeout=600)
        try:
            self.model = model or next(iter(self.client.models.list())).id
        except (OpenAIError, StopIteration) as error:
            raise TalkError(
                f"{address} tells of no model: {error}. Remedy: correct the address, which usually "
                "ends in /v1, or export its key as OPENAI_API_KEY"
            ) from None

    def stream(self, messages: Messages, manner: Manner) -> Iterator[str]:
        """Yields the pieces of the answer."""
        from openai import OpenAIError

        switch = {} if manner.thinking is None else {"enable_thinking": manner.thinking}
        try:
            asked: Any = {
                "model": self.model,
                "messages": list(messages),
                "max_tokens": manner.max_tokens,
                "temperature": manner.temperature,
                "extra_body": {"chat_template_kwargs": switch} if switch else None,
            }
            with self.client.chat.completions.create(**asked, stream=True) as pieces:
                for piece in pieces:
                    if piece.choices and (text := piece.choices[0].delta.content):
                        yield text
        except OpenAIError as error:
            raise TalkError(f"{self.name}: {error}. Remedy: /new begins a shorter talk") from None


class LocalSpeaker:
    """A checkpoint on this machine, in transformers."""

    def __init__(self, name: str, folder: Path) -> None:
        """Loads it; raises `CheckpointError` where it cannot be opened."""
        import torch

        from core.checkpoints.opening import open_model, open_tokenizer

        self.name = name
        self.tokenizer = open_tokenizer(folder)
        cuda = torch.cuda.is_available()
        model = open_model(folder, dtype=torch.bfloat16 if cuda else torch.float32).model
        self.model = model.to("cuda" if cuda else "cpu").eval()

    def stream(self, messages: Messages, manner: Manner) -> Iterator[str]:
        """Yields the pieces of the answer."""
        from transformers import StoppingCriteriaList, TextIteratorStreamer

        from core.checkpoints.chat import build_prompt

        talk = [dict(one) for one in messages]
        prompt = build_prompt(self.tokenizer, talk, thinking=manner.thinking).text
        tokens = self.tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
        ended = threading.Event()
        streamer = TextIteratorStreamer(self.tokenizer, skip_prompt=True, skip_special_tokens=True)
        choice = {"do_sample": False}
        if manner.temperature > 0:
            choice = {"do_sample": True, "temperature": manner.temperature}  # type: ignore[dict-item]

        def generate() -> None:
            try:
                self.model.generate(
                    **tokens.to(self.model.device),
                    **choice,
                    max_new_tokens=manner.max_tokens,
                    streamer=streamer,
                    stopping_criteria=StoppingCriteriaList([lambda ids, scores: ended.is_set()]),
                )
            finally:
                streamer.end()

        worker = threading.Thread(target=generate, daemon=True)
        worker.start()
        try:
            yield from streamer
        finally:
            ended.set()
            worker.join()


@contextmanager
def open_speaker(who: str) -> Iterator[Speaker]:
    """Opens a speaker by its address, GGUF file, checkpoint folder, or artifact of a store.

    Raises `TalkError` where it is none of these.
    """
    if who.startswith(("http://", "https://")):
        yield ServedSpeaker(who, who)
        return
    path = Path(who).expanduser()
    if path.suffix == ".gguf" and path.is_file():
        with running_llama(path, path.stem, _CONTEXT, f"llama.cpp's server on {path}") as address:
            yield ServedSpeaker(path.stem, f"{address}/v1", path.stem)
        return
    if (path / MANIFEST).is_file():
        artifact = Artifact(path.parent.name, path.name, path, read_manifest(path))
        yield LocalSpeaker(artifact.manifest.label or path.name, find_checkpoint_path(artifact))
        return
    if (path / "config.json").is_file():
        yield LocalSpeaker(path.resolve().name, path)
        return
    raise TalkError(
        f"{who} is no checkpoint, GGUF file or address. Remedy: name a folder with a config.json, "
        "an artifact of a store such as artifacts/train/KEY, a file ending in .gguf, or "
        "http://HOST:PORT/v1"
    )


def list_messages(system: str, turns: Sequence[tuple[str, str]], question: str) -> Any:
    """Lists the messages of a talk: the system's words, if any, what was said, and the question."""
    said = [{"role": "system", "content": system}] if system else []
    for asked, answered in turns:
        said += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return [*said, {"role": "user", "content": question}]
