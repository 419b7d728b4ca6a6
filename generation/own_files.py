"""Read the user's own files: chats as JSON lines, and parallel text; what is lost is counted."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from core.lines import Line, LineError, read_json_lines, read_lines
from core.reasoning import split_reasoning
from generation.ask import Step
from generation.errors import InputError
from generation.items import names_media
from generation.parse import is_conversation, is_sound
from generation.settings import Own

Row = dict[str, Any]
_ROLES = {"human": "user", "gpt": "assistant"}
_TRACES = ("reasoning", "reasoning_content", "thinking")
_CHAT = '{"messages": [{"role": "user", "content": "..."}, {"role": "assistant", ...}]}'
_KINDS = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def own_files(name: str, own: Own) -> dict[str, Path]:
    """Each file by its role, for an artifact's key; raises InputError where one is not there."""
    paths = {f"file {n}": Path(file).expanduser() for n, file in enumerate(own.files, 1)}
    for path in paths.values():
        if not path.is_file():
            raise InputError(
                f"sources.own.{name}.files: {path} is not a file. Remedy: check the path."
            )
    return paths


def read_chats(files: Sequence[Path], step: Step) -> Iterator[Row]:
    """{"messages", "reasoning", "at"} of each line that is a chat.

    Raises InputError where a line is not JSON, or a file has lines and none of them is a chat.
    """
    for path in files:
        asked, parsed, first = step.asked, step.parsed, None
        for number, value in _values(path):
            step.asked += 1
            chat = _chat(value, step)
            if isinstance(chat, str):
                step.lose(chat)
                first = first or f"line {number} is {_shape(value)}"
                continue
            step.answered += 1
            step.parsed += 1
            yield {**chat, "at": f"{path.name}:{number}"}
        if first and step.parsed == parsed:
            raise InputError(
                f"{path}: no line of {step.asked - asked} is a chat that can be used "
                f"({_lost(step)}); {first}. Remedy: one chat a line, {_CHAT}."
            )
    _check_lines(files, step)


def _chat(value: Any, step: Step) -> Row | str:
    """The turns and the reasoning of the last one, or why they are lost.

    Turns are those of `messages`, or of `conversations` with from/value. Reasoning is a field of
    the row or of the turn, or stands before the answer between <think> and </think>.
    """
    found = (value.get("messages") or value.get("conversations")) if isinstance(value, dict) else ()
    turns: list[Row] = []
    traces: list[str] = []
    for turn in found if isinstance(found, list) else ():
        if not isinstance(turn, dict):
            return "not an alternating chat"
        role = str(turn.get("role") or turn.get("from"))
        content = turn.get("content") or turn.get("value") or ""
        if not isinstance(content, str):
            return "content that is no text"
        if (role := _ROLES.get(role, role)) == "assistant":
            parts = split_reasoning(content)
            if parts.problem:
                return parts.problem
            content = parts.answer
            traces.append(_trace(turn) or parts.reasoning)
        turns.append({"role": role, "content": content})
    system = turns[:1] if turns and turns[0]["role"] == "system" else []
    chat = turns[len(system) :]
    reasoning = (_trace(value) if chat else "") or "".join(traces[-1:])
    if not all(map(is_sound, (reasoning, *(turn["content"] for turn in turns)))):
        return "broken unicode"
    if not is_conversation(chat) or len(chat) % 2:
        return "not an alternating chat"
    if any(names_media(turn["content"]) for turn in turns):
        return "image, video or audio"
    step.lose("reasoning before the last turn", sum(map(bool, traces[:-1])))
    # An empty system message says nothing, and would keep the mixture from giving its own.
    said = [turn for turn in system if turn["content"].strip()]
    return {"messages": said + chat, "reasoning": reasoning or None}


def _trace(owner: Row) -> str:
    """The reasoning that a row or a turn has as a field of its own."""
    found = (owner.get(name) for name in _TRACES)
    return next((text.strip() for text in found if isinstance(text, str) and text.strip()), "")


def _shape(value: Any) -> str:
    if not isinstance(value, dict):
        return _KINDS.get(type(value), "a number")
    for name in ("messages", "conversations"):
        if isinstance(turns := value.get(name), list):
            roles = [
                str(turn.get("role") or turn.get("from"))
                if isinstance(turn, dict)
                else _shape(turn)
                for turn in turns[:6]
            ]
            return f'an object whose "{name}" are of {", ".join(roles) or "nobody"}'
    return f"an object with the keys {', '.join(list(value)[:8]) or '(none)'}"


def read_pairs(files: Sequence[Path], step: Step) -> Iterator[Row]:
    """{"pair": [other, language], "at"} of each line, or two lines, with text on both sides.

    Raises InputError where the lines do not correspond, or none of them has both.
    """
    for number, pair in enumerate(_sides(files), 1):
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
            f"languages ({_lost(step)}). Remedy: the other language, a tab, the language; or two "
            "files whose lines belong together."
        )
    _check_lines(files, step)


def _sides(files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    if len(files) == 2:
        for number, (a, b) in enumerate(zip_longest(*map(_lines, files)), 1):
            if a is None or b is None:
                raise InputError(
                    f"{files[0]} and {files[1]} have different numbers of lines: one ends before "
                    f"line {number}. Remedy: give files whose lines belong together."
                )
            yield a, b
        return
    for number, line in enumerate(_lines(files[0]), 1):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) != 2:
            raise InputError(
                f"{files[0]}, line {number} has {len(columns)} tab-separated columns instead of 2. "
                "Remedy: the other language, a tab, the language; or two files."
            )
        yield columns[0], columns[1]


def _values(path: Path) -> Iterator[Line]:
    try:
        yield from read_json_lines(path)
    except (OSError, LineError) as error:
        raise InputError(f"{error}. Remedy: one chat a line, in UTF-8, {_CHAT}.") from error


def _lines(path: Path) -> Iterator[str]:
    try:
        for line in read_lines(path):
            yield line.value
    except (OSError, LineError) as error:
        raise InputError(f"{error}. Remedy: save the file as UTF-8 text.") from error


def _check_lines(files: Sequence[Path], step: Step) -> None:
    if not step.asked:
        raise InputError(f"{', '.join(map(str, files))}: no line at all. Remedy: check the file.")


def _lost(step: Step) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in step.reasons.items())
