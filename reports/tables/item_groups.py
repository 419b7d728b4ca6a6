"""Gains on the items of a benchmark by what it says of them: by culture, and by subject."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.contract.record import Unreadable
from core.statistics import Interval, adjust_holm
from core.tasks import TASKS
from reports.stats.groups import Changes, compute_mean_change, contrast_groups
from reports.stats.paired import Difference, compare_accuracy
from reports.store.samples import LABELS, read_items, read_labels
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
    return tuple(
        found
        for result in results.rows
        if result.task in TASKS and TASKS[result.task].labelled
        if result.record and result.base_record and not result.is_base and result.gain
        for found in _split(result)
    )


def _split(result: Result) -> Iterator[GroupGain]:
    import numpy as np

    try:
        labels, paired = _find_labels(result), _pair(result)
    except Unreadable as error:
        yield GroupGain(result, "", "", why=str(error))
        return
    labelled = {id_ for of_kind in labels.values() for id_ in of_kind}
    for kind in LABELS:
        if not labels[kind]:
            yield GroupGain(result, kind, "", why="the benchmark's file bears no such label")
            continue
        # The rows of English without annotations are labelled by nobody either.
        rest = UNLABELLED if kind == "cultural_sensitivity" else ""
        others = dict.fromkeys(labelled, rest) if rest else {}
        own = {**others, **labels[kind]}
        borne = np.array([own.get(id_, "") for id_ in paired.ids])
        for label in sorted({*map(str, np.unique(borne))} - {""}, key=_order):
            yield _compute_gain_on(result, kind, label, paired, borne)


def _order(label: str) -> tuple[int, str]:
    """Order the cultures as they are named, and subjects by name."""
    return ([*GROUPS, label].index(label), label)


@dataclass(frozen=True)
class _Paired:
    """The items that base and producer share: their ids, and which were right under each."""

    ids: "NDArray[np.object_]"
    before: "NDArray[np.bool_]"
    after: "NDArray[np.bool_]"
    clusters: "NDArray[np.int64] | None"


def _pair(result: Result) -> _Paired:
    import numpy as np

    assert result.record
    assert result.base_record
    left, right = read_items(result.base_record), read_items(result.record)
    assert left.correct is not None
    assert right.correct is not None
    ids = np.array(left.ids.to_pylist(), np.object_)
    if left.ids.equals(right.ids):
        return _Paired(ids, left.correct, right.correct, left.clusters)
    places = {id_: place for place, id_ in enumerate(right.ids.to_pylist())}
    kept = np.array([place for place, id_ in enumerate(ids) if id_ in places], np.int64)
    shared = ids[kept]
    after = right.correct[np.array([places[id_] for id_ in shared], np.int64)]
    clusters = None if left.clusters is None else left.clusters[kept]
    return _Paired(shared, left.correct[kept], after, clusters)


def _find_labels(result: Result) -> Mapping[str, Mapping[str, str]]:
    """Read the labels of the items, which base and producer share; Unreadable where neither has
    any."""
    assert result.record
    assert result.base_record
    found: dict[str, dict[str, str]] = {kind: {} for kind in LABELS}
    why: list[Unreadable] = []
    for score in (result.base_record, result.record):
        try:
            read = read_labels(score)
        except Unreadable as error:
            why.append(error)
            continue
        for kind, labels in read.items():
            known = found[kind]
            # Nearly always the same; only what is not is looked at one by one.
            if known not in ({}, labels) and any(
                known.get(i, own) != own for i, own in labels.items()
            ):
                raise Unreadable(f"base and this differ in the {KINDS[kind].lower()} of an item")
            found[kind] |= labels
    if len(why) == 2:
        raise why[-1]
    return found


def _compute_gain_on(
    result: Result, kind: str, label: str, paired: _Paired, borne: "NDArray[np.str_]"
) -> GroupGain:
    """Compute the gain on the items that bear a label, as on all of them (`compute_gain`)."""
    import numpy as np

    at = np.flatnonzero(borne == label)
    before, after = paired.before[at], paired.after[at]
    clusters = None if paired.clusters is None else paired.clusters[at]
    return GroupGain(
        result,
        kind,
        label,
        base=100 * float(before.mean()),
        score=100 * float(after.mean()),
        gain=compare_accuracy(before, after, clusters),
        ids=tuple(paired.ids[at]),
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
