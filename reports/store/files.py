"""Reads and checks the JSON files of a store, and writes a report's files.

Every failure of reading is an `Unreadable` with plain words.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core import files
from core.lines import LineError, read_json_lines


class Unreadable(Exception):
    """Why one file or field cannot be used. Never leaves this package: it becomes a Problem."""


def read_object(path: Path) -> Mapping[str, Any]:
    """The JSON object in a file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unreadable(f"cannot be opened ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"is not JSON ({error})") from None
    if not isinstance(value, dict):
        raise Unreadable("is not a JSON object")
    return value


def read_lines(path: Path) -> list[Mapping[str, Any]]:
    """The JSON objects in a file of one object per line."""
    rows: list[Mapping[str, Any]] = []
    try:
        for line, row in read_json_lines(path):
            if not isinstance(row, dict):
                raise Unreadable(f"line {line} is not a JSON object")
            rows.append(row)
    except OSError as error:
        raise Unreadable(f"cannot be opened ({error.strerror})") from None
    except LineError as error:
        raise Unreadable(f"line {error.number} is {error.reason}") from None
    return rows


def verify(folder: Path, name: str, files: Mapping[str, tuple[int, str]]) -> None:
    """Raise unless the file has the size and the SHA-256 that its manifest lists."""
    if name not in files:
        raise Unreadable(f"{name} is not listed in the manifest")
    size, digest = files[name]
    path = folder / name
    try:
        found = path.stat().st_size
        if found != size:
            raise Unreadable(f"{name} has {found} bytes, but its manifest says {size}")
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
                raise Unreadable(f"{name} was changed: its SHA-256 differs from its manifest's")
    except OSError as error:
        raise Unreadable(f"{name} cannot be opened ({error.strerror})") from None


def text(row: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A string field. An absent or null one is the default; without a default, an error."""
    value = row.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise Unreadable(f"{name} must be text, but is {_shown(value)}")
    return value


def number(
    row: Mapping[str, Any], name: str, low: float = -math.inf, high: float = math.inf
) -> float:
    """A finite number within [low, high]; NaN, infinities and booleans are refused."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unreadable(f"{name} must be a finite number, but is {_shown(value)}")
    if not low <= value <= high:
        raise Unreadable(f"{name} must lie in [{low:g}, {high:g}], but is {value!r}")
    return value


def number_or_none(
    row: Mapping[str, Any], name: str, low: float = -math.inf, high: float = math.inf
) -> float | None:
    """Like `number`, where null or absence is None."""
    return None if row.get(name) is None else number(row, name, low, high)


def whole(row: Mapping[str, Any], name: str, low: int = 0) -> int:
    """A whole number of at least `low`."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise Unreadable(f"{name} must be a whole number >= {low}, but is {_shown(value)}")
    return value


def mapping(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object field; absent or null is empty."""
    value = row.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unreadable(f"{name} must be an object, but is {_shown(value)}")
    return value


def texts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A field that is a list of texts; absent or null is empty."""
    value = row.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Unreadable(f"{name} must be a list of texts, but is {_shown(value)}")
    return tuple(value)


def objects(row: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A field that is a list of objects; absent or null is empty."""
    value = row.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Unreadable(f"{name} must be a list of objects, but is {_shown(value)}")
    return value


def write_whole(path: Path, content: str) -> None:
    """Writes a text file that appears whole or not at all; lone surrogates become `?`.

    Several processes may write the same file at once, as the jobs of a sweep do: the last to
    finish wins. Raises OSError.
    """
    files.write_whole(path, content.encode("utf-8", "replace"), shared=True)


def _shown(value: object) -> str:
    return "absent" if value is None else repr(value)[:60]
