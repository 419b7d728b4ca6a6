"""Reads and writes the study's JSON files: whole or not at all, errors name the file."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.files import write_whole
from core.lines import Line, LineError, read_json_lines
from preference.errors import PreferenceError


def write_json(path: Path, value: Mapping[str, Any], *, secret: bool = False) -> Path:
    """Writes beside the place and renames. secret: readable by its owner alone, from the start."""
    return write_text(path, write_json_text(value), secret=secret)


def write_json_text(value: Mapping[str, Any]) -> str:
    """The form in which the study's JSON files are written: the same value, the same bytes."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def write_text(path: Path, text: str, *, secret: bool = False) -> Path:
    """Writes UTF-8 with the line ends as they are. secret: as for `write_json`."""
    write_whole(path, text, shared=True, private=secret)
    return path


def read_json(path: Path, kind: type[PreferenceError], what: str) -> dict[str, Any]:
    """A JSON object. Raises `kind` with the path, what it should be and what is wrong."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise kind(f"{path}: there is no {what}") from None
    except (OSError, ValueError) as error:
        raise kind(f"{path}: cannot be read as {what} ({error})") from None
    if not isinstance(value, dict):
        raise kind(f"{path}: {what} is a JSON object, this is {type(value).__name__}")
    return value


def read_rows(path: Path, kind: type[PreferenceError]) -> Iterator[Line]:
    """The values of a JSONL file. Raises `kind` with the path, the line and what is wrong."""
    try:
        yield from read_json_lines(path)
    except LineError as error:
        raise kind(str(error)) from None
    except OSError as error:
        raise kind(f"{path}: cannot be read ({error.strerror})") from None
