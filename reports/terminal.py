"""The report in the terminal. All text from the store is cleaned and never read as markup."""

from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reports import score_sheets, stage_sheets, words
from reports.model import StoreView
from reports.read import select_run
from reports.sheet import Sheet
from reports.table import Panel, TableCell, build_panels, row_lines
from reports.words import clean

_STYLES = {"result": "", "gap": "dim", "missing": "yellow", "failed": "red", "damaged": "red"}


def print_report(view: StoreView, console: Console, *, run: Path | None = None) -> None:
    """Prints the tables of a view, or of one run or sweep of it.

    Made for 80 columns and more. Raises RunNotFoundError when `run` is not in the store.
    """
    if run is not None:
        view = select_run(view, run)
    for panel in build_panels(view):
        for part in _panel_parts(panel):
            _print(console, part)
    _print_sheet(console, stage_sheets.yields(view), hidden=("key",))
    _print_sheet(console, stage_sheets.mixture(view), hidden=("key", "weight"))
    _print_sheet(
        console, stage_sheets.training(view), hidden=("key", "supervised_tokens", "dropped")
    )
    _print_sheet(console, stage_sheets.cost_by_stage(view))
    failed = score_sheets.failed_runs(view)
    if failed.rows:
        _print(console, _heading("Failed runs", "red"))
        for name, error in failed.rows:
            _print(console, Text(f"{clean(str(name))}: {clean(str(error))}", style="red"))
    damaged = score_sheets.problems(view)
    if damaged.rows:
        _print(console, _heading("Damaged files", "red"))
        for where, what, remedy in damaged.rows:
            lines = Text(f"{clean(str(where))}: {clean(str(what))}", style="red")
            lines.append(f"\nRemedy: {clean(str(remedy))}.", style="default")
            _print(console, lines)
    console.print()


def _print(console: Console, part: RenderableType) -> None:
    console.print(Padding(part, (0, 0, 0, 1)), highlight=False)


def _heading(title: str, style: str = "") -> RenderableType:
    return Group(Text(), Text(title, style=f"bold {style}".strip()))


def _panel_parts(panel: Panel) -> list[RenderableType]:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    language = panel.language
    # Names may run from right to left: each ends its line, so that nothing after it is reordered.
    names = " · ".join(filter(None, (language.flores_code, language.autonym)))
    for word, value in (
        ("Language", names),
        ("Student", panel.student),
        ("Teacher", ", ".join(panel.teachers)),
        ("Data", words.data_line(panel)),
    ):
        if value:
            facts.add_row(word, Text(clean(value)))
    title = Text(clean(language.name), style="bold reverse")
    parts: list[RenderableType] = [Text(), title, facts, Text(), _scores(panel)]
    if any(cell.gain for row in panel.rows for cell in row.others):
        parts.append(Text())
        parts.append(Text(words.GAIN_NOTE, style="dim"))
    gaps = words.merged_gaps(panel)
    if gaps:
        parts.append(_heading("Without a result"))
        parts += [
            Text.assemble(
                (state, _STYLES[state]), "  ", clean(which), (f"\n  {clean(reason)}", "dim")
            )
            for which, state, reason in gaps
        ]
    if panel.notes:
        parts.append(_heading("Warnings", "yellow"))
        parts += [Text(clean(note)) for note in panel.notes]
    return parts


def _scores(panel: Panel) -> Table:
    """One line per task and producer; with one producer, its name heads the column of scores."""
    names = panel.producers
    table = _table()
    table.add_column("Task")
    if len(names) > 1:
        table.add_column("Producer", overflow="fold")
    table.add_column("Base", justify="right")
    if names:
        table.add_column(clean(names[0]) if len(names) == 1 else "Score", justify="right")
        table.add_column("Gain", justify="right", no_wrap=True)
        table.add_column("95% interval", justify="right", no_wrap=True)
    table.add_column("n", justify="right")
    for row in panel.rows:
        title = Text(clean(row.name))
        if row.setting:
            title.append(f"\n{clean(row.setting)}", style="dim")
        for place, line in enumerate(row_lines(row)):
            shown = [title if place == 0 else Text()]
            if len(names) > 1:
                shown.append(Text(clean(line.producer) or "–"))
            shown.append(_score(line.base))
            if names:
                shown += [_score(line.cell), *_gain(line.cell)]
            shown.append(Text(str(line.n or "–")))
            table.add_row(*shown)
    return table


def _score(cell: TableCell | None) -> Text:
    return Text(words.shown_score(cell), style=_STYLES[cell.state] if cell else "dim")


def _gain(cell: TableCell | None) -> tuple[Text, Text]:
    if cell is None or cell.gain is None:
        return Text("–", style="dim"), Text("–", style="dim")
    return Text(words.points(cell.gain)), Text(words.interval(cell.gain))


def _table() -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)


def _print_sheet(console: Console, sheet: Sheet, hidden: tuple[str, ...] = ()) -> None:
    """A sheet without the hidden columns, those that hold nothing, and a language named anyway."""
    if not sheet.rows:
        return
    kept = [
        (place, column)
        for place, column in enumerate(sheet.columns)
        if column.name not in hidden
        and any(row[place] not in (None, "") for row in sheet.rows)
        and (column.name != "language" or len({row[place] for row in sheet.rows}) > 1)
    ]
    table = _table()
    for _, column in kept:
        table.add_column(
            column.title, justify="right" if column.numeric else "left", overflow="fold"
        )
    for row in sheet.rows:
        table.add_row(*(Text(clean(column.show(row[place]))) for place, column in kept))
    _print(console, _heading(sheet.title))
    _print(console, table)
