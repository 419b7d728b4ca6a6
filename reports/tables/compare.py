"""Two reports side by side: what changed, and whether it is more than chance."""

from dataclasses import dataclass, replace

from core.contract.record import Unreadable
from core.statistics import adjust_holm
from reports.stats.languages import average_over_languages
from reports.store.model import Score
from reports.tables.gain import Gain, compute_gain
from reports.tables.importing import NO_SAMPLES
from reports.tables.results import Result, Results
from reports.tables.sheet import LANGUAGE, PRODUCER, TASK, Column, Sheet, Value
from reports.tables.summary import describe_bounds
from reports.tables.wins import ALPHA

NOTE = (
    "Change: new minus old, in points. Where both sides kept their samples, it is tested on the "
    "same items. p by Holm is corrected for the languages of a task and producer."
)


AGAIN = "made again under the same key, with another result"


@dataclass(frozen=True)
class Change:
    """One cell that both reports have. `change` is None where they cannot be compared."""

    old: Result
    new: Result
    change: Gain | None
    p_holm: float | None
    verdict: str

    @property
    def producer(self) -> str:
        """One name, or two where the reports call it differently."""
        one, two = self.old.producer, self.new.producer
        return two if one == two else f"{one} → {two}"


def compare(old: Results, new: Results) -> list[Sheet]:
    """Mean changes, each change, and what only one side has.

    Producers are matched by name. Where none but base is in both, the two that the reports show in
    their figures are compared, and the table names both.
    """
    changes = _list_changes(old, new)
    return [
        _tabulate_means(changes),
        _tabulate_each(changes),
        _tabulate_one_sided(old, new, changes),
    ]


def _list_changes(old: Results, new: Results) -> list[Change]:
    names = {name: name for name in old.producers if name in new.producers}
    if not set(names) & set(old.trained) and old.shown and new.shown:
        names[old.shown] = new.shown
    theirs = {(r.language.name, r.task, r.producer): r for r in new.rows}
    pairs = [
        (row, other)
        for row in old.rows
        if (other := theirs.get((row.language.name, row.task, names.get(row.producer, ""))))
        and row.score is not None
        and other.score is not None
    ]
    judged = [(one, two, *_judge(one, two)) for one, two in pairs]
    tested = [place for place, entry in enumerate(judged) if entry[2] and entry[2].p is not None]
    families: dict[tuple[str, str], list[int]] = {}
    for place in tested:
        families.setdefault((judged[place][0].task, judged[place][0].producer), []).append(place)
    adjusted: dict[int, float] = {}
    for places in families.values():
        ps = [gain.p for place in places if (gain := judged[place][2]) and gain.p is not None]
        adjusted |= dict(zip(places, adjust_holm(ps), strict=True))
    return [
        Change(one, two, gain, adjusted.get(place), _judge_change(gain, adjusted.get(place), why))
        for place, (one, two, gain, why) in enumerate(judged)
    ]


def _judge(old: Result, new: Result) -> tuple[Gain | None, str]:
    assert old.score is not None
    assert new.score is not None
    plain = Gain(round(new.score - old.score, 10), why=NO_SAMPLES)
    if old.record is None or new.record is None:
        return plain, NO_SAMPLES
    again = old.record.artifact.key == new.record.artifact.key
    if again and _has_same_content(old.record, new.record):
        return Gain(0.0, p=None, why="the same artifact"), "the same artifact"
    try:
        gain = compute_gain(old.record, new.record)
    except Unreadable as error:
        return None, str(error)
    return (replace(gain, notes=(AGAIN, *gain.notes)) if again else gain), ""


def _has_same_content(old: Score, new: Score) -> bool:
    """Says whether two scores of one key are the same files. (A key says how something is made;
    made again, on another machine, it may come out otherwise.)"""
    contents = [score.artifact.manifest.content for score in (old, new)]
    if None in contents:
        return (old.score, old.n) == (new.score, new.n)
    return contents[0] == contents[1] and old.score == new.score


def _judge_change(gain: Gain | None, p: float | None, why: str) -> str:
    if gain is None or p is None:
        said = why or (gain.why if gain else "")
        return "; ".join(filter(None, (said, *(gain.notes if gain else ()))))
    if p >= ALPHA:
        return "no clear change" + (f"; {'; '.join(gain.notes)}" if gain.notes else "")
    said = "better" if gain.points > 0 else "worse"
    return said + (f"; {'; '.join(gain.notes)}" if gain.notes else "")


def _tabulate_means(changes: list[Change]) -> Sheet:
    columns = (
        TASK,
        PRODUCER,
        Column("languages", "Languages", numeric=True),
        Column("change", "Mean change", "+.1f", numeric=True),
        Column("interval", "95% interval", numeric=True),
        Column("better", "Better", numeric=True),
        Column("worse", "Worse", numeric=True),
        Column("tested", "Tested", numeric=True),
    )
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        if change.change:
            groups.setdefault((change.old.task, change.producer), []).append(change)
    rows: list[tuple[Value, ...]] = []
    for (task, producer), some in groups.items():
        mean = average_over_languages([c.change.points for c in some if c.change])
        rows.append(
            (
                *(task, producer, mean.n, mean.value),
                describe_bounds(*mean.interval) if mean.interval else None,
                sum(c.verdict.startswith("better") for c in some),
                sum(c.verdict.startswith("worse") for c in some),
                sum(c.p_holm is not None for c in some),
            )
        )
    return Sheet(
        columns, tuple(rows), notes=(NOTE,), name="changes_mean", title="Changes over languages"
    )


def _tabulate_each(changes: list[Change]) -> Sheet:
    columns = (
        LANGUAGE,
        TASK,
        PRODUCER,
        Column("old", "Old", ".1f", numeric=True),
        Column("new", "New", ".1f", numeric=True),
        Column("change", "Change", "+.1f", numeric=True),
        Column("interval", "95% interval", numeric=True),
        Column("p", "p", "p", numeric=True),
        Column("p_holm", "p, Holm", "p", numeric=True),
        Column("verdict", "Verdict", prose=True),
    )
    rows: list[tuple[Value, ...]] = []
    for c in sorted(changes, key=lambda c: (c.old.language.name, c.old.task, c.producer)):
        gain = c.change
        known = gain and gain.low is not None and gain.high is not None
        rows.append(
            (
                *(c.old.language.name, c.old.task, c.producer, c.old.score, c.new.score),
                gain.points if gain else None,
                describe_bounds(gain.low, gain.high) if gain and known else None,
                *(gain.p if gain else None, c.p_holm, c.verdict),
            )
        )
    return Sheet(columns, tuple(rows), name="changes", title="Each change")


def _tabulate_one_sided(old: Results, new: Results, changes: list[Change]) -> Sheet:
    columns = (
        LANGUAGE,
        TASK,
        PRODUCER,
        Column("side", "Only in"),
        Column("why", "The other side", prose=True),
    )
    both = {id(r) for c in changes for r in (c.old, c.new)}
    rows: list[tuple[Value, ...]] = []
    for side, here, there in (("old", old, new), ("new", new, old)):
        known = {(r.language.name, r.task, r.producer): r for r in there.rows}
        for r in here.rows:
            if id(r) in both or r.score is None:
                continue
            other = known.get((r.language.name, r.task, r.producer))
            why = f"{other.state}: {other.reason}" if other else "does not have it"
            rows.append((r.language.name, r.task, r.producer, side, why))
    return Sheet(columns, tuple(rows), name="one_sided", title="In one report only")
