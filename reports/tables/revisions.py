"""Sentences that differ where scores of one task were taken on two revisions of its data.

FLORES+ is corrected under one name; scores over revisions are not of the same sentences, and their
difference may be that of the sentences.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from core.contract.record import Unreadable
from core.contract.score import ScoredData
from core.tasks import show_task
from reports.store.model import Score, StoreView
from reports.store.samples import is_translation
from reports.tables.sheet import LANGUAGE, TASK, Column, Sheet, Value
from reports.translated.texts import TranslatedTexts, read_translated

EMBEDDED = "embedded"
"""The harness's own small set, which is no revision of a benchmark."""
MOST = 100
"""So many sentences of each pair of revisions are listed."""
NOTE = (
    "Scores of one task on two revisions of its data. A sentence is the same where its source and "
    "its reference are; those that one revision alone has are counted and not listed."
)


@dataclass(frozen=True)
class ChangedSentence:
    """A sentence by its id, as (source, reference) in both revisions."""

    id: str
    before: tuple[str, str]
    after: tuple[str, str]


@dataclass(frozen=True)
class TwoRevisions:
    """Two revisions of a task's data in a language. `shared` counts the sentences of both,
    `first_alone` and `second_alone` those of one."""

    language: str
    task: str
    names: tuple[str, str]
    shared: int
    first_alone: int
    second_alone: int
    changed: tuple[ChangedSentence, ...]

    def describe(self) -> str:
        """Say in a sentence how many differ."""
        said = (
            f"{self.language}, {show_task(self.task)}: {len(self.changed):,} of {self.shared:,} "
            f"sentences differ between {self.names[0]} and {self.names[1]}"
        )
        alone = [
            f"{count:,} are in {name} alone"
            for count, name in zip((self.first_alone, self.second_alone), self.names, strict=True)
            if count
        ]
        listed = [f"the first {MOST} are listed"] if len(self.changed) > MOST else []
        return "; ".join([said, *alone, *listed]) + "."


def find_revisions(
    view: StoreView, languages: Collection[str]
) -> tuple[list[TwoRevisions], list[str]]:
    """Find the pairs of revisions on which one task was scored in one of these `languages`, and
    name what could not be read. A pair that another direction of the benchmark has told is left
    out."""
    groups: dict[tuple[str, str], dict[str, Score]] = defaultdict(dict)
    for score in sorted(view.scores.values(), key=lambda one: (-one.n, one.artifact.key)):
        language = score.artifact.language
        if is_translation(score) and score.data.name != EMBEDDED and language in languages:
            # Of the scores on one revision the first has the most sentences.
            groups[language, score.task].setdefault(score.data.sha256, score)
    found: list[TwoRevisions] = []
    unread: list[str] = []
    told: set[object] = set()
    for (language, task), by_content in sorted(groups.items()):
        ordered = sorted(by_content.values(), key=lambda one: _name(one.data))
        for pair in combinations(ordered, 2):
            try:
                one = _compare(language, task, pair)
            except Unreadable as error:
                unread.append(f"{language}, {show_task(task)}: {error}.")
                continue
            what = (language, _strip_direction(one))
            if what not in told:
                told.add(what)
                found.append(one)
    return found, unread


def tabulate_revisions(view: StoreView, languages: Collection[str]) -> Sheet | None:
    """List the sentences that differ; None where no task was scored on two revisions."""
    found, unread = find_revisions(view, languages)
    if not found and not unread:
        return None
    columns = (
        LANGUAGE,
        TASK,
        Column("first", "First revision"),
        Column("second", "Second revision"),
        Column("item", "Item"),
        Column("part", "Part"),
        Column("before", "In the first", prose=True),
        Column("after", "In the second", prose=True),
    )
    rows = [row for one in found for row in _list_rows(one)]
    notes = (NOTE, *(one.describe() for one in found), *unread)
    return Sheet(columns, tuple(rows), notes=notes)


def _list_rows(one: TwoRevisions) -> Iterator[tuple[Value, ...]]:
    for sentence in one.changed[:MOST]:
        texts = zip(("source", "reference"), sentence.before, sentence.after, strict=True)
        for part, before, after in texts:
            if before != after:
                yield one.language, one.task, *one.names, sentence.id, part, before, after


def _compare(language: str, task: str, pair: tuple[Score, ...]) -> TwoRevisions:
    first, second = (_list_by_id(read_translated(score)) for score in pair)
    shared = [which for which in first if which in second]
    changed = tuple(
        ChangedSentence(which, first[which], second[which])
        for which in shared
        if first[which] != second[which]
    )
    names = _name(pair[0].data), _name(pair[1].data)
    alone = len(first) - len(shared), len(second) - len(shared)
    return TwoRevisions(language, task, names, len(shared), *alone, changed)


def _list_by_id(texts: TranslatedTexts) -> Mapping[str, tuple[str, str]]:
    sentences = zip(texts.sources, texts.references, strict=True)
    return dict(zip(texts.ids, sentences, strict=True))


def _name(data: ScoredData) -> str:
    """Name the data of a score so that two revisions have two names."""
    if data.repository and data.revision:
        return f"{data.repository} at {data.revision[:7]}"
    return f"{data.name} files {data.sha256[:7]}"


def _strip_direction(one: TwoRevisions) -> object:
    """Give what two directions of one benchmark have in common: names and changed texts."""
    texts = {(each.id, frozenset(each.before), frozenset(each.after)) for each in one.changed}
    return one.names, one.shared, frozenset(texts)
