"""One line a task and producer: mean over languages, gain, wins, and what could be found."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import fmean, median

from reports.signs import set_minus
from reports.stats.intervals import compute_minimum_detectable
from reports.stats.languages import average_over_languages
from reports.tables.habits import beats_habit
from reports.tables.human_scores import find_peoples_score, note_people
from reports.tables.results import Result, Results
from reports.tables.sheet import PRODUCER, TASK, Column, Sheet, Value
from reports.tables.wins import JudgedGain

NOTE = "Means over the languages that have both scores. The interval is a bootstrap over languages."
TESTED = (
    "Win / tie / loss: by the paired test of each language at 5%. Detectable: the smallest gain "
    "that such a test finds in 80% of cases (median over languages)."
)


def tabulate_means(results: Results, found: Sequence[JudgedGain]) -> Sheet:
    """Take means over languages with their intervals, and count wins, ties and losses."""
    columns = (
        TASK,
        PRODUCER,
        Column("languages", "Languages", numeric=True),
        Column("base", "Base", ".1f", numeric=True),
        Column("score", "Score", ".1f", numeric=True),
        Column("gain", "Mean gain", "+.1f", numeric=True),
        Column("low", "95% from", "+.1f", numeric=True),
        Column("high", "95% to", "+.1f", numeric=True),
        Column("wins_by_sign", "Wins by sign", numeric=True),
        Column("wins", "Wins", numeric=True),
        Column("ties", "Ties", numeric=True),
        Column("losses", "Losses", numeric=True),
        Column("wins_holm", "Wins, Holm", numeric=True),
        Column("detectable", "Detectable", ".1f", numeric=True),
        Column("chance", "Chance", ".1f", numeric=True),
        Column("base_above_chance", "Base above chance", numeric=True),
        Column("people", "People", ".1f", numeric=True),
    )
    rows: list[tuple[Value, ...]] = []
    for producer in results.trained:
        for task in results.tasks:
            gained = results.find_gained(task, producer)
            if not gained:
                continue
            gain = average_over_languages([r.gain.points for r in gained if r.gain])
            own = [v for v in found if (v.result.task, v.result.producer) == (task, producer)]
            tests = Counter(v.by_test for v in own)
            tested = len(own) > tests["untested"]
            rows.append(
                (
                    *(task, producer, gain.n, _average_known(r.base for r in gained)),
                    *(
                        _average_known(r.score for r in gained),
                        gain.value,
                        *(gain.interval or (None, None)),
                    ),
                    sum(v.by_sign == "win" for v in own),
                    *((tests["win"], tests["tie"], tests["loss"]) if tested else (None,) * 3),
                    sum(v.by_holm == "win" for v in own) if tested else None,
                    _compute_detectable(gained),
                    *_count_above_chance(results, task, gained),
                    find_peoples_score(task),
                )
            )
    untested = all(verdict.by_test == "untested" for verdict in found)
    told = note_people(results.tasks)
    notes = (NOTE, *(() if untested else (TESTED,)), *told, *results.notes)
    return Sheet(columns, tuple(rows), notes=notes)


RETAINED = (
    "The same questions in English, which training did not aim at: a loss is what was forgotten. "
    "Means over the languages that checkpoints were trained for."
)


def tabulate_retention(retained: Results, found: Sequence[JudgedGain]) -> Sheet:
    """Take the means of what is asked in English, as `tabulate_means` does."""
    sheet = tabulate_means(retained, found)
    return replace(sheet, notes=(RETAINED, *sheet.notes[1:]))


def describe_means(file: Sheet) -> Sheet:
    """Put the means in words for people: intervals, and counts as "48 / 3 / 2"."""
    names = [column.name for column in file.columns]
    kept = ("task", "producer", "languages", "base", "score")
    tested = any(row[names.index("wins")] is not None for row in file.rows)
    columns = (
        *(replace(c, spare=c.name == "languages") for c in file.columns if c.name in kept),
        Column("gain", "Mean gain", "+.1f", numeric=True),
        Column("interval", "95% interval", numeric=True),
        Column("verdicts", "Win / tie / loss", numeric=True),
        Column("by_sign", "By sign", numeric=True, spare=tested),
        Column("wins_holm", "Win, Holm", numeric=True, spare=True),
        Column("detectable", "Detectable", ".1f", numeric=True),
        Column("chance", "Chance", ".1f", numeric=True, spare=True),
        Column("base_above_chance", "Base above it", numeric=True, spare=True),
        Column("people", "People", ".1f", numeric=True),
    )
    rows = []
    for row in file.rows:
        at = dict(zip(names, row, strict=True))
        tested = at["wins"] is not None
        at["interval"] = None if at["low"] is None else describe_bounds(at["low"], at["high"])
        at["verdicts"] = f"{at['wins']} / {at['ties']} / {at['losses']}" if tested else None
        at["by_sign"] = at["wins_by_sign"]
        rows.append(tuple(at[column.name] for column in columns))
    return Sheet(columns, tuple(rows), notes=file.notes)


def describe_bounds(low: Value, high: Value) -> str:
    """Write "+6.8 to +10.9", with a real minus sign."""
    return set_minus(f"{low:+.1f} to {high:+.1f}")


def _average_known(values: Iterable[float | None]) -> float:
    return fmean(value for value in values if value is not None)


def _compute_detectable(rows: Sequence[Result]) -> float | None:
    """The median over languages; None where no gain has a standard error."""
    errors = [r.gain.stderr for r in rows if r.gain and r.gain.stderr]
    return compute_minimum_detectable(median(errors)) if errors else None


def _count_above_chance(
    results: Results, task: str, gained: Sequence[Result]
) -> tuple[float | None, int | None]:
    """The chance level, and in how many languages base is above it and the majority rate."""
    names = {row.language.name for row in gained}
    bases = {
        row.language.name: row.record
        for name in results.producers
        for row in results.find(task, name)
        if row.is_base and row.record and row.language.name in names
    }
    scores = [s for s in bases.values() if s.chance is not None]
    if not scores:
        return None, None
    return scores[0].chance, sum(map(beats_habit, scores))
