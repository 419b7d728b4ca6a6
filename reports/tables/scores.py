"""Scores, gains, the cells without a result, and warnings."""

from reports.tables.panels import Panel
from reports.tables.results import Results
from reports.tables.sheet import GAIN_COLUMNS, LANGUAGE, PRODUCER, TASK, Column, Sheet


def tabulate_scores(panels: tuple[Panel, ...]) -> Sheet:
    """List every result. `score` and `stderr` are on a 0-100 scale."""
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


def tabulate_imported_scores(results: Results) -> Sheet:
    """List the scores of an imported table, in the same columns as a store's."""
    rows = tuple(
        (r.language.name, r.task, r.producer, "imported", r.score, None, None)
        for r in results.rows
        if r.score is not None
    )
    return Sheet(tabulate_scores(()).columns, rows)


def tabulate_gains(panels: tuple[Panel, ...]) -> Sheet:
    """List the gain of every producer over its base, in points, with its 95% interval."""
    columns = (
        *GAIN_COLUMNS,
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


def tabulate_gaps(panels: tuple[Panel, ...]) -> Sheet:
    """List every cell that is no result, with its state and the reason."""
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


def tabulate_imported_gaps(results: Results) -> Sheet:
    """List the empty cells of an imported table."""
    rows = tuple(
        (r.language.name, r.task, r.producer, r.state, r.reason)
        for r in results.rows
        if r.score is None
    )
    return Sheet(tabulate_gaps(()).columns, rows)


def tabulate_warnings(panels: tuple[Panel, ...]) -> Sheet:
    """List the warnings of the scores and of their pairing."""
    columns = (LANGUAGE, Column("warning", "Warning", prose=True))
    rows = [(panel.language.name, note) for panel in panels for note in panel.notes]
    return Sheet(columns, tuple(rows))
