"""Read the user's own files: chats as JSON lines, and parallel text; what is lost is counted."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from core.lines import Line, LineError, read_json_lines, read_lines
from generation.ask import StepCounts
from generation.chats import read_chat
from generation.errors import InputError
from generation.items import names_media
from generation.parse import is_sound
from generation.settings import Own

Row = dict[str, Any]
_CHAT = '{"messages": [{"role": "user", "content": "..."}, {"role": "assistant", ...}]}'
# What files of other forms call a request and its answer (Alpaca's, TRL's, ...).
_PAIRS = (
    ("instruction", "output"),
    ("instruction", "response"),
    ("prompt", "completion"),
    ("prompt", "response"),
    ("question", "answer"),
)
_KINDS = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def find_own_files(name: str, own: Own) -> dict[str, Path]:
    """Each file by its role, for an artifact's key; raises InputError where one is not there."""
    paths = {f"file {n}": Path(file) for n, file in enumerate(own.files, 1)}
    for path in paths.values():
        if not path.is_file():
            raise InputError(
                f"sources.own.{name}.files: {path} is not a file. Remedy: check the path."
            )
    return paths


def read_chats(files: Sequence[Path], step: StepCounts) -> Iterator[Row]:
    """{"messages", "reasoning", "at"} of each line that is a chat.

    Raises InputError where a line is not JSON, or a file has lines and none of them is a chat.
    """
    for path in files:
        asked, parsed, first = step.asked, step.parsed, None
        for number, value in _read_values(path):
            step.asked += 1
            chat = read_chat(value)
            if isinstance(chat, str):
                step.lose(chat)
                first = first or f"line {number} is {_describe_shape(value)}"
                continue
            step.answered += 1
            step.parsed += 1
            for reason, count in chat.left_out.items():
                step.lose(reason, count)
            at = f"{path.name}:{number}"
            yield {"messages": chat.turns, "reasoning": chat.reasoning, "at": at}
        if first and step.parsed == parsed:
            raise InputError(
                f"{path}: no line of {step.asked - asked} is a chat that can be used "
                f"({_write_lost(step)}); {first}. Remedy: one chat a line, {_CHAT}."
            )
    _check_lines(files, step)


def _describe_shape(value: Any) -> str:
    if not isinstance(value, dict):
        return _KINDS.get(type(value), "a number")
    for name in ("messages", "conversations"):
        if isinstance(turns := value.get(name), list):
            roles = [
                str(turn.get("role") or turn.get("from"))
                if isinstance(turn, dict)
                else _describe_shape(turn)
                for turn in turns[:6]
            ]
            return f'an object whose "{name}" are of {", ".join(roles) or "nobody"}'
    keys = f"an object with the keys {', '.join(list(value)[:8]) or '(none)'}"
    pair = next(((a, b) for a, b in _PAIRS if a in value and b in value), None)
    if pair is None:
        return keys
    return f'{keys}: a request and its answer and no chat (put "{pair[0]}", with any input, into a \
user\'s turn and "{pair[1]}" into an assistant\'s)'


def read_pairs(files: Sequence[Path], step: StepCounts) -> Iterator[Row]:
    """{"pair": [other, language], "at"} of each line, or two lines, with text on both sides.

    Raises InputError where the lines do not correspond, or none of them has both.
    """
    for number, pair in enumerate(_pair_sides(files), 1):
        step.asked += 1
        texts = [text.strip() for text in pair]
        if not all(texts):
            step.lose("empty side")
        elif not all(map(is_sound, texts)):
            step.lose("broken unicode")
        elif any(map(names_media, texts)):
            step.lose("image, video or audio")
        else:
            step.answered += 1
            step.parsed += 1
            yield {"pair": texts, "at": f"{files[-1].name}:{number}"}
    if step.asked and not step.parsed:
        raise InputError(
            f"{' and '.join(map(str, files))}: no line of {step.asked} has a text in both "
            f"languages ({_write_lost(step)}). Remedy: the other language, a tab, the language; or "
            "two files whose lines belong together."
        )
    _check_lines(files, step)


def _pair_sides(files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    if len(files) == 2:
        for number, (a, b) in enumerate(zip_longest(*map(_read_text_lines, files)), 1):
            if a is None or b is None:
                raise InputError(
                    f"{files[0]} and {files[1]} have different numbers of lines: one ends before "
                    f"line {number}. Remedy: give files whose lines belong together."
                )
            yield a, b
        return
    for number, line in enumerate(_read_text_lines(files[0]), 1):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) != 2:
            raise InputError(
                f"{files[0]}, line {number} has {len(columns)} tab-separated columns instead of 2. "
                "Remedy: the other language, a tab, the language; or two files."
            )
        yield columns[0], columns[1]


def _read_values(path: Path) -> Iterator[Line]:
    try:
        yield from read_json_lines(path)
    except (OSError, LineError) as error:
        raise InputError(f"{error}. Remedy: one chat a line, in UTF-8, {_CHAT}.") from error


def _read_text_lines(path: Path) -> Iterator[str]:
    try:
        for line in read_lines(path):
            yield line.value
    except (OSError, LineError) as error:
        raise InputError(f"{error}. Remedy: save the file as UTF-8 text.") from error


def _check_lines(files: Sequence[Path], step: StepCounts) -> None:
    if not step.asked:
        raise InputError(f"{', '.join(map(str, files))}: no line at all. Remedy: check the file.")


def _write_lost(step: StepCounts) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in step.reasons.items())
