"""Base and score side by side for each task, a language a row: the tables of many papers."""

from collections.abc import Iterable

from core.tasks import show_task
from reports.tables.results import Result, Results
from reports.tables.sheet import LANGUAGE, Column, Mark, Sheet, Value
from reports.tables.wins import JudgedGain


def tabulate_before_after(results: Results) -> Sheet:
    """Lists base, score and gain of the producer that is shown, of each task with a gain."""
    producer = results.shown
    gained = results.keep(lambda row: row.producer == producer and row.gain is not None)
    columns = [LANGUAGE]
    for task in gained.tasks:
        columns += [
            Column(f"{task}_{name}", title, form, numeric=True, group=show_task(task))
            for name, title, form in (
                ("base", "Base", ".1f"),
                ("score", "Score", ".1f"),
                ("gain", "Gain", "+.1f"),
            )
        ]
    found = {(row.language.name, row.task): row for row in gained.rows}
    rows = []
    for language in gained.languages:
        values: list[Value] = [language.name]
        for task in gained.tasks:
            values += _list_values(found.get((language.name, task)))
        rows.append(tuple(values))
    notes = [f"Score: {producer}. Gain: the score minus its base's on the same items, in points"]
    lacking = len(results.languages) - len(rows)
    if lacking:
        notes.append(
            f"Without a gain, and left out: {lacking} of {len(results.languages)} languages"
        )
    return Sheet(tuple(columns), tuple(rows), notes=tuple(notes) if rows else ())


def tabulate_paired(results: Results, verdicts: Iterable[JudgedGain]) -> Sheet:
    """Lists base and score of the producer that is shown in pairs, as the paper's Table 6 does.

    Bold is the one that a test found to be better; where nothing was tested, nothing is bold.
    """
    producer = results.shown
    shown = [one for one in verdicts if one.result.producer == producer]
    found = {(one.result.language.name, one.result.task): one for one in shown}
    tasks = [task for task in results.tasks if any(task == of for _, of in found)]
    title = (producer or "").removeprefix("trained:") or "Score"
    columns = [LANGUAGE]
    for task in tasks:
        columns += [
            Column(f"{task}_{name}", head, ".1f", numeric=True, group=show_task(task))
            for name, head in (("base", "Base"), ("score", title))
        ]
    rows: list[tuple[Value, ...]] = []
    marks: dict[tuple[int, int], frozenset[Mark]] = {}
    for language in sorted({name for name, _ in found}):
        values: list[Value] = [language]
        for task in tasks:
            one = found.get((language, task))
            if one and one.by_test in ("win", "loss"):
                marks[len(rows), len(values) + (one.by_test == "win")] = frozenset({"best"})
            values += (one.result.base, one.result.score) if one else (None, None)
        rows.append(tuple(values))
    notes = []
    if shown:
        tested = any(one.by_test != "untested" for one in shown)
        notes.append(
            "Bold: better than the other of the pair by a test on the same items (p below 5%, not "
            "corrected for the number of languages)"
            if tested
            else "Nothing is bold: without the items no pair can be tested"
        )
    return Sheet(tuple(columns), tuple(rows), notes=tuple(notes), marks=marks)


def _list_values(row: Result | None) -> tuple[Value, Value, Value]:
    """Base and score as the gain is over them, and the gain; nothing where there is none."""
    if row is None or row.gain is None:
        return None, None, None
    return row.base, row.score, row.gain.points
