"""The tables of scores, gains, gaps, warnings, failed runs and damaged files."""

from reports.store.model import StoreView
from reports.tables.panels import Panel
from reports.tables.results import Results
from reports.tables.sheet import LANGUAGE, PRODUCER, TASK, Column, Sheet


def scores(panels: tuple[Panel, ...]) -> Sheet:
    """Every result. `score` and `stderr` are on a 0-100 scale."""
    columns = (
        LANGUAGE,
        TASK,
        PRODUCER,
        Column("protocol", "Protocol"),
        Column("score", "Score", ".1f", numeric=True),
        Column("n", "n", numeric=True),
        Column("stderr", "Standard error", ".1f", numeric=True),
    )
    rows = [
        (p.language.name, row.task, cell.producer, s.full_protocol, s.score, s.n, s.stderr)
        for p in panels
        for row in p.rows
        for cell in row.cells
        if (s := cell.score)
    ]
    return Sheet(columns, tuple(rows))


def plain(results: Results) -> Sheet:
    """The scores of an imported table, in the same columns as a store's."""
    rows = tuple(
        (r.language.name, r.task, r.producer, "imported", r.score, None, None)
        for r in results.rows
        if r.score is not None
    )
    return Sheet(scores(()).columns, rows)


def plain_gaps(results: Results) -> Sheet:
    """The cells of an imported table that are empty."""
    rows = tuple(
        (r.language.name, r.task, r.producer, r.state, r.reason)
        for r in results.rows
        if r.score is None
    )
    return Sheet(gaps(()).columns, rows)


def gains(panels: tuple[Panel, ...]) -> Sheet:
    """Every producer against its base, in points, with the 95% interval of the paired gain."""
    columns = (
        LANGUAGE,
        TASK,
        PRODUCER,
        Column("base", "Base", ".1f", numeric=True),
        Column("score", "Score", ".1f", numeric=True),
        Column("gain", "Gain", "+.1f", numeric=True),
        Column("stderr", "Standard error", ".1f", numeric=True),
        Column("low", "95% from", "+.1f", numeric=True),
        Column("high", "95% to", "+.1f", numeric=True),
        Column("n", "n", numeric=True),
        Column("units", "Units", numeric=True),
        Column("p", "p", "p", numeric=True),
        Column("test", "Test", prose=True),
    )
    rows = [
        (
            *(panel.language.name, row.task, cell.producer),
            *(cell.base.score, cell.score.score, cell.gain.points),
            *(cell.gain.stderr, cell.gain.low, cell.gain.high, cell.gain.n),
            *(cell.gain.units, cell.gain.p, cell.gain.why or cell.gain.test),
        )
        for panel in panels
        for row in panel.rows
        for cell in row.others
        if cell.gain and cell.base and cell.score
    ]
    return Sheet(columns, tuple(rows))


def gaps(panels: tuple[Panel, ...]) -> Sheet:
    """Every cell that is no result, with its state and the reason."""
    columns = (
        LANGUAGE,
        TASK,
        PRODUCER,
        Column("state", "State"),
        Column("reason", "Reason", prose=True),
    )
    rows = [
        (panel.language.name, row.task, cell.producer, cell.state, cell.reason)
        for panel in panels
        for row, cell in panel.gaps
    ]
    return Sheet(columns, tuple(rows))


def warnings(panels: tuple[Panel, ...]) -> Sheet:
    """What the scores and their pairing warn of."""
    columns = (LANGUAGE, Column("warning", "Warning", prose=True))
    rows = [(panel.language.name, note) for panel in panels for note in panel.notes]
    return Sheet(columns, tuple(rows))


def failed_runs(view: StoreView) -> Sheet:
    """Runs that failed and that no cell of the other tables speaks for."""
    columns = (Column("run", "Run"), Column("error", "Error", prose=True))
    rows = tuple((run.path, run.error) for run in view.runs if run.failed_unseen)
    return Sheet(columns, rows)


def problems(view: StoreView) -> Sheet:
    """Files of the store that could not be trusted."""
    columns = (
        Column("where", "Where"),
        Column("what", "What", prose=True),
        Column("remedy", "Remedy", prose=True),
    )
    rows = tuple((p.where, p.what, p.remedy) for p in view.problems)
    return Sheet(columns, rows)
