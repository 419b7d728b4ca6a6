"""Checks the files of a store against its manifests, and writes a report's files.

Every failure of reading is an `Unreadable` with plain words.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from core import files
from core.contract.manifest import FileEntry
from core.contract.record import R, Unreadable, read_record
from core.lines import LineError, read_json_lines


def read_lines(kind: type[R], path: Path) -> list[R]:
    """The records in a file of one JSON object a line."""
    rows: list[R] = []
    try:
        for line, row in read_json_lines(path):
            if not isinstance(row, dict):
                raise Unreadable(f"line {line} is not a JSON object")
            try:
                rows.append(read_record(kind, row))
            except Unreadable as error:
                raise Unreadable(f"line {line}: {error}", error.remedy) from None
    except OSError as error:
        raise Unreadable(f"cannot be opened ({error.strerror})") from None
    except LineError as error:
        raise Unreadable(f"line {error.number} is {error.reason}") from None
    return rows


def verify(folder: Path, name: str, files: Mapping[str, FileEntry]) -> None:
    """Raises Unreadable unless the file has the size and the SHA-256 that its manifest lists."""
    if name not in files:
        raise Unreadable(f"{name} is not listed in the manifest")
    listed, path = files[name], folder / name
    try:
        found = path.stat().st_size
        if found != listed.bytes:
            raise Unreadable(f"{name} has {found} bytes, but its manifest says {listed.bytes}")
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != listed.sha256:
                raise Unreadable(f"{name} was changed: its SHA-256 differs from its manifest's")
    except OSError as error:
        raise Unreadable(f"{name} cannot be opened ({error.strerror})") from None


def write_whole(path: Path, content: str) -> None:
    """Writes a text file that appears whole or not at all; lone surrogates become `?`.

    Several processes may write the same file at once, as the jobs of a sweep do: the last to
    finish wins. Raises OSError.
    """
    files.write_whole(path, content.encode("utf-8", "replace"), shared=True)
