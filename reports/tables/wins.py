"""Judge who won where: by a test, corrected for the number of languages, and by mere sign."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.statistics import adjust_holm
from reports.stats.multiple import adjust_benjamini_hochberg
from reports.tables.results import Result, Results
from reports.tables.sheet import GAIN_COLUMNS, LANGUAGE, PRODUCER, Column, Sheet, Value

ALPHA = 0.05


@dataclass(frozen=True)
class JudgedGain:
    """One gain, judged. Without a p-value the three verdicts by test are "untested"."""

    result: Result
    p_holm: float | None
    q: float | None

    @property
    def by_sign(self) -> str:
        assert self.result.gain
        points = self.result.gain.points
        return "win" if points > 0 else "loss" if points < 0 else "tie"

    @property
    def by_test(self) -> str:
        return self._judge(self.result.gain.p if self.result.gain else None)

    @property
    def by_holm(self) -> str:
        return self._judge(self.p_holm)

    @property
    def by_bh(self) -> str:
        return self._judge(self.q)

    @property
    def shape(self) -> str:
        """The mark in figures: by its test, or by its sign where there was none."""
        return self.by_sign if self.by_test == "untested" else self.by_test

    def _judge(self, p: float | None) -> str:
        if p is None:
            return "untested"
        return self.by_sign if p < ALPHA else "tie"


def judge_gains(results: Results) -> list[JudgedGain]:
    """Every gain with its p-values corrected over the languages of its task and producer."""
    found = []
    for producer in results.trained:
        for task in results.tasks:
            rows = results.find_gained(task, producer)
            tested = [row for row in rows if row.gain and row.gain.p is not None]
            ps = [row.gain.p for row in tested if row.gain and row.gain.p is not None]
            adjusted = dict(
                zip(
                    map(id, tested),
                    zip(adjust_holm(ps), adjust_benjamini_hochberg(ps), strict=True),
                    strict=True,
                )
            )
            found += [JudgedGain(row, *adjusted.get(id(row), (None, None))) for row in rows]
    return found


def tabulate_wins(found: Iterable[JudgedGain]) -> Sheet:
    """Each language, task and producer: the gain, its p-values and the verdicts."""
    columns = (
        *GAIN_COLUMNS,
        Column("p", "p", "p", numeric=True),
        Column("p_holm", "p, Holm", "p", numeric=True),
        Column("q_bh", "q, BH", "p", numeric=True),
        Column("by_sign", "By sign"),
        Column("by_test", "By test"),
        Column("by_holm", "By Holm"),
        Column("by_bh", "By BH"),
        Column("test", "Test", prose=True),
    )
    rows: list[tuple[Value, ...]] = []
    for v in sorted(found, key=lambda v: v.result.language.name):
        r, gain = v.result, v.result.gain
        assert gain
        rows.append(
            (
                *(r.language.name, r.task, r.producer, r.base, r.score, gain.points),
                *(gain.p, v.p_holm, v.q, v.by_sign, v.by_test, v.by_holm, v.by_bh),
                gain.test or gain.why,
            )
        )
    return Sheet(columns, tuple(rows), notes=(NOTE,))


def describe_wins_by_language(found: Iterable[JudgedGain]) -> Sheet:
    """Counts the same for people, as the paper's Table 4 does: "5/5" are wins on all five tasks."""
    counts = tabulate_wins_by_language(found)
    columns = (
        *(LANGUAGE, PRODUCER),
        *(replace(column, numeric=False, form="") for column in counts.columns[3:]),
    )
    rows = tuple(
        (*row[:2], *(None if count is None else f"{count}/{row[2]}" for count in row[3:]))
        for row in counts.rows
    )
    of = "Each count is of the tasks on which there is a gain: 5/5 is all of five."
    return Sheet(columns, rows, notes=(of, *counts.notes) if rows else ())


def tabulate_wins_by_language(found: Iterable[JudgedGain]) -> Sheet:
    """On how many tasks each language won, tied and lost."""
    groups: dict[tuple[str, str], list[JudgedGain]] = {}
    for verdict in found:
        result = verdict.result
        groups.setdefault((result.language.name, result.producer), []).append(verdict)
    columns = (
        LANGUAGE,
        PRODUCER,
        Column("tasks", "Tasks", numeric=True),
        Column("wins_by_sign", "Wins by sign", numeric=True),
        Column("wins", "Wins", numeric=True),
        Column("ties", "Ties", numeric=True),
        Column("losses", "Losses", numeric=True),
        Column("wins_holm", "Wins, Holm", numeric=True),
    )
    rows = []
    for group in sorted(groups):
        some = groups[group]
        tests, corrected = Counter(v.by_test for v in some), Counter(v.by_holm for v in some)
        tested = len(some) - tests["untested"]
        rows.append(
            (
                *group,
                len(some),
                sum(v.by_sign == "win" for v in some),
                *((tests["win"], tests["tie"], tests["loss"]) if tested else (None,) * 3),
                corrected["win"] if tested else None,
            )
        )
    return Sheet(columns, tuple(rows), notes=(NOTE,))


NOTE = (
    "Win or loss by test: p is below 5% on the same items. By Holm: p is still below 5% after "
    "correction for all languages of the task. By sign: any gain above zero is a win, as published "
    "tables count."
)
