"""`kakugo chat`: the command line."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from core.errors import MendableError
from core.text import make_safe
from harness.chat.speakers import Manner, Speaker, list_messages, open_speaker
from harness.errors import TalkError

if TYPE_CHECKING:
    from rich.console import Console

HELP = """kakugo chat WHO [WHO ...] [system=TEXT] [thinking=true] [temperature=0] [max_tokens=512]

Talks to a checkpoint, or to several side by side. WHO is an artifact of a store, the folder of any
checkpoint, a GGUF file, or the address of an OpenAI-compatible server.

  kakugo chat artifacts/train/KEY                     what was trained
  kakugo chat artifacts/base/KEY artifacts/train/KEY  before and after training
  kakugo chat model-q8_0.gguf                         an exported file, on llama.cpp
  kakugo chat http://localhost:8000/v1                a server; its key in OPENAI_API_KEY

/new begins again, /quit or Ctrl-D ends, Ctrl-C ends an answer. Side by side is not blind: votes
that count are given in a study (kakugo-preference).
"""
_SWITCH = {"true": True, "false": False}


def main(arguments: Sequence[str]) -> None:
    """Runs the command `kakugo chat`."""
    if {"-h", "--help"} & set(arguments):
        print(HELP)
        return
    from rich.console import Console

    console = Console(highlight=False, markup=False, soft_wrap=True)
    try:
        names, system, manner = read_words(arguments)
        with ExitStack() as stack:
            speakers = [stack.enter_context(open_speaker(name)) for name in names]
            hold_talk(speakers, system, manner, console)
    except MendableError as error:
        sys.exit(f"kakugo: {error}")
    except KeyboardInterrupt:
        print(file=sys.stderr)
        sys.exit(130)


def read_words(arguments: Sequence[str]) -> tuple[list[str], str, Manner]:
    """Reads who is talked to, the system's words and the manner. Raises `TalkError`."""
    names: list[str] = []
    given: dict[str, str] = {}
    for one in arguments:
        key, sign, value = one.partition("=")
        if sign and key in ("system", "thinking", "temperature", "max_tokens"):
            given[key] = value
        else:
            names.append(one)
    if not names:
        raise TalkError("there is nobody to talk to. Remedy: kakugo chat --help")
    try:
        manner = Manner(
            max_tokens=int(given.get("max_tokens", "512")),
            temperature=float(given.get("temperature", "0")),
            thinking=_SWITCH[given["thinking"].lower()] if "thinking" in given else None,
        )
    except (ValueError, KeyError) as error:
        raise TalkError(
            f"{error}: thinking is true or false, temperature a number, max_tokens a whole one. "
            "Remedy: correct it"
        ) from None
    if manner.max_tokens < 1 or not 0 <= manner.temperature <= 2:
        raise TalkError("max_tokens is at least 1, temperature 0 to 2. Remedy: correct it")
    return names, given.get("system", ""), manner


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
            messages = list_messages(system, turns[number], question)
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
