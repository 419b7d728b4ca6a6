"""Reads text by its lines, and JSON lines, in one way for the whole project.

A line ends at a newline (``\\n`` or ``\\r\\n``) and nowhere else. Unicode calls other characters
line separators too (U+2028, U+2029, U+0085, form feed), and ``str.splitlines`` cuts at them; but
people type them, models write them, and JSON may hold them bare inside a string. A test of the
repository refuses ``splitlines`` on anything that is data.

Not covered: checking what an object holds. Each package does that, in its own words.
"""

import codecs
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from core.text import find_other_format


class LineError(ValueError):
    """A line that cannot be read. The message names the file, the line and the reason."""

    def __init__(self, name: str, number: int, reason: str) -> None:
        super().__init__(f"{name}, line {number}: {reason}")
        self.name, self.number, self.reason = name, number, reason


class Line(NamedTuple):
    """One line, or the value that stands in it. number: counted from 1, blank lines included."""

    number: int
    value: Any


def split_lines(text: str) -> list[str]:
    """Returns the lines of a text without their ends. A newline at the very end begins no line."""
    text = text.replace("\r\n", "\n")
    return text.removesuffix("\n").split("\n") if text else []


def count_lines(path: Path) -> int:
    """Returns the number of lines of a file, without reading them as text. Raises OSError."""
    count, last = 0, b"\n"
    with path.open("rb") as file:
        while part := file.read(2**20):
            count, last = count + part.count(b"\n"), part[-1:]
    return count + (last != b"\n")


def read_lines(path: Path) -> Iterator[Line]:
    """Returns each line of a UTF-8 file as text without its end, one at a time; a byte-order
    mark is no text.

    Raises OSError where the file cannot be opened, and LineError at the first line that is not
    UTF-8.
    """
    with path.open("rb") as file:
        yield from decode_lines(file, str(path))


def decode_lines(lines: Iterable[bytes], name: str) -> Iterator[Line]:
    """Returns each of `lines`, which end at newlines, as text; `name` is the file's in a
    LineError."""
    for number, line in enumerate(lines, 1):
        if number == 1:
            if other := find_other_format(line):
                raise LineError(name, 1, f"the file is {other}")
            line = line.removeprefix(codecs.BOM_UTF8)
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise LineError(name, number, f"not UTF-8 (at its byte {error.start + 1})") from None
        yield Line(number, text.removesuffix("\n").removesuffix("\r"))


def read_json_lines(path: Path) -> Iterator[Line]:
    """Returns the value of each line of a JSONL file that is not blank.

    Raises OSError, and LineError at the first line that is not JSON in UTF-8.
    """
    return parse_json_lines(read_lines(path), str(path))


def parse_json_lines(lines: Iterable[Line], name: str) -> Iterator[Line]:
    """Returns the value of each line that is not blank; LineError, with `name`, where one is not
    JSON."""
    for number, text in lines:
        if text.strip():
            try:
                yield Line(number, json.loads(text))
            except (ValueError, RecursionError) as error:
                raise LineError(name, number, f"not JSON ({error})") from None
