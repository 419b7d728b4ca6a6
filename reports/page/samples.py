"""The first items of a task, as the page shows them: what each producer saw and said."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.contract.record import Unreadable
from core.contract.samples import AnySample, Choice, Translation, WrittenAnswer
from reports.outputs.sample_text import describe_reading
from reports.samples import UNKNOWN, Direction, find_answer_direction, find_directions
from reports.store.model import Score, ShownLanguage
from reports.store.samples import ALL_BUT_SAID, is_translation, read_rows
from reports.tables.panels import PanelRow

FIRST = 5
Rows = Mapping[str, AnySample]
"""A score's first items by their ids."""


@dataclass(frozen=True)
class TextLine:
    """One text of an item. `note` tells its chrF++, or whether it is right."""

    whose: str
    text: str
    direction: Direction = UNKNOWN
    note: str = ""


@dataclass(frozen=True)
class SampleItem:
    """One item; `lines` hold a choice (or None) per producer, or the texts of a translation."""

    id: str
    answer: str
    lines: tuple[Choice | None, ...] | tuple[TextLine, ...]


@dataclass(frozen=True)
class TaskSamples:
    """A task's first items. `id` is the element that cells link to; `prompt` the first item's;
    `written` says that the lines of items are texts, of which each note tells the `measure`."""

    id: str
    protocol: str
    written: bool
    measure: str
    producers: tuple[str, ...]
    items: tuple[SampleItem, ...]
    prompt: str


def find_task_samples(row: PanelRow, language: ShownLanguage, name: str) -> TaskSamples | None:
    """Find the first five items of a row; None when no score of it has readable samples."""
    scored = [(cell.producer, cell.score) for cell in row.cells if cell.score]
    read = [(producer, score, _read_first_rows(score)) for producer, score in scored]
    read = [(producer, score, rows) for producer, score, rows in read if rows]
    if not read:
        return None
    # One row is one metric, unless scores disagree about a task: then the first one decides.
    first: Score = read[0][1]
    alike = [(who, rows) for who, score, rows in read if score.metric == first.metric]
    ids = list(dict.fromkeys(id_ for _, rows in alike for id_ in rows))[:FIRST]
    return TaskSamples(
        id=name,
        protocol=first.full_protocol,
        written=first.metric != "accuracy",
        measure="chrF++" if is_translation(first) else "Reading",
        producers=tuple(who for who, _ in alike),
        items=tuple(_make_item(id_, alike, row.task, language) for id_ in ids),
        prompt=_read_prompt(first),
    )


def _read_first_rows(score: Score) -> Rows:
    try:
        return {row.doc_id: row for row in read_rows(score, FIRST, without=ALL_BUT_SAID)}
    except Unreadable:
        return {}


def _read_prompt(score: Score) -> str:
    try:
        return read_rows(score, 1)[0].prompt
    except Unreadable:
        return ""


def _make_item(
    id_: str, said: Sequence[tuple[str, Rows]], task: str, language: ShownLanguage
) -> SampleItem:
    rows = [(who, items.get(id_)) for who, items in said]
    texts = [(who, row) for who, row in rows if isinstance(row, Translation)]
    if texts:
        return SampleItem(id_, "", tuple(_list_lines(texts, task, language)))
    written = [(who, row) for who, row in rows if isinstance(row, WrittenAnswer)]
    if written:
        return SampleItem(id_, "", tuple(_list_answers(written)))
    chosen = tuple(row if isinstance(row, Choice) else None for _, row in rows)
    return SampleItem(id_, next(row.answer for row in chosen if row), chosen)


def _list_answers(written: Sequence[tuple[str, WrittenAnswer]]) -> Iterator[TextLine]:
    yield TextLine("right", " / ".join(written[0][1].references))
    for who, row in written:
        yield TextLine(who, row.said, note=describe_reading(row))


def _list_lines(
    texts: Sequence[tuple[str, Translation]], task: str, language: ShownLanguage
) -> Iterator[TextLine]:
    origin, target = find_directions(task, language)
    _, first = texts[0]
    yield TextLine("source", first.source, origin)
    yield TextLine("reference", first.reference, target)
    for who, row in texts:
        yield TextLine(who, row.hypothesis, find_answer_direction(row, target), f"{row.chrf:.1f}")
