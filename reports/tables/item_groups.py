"""Gains on the items of a benchmark by what it says of them: by culture, and by subject."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from core.contract.record import Unreadable
from core.statistics import Interval, adjust_holm
from core.tasks import TASKS
from reports.side_by_side import open_pool
from reports.stats.groups import Changes, compute_mean_change, contrast_groups
from reports.stats.paired import Difference, compare_accuracy
from reports.store.samples import LABELS, Asked, Items, find_shared, read_items
from reports.tables.results import Result, Results
from reports.tables.sheet import LANGUAGE, PRODUCER, TASK, Column, Sheet, Value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SENSITIVE, AGNOSTIC, UNLABELLED = "CS", "CA", "-"
GROUPS = {
    SENSITIVE: "Culturally sensitive",
    AGNOSTIC: "Culturally agnostic",
    UNLABELLED: "Not labelled",
}
KINDS = {"cultural_sensitivity": "Culture", "category": "Subject"}
DIFFERENCE = "Agnostic minus sensitive"
NOTE = (
    "Gain over base on the items of one group, tested as any gain is: in one language by exact "
    "McNemar; the mean over languages with languages and items both as chance, since all languages "
    "have the same items. Holm: corrected over all lines of this table. Items that nobody labelled "
    "are a group of their own: most of Global-MMLU is neither called sensitive nor agnostic. "
    "Groups differ in subject and difficulty too, so that a difference is not of culture alone."
)


@dataclass(frozen=True)
class GroupGain:
    """One producer's gain in one language on the items that bear a label.

    Without a gain, `why` says why; `group` is "" where it is known of no item what it bears.
    """

    result: Result
    kind: str
    group: str
    base: float | None = None
    score: float | None = None
    gain: Difference | None = None
    why: str = ""
    ids: tuple[str, ...] = ()
    changes: "NDArray[np.float64] | None" = None
    """What each of `ids` changed by, in points."""


def find_group_gains(results: Results) -> tuple[GroupGain, ...]:
    """Find the gain of each result on each group of its items; those of unlabelled tasks have
    none."""
    labelled = [
        result
        for result in results.rows
        if result.task in TASKS and TASKS[result.task].labelled
        if result.record and result.base_record and not result.is_base and result.gain
    ]
    with open_pool() as pool:
        return tuple(chain.from_iterable(pool.map(_list_gains, labelled)))


def _list_gains(result: Result) -> list[GroupGain]:
    return list(_split(result))


def _split(result: Result) -> Iterator[GroupGain]:
    assert result.record
    assert result.base_record
    try:
        left, right = read_items(result.base_record), read_items(result.record)
        if not (left.asked.labels or right.asked.labels):
            raise Unreadable(
                "the samples are older than the items' labels; delete "
                f"score/{result.record.artifact.folder.name} and run its command again: only that "
                "score is made anew"
            )
        groups = _group_items(left.asked, right.asked)
    except Unreadable as error:
        yield GroupGain(result, "", "", why=str(error))
        return
    paired = _pair(left, right)
    for kind, of_kind in groups.items():
        if not of_kind:
            yield GroupGain(result, kind, "", why="the benchmark's file bears no such label")
        for group in of_kind:
            yield _compute_gain_on(result, kind, group, paired)


def _order(label: str) -> tuple[int, str]:
    """Order the cultures as they are named, and subjects by name."""
    return ([*GROUPS, label].index(label), label)


@dataclass(frozen=True)
class _Group:
    """The items that bear a label: their ids, and their places among those that base and producer
    share."""

    label: str
    ids: tuple[str, ...]
    places: "NDArray[np.int64]"


# The producers of a language, which come one after another, mostly have the same items.
@lru_cache(maxsize=8)
def _group_items(left: Asked, right: Asked) -> Mapping[str, Sequence[_Group]]:
    """Group the items that base and producer share by each kind of label; no group of a kind that
    no item bears. Unreadable where the two differ in a label."""
    import numpy as np

    labels = _join_labels(left, right)
    labelled = {id_ for of_kind in labels.values() for id_ in of_kind}
    places, _ = find_shared(left, right)
    ids = np.array(left.ids.to_pylist(), np.object_)
    ids = ids if places is None else ids[places]
    groups: dict[str, list[_Group]] = {}
    for kind, of_kind in labels.items():
        # The rows of English without annotations are labelled by nobody either.
        rest = UNLABELLED if kind == "cultural_sensitivity" else ""
        own = {**dict.fromkeys(labelled, rest), **of_kind} if rest else of_kind
        borne = np.array([own.get(id_, "") for id_ in ids])
        found = sorted({*map(str, np.unique(borne))} - {""}, key=_order) if of_kind else []
        at = {label: np.flatnonzero(borne == label) for label in found}
        groups[kind] = [_Group(label, tuple(ids[at[label]]), at[label]) for label in found]
    return groups


def _join_labels(left: Asked, right: Asked) -> Mapping[str, Mapping[str, str]]:
    """Join what the files of base and producer say of the items: label by item id, by kind."""
    found: dict[str, dict[str, str]] = {kind: {} for kind in LABELS}
    for asked in dict.fromkeys((left, right)):
        ids = asked.ids.to_pylist()
        for kind, column in asked.labels.items():
            labels = {i: label for i, label in zip(ids, column.to_pylist(), strict=True) if label}
            known = found[kind]
            if any(known.get(i, own) != own for i, own in labels.items()):
                raise Unreadable(f"base and this differ in the {KINDS[kind].lower()} of an item")
            known |= labels
    return found


@dataclass(frozen=True)
class _Paired:
    """The items that base and producer share: which were right under each."""

    before: "NDArray[np.bool_]"
    after: "NDArray[np.bool_]"
    clusters: "NDArray[np.int64] | None"


def _pair(left: Items, right: Items) -> _Paired:
    before, after, clusters = left.correct, right.correct, left.asked.clusters
    assert before is not None
    assert after is not None
    places = find_shared(left.asked, right.asked)
    if places[0] is None:
        return _Paired(before, after, clusters)
    kept = None if clusters is None else clusters[places[0]]
    return _Paired(before[places[0]], after[places[1]], kept)


def _compute_gain_on(result: Result, kind: str, group: _Group, paired: _Paired) -> GroupGain:
    """Compute the gain on the items that bear a label, as on all of them (`compute_gain`)."""
    import numpy as np

    at = group.places
    before, after = paired.before[at], paired.after[at]
    clusters = None if paired.clusters is None else paired.clusters[at]
    return GroupGain(
        result,
        kind,
        group.label,
        base=100 * float(before.mean()),
        score=100 * float(after.mean()),
        gain=compare_accuracy(before, after, clusters),
        ids=group.ids,
        changes=100.0 * (after.astype(np.float64) - before),
    )


def tabulate_group_gains(found: Sequence[GroupGain]) -> Sheet:
    """List each language's gain on each group of items; what has none says why."""
    columns = (
        LANGUAGE,
        TASK,
        PRODUCER,
        Column("kind", "By"),
        Column("group", "Items"),
        *_NUMBERS,
        Column("why", "Without it", prose=True),
    )
    ps = _correct_ps([one.gain.p if one.gain else None for one in found])
    rows = tuple(
        (
            *(one.result.language.name, one.result.task, one.result.producer),
            *(KINDS.get(one.kind), GROUPS.get(one.group, one.group)),
            *(one.gain.n if one.gain else None, one.base, one.score),
            *(
                (one.gain.points, *(one.gain.interval or (None, None)), one.gain.p)
                if one.gain
                else (None,) * 4
            ),
            p,
            one.why or (one.gain.why if one.gain else ""),
        )
        for one, p in zip(found, ps, strict=True)
    )
    return Sheet(columns, rows, notes=(NOTE,))


_NUMBERS = (
    Column("n", "Items, n", numeric=True),
    Column("base", "Base", ".1f", numeric=True),
    Column("score", "Score", ".1f", numeric=True),
    Column("gain", "Gain", "+.1f", numeric=True),
    Column("low", "95% from", "+.1f", numeric=True),
    Column("high", "95% to", "+.1f", numeric=True),
    Column("p", "p", "p", numeric=True),
    Column("p_holm", "p, Holm", "p", numeric=True),
)


def tabulate_mean_group_gains(found: Sequence[GroupGain]) -> Sheet:
    """Give the mean over languages of the gain on each group, and what the two cultures differ
    by."""
    columns = (
        TASK,
        PRODUCER,
        Column("kind", "By"),
        Column("group", "Items"),
        Column("languages", "Languages", numeric=True),
        *_NUMBERS,
    )
    groups: dict[tuple[str, ...], list[GroupGain]] = defaultdict(list)
    for one in found:
        if one.gain:
            which = (one.result.task, one.result.producer, one.kind, one.group)
            groups[which].append(one)
    lines: list[tuple[tuple[Value, ...], _Tested]] = []
    for (task, producer, kind, group), some in groups.items():
        head = (task, producer, KINDS[kind], GROUPS.get(group, group), len(some))
        lines.append(((*head, *_compute_means(some)), _test_gains(some)))
        other = groups.get((task, producer, kind, SENSITIVE))
        if group == AGNOSTIC and other and (found_ := _test_difference(some, other)):
            count = len({o.result.language.name for o in some} & _name_languages(other))
            lines.append(((task, producer, KINDS[kind], DIFFERENCE, count, *(None,) * 3), found_))
    ps = _correct_ps([tested.p for _, tested in lines])
    rows = tuple(
        (*head, tested.points, *(tested.interval or (None, None)), tested.p, p)
        for (head, tested), p in zip(lines, ps, strict=True)
    )
    lacking = sorted({one.why for one in found if not one.gain and not one.kind})
    for (task, producer), count in Counter(
        (one.result.task, one.result.producer) for one in found if not one.kind
    ).items():
        rows = (*rows, (task, producer, None, "Without labels", count, *(None,) * 8))
    return Sheet(columns, rows, notes=(NOTE, *(f"Without labels: {why}." for why in lacking)))


@dataclass(frozen=True)
class _Tested:
    points: float
    interval: Interval | None
    p: float | None


def _test_gains(some: Sequence[GroupGain]) -> _Tested:
    """Test one language as the language is tested alone, and several by their mean."""
    gain = some[0].gain
    if len(some) == 1 and gain:
        return _Tested(gain.points, gain.interval, gain.p)
    mean = compute_mean_change(_take_changes(some))
    return _Tested(mean.points, mean.interval, mean.p)


def _test_difference(first: Sequence[GroupGain], second: Sequence[GroupGain]) -> _Tested | None:
    if not _name_languages(first) & _name_languages(second):
        return None
    found = contrast_groups(_take_changes(first), _take_changes(second))
    return _Tested(found.points, found.interval, found.p)


def _name_languages(some: Sequence[GroupGain]) -> set[str]:
    return {one.result.language.name for one in some}


def _take_changes(some: Sequence[GroupGain]) -> Changes:
    return {
        one.result.language.name: (one.ids, one.changes) for one in some if one.changes is not None
    }


def _compute_means(some: Sequence[GroupGain]) -> tuple[Value, ...]:
    """Give the items that any of the languages has, and the mean scores."""
    items = len({id_ for one in some for id_ in one.ids})
    base, score = (
        sum(value for value in values if value is not None) / len(some)
        for values in ([one.base for one in some], [one.score for one in some])
    )
    return items, base, score


def _correct_ps(ps: Sequence[float | None]) -> list[float | None]:
    adjusted = iter(adjust_holm([p for p in ps if p is not None]))
    return [None if p is None else next(adjusted) for p in ps]
