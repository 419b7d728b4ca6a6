"""Every table as a CSV file: UTF-8, a header line, numbers unrounded enough to compute with."""

import csv
import io
from pathlib import Path

from reports import files
from reports.model import StoreView
from reports.sheet import Sheet, Value
from reports.sheets import all_sheets
from reports.table import build_panels


def write_csv(view: StoreView, out: Path) -> list[Path]:
    """Writes scores.csv, gains.csv, gaps.csv and one file per other table; returns the paths.

    A cell without a result is no line of scores.csv: gaps.csv names it with its reason, and
    failed_runs.csv the runs that failed before they had planned any. Empty
    tables are written too, with their header, so that a reader never meets an older file.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for sheet in all_sheets(view, build_panels(view)):
        path = out / f"{sheet.name}.csv"
        files.write_whole(path, as_csv(sheet))
        written.append(path)
    return written


def as_csv(sheet: Sheet) -> str:
    """A sheet as CSV text (RFC 4180, but with plain line feeds)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column.name for column in sheet.columns)
    writer.writerows([_plain(value) for value in row] for row in sheet.rows)
    return text.getvalue()


def _plain(value: Value) -> str:
    """Four decimals, which is more than any of these numbers is known to; nothing for None."""
    if isinstance(value, float):
        return f"{value:.4f}"
    return "" if value is None else str(value)
