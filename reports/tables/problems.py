"""Runs that failed and files that are damaged: why something is not in the report."""

from reports.store.model import StoreView
from reports.tables.sheet import Column, Sheet


def tabulate_failed_runs(view: StoreView) -> Sheet:
    """Runs that failed and that no cell of the other tables speaks for."""
    columns = (Column("run", "Run"), Column("error", "Error", prose=True))
    rows = tuple((run.path, run.error) for run in view.runs if run.failed_unseen)
    return Sheet(columns, rows)


def tabulate_problems(view: StoreView) -> Sheet:
    """Files of the store that could not be trusted."""
    columns = (
        Column("where", "Where"),
        Column("what", "What", prose=True),
        Column("remedy", "Remedy", prose=True),
    )
    rows = tuple((p.where, p.what, p.remedy) for p in view.problems)
    return Sheet(columns, rows)
