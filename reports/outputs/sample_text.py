"""Samples in the terminal: what the model saw and said, its text never read as anything else."""

import unicodedata

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from core.contract.samples import AnySample, Choice, Translation, WrittenAnswer
from core.lines import split_lines
from core.text import make_safe
from reports.samples import (
    FILTERS,
    UNKNOWN,
    Direction,
    FoundSamples,
    find_answer_direction,
    find_directions,
)
from reports.signs import clean

_MARKS = {"ltr": "\N{LEFT-TO-RIGHT MARK}", "rtl": "\N{RIGHT-TO-LEFT MARK}"}
_INDENT = 3


def print_samples(found: FoundSamples, console: Console, only: str, prompts: bool = False) -> None:
    """Print the items, each text on lines of its own, so that a script that runs from right to
    left reorders nothing but itself. `prompts`: with the whole prompt of each."""
    many = f"{found.matching:,} of {found.total:,} items"
    words = "" if only == "all" else f": {FILTERS[only]}"
    _print_line(console, Text(f"\n{clean(found.title)}", style="bold"))
    shown = "" if len(found.items) == found.matching else f", the first {len(found.items)} here"
    _print_line(console, Text(f"{many}{words}{shown}", style="dim"))
    for item in found.items:
        row = next(row for row in item if row)
        title = f"\n{clean(row.doc_id)}"
        _print_line(console, Text(title, style="bold reverse"))
        if prompts:
            _print_text(console, "Prompt", row.prompt, "dim")
            length = f"{row.prompt_tokens:,} tokens" + (", cut to fit" if row.truncated else "")
            _print_line(console, Text(length, style="dim"))
        origin, target = find_directions(found.task, found.language)
        if isinstance(row, Translation):
            _print_text(console, "Source", row.source, direction=origin)
            _print_text(console, "Reference", row.reference, direction=target)
        else:
            _print_text(console, "Answer", row.answer)
        for producer, own in zip(found.producers, item, strict=True):
            direction = find_answer_direction(own, target)
            _print_text(
                console, _write_head(producer, own), describe_answer(own), direction=direction
            )


def describe_answer(row: AnySample | None) -> str:
    """Give a producer's answer in its own words, or its choice and how sure it was."""
    if row is None:
        return "does not have this item"
    if isinstance(row, Translation):
        return row.hypothesis or "(nothing)"
    if isinstance(row, WrittenAnswer):
        return row.said or "(nothing)"
    return _describe_choice(row)


def _describe_choice(row: Choice) -> str:
    """Give the prediction, and how likely the model took it to be among the choices."""
    label, logs = row.prediction, [value for value in row.logprobs if value is not None]
    # An endpoint may leave a choice without its probability.
    if label in row.choices and len(row.choices) == len(logs):
        import math

        top = max(logs)
        weights = [math.exp(value - top) for value in logs]
        return f"{label} ({weights[row.choices.index(label)] / sum(weights):.0%})"
    return label


def describe_oddities(row: AnySample | None) -> str:
    """Tell beside a producer's name whether it is right, its chrF++, and anything odd."""
    if row is None:
        return ""
    if isinstance(row, Choice):
        return "right" if row.correct else "wrong"
    if isinstance(row, WrittenAnswer):
        return describe_reading(row)
    marks = [f"chrF++ {row.chrf:.1f}"]
    if row.language:
        marks.append(row.language)
    if row.copied_source:
        marks.append("copied the source")
    if not row.finished:
        marks.append("did not come to an end")
    return ", ".join(marks)


def describe_reading(row: WrittenAnswer) -> str:
    """Tell what was read of an answer, and how good it is."""
    if not row.prediction:
        marks = ["could not be read"]
    elif len(row.references) == 1 and row.quality in (0, 1):
        marks = [f"read as {row.prediction!r}", "right" if row.correct else "wrong"]
    else:
        marks = [f"read as {row.prediction!r}", f"{100 * row.quality:.1f} of 100"]
    if not row.finished:
        marks.append("did not come to an end")
    return ", ".join(marks)


def _write_head(producer: str, row: AnySample | None) -> str:
    note = describe_oddities(row)
    return f"{producer}: {note}" if note else producer


def _print_text(
    console: Console, head: str, text: str, style: str = "", direction: Direction = UNKNOWN
) -> None:
    _print_line(console, Text(clean(head), style="dim"))
    for paragraph in split_lines(make_safe(text)) or [""]:
        # Every line of a screen is a paragraph to it, so that each needs a mark of its own.
        for line in Text(paragraph, style=style).wrap(console, max(1, console.width - _INDENT)):
            line.rstrip()
            marked = Text(find_mark(line.plain, direction)) + line
            console.print(Padding(marked, (0, 0, 0, _INDENT)), highlight=False, soft_wrap=True)


def find_mark(line: str, direction: Direction) -> str:
    """Give the invisible mark with which a line is laid out in its direction; "" where it is so
    without one.

    A terminal, like an editor, lays out each line as its first letter runs.
    """
    if direction.dir not in _MARKS:
        return ""
    strong = (unicodedata.bidirectional(sign) for sign in line)
    first = next((kind for kind in strong if kind in ("L", "R", "AL")), "L")
    runs = "ltr" if first == "L" else "rtl"
    return "" if runs == direction.dir or not line else _MARKS[direction.dir]


def _print_line(console: Console, text: Text) -> None:
    console.print(Padding(text, (0, 0, 0, 1)), highlight=False)
