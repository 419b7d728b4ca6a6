"""The first items of a task, as the page shows them: what each producer saw and said."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reports.samples import UNKNOWN, Direction, find_directions
from reports.store.files import Unreadable
from reports.store.model import Language, Score
from reports.store.samples import is_translation, read_rows
from reports.tables.panels import Row

FIRST = 5
_COLUMNS = (
    *("doc", "doc_id", "choices", "prediction", "answer", "correct"),
    *("source", "hypothesis", "reference", "chrf"),
)


@dataclass(frozen=True)
class TextLine:
    """One text of an item. `note` tells its chrF++, or whether it is right."""

    whose: str
    text: str
    direction: Direction = UNKNOWN
    note: str = ""


@dataclass(frozen=True)
class Choice:
    """The answer that one producer chose."""

    prediction: str
    correct: bool


@dataclass(frozen=True)
class SampleItem:
    """One item; `lines` hold a choice (or None) per producer, or the texts of a translation."""

    id: str
    answer: str
    lines: tuple[Choice | None, ...] | tuple[TextLine, ...]


@dataclass(frozen=True)
class TaskSamples:
    """A task's first items. `id` is the element that cells link to; `prompt` the first item's."""

    id: str
    protocol: str
    translated: bool
    producers: tuple[str, ...]
    items: tuple[SampleItem, ...]
    prompt: str


def find_task_samples(row: Row, language: Language, name: str) -> TaskSamples | None:
    """Find the first five items of a row; None when no score of it has readable samples."""
    scored = [(cell.producer, cell.score) for cell in row.cells if cell.score]
    read = [(producer, score, _first_rows(score)) for producer, score in scored]
    read = [(producer, score, rows) for producer, score, rows in read if rows]
    if not read:
        return None
    # One row is one metric, unless scores disagree about a task: then the first one decides.
    first: Score = read[0][1]
    alike = [(who, rows) for who, score, rows in read if score.metric == first.metric]
    translated = is_translation(first)
    ids = list(dict.fromkeys(id_ for _, rows in alike for id_ in rows))[:FIRST]
    make = _translated if translated else _chosen
    return TaskSamples(
        id=name,
        protocol=first.full_protocol,
        translated=translated,
        producers=tuple(who for who, _ in alike),
        items=tuple(make(id_, alike, row.task, language) for id_ in ids),
        prompt=_prompt(first),
    )


def _first_rows(score: Score) -> dict[str, dict[str, Any]]:
    try:
        return {str(row["doc_id"]): row for row in read_rows(score, _COLUMNS, FIRST)}
    except (Unreadable, KeyError):
        return {}


def _prompt(score: Score) -> str:
    try:
        rows = read_rows(score, ("prompt",), 1)
    except Unreadable:
        return ""
    return str(rows[0].get("prompt", "")) if rows else ""


def _chosen(
    id_: str, said: list[tuple[str, dict[str, dict[str, Any]]]], task: str, language: Language
) -> SampleItem:
    rows = [items.get(id_) for _, items in said]
    kept = tuple(Choice(str(r["prediction"]), bool(r["correct"])) if r else None for r in rows)
    return SampleItem(id_, next((str(row["answer"]) for row in rows if row), ""), kept)


def _translated(
    id_: str, said: list[tuple[str, dict[str, dict[str, Any]]]], task: str, language: Language
) -> SampleItem:
    origin, target = find_directions(task, language)

    def lines() -> Iterator[TextLine]:
        texts = [(who, row) for who, items in said if (row := items.get(id_))]
        for _, row in texts[:1]:
            yield TextLine("source", str(row["source"]), origin)
            yield TextLine("reference", str(row["reference"]), target)
        for who, row in texts:
            chrf = "" if row.get("chrf") is None else f"{row['chrf']:.1f}"
            yield TextLine(who, str(row["hypothesis"]), note=chrf)

    return SampleItem(id_, "", tuple(lines()))
