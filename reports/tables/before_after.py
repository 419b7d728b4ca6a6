"""Base, score and gain side by side for each task, a language a row: the table of many papers."""

from core.tasks import show_task
from reports.tables.results import Result, Results
from reports.tables.sheet import LANGUAGE, Column, Sheet, Value


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


def _list_values(row: Result | None) -> tuple[Value, Value, Value]:
    """Base and score as the gain is over them, and the gain; nothing where there is none."""
    if row is None or row.gain is None:
        return None, None, None
    return row.base, row.score, row.gain.points
