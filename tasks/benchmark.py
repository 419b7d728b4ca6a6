"""What a benchmark is: where its rows come from and how a row is asked.

One file per benchmark gives these; `tasks.loading` makes tasks of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.protocol import LETTERS, Protocol
from tasks.rows import Column, Raw, Row
from tasks.words import Words


@dataclass(frozen=True)
class Item:
    """A row as it is asked.

    `id` is the benchmark's own; items of one `cluster` are not independent. `text` is all of the
    row that is in the language. `label` is what balanced shots must differ in. A question has
    `choices` and the position of the right one, `answer`; a translation has `source` and `target`.
    """

    id: str
    cluster: str
    text: str
    query: str
    label: str = ""
    choices: tuple[str, ...] = ()
    answer: int = 0
    source: str = ""
    target: str = ""


@dataclass(frozen=True)
class Asking:
    """How the rows are asked. `language` is the language's English name; `from_english` is the
    direction of a translation."""

    protocol: Protocol
    words: Words
    language: str
    from_english: bool = False


# Functions with names, so that a task can be sent to another process.
def _configuration(load: Callable[[str], list[Raw]], code: str) -> list[Raw]:
    return load(code)


def _empty(asking: Asking) -> str:
    return ""


@dataclass(frozen=True)
class Benchmark:
    """One benchmark. `complete` is the number of rows of a complete set, shots included.

    columns: what each used column may hold; `identity` names those that tell a row from another.
    read_files: (data directory, code) -> rows; raises `DataMissing` or `DataMalformed`.
    read_hub: (rows of a configuration of the Hub's repository, code) -> rows. They come with
        `hub_columns`, or with `columns` where the repository has those.
    item, description: what the prompt says of a row, and before all of them.
    """

    name: str
    repository: str
    split: str
    complete: int
    columns: tuple[Column, ...]
    identity: tuple[str, ...]
    read_files: Callable[[Path, str], list[Raw]]
    item: Callable[[Row, Asking], Item]
    read_hub: Callable[[Callable[[str], list[Raw]], str], list[Raw]] = _configuration
    hub_columns: tuple[str, ...] = ()
    description: Callable[[Asking], str] = _empty
    letters: str = ""

    @property
    def chance(self) -> float | None:
        """The accuracy of guessing in percent, None where there is none."""
        return 100 / len(self.letters) if self.letters else None


def listed(answers: Sequence[str], protocol: Protocol) -> str:
    """The possible answers, one a line, as the prompt shows them."""
    marks = LETTERS if protocol.answers == "letters" else "-" * len(answers)
    stop = "." if protocol.answers == "letters" else ""
    return "\n".join(f"{mark}{stop} {answer}" for mark, answer in zip(marks, answers, strict=False))


def choices(answers: Sequence[str], protocol: Protocol) -> tuple[str, ...]:
    """The possible answers as the model is to give them."""
    return tuple(LETTERS[: len(answers)] if protocol.answers == "letters" else answers)
