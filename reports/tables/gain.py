"""Trained minus base on the same items: pairs the samples and hands them to the statistics."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.contract.record import Unreadable
from core.statistics import Interval, compute_wilson, score_weights
from reports.stats import chrf as chrf_
from reports.stats.correlation import Halves, draw_halves, pair_halves
from reports.stats.intervals import compute_design_effect
from reports.stats.paired import compare_accuracy, compute_half_accuracies
from reports.stats.strata import compare_strata
from reports.store.model import Score
from reports.store.samples import Asked, find_shared, read_items

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Gain:
    """Trained minus base on the same items, in points.

    `low` and `high` bound the 95% interval; `units` are the independent ones (items or passages).
    What cannot be computed is None, and `why` says so. An imported table gives `points` alone.
    """

    points: float
    stderr: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    n: int | None = None
    """Items that both have."""
    units: int | None = None
    test: str = ""
    why: str = ""
    notes: tuple[str, ...] = ()
    halves: Halves | None = None


def compute_gain(base: Score, trained: Score) -> Gain:
    """Compute the gain over the items that both scores hold, joined by the benchmark's own ids.

    Accuracy: `stats.paired.compare_accuracy`; chrF++: `stats.chrf.compare_chrf`; answers that were
    read: `stats.strata.compare_strata`. Raises
    Unreadable with the reason when the two cannot be compared. Not covered: seeds of training.
    """
    if base.metric != trained.metric:
        raise Unreadable(f"base was scored by {base.metric}, this by {trained.metric}")
    left, right = read_items(base), read_items(trained)
    places, notes = _pair(base, trained, left.asked, right.asked)
    if base.metric == "accuracy":
        before, after = (
            _take(side.correct, at) for side, at in zip((left, right), places, strict=True)
        )
        clusters = _number_clusters(_take(left.asked.clusters, places[0]))
        found = compare_accuracy(before, after, clusters)
        halves = draw_halves(found.units)
        half = pair_halves(
            *(compute_half_accuracies(side, clusters, halves) for side in (before, after))
        )
    elif left.rated is not None:
        guessing = _find_guessing(base, trained)
        before, after = (
            _take(side.rated, at) for side, at in zip((left, right), places, strict=True)
        )
        strata = _number_clusters(_take(left.strata, places[0]))
        assert strata is not None
        # Samples of before passages were kept with them have none; then the other side's count.
        clusters = _number_clusters(
            _take(left.asked.clusters, places[0])
            if left.asked.clusters is not None
            else _take(right.asked.clusters, places[1])
        )
        found = compare_strata(before, after, strata, guessing, clusters)
        halves = draw_halves(found.units)
        weights = halves if clusters is None else halves[:, clusters]
        half = pair_halves(
            *(score_weights(weights, side, strata, guessing) for side in (before, after))
        )
    else:
        before, after = (
            _take(side.counts, at) for side, at in zip((left, right), places, strict=True)
        )
        draws = [side.resampled if places[0] is None else None for side in (left, right)]
        found = chrf_.compare_chrf(before, after, *draws)
        halves = draw_halves(found.units)
        half = pair_halves(*(chrf_.compute_chrf(halves @ side) for side in (before, after)))
    low, high = found.interval or (None, None)
    return Gain(
        points=found.points,
        stderr=found.stderr,
        low=low,
        high=high,
        p=found.p,
        n=found.n,
        units=found.units,
        test=found.test,
        why=found.why,
        notes=notes,
        halves=half,
    )


def recompute_score(score: Score) -> float:
    """Compute the score (0-100) that the kept samples give, to compare with the recorded one."""
    import numpy as np

    items = read_items(score)
    if items.correct is not None:
        return 100.0 * float(items.correct.mean())
    if items.rated is not None and items.strata is not None:
        once = np.ones((1, items.n))
        share = (score.guessing or 0) / 100
        return float(score_weights(once, items.rated, items.strata, share)[0])
    assert items.counts is not None
    return float(chrf_.compute_chrf(items.counts.sum(axis=0)))


def find_interval(score: Score) -> Interval | None:
    """Find the 95% interval of one score, 0-100: None where the samples are of no use.

    Accuracy: Wilson's, widened where items share a passage, which the recorded one is not. Others:
    the one that the scoring recorded, a bootstrap over sentences or within classes.
    """
    if score.metric != "accuracy":
        found = score.interval
        return Interval(found.low, found.high) if found and found.level == 0.95 else None
    try:
        items = read_items(score)
    except Unreadable:
        return None
    assert items.correct is not None
    widened = compute_design_effect(items.correct, items.asked.clusters)
    share = compute_wilson(int(items.correct.sum()), items.n, design_effect=widened)
    return share and Interval(100 * share.low, 100 * share.high)


def _pair(
    base: Score, trained: Score, left: Asked, right: Asked
) -> tuple[tuple["NDArray[np.int64] | None", "NDArray[np.int64] | None"], tuple[str, ...]]:
    """Find the shared items on each side (None: all, in order), and what a reader must know."""
    import pyarrow as pa
    import pyarrow.compute as pc

    prompts = [left.prompts, right.prompts]
    contents = [left.contents, right.contents]
    ids = left.ids
    places = find_shared(left, right)
    if places[0] is not None:
        if not len(places[0]):
            raise Unreadable("base and this share no item")
        prompts, contents = (
            [side.take(pa.array(at)) for side, at in zip(pair, places, strict=True)]
            for pair in (prompts, contents)
        )
        ids = ids.take(pa.array(places[0]))
    if not contents[0].equals(contents[1]):
        changed = ids.filter(pc.not_equal(*contents)).to_pylist()
        raise Unreadable(_describe_changed(changed, len(ids)))
    notes = []
    if places[0] is not None and not len(places[0]) == left.n == right.n:
        notes.append(
            f"paired on the {len(places[0])} items that both have (base {left.n}, "
            f"this {right.n}), so the gain is not the difference of the two scores"
        )
    if base.full_protocol != trained.full_protocol:
        notes.append(f"base was scored as: {base.full_protocol}")
    if not prompts[0].equals(prompts[1]):
        count = pc.sum(pc.not_equal(*prompts)).as_py()
        notes.append(f"{count} of {len(ids)} items were asked with another prompt than base")
    return places, tuple(notes)


def _find_guessing(base: Score, trained: Score) -> float:
    """Finds the share of right answers that is 0 of both scores."""
    if base.guessing != trained.guessing:
        raise Unreadable(
            f"base is normalised by {base.guessing} right by guessing, this by {trained.guessing}"
        )
    return (base.guessing or 0) / 100


_NAMED = 8


def _describe_changed(changed: list[str], n: int) -> str:
    """Says which items two revisions of the data do not have alike."""
    more = len(changed) - _NAMED
    names = ", ".join(changed[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return (
        f"{len(changed)} of {n} items have another text or answer under base: the data differ "
        f"({'item' if len(changed) == 1 else 'items'} {names})"
    )


def _take(column: Any, places: "NDArray[np.int64] | None") -> Any:
    return column if column is None or places is None else column[places]


def _number_clusters(clusters: "NDArray[np.int64] | None") -> "NDArray[np.int64] | None":
    """Cluster numbers from 0 without gaps, as a part of the items may leave them."""
    import numpy as np

    return None if clusters is None else np.unique(clusters, return_inverse=True)[1]
