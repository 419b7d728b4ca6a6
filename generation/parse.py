"""Read lists and conversations out of a teacher's text: pure functions, no call is needed.

Teachers wrap JSON in prose and fences, write an object a line, forget a comma at the end, or answer
with a numbered list. All that was listed is read, or nothing: what cannot be read with certainty is
None, never a guess, and the caller counts it as a failure.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from core.lines import split_lines
from generation.lenient import read_string, read_value
from generation.listed import has_items, read_listed

Turn = dict[str, str]

_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_OPENING = re.compile(r"^[ \t]*(?:```\w*[ \t]*)?([\[{])", re.MULTILINE)
# A bracket of prose, such as [1], [Note: ...] or {name}, begins otherwise.
_JSON_OPENING = re.compile(r"""\[\s*(?:["'“\[{\]]|\Z)|\{\s*(?:["'“}]|\Z|\w+\s*:)""")
_OPENING = re.compile(r"[\[{]")
_LINE_END = re.compile(r"[ \t]*[,.;]?[ \t]*(?:```[ \t]*)?(?:\n|\Z)")
_FENCE = re.compile(r"\s*```\w*\s*")
_NUMBERS = {"id", "index", "number", "no", "n", "nr"}
_NUMBERED_KEY = re.compile(r"\D*(\d+)\D*")


def read_list(text: str, limit: int) -> list[str] | None:
    """The first `limit` strings of the JSON or of the list lines in the text, None without any.

    JSON may be an array of strings, or of objects with one string each; {"items": [...]}; an object
    or a string a line; or several of these, whose strings are joined. Blank strings and null are
    left out. A list of lines keeps the points below a point with it.
    """
    try:
        values = list(_find_values(text)) or list(_find_string_lines(text))
    except ValueError:
        return None
    if values:
        found = _join_strings(values)
        if found and len(found) == 1 and _is_json(found[0].strip()):
            return read_list(found[0], limit)  # the list itself was put in quotes
        return _clean(found, limit)
    if _LINE_OPENING.search(text):
        return None
    return _clean(read_listed(text, limit), limit)


def read_conversation(text: str) -> list[Turn] | None:
    """The list of {"role", "content"} objects in the text, or None.

    Exactly these two keys, user first, strictly alternating, no empty turn. Turns may stand an
    object a line. Two conversations are None: one of them may be the original.
    """
    try:
        values = list(_find_values(text))
    except ValueError:
        return None
    if values and all(isinstance(value, dict) and "role" in value for value in values):
        values = [values]
    found = [value.get("items") if isinstance(value, dict) else value for value in values]
    lists = [value for value in found if isinstance(value, list)]
    return lists[0] if len(lists) == 1 and is_conversation(lists[0]) else None


def is_conversation(value: object) -> bool:
    """Tell whether the value is a list of turns: user first, strictly alternating, none empty."""
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
    """Tell whether the text is Unicode that can be written: no half of a surrogate pair."""
    return not _SURROGATE.search(text)


def _clean(items: Sequence[str] | None, limit: int) -> list[str] | None:
    kept = [item.strip() for item in items or () if item.strip() and is_sound(item)]
    return kept[:limit] or None


def _is_json(text: str) -> bool:
    """Tell whether all of a text is an array or an object that is not empty."""
    try:
        value, end = read_value(text)
    except ValueError:
        return False
    return end == len(text) and isinstance(value, list | dict) and bool(value)


def _find_values(text: str) -> Iterator[Any]:
    """The arrays and objects that begin a line, or else the first one that ends a line of prose.

    Raises ValueError where one of them cannot be read. A bracket inside a line is never searched
    for inner ones: an array in a prompt whose quotes are not escaped would pass for the answer.
    """
    end = 0
    begin_a_line = [match.start(1) for match in _LINE_OPENING.finditer(text)]
    for start in begin_a_line:
        if start < end or not _JSON_OPENING.match(text, start):
            continue
        if has_items(text[:start]) and not end:
            raise ValueError("the JSON may be part of a list's point")
        value, end = read_value(text, start)
        if _JSON_OPENING.search(text[end:].partition("\n")[0]):
            raise ValueError("a second value in the line")
        yield value
    first = _OPENING.search(text)
    if begin_a_line or first is None or has_items(text):
        return
    try:
        value, end = read_value(text, first.start())
    except ValueError:
        return
    if _LINE_END.match(text, end):
        yield value


def _find_string_lines(text: str) -> Iterator[str]:
    """The strings of a text of which every line is one, in quotes; a comma may follow."""
    lines = [line.strip() for line in split_lines(text)]
    found = []
    for line in lines:
        if line and not _FENCE.fullmatch(line):
            try:
                string, end = read_string(line, 0)
            except ValueError:
                return
            if line[end:].strip() not in ("", ","):
                return
            found.append(string)
    yield from found


def _join_strings(values: Sequence[Any]) -> list[str] | None:
    """The strings of several values, each of which gives some; None where one gives none."""
    found: list[str] = []
    keys = set()
    for value in values:
        if isinstance(value, str) or value is None:
            found.append(value or "")
            keys.add("")
        elif isinstance(value, list):
            inner = None if any(isinstance(one, list) for one in value) else _join_strings(value)
            if inner is None:
                return None
            found += inner
        elif isinstance(value, dict):
            key, inner = _read_object(value)
            if inner is None:
                return None
            found += inner
            keys.add(key)
        else:
            return None
    # Strings beside objects, or objects of different keys, are no list of one thing.
    return found if len(keys) <= 1 else None


def _read_object(value: dict[str, Any]) -> tuple[str, list[str] | None]:
    """An object's strings, and the key of its only one ("" where it holds a list)."""
    lists = [inner for inner in value.values() if isinstance(inner, list)]
    if lists:
        return "[]", _join_strings(lists)
    texts = {
        key: text
        for key, text in value.items()
        if isinstance(text, str) and key.casefold() not in _NUMBERS
    }
    if any(isinstance(inner, dict) for inner in value.values()):
        return "", None
    if len(texts) == 1:
        ((key, text),) = texts.items()
        return _NUMBERED_KEY.sub("0", key), [text]
    numbers = [match[1] for key in value if (match := _NUMBERED_KEY.fullmatch(key))]
    counted = [int(number) for number in numbers] == list(range(1, len(value) + 1))
    return "1", list(texts.values()) if counted and len(texts) == len(value) > 1 else None
