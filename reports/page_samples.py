"""The first items of a task, as the page shows them: what each producer said, item by item."""

from collections.abc import Iterator
from dataclasses import dataclass

from reports.model import Language, Score
from reports.samples import Choice, Samples, Translation, first_items, is_translation
from reports.table import Row


@dataclass(frozen=True)
class TextLine:
    """One text of a translated item. `direction` and `tag` are HTML's dir and lang."""

    whose: str
    text: str
    direction: str
    tag: str
    chrf: str


@dataclass(frozen=True)
class Item:
    """One item; `lines` hold a choice (or None) per producer, or the texts of a translation."""

    doc: int
    answer: str
    lines: tuple[Choice | None, ...] | tuple[TextLine, ...]


@dataclass(frozen=True)
class TaskSamples:
    """A task's first items. `id` is the element that cells link to."""

    id: str
    protocol: str
    translated: bool
    producers: tuple[str, ...]
    items: tuple[Item, ...]


def task_samples(row: Row, language: Language, name: str) -> TaskSamples | None:
    """The first five items of a row; None when no score of it has readable samples."""
    scored = [(cell.producer, cell.score) for cell in row.cells if cell.score]
    read = [(producer, score, first_items(score)) for producer, score in scored]
    read = [(producer, score, items) for producer, score, items in read if items]
    if not read:
        return None
    # One row is one metric, unless scores disagree about a task: then the first one decides.
    first: Score = read[0][1]
    alike = [(who, items) for who, score, items in read if score.metric == first.metric]
    translated = is_translation(first)
    docs = sorted({doc for _, items in alike for doc in items})[:5]
    make = _translated if translated else _chosen
    items = tuple(make(doc, alike, row.task, language) for doc in docs)
    producers = tuple(who for who, _ in alike)
    return TaskSamples(name, first.full_protocol, translated, producers, items)


def _chosen(doc: int, said: list[tuple[str, Samples]], task: str, language: Language) -> Item:
    choices = [items.get(doc) for _, items in said]
    kept = tuple(choice if isinstance(choice, Choice) else None for choice in choices)
    return Item(doc, next((choice.answer for choice in kept if choice), ""), kept)


def _translated(doc: int, said: list[tuple[str, Samples]], task: str, language: Language) -> Item:
    own, english = (language.direction, language.tag), ("ltr", "en")
    origin, target = (english, own) if task == "flores_en_xx" else (own, english)

    def lines() -> Iterator[TextLine]:
        texts = [
            (who, text) for who, items in said if isinstance(text := items.get(doc), Translation)
        ]
        for _, text in texts[:1]:
            yield TextLine("source", text.source, *origin, "")
            yield TextLine("reference", text.reference, *target, "")
        for who, text in texts:
            # A model may answer in any script, so its text sets its own direction.
            chrf = "" if text.chrf is None else f"{text.chrf:.1f}"
            yield TextLine(who, text.hypothesis, "auto", "", chrf)

    return Item(doc, "", tuple(lines()))
