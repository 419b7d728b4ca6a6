"""Rates all translations of a store by COMET, but those in languages that its encoder never saw."""

from collections.abc import Iterator
from pathlib import Path

from core.contract.record import Unreadable
from core.tasks import TASKS, show_task
from reports.store.samples import is_translation
from reports.tables.results import Results
from reports.translated.comet import Comet, keep_comet, read_comet
from reports.translated.encoder import refuse_unseen


def rate_results(results: Results, store: Path, comet: Comet) -> Iterator[str]:
    """Rate each score of translations that has no rating by this model yet, and say of each what
    came of it, in a line. Raises CometError."""
    for row in results.rows:
        score = row.record
        if score is None or not is_translation(score):
            continue
        what = f"{row.language.name}, {show_task(row.task)}, {row.producer}"
        other = TASKS[row.task].other if row.task in TASKS else "eng_Latn"
        if refused := refuse_unseen(row.language.flores_code, other):
            yield f"{what}: not scored. {refused}"
            continue
        try:
            found = read_comet(store, score)
        except Unreadable:
            found = None  # of other texts: it is made anew
        if found is None or found.model != comet.model:
            try:
                found = keep_comet(store, score, comet)
            except Unreadable as error:
                yield f"{what}: not scored. {error}"
                continue
        yield f"{what}: {found.mean:.4f}"
