"""The share of each answer: how often it is right, and how often a checkpoint gives it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean

from core.contract.record import Unreadable
from reports.stats.answers import MOST_LABELS
from reports.store.model import Score
from reports.store.samples import count_answers, is_labelled
from reports.tables.results import Results
from reports.tables.sheet import LANGUAGE, PRODUCER, TASK, Column, Sheet, Value

NOTE = (
    "Right: in how many percent of the items the answer is the right one. Given: in how many "
    "percent a checkpoint gives it; a checkpoint that gives one answer far more often than it is "
    "right answers by habit. Found: of the items whose right answer it is, the percent in which it "
    "is given; their mean is the balanced accuracy."
)


@dataclass(frozen=True)
class AnswerShares:
    """One answer in one score; shares are in percent. `found` is None where it is never right."""

    language: str
    task: str
    producer: str
    answer: str
    right: float
    given: float
    found: float | None
    n: int


def find_answer_shares(results: Results) -> tuple[AnswerShares, ...]:
    """Find the shares of each answer in every multiple-choice score whose items share answers."""
    return tuple(
        share
        for row in results.rows
        if row.record and is_labelled(row.record)
        for share in _split(row.language.name, row.task, row.producer, row.record)
    )


def _split(language: str, task: str, producer: str, score: Score) -> Iterator[AnswerShares]:
    counts: Mapping[tuple[str, str], int] = {}
    with suppress(Unreadable):  # the score's own line says so
        counts = count_answers(score)
    given, right = Counter[str](), Counter[str]()
    for (prediction, answer), count in counts.items():
        given[prediction] += count
        right[answer] += count
    if not counts or len(right) > MOST_LABELS:
        return
    n = right.total()
    for answer in sorted(given.keys() | right.keys()):
        hits = counts.get((answer, answer), 0)
        yield AnswerShares(
            language=language,
            task=task,
            producer=producer,
            answer=answer,
            right=100 * right[answer] / n,
            given=100 * given[answer] / n,
            found=100 * hits / right[answer] if right[answer] else None,
            n=n,
        )


def tabulate_answers(found: Sequence[AnswerShares]) -> Sheet:
    """List the shares of each answer in each language."""
    columns = (
        LANGUAGE,
        TASK,
        PRODUCER,
        Column("answer", "Answer"),
        Column("n", "Items", numeric=True),
        Column("right", "Right", ".1f", numeric=True),
        Column("given", "Given", ".1f", numeric=True),
        Column("found", "Found", ".1f", numeric=True),
    )
    rows = tuple(
        (one.language, one.task, one.producer, one.answer, one.n, one.right, one.given, one.found)
        for one in found
    )
    return Sheet(columns, rows, notes=(NOTE,))


def tabulate_mean_answers(found: Sequence[AnswerShares]) -> Sheet:
    """Give the mean over languages of the shares of each answer, and their range."""
    columns = (
        TASK,
        PRODUCER,
        Column("answer", "Answer"),
        Column("languages", "Languages", numeric=True),
        Column("right", "Right", ".1f", numeric=True),
        Column("given", "Given", ".1f", numeric=True),
        Column("least", "Least", ".1f", numeric=True),
        Column("most", "Most", ".1f", numeric=True),
        Column("found", "Found", ".1f", numeric=True),
    )
    groups: dict[tuple[str, str], list[AnswerShares]] = defaultdict(list)
    for one in found:
        groups[one.task, one.producer].append(one)
    rows: list[tuple[Value, ...]] = []
    for (task, producer), some in groups.items():
        languages = {one.language for one in some}
        for answer in sorted({one.answer for one in some}):
            own = [one for one in some if one.answer == answer]
            # A language in which nobody gives an answer that is never right has no line of it.
            given = [one.given for one in own] + [0.0] * (len(languages) - len(own))
            right = [one.right for one in own] + [0.0] * (len(languages) - len(own))
            hits = [one.found for one in own if one.found is not None]
            rows.append(
                (
                    *(task, producer, answer, len(languages), fmean(right), fmean(given)),
                    *(min(given), max(given), fmean(hits) if hits else None),
                )
            )
    ranges = "Least and most: in any one language, where there are several."
    return Sheet(columns, tuple(rows), notes=(NOTE, ranges))
