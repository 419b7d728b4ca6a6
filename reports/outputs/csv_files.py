"""Every table as a CSV file: UTF-8, a header line, numbers unrounded enough to compute with."""

import csv
import io
from pathlib import Path

from reports.report import Report
from reports.sections import find_sheets
from reports.signs import clean
from reports.store import files
from reports.tables.sheet import Sheet, Value


def write_csv(report: Report, out: Path) -> list[Path]:
    """Writes scores.csv, wins.csv, correlation.csv and one file per other table; returns the paths.

    A cell without a result is no line of scores.csv: gaps.csv names it with its reason, and
    failed_runs.csv the runs that failed before they had planned any. Empty
    tables are written too, with their header, so that a reader never meets an older file.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for sheet in find_sheets("csv", report):
        path = out / f"{sheet.name}.csv"
        files.write_whole(path, as_csv(sheet))
        written.append(path)
    return written


def as_csv(sheet: Sheet) -> str:
    """A sheet as CSV text (RFC 4180, but with plain line feeds)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column.name for column in sheet.columns)
    writer.writerows([_write_plain(value) for value in row] for row in sheet.rows)
    return text.getvalue()


def _write_plain(value: Value) -> str:
    """Four decimals, which is more than any of these numbers is known to; nothing for None."""
    if isinstance(value, float):
        # A p-value may be far smaller than that.
        return f"{value:.4f}" if value == 0 or abs(value) >= 0.001 else f"{value:.3g}"
    if not isinstance(value, str):
        return "" if value is None else str(value)
    # What a spreadsheet would run as a formula is made text; so is a control character.
    text = clean(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
