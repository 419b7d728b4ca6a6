"""Read lists and conversations out of a teacher's text: pure functions, no call is needed.

Teachers wrap JSON in prose and fences, put fences and raw line breaks inside its strings, forget a
comma at the end, or answer with a numbered list. What cannot be read with certainty is None,
never a guess: the caller counts it as a failure.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from core.lines import split_lines

Turn = dict[str, str]

# strict=False allows raw line breaks and tabs inside strings.
_DECODER = json.JSONDecoder(strict=False)
_TRAILING_COMMA = re.compile(r",(\s*[\]}])")
_SURROGATE = re.compile("[\ud800-\udfff]")
_OPENING = re.compile(r"[\[{]")
_LINE_OPENING = re.compile(r"^[ \t]*(?:```\w*[ \t]*)?([\[{])", re.MULTILINE)
_LIST_LINE = re.compile(r"\s*(?:\d{1,3}[.)]|[-*•])\s+(\S.*)")


def read_list(text: str, limit: int) -> list[str] | None:
    """The first `limit` strings of the JSON array, {"items": [...]} or list lines in the text.

    An array whose entries are not all strings is not taken; blank strings are left out.
    None if there is no list or nothing is in it.
    """
    for value in _values(text):
        found = _only_value(value) if isinstance(value, dict) else value
        if isinstance(found, list) and found and all(isinstance(item, str) for item in found):
            return _clean(found, limit)
    if _LINE_OPENING.search(text):
        return None
    lines = [match[1] for line in split_lines(text) if (match := _LIST_LINE.fullmatch(line))]
    return _clean(lines, limit) if len(lines) > 1 or limit == 1 else None


def _only_value(value: dict[str, Any]) -> Any:
    """The list in {"items": [...]} or {"prompts": [...]}; a lone string as a list of one."""
    found = next(iter(value.values())) if len(value) == 1 else value.get("items")
    return [found] if isinstance(found, str) else found


def read_conversation(text: str) -> list[Turn] | None:
    """The list of {"role", "content"} objects in the text, or None.

    Exactly these two keys, user first, strictly alternating, no empty turn.
    """
    for value in _values(text):
        found = value.get("items") if isinstance(value, dict) else value
        if isinstance(found, list) and is_conversation(found):
            return found
    return None


def is_conversation(value: object) -> bool:
    """Whether the value is a list of turns: user first, strictly alternating, none empty."""
    if not isinstance(value, list) or not value:
        return False
    for index, turn in enumerate(value):
        if not isinstance(turn, dict) or set(turn) != {"role", "content"}:
            return False
        if turn["role"] != ("user", "assistant")[index % 2]:
            return False
        content = turn["content"]
        if not isinstance(content, str) or not content.strip() or not is_sound(content):
            return False
    return True


def is_sound(text: str) -> bool:
    """Whether the text is Unicode that can be written: no half of a surrogate pair."""
    return not _SURROGATE.search(text)


def _clean(items: list[str], limit: int) -> list[str] | None:
    kept = [item.strip() for item in items if item.strip() and is_sound(item)]
    return kept[:limit] or None


def _values(text: str) -> Iterator[Any]:
    """The JSON arrays and objects that begin a line, or else the first one inside a line.

    A bracket inside a line that does not parse is never searched for inner ones: an array in a
    prompt whose quotes are not escaped would pass for the answer.
    """
    for attempt in (text, _TRAILING_COMMA.sub(r"\1", text)):
        end = 0
        for start in _openings(attempt):
            if start < end:
                continue
            try:
                value, end = _DECODER.raw_decode(attempt, start)
            except (ValueError, RecursionError):
                continue
            yield value


def _openings(text: str) -> list[int]:
    begin_a_line = [match.start(1) for match in _LINE_OPENING.finditer(text)]
    first = _OPENING.search(text)
    return begin_a_line or ([first.start()] if first else [])
