"""Samples in the terminal: what the model saw and said, its text never read as anything else."""

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from core.contract.samples import AnySample, Choice, Translation
from core.lines import split_lines
from reports.samples import FILTERS, Found
from reports.signs import clean, make_safe


def print_samples(found: Found, console: Console, only: str, prompts: bool = False) -> None:
    """Print the items, each text on lines of its own, so that a script that runs from right to
    left reorders nothing but itself. `prompts`: with the whole prompt of each."""
    many = f"{found.matching:,} of {found.total:,} items"
    words = "" if only == "all" else f": {FILTERS[only]}"
    _line(console, Text(f"\n{clean(found.title)}", style="bold"))
    shown = "" if len(found.items) == found.matching else f", the first {len(found.items)} here"
    _line(console, Text(f"{many}{words}{shown}", style="dim"))
    for item in found.items:
        row = next(row for row in item if row)
        title = f"\n{clean(row.doc_id)}"
        _line(console, Text(title, style="bold reverse"))
        if prompts:
            _told(console, "Prompt", row.prompt, "dim")
            length = f"{row.prompt_tokens:,} tokens" + (", cut to fit" if row.truncated else "")
            _line(console, Text(length, style="dim"))
        if isinstance(row, Translation):
            _told(console, "Source", row.source)
            _told(console, "Reference", row.reference)
        else:
            _told(console, "Answer", row.answer)
        for producer, own in zip(found.producers, item, strict=True):
            _told(console, _head(producer, own), describe_answer(own))


def describe_answer(row: AnySample | None) -> str:
    """Give a producer's answer in its own words, or its choice and how sure it was."""
    if row is None:
        return "does not have this item"
    if isinstance(row, Translation):
        return row.hypothesis or "(nothing)"
    return _choice(row)


def _choice(row: Choice) -> str:
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
    marks = [f"chrF++ {row.chrf:.1f}"]
    if row.language:
        marks.append(row.language)
    if row.copied_source:
        marks.append("copied the source")
    if not row.finished:
        marks.append("did not come to an end")
    return ", ".join(marks)


def _head(producer: str, row: AnySample | None) -> str:
    note = describe_oddities(row)
    return f"{producer}: {note}" if note else producer


def _told(console: Console, head: str, text: str, style: str = "") -> None:
    _line(console, Text(clean(head), style="dim"))
    for line in split_lines(make_safe(text)) or [""]:
        console.print(Padding(Text(line, style=style), (0, 0, 0, 3)), highlight=False)


def _line(console: Console, text: Text) -> None:
    console.print(Padding(text, (0, 0, 0, 1)), highlight=False)
