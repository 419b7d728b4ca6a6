"""`kakugo chat`: the command line."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import MendableError
from core.text import make_safe
from harness.chat.speakers import (
    Manner,
    Speaker,
    choose_system,
    list_messages,
    open_speaker,
    read_manner,
)
from harness.errors import TalkError

if TYPE_CHECKING:
    from rich.console import Console

HELP = """kakugo chat WHO [WHO ...] [page=true] [system=TEXT] [thinking=true] [temperature=0]
            [max_tokens=512] [port=0]

Talks to a checkpoint, or to several side by side. WHO is an artifact of a store, the folder of any
checkpoint, a GGUF file, or the address of an OpenAI-compatible server.

  kakugo chat artifacts/train/KEY                     what was trained
  kakugo chat artifacts/base/KEY artifacts/train/KEY  before and after training
  kakugo chat model-q8_0.gguf                         an exported file, on llama.cpp
  kakugo chat http://localhost:8000/v1                a server; its key in OPENAI_API_KEY
  kakugo chat artifacts/train/KEY page=true           on a page, which this machine alone can open

/new begins again, /quit or Ctrl-D ends, Ctrl-C ends an answer. Side by side is not blind: votes
that count are given in a study (kakugo-preference). thinking=true or false switches the template,
and gives a trained artifact the system prompt that it learnt for that, unless system= says another.
"""
_WORDS = ("system", "thinking", "temperature", "max_tokens", "page", "port")


def main(arguments: Sequence[str]) -> None:
    """Runs the command `kakugo chat`."""
    if {"-h", "--help"} & set(arguments):
        print(HELP)
        return
    from rich.console import Console

    console = Console(highlight=False, markup=False, soft_wrap=True)
    try:
        words = read_words(arguments)
        with ExitStack() as stack:
            speakers = [stack.enter_context(open_speaker(name)) for name in words.names]
            if words.port is None:
                hold_talk(speakers, words.system, words.manner, console)
            else:
                show_page(speakers, words.system, words.manner, words.port)
    except MendableError as error:
        sys.exit(f"kakugo: {error}")
    except KeyboardInterrupt:
        print(file=sys.stderr)
        sys.exit(130)


@dataclass(frozen=True)
class TalkOrder:
    """The words of a command: who is talked to, the system's words, the manner, and the port of the
    page (None: in the terminal)."""

    names: tuple[str, ...]
    system: str
    manner: Manner
    port: int | None


def read_words(arguments: Sequence[str]) -> TalkOrder:
    """Reads the words of a command. Raises `TalkError`."""
    names: list[str] = []
    given: dict[str, str] = {}
    for one in arguments:
        key, sign, value = one.partition("=")
        if sign and key in _WORDS:
            given[key] = value
        else:
            names.append(one)
    if not names:
        raise TalkError("there is nobody to talk to. Remedy: kakugo chat --help")
    page = given.get("page", "false").lower()
    try:
        port = int(given.get("port", "0"))
    except ValueError:
        port = -1
    if page not in ("true", "false") or not 0 <= port < 65536:
        raise TalkError("page is true or false, port 0 to 65535. Remedy: correct it")
    return TalkOrder(
        tuple(names), given.get("system", ""), read_manner(given), port if page == "true" else None
    )


def show_page(speakers: Sequence[Speaker], system: str, manner: Manner, port: int) -> None:
    """Serves the page until Ctrl-C."""
    from harness.chat.page import serve_page

    def say(address: str) -> None:
        print(f"Open {address} in a browser on this machine. Ctrl-C ends.", flush=True)

    with suppress(KeyboardInterrupt):
        serve_page(speakers, system, manner, port, say)


def hold_talk(speakers: Sequence[Speaker], system: str, manner: Manner, console: "Console") -> None:
    """Asks each speaker what is typed, until the input ends."""
    if len(speakers) > 1:
        console.print("Side by side, and not blind.", style="dim")
    turns: dict[int, list[tuple[str, str]]] = {n: [] for n in range(len(speakers))}
    for question in read_questions(console):
        if question == "/new":
            for said in turns.values():
                said.clear()
            continue
        for number, speaker in enumerate(speakers):
            if len(speakers) > 1:
                console.print(make_safe(speaker.name), style="bold")
            messages = list_messages(
                choose_system(speaker, system, manner), turns[number], question
            )
            try:
                answer = show_answer(speaker, messages, manner, console)
            except TalkError as error:
                console.print(make_safe(str(error)), style="red")
                continue
            turns[number].append((question, answer))


def show_answer(
    speaker: Speaker, messages: list[dict[str, str]], manner: Manner, console: "Console"
) -> str:
    """Prints an answer as it comes, and returns it, or as much of it as was let come."""
    said: list[str] = []
    pieces = speaker.stream(messages, manner)
    try:
        for piece in pieces:
            said.append(piece)
            console.print(make_safe(piece), end="")
    except KeyboardInterrupt:
        console.print(" (ended)", style="dim", end="")
    finally:
        pieces.close()  # type: ignore[attr-defined]
    console.print()
    return "".join(said)


def read_questions(console: "Console") -> Iterator[str]:
    """Yields what is typed, or the lines of a file that stands in for a person."""
    person = sys.stdin.isatty()
    if person:
        import readline  # noqa: F401  edits the line, and knows the lines before
    while True:
        try:
            line = input("> " if person else "").strip()
        except EOFError:
            if person:
                console.print()
            return
        if line == "/quit":
            return
        if line:
            yield line
