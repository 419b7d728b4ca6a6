"""The declaration of a benchmark: its tasks, where its rows come from and how a row is asked.

Each file of ``tasks/benchmarks/`` makes one; `tasks.catalogue` finds them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from core.contract.score import Metric
from tasks.protocol import LETTERS, SHOTS, Protocol
from tasks.reading import Wording
from tasks.rows import Raw, Row, RowColumn
from tasks.words import Words

UNASKED: Mapping[str, Any] = {"asked": False}
"""Metadata of a field that no model is asked, and on which no score depends."""
ADDED: Mapping[str, Any] = {"added": True}
"""Metadata of a field that was added later, and has no part in the hash of what is asked while it
is empty: so a new kind of task makes nobody's finished scores again."""


@dataclass(frozen=True)
class Item:
    """A row in the form in which a model is asked it.

    `id` is the benchmark's own; items of one `cluster` are not independent. `text` is all of the
    row that is in the language. `label` is what balanced shots must differ in. A question has
    `choices` and the position of the right one, `answer`; a translation has `source` and `target`.
    An answer that is written and read is one of the `choices` or of the `references`, and counts
    among those of its `stratum`; `wording` names the version of the words that ask for it, and
    `passage` the text that it shares with others, in place of its `cluster`, where that was not
    told from the beginning. What the
    benchmark says of it besides (`core.contract.samples.Choice`) is None where it says nothing.
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
    references: tuple[str, ...] = field(default=(), metadata=ADDED)
    stratum: str = field(default="", metadata=ADDED)
    wording: str = field(default="", metadata=UNASKED)
    category: str | None = field(default=None, metadata=UNASKED)
    cultural_sensitivity: str | None = field(default=None, metadata=UNASKED)
    passage: str | None = field(default=None, metadata=UNASKED)

    @property
    def asked(self) -> dict[str, Any]:
        """The fields of which the prompt and what counts as right are made."""
        left_out = {
            one.name
            for one in fields(self)
            if one.metadata == UNASKED or (one.metadata == ADDED and not getattr(self, one.name))
        }
        return {name: value for name, value in asdict(self).items() if name not in left_out}


@dataclass(frozen=True)
class Asking:
    """The form of the questions. `language` is the language's English name; `from_english` is the
    direction of a translation. `code` is the benchmark's of the language, and `examples` are the
    rows that a prompt shows before the one that it asks, where they are a file of their own."""

    protocol: Protocol
    words: Words
    language: str
    from_english: bool = False
    code: str = ""
    examples: tuple[Row, ...] = ()


# Functions with names, so that a task can be sent to another process.
def _load_configuration(load: Callable[[str], list[Raw]], code: str) -> list[Raw]:
    return load(code)


def _describe_nothing(asking: Asking) -> str:
    return ""


def _read_no_examples(root: Path, code: str) -> list[Raw]:
    return []


@dataclass(frozen=True)
class WrittenForm:
    """The way in which answers are written, read and rated.

    metric: of labels `nacc`; else how a text is rated (`tasks.quality`), or `chrf++`.
    wordings: by the benchmark's code of a language.
    examples: how many a plain prompt shows; a chat shows none. 0: it is asked of chats alone,
        unless the benchmark has `shots`, which are then what a plain prompt shows.
    sets: how many sets of their own the rows are of, each with so many examples.
    read_examples: (data directory, code) -> their rows; on the Hub they are the split
        `examples_split`.
    lenient: see `tasks.reading.read_label`.
    guessing: the share of right answers that guessing gives, which is 0 of the score; None: that of
        as many answers as there are labels, and 0 without labels.
    """

    metric: Metric
    wordings: Mapping[str, Wording]
    examples: int = 5
    sets: int = 1
    read_examples: Callable[[Path, str], list[Raw]] = _read_no_examples
    examples_split: str = "examples"
    lenient: bool = True
    guessing: float | None = None

    def find_guessing(self, code: str) -> float:
        """Returns the share of right answers that is 0 of the score. The labels are those of the
        task, however few of them the asked rows have."""
        labels = self.wordings[code].labels
        if self.guessing is not None:
            return self.guessing
        return 1 / len(labels) if labels else 0.0


@dataclass(frozen=True)
class Place:
    """The place of a benchmark in a suite whose score is a mean of means: of the members of each
    pillar, and of the pillars. Tasks of one `member` in a language count as one."""

    suite: str
    pillar: str
    member: str


@dataclass(frozen=True)
class PeoplesAccuracy:
    """The published accuracy of people, in percent, and where it stands and of whom it is."""

    percent: float
    source: str


@dataclass(frozen=True)
class Naming:
    """A task's name, in commands and files, and its title in reports."""

    name: str
    title: str
    from_english: bool = False


@dataclass(frozen=True)
class Benchmark:
    """One benchmark. `complete` is the number of rows of a complete set, shots included; None where
    languages have sets of their own sizes.

    name: the key of its code in a language's file (``benchmarks``), of a repository in its place
        (``evaluate.hub``), and of its folder below a data directory.
    tasks: a benchmark of translations has one for each direction.
    place: its position among the benchmarks in reports, the lowest first.
    columns: what each used column may hold; `identity` names those that tell a row from another.
    asides: columns that say something of an item and are not asked: a file may lack them, and a
        score's key does not hold them.
    read_files: (data directory, code) -> rows; raises `DataMissing` or `DataMalformed`.
    read_hub: (rows of a configuration of the Hub's repository, code) -> rows. They come with
        `hub_columns`, or with `columns` where the repository has those.
    item, description: what the prompt says of a row, and before all of them.
    letters: those of the answers that an item has to choose from; "" for translations.
    paper: it is one of the paper's (`evaluate=paper`).
    keeps_english: it is asked in English too, to tell what a checkpoint has forgotten
        (`evaluate.retention`).
    codes: its code of a language by the language's FLORES code, beside those that the languages'
        files give it; the reason of a gap follows from them.
    beyond: codes, in the same way, of languages that it has and that the paper did not score in it
        (`evaluate.beyond_paper`).
    shots: the rows of the scored split that are the shots, and are not scored.
    cloze: the answers' own texts are scored as the end of the query, and the query lists none. It
        has one protocol: a plain text, and no shots.
    joint: what stands between the query of a cloze and an answer.
    unasked: codes of languages that it holds and that are no task, such as the English of
        translations.
    reading: how answers that are written are read and scored; None where they are not.
    other: FLORES code of the other side of its translations.
    suite: its place in a suite of benchmarks.
    people: how well people do, where that was published.
    texts: how its texts in one language are read by those who look for them elsewhere, where a
        row of a task is more than that.
    """

    name: str
    tasks: tuple[Naming, ...]
    place: int
    repository: str
    split: str
    complete: int | None
    columns: tuple[RowColumn, ...]
    identity: tuple[str, ...]
    read_files: Callable[[Path, str], list[Raw]]
    item: Callable[[Row, Asking], Item]
    read_hub: Callable[[Callable[[str], list[Raw]], str], list[Raw]] = _load_configuration
    hub_columns: tuple[str, ...] = ()
    description: Callable[[Asking], str] = _describe_nothing
    letters: str = ""
    unasked: tuple[str, ...] = ()
    asides: tuple[RowColumn, ...] = ()
    texts: "Benchmark | None" = None
    reading: WrittenForm | None = None
    other: str = "eng_Latn"
    suite: Place | None = None
    paper: bool = False
    keeps_english: bool = False
    codes: Mapping[str, str] = field(default_factory=dict)
    beyond: Mapping[str, str] = field(default_factory=dict)
    shots: int = SHOTS
    cloze: bool = False
    joint: str = " "
    people: PeoplesAccuracy | None = None

    @property
    def chance(self) -> float | None:
        """The accuracy of guessing in percent, None where there is none."""
        return 100 / len(self.letters) if self.letters else None

    @property
    def title(self) -> str:
        """Its name in sentences: that of its first task, without a direction."""
        return self.tasks[0].title.partition(" xx")[0] if self.tasks else self.name

    def find_code(
        self, given: str | None, flores_code: str | None, beyond: bool = False
    ) -> str | None:
        """Returns its code of a language: the one that the language's file gives it, else its own
        for the language's FLORES code; None where it lacks the language, or where only those
        `beyond` the paper have it and are not wanted."""
        own = flores_code or ""
        return given or self.codes.get(own) or (self.beyond.get(own) if beyond else None)


def list_answers(answers: Sequence[str], protocol: Protocol) -> str:
    """Returns the possible answers, one a line, as the prompt shows them."""
    marks = LETTERS if protocol.answers == "letters" else "-" * len(answers)
    stop = "." if protocol.answers == "letters" else ""
    return "\n".join(f"{mark}{stop} {answer}" for mark, answer in zip(marks, answers, strict=False))


def name_choices(answers: Sequence[str], protocol: Protocol) -> tuple[str, ...]:
    """Returns the possible answers as the model is to give them."""
    return tuple(LETTERS[: len(answers)] if protocol.answers == "letters" else answers)
