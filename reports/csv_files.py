"""Every table as a CSV file: UTF-8, a header line, numbers unrounded enough to compute with."""

import csv
import io
import os
from pathlib import Path

from reports.model import StoreView
from reports.sheet import Sheet, Value
from reports.sheets import all_sheets
from reports.table import build_panels


def write_csv(view: StoreView, out: Path) -> list[Path]:
    """Writes scores.csv, gains.csv, gaps.csv and one file per other table; returns the paths.

    A cell without a result is no line of scores.csv: gaps.csv names it with its reason. Empty
    tables are written too, with their header, so that a reader never meets an older file.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for sheet in all_sheets(view, build_panels(view)):
        path = out / f"{sheet.name}.csv"
        half = path.with_name(path.name + ".tmp")
        half.write_bytes(as_csv(sheet).encode("utf-8", "replace"))
        os.replace(half, path)  # noqa: PTH105
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
