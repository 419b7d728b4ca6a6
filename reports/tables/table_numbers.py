"""The numbers of a score table: read with care, since a wrong one looks like any other.

What may be read in two ways (a thousands mark or a decimal comma, fractions or points of 100) is
refused with a question, never guessed.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.tasks import is_accuracy
from core.text import remove_invisible

Scale = Literal["percent", "fraction"]
SCALES: tuple[Scale, ...] = ("percent", "fraction")

_MISSING = frozenset(
    ("", "-", "--", "–", "—", "nan", "na", "n/a", "n.a.", "#n/a", "<na>", "none", "null", "missing")
)
_NUMBER = re.compile(r"\+?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?")
_COMMA = re.compile(r"\+?(\d+),(\d+)")


@dataclass(frozen=True)
class Number:
    """A number of the table and where it stands. `percent`: it bears a percent sign."""

    value: float
    percent: bool
    mark: str
    line: int
    task: str
    producer: str
    text: str


def read_number(
    text: str, line: int, task: str, producer: str, decimal_comma: bool
) -> Number | None:
    """The number of a cell, None for a missing one. Raises ValueError with the reason."""
    shown = text
    if is_missing(text):
        return None
    text = unicodedata.normalize("NFKC", remove_invisible(text)).strip().casefold()
    percent = text.endswith("%")
    text = text.removesuffix("%").strip()
    mark = "." if "." in text else ""
    if found := _COMMA.fullmatch(text):
        if len(found[2]) == 3 and not decimal_comma:
            raise ValueError(f"{shown!r} may be {found[1]}.{found[2]} or {found[1]}{found[2]}")
        text, mark = text.replace(",", "."), ","
    if not _NUMBER.fullmatch(text):
        if re.fullmatch(r"[-−+]?(\d[\d.,' ]*|inf|infinity)", text):
            raise ValueError(f"{shown!r} must be a finite number from 0 to 100")
        raise ValueError(f"{shown!r} is no number")
    value = float(text)
    if not 0 <= value <= 100:
        raise ValueError(f"{shown!r} must be a finite number from 0 to 100")
    return Number(value, percent, mark, line, task, producer, shown)


def is_missing(text: str) -> bool:
    """Tell whether a cell says that it has no value."""
    return unicodedata.normalize("NFKC", remove_invisible(text)).strip().casefold() in _MISSING


def find_marks(numbers: Sequence[Number]) -> list[str]:
    """A complaint where some numbers have a decimal comma and others a decimal point."""
    first = {mark: next((n for n in numbers if n.mark == mark), None) for mark in ",."}
    comma, point = first[","], first["."]
    if comma is None or point is None:
        return []
    return [
        f"line {comma.line} has {comma.text!r} and line {point.line} {point.text!r}: one decimal "
        "mark is needed"
    ]


def find_factor(
    task: str, numbers: Sequence[Number], scale: Scale | None
) -> tuple[float, list[str]]:
    """Find the factor of the plain numbers of a task, and what is in the way.

    They are points of 100, or fractions of 1 as many programs write accuracies. Without a `scale`
    that somebody has given, numbers that may be either are a problem.
    """
    plain = [number for number in numbers if not number.percent]
    small = [number for number in plain if 0 < number.value < 1]
    large = [number for number in numbers if number.value > 1 or number.percent]
    if scale == "percent" or not plain:
        return 1, []
    if scale == "fraction":
        above = [number for number in plain if number.value > 1]
        if not above:
            return 100, []
        if not is_accuracy(task) and not _find_other_scale(numbers):
            # chrF++ and its like are written in points also where accuracies are fractions.
            return 1, []
        return 1, [
            f"line {above[0].line}: {task}, {above[0].producer}: {above[0].text!r} is more than 1, "
            "so it is no fraction (--scale fraction)"
        ]
    if not large and any(number.value > 0 for number in plain):
        return 1, [_ask(task, "is at most 1", (small or plain)[0])]
    # Other scores may lie below 1 of 100; accuracies may not.
    mixed = small if is_accuracy(task) else _find_other_scale(numbers)
    if mixed and large:
        other = f"is below 1, but line {large[0].line} has {large[0].text!r}"
        return 1, [_ask(task, other, mixed[0], every=False)]
    return 1, []


def _find_other_scale(numbers: Sequence[Number]) -> list[Number]:
    """The numbers of a producer that are all of at most 1, where another's are not."""
    producers = {number.producer for number in numbers}
    columns = [[n for n in numbers if n.producer == name] for name in producers]
    below = [c for c in columns if all(n.value <= 1 and not n.percent for n in c)]
    found = [n for column in below for n in column if 0 < n.value < 1]
    return sorted(found, key=lambda n: n.line) if len(below) < len(columns) else []


def _ask(task: str, what: str, number: Number, every: bool = True) -> str:
    who = f"every score {what} (line {number.line}: {number.text!r})" if every else ""
    one = f"line {number.line}: {number.producer}: {number.text!r} {what}"
    return (
        f"{task}: {who or one}. Remedy: --scale percent where {number.value:g} means "
        f"{number.value:g} points of 100, --scale fraction where it means {number.value * 100:g}"
    )
