"""Ranks of producers: the best, those that cannot be told from it, and every pair of them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from core.contract.record import Unreadable
from core.tasks import show_task
from reports.stats.crossed import (
    Comparison,
    UnitScores,
    compare_producers,
    split_over_sentences,
)
from reports.stats.strata import split_strata
from reports.store.samples import Items, read_items
from reports.store.scored import find_protocol
from reports.tables.results import Result, Results
from reports.tables.sheet import PRODUCER, TASK, Column, Mark, Sheet, Value

ALL = "all tasks"


@dataclass(frozen=True)
class Ranking:
    """Producers that were compared, on what, and what was left out of it and why.

    `whole` is over all tasks that every producer has, `by_task` over one; without anything that
    all of them have, `whole` is None and `by_task` empty.
    """

    producers: tuple[str, ...]
    cells: Mapping[str, Mapping[str, UnitScores]]
    """Task -> language -> the scores of all producers, split over the items that they share."""
    whole: Comparison | None
    by_task: Mapping[str, Comparison]
    left_out: tuple[str, ...]
    seeded: tuple[str, ...] = ()
    """The producers that stand for several training seeds."""
    _found: dict[tuple[str, str | None, frozenset[str] | None], frozenset[str]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """The best by task, language and producers: every cell of a table asks for them."""

    def find_best(
        self, task: str, language: str | None = None, among: Collection[str] | None = None
    ) -> frozenset[str]:
        """Names the best on a task, and those that cannot be told from it at 5%.

        In one language, or over all; of some producers, or of all. Empty where nobody can be told
        from the best, or where nothing can be tested: then no producer stands out.
        """
        asked = task, language, None if among is None else frozenset(among)
        if asked not in self._found:
            self._found[asked] = self._find_best(*asked)
        return self._found[asked]

    def _find_best(
        self, task: str, language: str | None, among: frozenset[str] | None
    ) -> frozenset[str]:
        of_task = self.cells.get(task, {})
        if not of_task or (language is not None and language not in of_task):
            return frozenset()
        compared = (
            self.by_task[task]
            if language is None
            else compare_producers({task: {language: of_task[language]}})
        )
        places = [n for n, name in enumerate(self.producers) if among is None or name in among]
        if len(places) < 2:
            return frozenset()
        good = compared.keep(places).as_good_as_best
        return frozenset(self.producers[places[n]] for n in good if len(good) < len(places))


def rank_producers(results: Results) -> Ranking:
    """Compares all producers on the tasks and languages that every one of them has.

    A store's scores are compared item by item; of an imported table's, languages alone are known.
    What was scored on other items or in another way than the rest is left out and named.
    """
    producers = tuple(results.producers)
    found: dict[tuple[str, str], dict[str, Result]] = defaultdict(dict)
    for row in results.rows:
        if row.score is not None:
            found[row.task, row.language.name][row.producer] = row
    cells: dict[str, dict[str, UnitScores]] = defaultdict(dict)
    left_out = [*results.unmerged]
    for (task, language), rows in found.items():
        lacking = [name for name in producers if name not in rows]
        try:
            if lacking:
                raise Unreadable(f"{', '.join(lacking[:3])} has no score")
            cells[task][language] = split_cell(language, [rows[name] for name in producers])
        except Unreadable as error:
            left_out.append(f"{language}, {show_task(task)}: {error}")
    order = [task for task in results.tasks if cells.get(task)]
    if len(producers) < 2 or not order:
        return Ranking(producers, {}, None, {}, tuple(left_out))
    return Ranking(
        producers,
        cells,
        compare_producers({task: cells[task] for task in order}),
        {task: compare_producers({task: cells[task]}) for task in order},
        tuple(left_out),
        tuple(dict.fromkeys(row.producer for row in results.rows if row.seeds)),
    )


def tabulate_ranking(found: Ranking) -> Sheet:
    """Lists the producers, best first, each with its place and its distance from the best."""
    columns = (
        PRODUCER,
        Column("mean", "Mean score", ".1f", numeric=True),
        Column("place_low", "Place from", numeric=True),
        Column("place_high", "to", numeric=True),
        Column("behind", "Minus the best", "+.1f", numeric=True),
        Column("low", "Low", "+.1f", numeric=True),
        Column("high", "High", "+.1f", numeric=True),
        Column("p_holm", "p (Holm)", "p", numeric=True),
        Column("against_best", "Against the best"),
    )
    whole = found.whole
    if whole is None:
        return Sheet(columns, (), _say_left_out(found))
    rows: list[tuple[Value, ...]] = []
    marks: dict[tuple[int, int], frozenset[Mark]] = {}
    stands_out = len(whole.as_good_as_best) < len(found.producers)
    for n in sorted(range(len(found.producers)), key=lambda n: (-whole.scores[n], n)):
        places = whole.ranks[n] if whole.is_tested else None
        low, high = map(int, places) if places else (None, None)
        if n in whole.as_good_as_best and stands_out:
            marks[len(rows), 1] = frozenset({"best"})
        behind: tuple[Value, ...] = (None, None, None, None)
        said = "best" if whole.is_tested else "highest"
        if n != whole.best:
            pair = whole.find_difference(n, whole.best)
            behind = (pair.points, *(pair.interval or (None, None)), pair.p_holm)
            said = "worse" if n not in whole.as_good_as_best else "not told apart"
            said = "not tested" if pair.p_holm is None else said
        rows.append((found.producers[n], float(whole.scores[n]), low, high, *behind, said))
    return Sheet(columns, tuple(rows), (_say_basis(found), *_say_left_out(found)), marks)


def tabulate_pairs(found: Ranking) -> Sheet:
    """Lists every pair of producers on each task and on all: difference, interval, test, reach."""
    columns = (
        TASK,
        Column("first", "First"),
        Column("second", "Second"),
        Column("languages", "Languages", numeric=True),
        Column("difference", "First − second", "+.2f", numeric=True),
        Column("stderr", "Std. error", ".2f", numeric=True),
        Column("low", "Low", "+.2f", numeric=True),
        Column("high", "High", "+.2f", numeric=True),
        Column("p", "p", "p", numeric=True),
        Column("p_holm", "p (Holm)", "p", numeric=True),
        Column("mde", "Least found", ".2f", numeric=True),
        Column("why", "Without a test", prose=True),
    )
    rows = tuple(
        (
            *(task, found.producers[c.first], found.producers[c.second], compared.languages),
            *(c.points, c.stderr, *(c.interval or (None, None)), c.p, c.p_holm, c.mde, c.why),
        )
        for task, compared in _list_comparisons(found)
        for c in compared.pairs
    )
    note = (
        "Least found: the smallest difference that so many items would show four times of five. "
        "p (Holm) holds for all pairs of a task together."
    )
    return Sheet(columns, rows, (note, *_say_left_out(found)))


def _list_comparisons(found: Ranking) -> Iterator[tuple[str, Comparison]]:
    yield from found.by_task.items()
    if found.whole is not None:
        yield ALL, found.whole


def split_cell(language: str, rows: list[Result]) -> UnitScores:
    """The producers' scores in one cell over the items that they share; with the scores of each
    seed of those that stand for several.

    Raises Unreadable where they were not scored on the same items in the same way.
    """
    import numpy as np

    checkpoints = [row.seeds or (row,) for row in rows]
    scores = [one.record for group in checkpoints for one in group if one.record is not None]
    if len(scores) < sum(map(len, checkpoints)):
        # A language is all that an imported table knows: it has no spread within.
        values = np.array([[row.score] for row in rows], np.float64)
        return UnitScores((language,), values, np.ones(1))
    first, *others = dict.fromkeys(map(find_protocol, scores))
    for other in others:
        raise Unreadable("scored as {}, and as {}".format(*first.tell_apart(other)))
    sides = [read_items(score) for score in scores]
    asked = sides[0].asked
    if not all(
        side.asked.ids.equals(asked.ids) and side.asked.contents.equals(asked.contents)
        for side in sides
    ):
        raise Unreadable("not all were scored on the same items")
    sizes = [len(group) for group in checkpoints]
    if scores[0].metric == "accuracy":
        return _average_seeds(_make_unit_scores(sides), sizes)
    units = tuple(map(str, asked.ids.to_pylist()))
    rated = [side.rated for side in sides if side.rated is not None]
    if rated and sides[0].strata is not None:
        guessing = (scores[0].guessing or 0) / 100
        shares = split_strata(np.stack(rated), sides[0].strata, guessing)
        return _average_seeds(UnitScores(units, shares, np.ones(shares.shape[1])), sizes)
    counts = [side.counts for side in sides if side.counts is not None]
    shares = split_over_sentences(counts)
    return _average_seeds(UnitScores(units, shares, np.ones(shares.shape[1])), sizes)


def _average_seeds(cell: UnitScores, seeds: list[int]) -> UnitScores:
    """Makes one producer of so many checkpoints each, which stand one behind the other."""
    import numpy as np

    if len(seeds) == len(cell.sums):
        return cell
    parts = np.split(cell.sums, np.cumsum(seeds)[:-1])
    replicas = {n: part for n, part in enumerate(parts) if len(part) > 1}
    return UnitScores(
        cell.units, np.stack([part.mean(axis=0) for part in parts]), cell.sizes, replicas
    )


def _make_unit_scores(sides: list[Items]) -> UnitScores:
    """Accuracies over items, or over passages where items share one.

    A passage is named by the first of its items' ids, which is the same in every language.
    """
    import numpy as np

    ids = [str(one) for one in sides[0].asked.ids.to_pylist()]
    right = np.stack([side.correct for side in sides if side.correct is not None])
    clusters = sides[0].asked.clusters
    if clusters is None:
        return UnitScores(tuple(ids), 100.0 * right.astype(np.float64), np.ones(len(ids)))
    numbers, code = np.unique(clusters, return_inverse=True)
    names = [""] * len(numbers)
    for one, number in sorted(zip(ids, code.tolist(), strict=True), reverse=True):
        names[number] = one
    sums = np.zeros((len(right), len(numbers)))
    for row, side in zip(sums, right, strict=True):
        np.add.at(row, code, 100.0 * side)
    return UnitScores(tuple(names), sums, np.bincount(code).astype(np.float64))


def _say_basis(found: Ranking) -> str:
    assert found.whole is not None
    counts = sorted({compared.languages for compared in found.by_task.values()})
    many = _count(counts[0], "language")
    if len(counts) > 1:
        many = f"{counts[0]} to {_count(counts[-1], 'language')}"
    tasks = ", ".join(show_task(task) for task in found.by_task)
    basis = f"Mean over {tasks}, each over {many}."
    if not found.whole.is_tested:
        return f"{basis} Nothing could be tested, so no place is sure.{_say_untested(found.whole)}"
    holds = (
        "The intervals hold for other languages of the kind and for other items"
        if found.whole.over_languages
        else "The intervals hold for other items, not for other languages"
    )
    return (
        f"{basis} {holds}; {_say_seeds(found)}. Bold: the best, and those that cannot be "
        "told from it at 5%, all pairs tested together; where nobody can be told from the best, "
        f"nothing is bold.{_say_untested(found.whole)}"
    )


def _say_seeds(found: Ranking) -> str:
    if not found.seeded:
        return "not for other training seeds"
    return f"for other training seeds only of what has several ({'; '.join(found.seeded)})"


def _say_untested(compared: Comparison) -> str:
    reasons = dict.fromkeys(c.why for c in compared.pairs if c.p is None)
    return f" Without a test: {'; '.join(reasons)}." if reasons else ""


def _say_left_out(found: Ranking) -> tuple[str, ...]:
    if not found.left_out:
        return ()
    rest = len(found.left_out) - 6
    more = f"; and {rest} more" if rest > 0 else ""
    return (f"Not compared: {'; '.join(found.left_out[:6])}{more}",)


def _count(many: int, what: str) -> str:
    return f"{many} {what}{'s' * (many != 1)}"
