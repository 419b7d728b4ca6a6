"""Opens who is talked to: a checkpoint, a GGUF file or an endpoint, each answering in pieces."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
_MIXTURE = "mixture"  # the stage whose rows a checkpoint was trained on


@dataclass(frozen=True)
class Manner:
    """The way in which answers are asked for. `thinking`: None leaves it to the template;
    `temperature` 0 is greedy."""

    max_tokens: int = 512
    temperature: float = 0.0
    thinking: bool | None = None


_SWITCH = {"true": True, "false": False, "": None}


def read_manner(given: Mapping[str, str]) -> Manner:
    """Reads a manner from the words of a person. Raises `TalkError`."""
    try:
        manner = Manner(
            max_tokens=int(given.get("max_tokens", "512")),
            temperature=float(given.get("temperature", "0")),
            thinking=_SWITCH[given.get("thinking", "").lower()],
        )
    except (ValueError, KeyError) as error:
        raise TalkError(
            f"{error}: thinking is true or false, temperature a number, max_tokens a whole one. "
            "Remedy: correct it"
        ) from None
    if manner.max_tokens < 1 or not 0 <= manner.temperature <= 2:
        raise TalkError("max_tokens is at least 1, temperature 0 to 2. Remedy: correct it")
    return manner


class Speaker(Protocol):
    """Someone who is talked to. `systems` are the system prompts that it was trained with, for
    answers with thinking (True) and without (False), as far as they are known."""

    name: str
    systems: Mapping[bool, str]

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
        self.systems: Mapping[bool, str] = {}
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
                yield from join_reasoning(one.choices[0].delta for one in pieces if one.choices)
        except OpenAIError as error:
            raise TalkError(f"{self.name}: {error}. Remedy: /new begins a shorter talk") from None


def join_reasoning(deltas: Iterable[Any]) -> Iterator[str]:
    """Yields the pieces of an answer, with the reasoning that some servers send in a field of its
    own before it, in the marks of the text."""
    thinks = False
    for delta in deltas:
        # As llama.cpp and DeepSeek name it, and as vLLM and OpenRouter do.
        thought = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
        if thought:
            yield thought if thinks else f"<think>{thought}"
            thinks = True
        if delta.content:
            yield f"</think>{delta.content}" if thinks else delta.content
            thinks = False


class LocalSpeaker:
    """A checkpoint on this machine, in transformers."""

    def __init__(self, name: str, folder: Path, systems: Mapping[bool, str] | None = None) -> None:
        """Loads it; raises `CheckpointError` where it cannot be opened."""
        import torch

        from core.checkpoints.opening import open_model, open_tokenizer

        self.name, self.systems = name, systems or {}
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
        label, folder = artifact.manifest.label or path.name, find_checkpoint_path(artifact)
        yield LocalSpeaker(label, folder, read_systems(artifact))
        return
    if (path / "config.json").is_file():
        yield LocalSpeaker(path.resolve().name, path)
        return
    raise TalkError(
        f"{who} is no checkpoint, GGUF file or address. Remedy: name a folder with a config.json, "
        "an artifact of a store such as artifacts/train/KEY, a file ending in .gguf, or "
        "http://HOST:PORT/v1"
    )


def read_systems(artifact: Artifact) -> dict[bool, str]:
    """Reads the system prompts that a checkpoint was trained with from its mixture's record, which
    lies in the same store; nothing where it was not trained on one or that is gone."""
    store = artifact.path.parent.parent
    for key in (one.key for one in artifact.manifest.inputs if one.stage == _MIXTURE):
        if (store / _MIXTURE / key / MANIFEST).is_file():
            config = read_manifest(store / _MIXTURE / key).config
            found = {
                True: config.get("thinking_system_prompt"),
                False: config.get("plain_system_prompt"),
            }
            return {thinking: str(text) for thinking, text in found.items() if text}
    return {}


def choose_system(speaker: Speaker, system: str, manner: Manner) -> str:
    """Chooses the system's words: those that are given, else those with which the speaker was
    taught to think or not to, where that is asked for."""
    if system or manner.thinking is None:
        return system
    return speaker.systems.get(manner.thinking, "")


def list_messages(system: str, turns: Sequence[tuple[str, str]], question: str) -> Any:
    """Lists the messages of a talk: the system's words, if any, what was said, and the question."""
    said = [{"role": "system", "content": system}] if system else []
    for asked, answered in turns:
        said += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return [*said, {"role": "user", "content": question}]
