"""`kakugo-report samples`: finds the items of a task, base beside trained, and filters them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.contract.record import Unreadable
from core.contract.samples import AnySample, Translation, WrittenAnswer
from core.languages import find_language, identify_name
from core.tasks import TASKS, is_from_english, show_task
from reports.errors import SamplesNotFoundError
from reports.store.model import ShownLanguage
from reports.store.samples import is_translation, read_rows
from reports.tables.results import Result, Results

FILTERS = {
    "all": "every item",
    "right": "the last producer is right (translations: chrF++ of 50 or more)",
    "wrong": "the last producer is wrong (translations: chrF++ below 50)",
    "gained": "base is wrong, the last producer right; for translations, better by chrF++",
    "lost": "base is right, the last producer wrong; for translations, worse by chrF++",
    "copied": "the last producer copied the source (translations)",
    "unfinished": "the last producer did not come to an end (written answers)",
    "unread": "no answer was found in what the last producer wrote",
    "truncated": "the prompt was cut to fit",
}


Item = tuple[AnySample | None, ...]
"""One item as each producer has it."""


@dataclass(frozen=True)
class FoundSamples:
    """The items that answer to a question; each has a row per producer, None where it has none."""

    language: ShownLanguage
    task: str
    producers: tuple[str, ...]
    translated: bool
    items: tuple[Item, ...]
    matching: int
    """How many answer to the filter, of `total`; `items` are the first of them."""
    total: int

    @property
    def title(self) -> str:
        return f"{self.language.name}, {show_task(self.task)}"


class Direction(NamedTuple):
    """The direction and language of a text, as the values of HTML's `dir` and `lang`."""

    dir: str
    lang: str


UNKNOWN = Direction("auto", "")
"""A text of which it is not known in which language it is sets its own direction."""


def find_directions(task: str, language: ShownLanguage) -> tuple[Direction, Direction]:
    """Give the directions of a translation's source and of its reference."""
    own, other = Direction(language.direction, language.tag), _find_other_direction(task)
    return (other, own) if is_from_english(task) else (own, other)


def _find_other_direction(task: str) -> Direction:
    """Give the direction of the other side of a translation, which is English unless known."""
    code = TASKS[task].other if task in TASKS else ""
    known = find_language(code)
    return Direction(known.direction, known.tag) if known else Direction("ltr", "en")


def find_answer_direction(row: AnySample | None, target: Direction) -> Direction:
    """Give the direction of what a producer said, `target` being that of the task's answers.

    A translation is laid out as its task's language is, whichever letter it begins with: a text in
    Urdu may begin with a Latin name. Its language is only claimed where it was not found to be
    another one.
    """
    if not isinstance(row, Translation) or not row.hypothesis:
        return UNKNOWN
    return target._replace(lang="") if row.in_language is False else target


def find_samples(
    results: Results,
    language: str,
    task: str,
    producers: Sequence[str] = (),
    only: str = "all",
    docs: Sequence[str] = (),
    count: int = 5,
) -> FoundSamples:
    """Find the items of one language and task.

    `producers` (none: base and all others) are shown side by side, in this order; `only` is one of
    FILTERS, `docs` are document ids or positions. Raises SamplesNotFoundError, which says what
    there is instead.
    """
    wanted = identify_name(language)
    rows = [r for r in results.rows if identify_name(r.language.name) == wanted]
    if not rows:
        known = ", ".join(found.name for found in results.languages)
        raise SamplesNotFoundError(f"There is no score of {language!r}.\nRemedy: one of: {known}.")
    of_task = [r for r in rows if r.task == task]
    if not of_task:
        known = ", ".join(dict.fromkeys(r.task for r in rows))
        raise SamplesNotFoundError(
            f"There is no score of {language} on {task!r}.\nRemedy: one of: {known}."
        )
    chosen = _choose(of_task, producers)
    tables = [_read_rows(result) for result in chosen]
    assert chosen[0].record
    translated = is_translation(chosen[0].record)
    ids = list(dict.fromkeys(id_ for table in tables for id_ in table))
    items = [tuple(table.get(id_) for table in tables) for id_ in ids]
    if docs:
        items = [item for item in items if any(_is_called(row, docs) for row in item if row)]
        if not items:
            raise SamplesNotFoundError(
                f"No item is called {', '.join(docs)}.\n"
                f"Remedy: ids look like {ids[0]!r}; there are {len(ids)} items."
            )
    kept = [item for item in items if _is_kept(only, item)]
    return FoundSamples(
        language=chosen[0].language,
        task=task,
        producers=tuple(r.producer for r in chosen),
        translated=translated,
        items=tuple(kept[:count]),
        matching=len(kept),
        total=len(ids),
    )


def _choose(rows: list[Result], producers: Sequence[str]) -> list[Result]:
    ordered = sorted(rows, key=lambda row: not row.is_base)
    unknown = [name for name in producers if name not in {row.producer for row in rows}]
    if unknown:
        known = ", ".join(row.producer for row in ordered)
        raise SamplesNotFoundError(
            f"There is no producer {unknown[0]!r}.\nRemedy: one of: {known}."
        )
    wanted = [next(r for r in rows if r.producer == name) for name in producers] or ordered
    scored = [row for row in wanted if row.record]
    if not scored:
        said = "; ".join(f"{r.producer}: {r.state}, {r.reason}" for r in wanted)
        raise SamplesNotFoundError(f"None of these has samples: {said}.")
    return scored


def _read_rows(result: Result) -> dict[str, AnySample]:
    assert result.record
    try:
        return {row.doc_id: row for row in read_rows(result.record)}
    except Unreadable as error:
        raise SamplesNotFoundError(
            f"The samples of {result.producer} cannot be read: {error}.\n"
            "Remedy: delete that artifact and run its command again; only this stage is redone."
        ) from None


def _is_called(row: AnySample, docs: Sequence[str]) -> bool:
    return row.doc_id in docs or str(row.doc) in docs


def _is_kept(only: str, item: Item) -> bool:
    first, last = item[0], item[-1]
    if only == "all":
        return True
    if only == "truncated":
        return any(row.truncated for row in item if row)
    if last is None:
        return False
    if only in ("gained", "lost"):
        if first is None or len(item) < 2:
            return False
        before, after = _measure_quality(first), _measure_quality(last)
        return after > before if only == "gained" else after < before
    if only == "unread":
        return isinstance(last, WrittenAnswer) and not last.prediction
    if isinstance(last, WrittenAnswer) and only == "unfinished":
        return not last.finished
    if isinstance(last, Translation):
        if only in ("copied", "unfinished"):
            return last.copied_source if only == "copied" else not last.finished
        # A translation is neither: above or below a sentence chrF++ of 50.
        return (last.chrf >= 50) == (only == "right")
    return only in ("right", "wrong") and last.correct == (only == "right")


def _measure_quality(row: AnySample) -> float:
    """chrF++ of a translation, the rating of an answer, 1 or 0 of a choice."""
    if isinstance(row, WrittenAnswer):
        return row.quality
    return row.chrf if isinstance(row, Translation) else float(row.correct)
