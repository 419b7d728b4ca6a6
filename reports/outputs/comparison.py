"""A comparison of two reports, printed or written."""

from collections.abc import Sequence
from pathlib import Path

from reports.store import files
from reports.tables.results import Results
from reports.tables.sheet import Sheet


def write_comparison(
    sheets: Sequence[Sheet], old: Results, new: Results, form: str, out: Path
) -> list[Path]:
    """Prints (`terminal`) or writes (`markdown`, `csv`) the tables; returns the paths."""
    title = f"From {old.source} to {new.source}"
    if form == "terminal":
        from rich.console import Console

        from reports.outputs.terminal import print_sheets

        print_sheets(title, sheets, Console())
        return []
    out.mkdir(parents=True, exist_ok=True)
    if form == "markdown":
        from reports.outputs.markdown import write_sheet

        parts = [f"# {title}", *(part for sheet in sheets for part in write_sheet(sheet))]
        files.write_whole(out / "comparison.md", "\n\n".join(parts) + "\n")
        return [out / "comparison.md"]
    from reports.outputs.csv_files import as_csv

    for sheet in sheets:
        files.write_whole(out / f"{sheet.name}.csv", as_csv(sheet))
    return [out / f"{sheet.name}.csv" for sheet in sheets]
