"""Read JSON as models write it: the whole of a value or a ValueError, nothing invented or dropped.

Beyond JSON: a comma at the end, raw line breaks in strings, single and curly quotes around them,
Python's words, keys without quotes. A key that comes twice, and all else, is an error. (Libraries
that repair JSON guess at what is missing; those for JSON5 take no line breaks in strings.)
"""

import json
import re
from typing import Any

_DEPTH = 50
_WORDS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_STRINGS = {
    opens: re.compile(rf"{opens}((?:[^{closes}\\]|\\.)*){closes}", re.DOTALL)
    for opens, closes in ('""', "''", "“”")
}
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[A-Za-z_]\w*")
_ESCAPED = re.compile(r"\\(.)|\"", re.DOTALL)
_SPACE = re.compile(r"\s*")


def read_value(text: str, at: int = 0, depth: int = 0) -> tuple[Any, int]:
    """Read the value that begins at `at`, and find where it ends. Raises ValueError."""
    if depth > _DEPTH:
        raise ValueError("nested too deeply")
    opens = text[at : at + 1]
    if opens == "[":
        return _read_array(text, at, depth)
    if opens == "{":
        return _read_object(text, at, depth)
    if opens in _STRINGS:
        return read_string(text, at)
    word = _PLAIN.match(text, at)
    if word is None:
        raise ValueError(f"no value at {at}")
    return (_WORDS[word[0]] if word[0] in _WORDS else _read_number(word[0])), word.end()


def read_string(text: str, at: int) -> tuple[str, int]:
    """Read the quoted string that begins at `at`, and find where it ends. Raises ValueError."""
    pattern = _STRINGS.get(text[at : at + 1])
    found = pattern.match(text, at) if pattern else None
    if found is None:
        raise ValueError(f"no string at {at}")
    # As JSON has it: the quotes around the string were others, and only they were escaped.
    body = _ESCAPED.sub(lambda m: "'" if m[1] == "'" else m[0] if m[1] else '\\"', found[1])
    return json.loads(f'"{body}"', strict=False), found.end()


def _read_array(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    values: list[Any] = []
    at = _skip_space(text, at + 1)
    while text[at : at + 1] != "]":
        value, at = read_value(text, at, depth + 1)
        values.append(value)
        at = _find_next(text, at, "]")
    return values, at + 1


def _read_object(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    values: dict[str, Any] = {}
    at = _skip_space(text, at + 1)
    while text[at : at + 1] != "}":
        if text[at : at + 1] in _STRINGS:
            key, at = read_string(text, at)
        elif word := _PLAIN.match(text, at):
            key, at = word[0], word.end()
        else:
            raise ValueError(f"no key at {at}")
        at = _skip_space(text, at)
        if text[at : at + 1] != ":" or key in values:
            raise ValueError(f"no value, or a second one, for {key!r}")
        values[key], at = read_value(text, _skip_space(text, at + 1), depth + 1)
        at = _find_next(text, at, "}")
    return values, at + 1


def _find_next(text: str, at: int, closes: str) -> int:
    """Find where the next entry, or the end, stands behind an entry."""
    at = _skip_space(text, at)
    if text[at : at + 1] == ",":
        return _skip_space(text, at + 1)
    if text[at : at + 1] != closes:
        raise ValueError(f"neither a comma nor {closes} at {at}")
    return at


def _skip_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _read_number(word: str) -> int | float:
    return float(word) if any(mark in word for mark in ".eE") else int(word)
