"""Reads and writes the study's JSON files: whole or not at all, errors name the file."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.lines import Line, LineError, read_json_lines
from harness.preference.errors import PreferenceError


def write_json(path: Path, value: Mapping[str, Any], *, secret: bool = False) -> Path:
    """Writes beside the place and renames. secret: readable by its owner alone, from the start."""
    return write_text(path, json_text(value), secret=secret)


def json_text(value: Mapping[str, Any]) -> str:
    """The form in which the study's JSON files are written: the same value, the same bytes."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def write_text(path: Path, text: str, *, secret: bool = False) -> Path:
    """UTF-8 with \\n line ends, through a temporary file that is synced before it is renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(text.encode("utf-8"))
            out.flush()
            os.fsync(out.fileno())
        # mkstemp gives 0600.
        if not secret:
            Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
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
