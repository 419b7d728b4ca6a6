"""The report in the terminal. All text from the store is cleaned and never read as markup."""

from collections.abc import Callable, Sequence
from typing import Literal

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from core.tasks import show_task
from reports import words
from reports.parts.omissions import prints_each_language
from reports.report import Report
from reports.section import Form
from reports.sections import find_parts, list_of_sweep
from reports.signs import clean
from reports.tables.gain import Gain
from reports.tables.panels import Panel, TableCell, list_lines
from reports.tables.sheet import Mark, Sheet

_STYLES = {"result": "", "gap": "dim", "missing": "yellow", "failed": "red", "damaged": "red"}


_LONGEST_PRODUCER = 22
_FOLDED = 12  # at least so much of a longer text stands on a line
_GAP = 2  # between columns


def print_report(report: Report, console: Console) -> None:
    """Print a report. Made for 80 columns and more."""
    each_language = prints_each_language(report)
    for number, (part, sections) in enumerate(find_parts("terminal", report)):
        # The first part says what all of it is of.
        for panel in report.panels if each_language and number == 1 else ():
            for piece in _make_panel_parts(panel):
                _print(console, piece)
        if part.each_language and report.panels and not each_language:
            hint = "One language in full: kakugo-report --language NAME"
            _print(console, Text(hint, style="dim"))
        for section in sections:
            if sheet := section.build(report):
                _PRINTERS[section.form](console, sheet)
    console.print()


def print_members(report: Report, console: Console) -> None:
    """Print how the members of a sweep compare, and what became of those without a result."""
    for section in list_of_sweep():
        if sheet := section.build(report):
            _PRINTERS[section.form](console, sheet)
    console.print()


def print_sheets(title: str, sheets: Sequence[Sheet], console: Console) -> None:
    """Prints tables under a title; says so when all of them are empty."""
    _print(console, _make_heading(clean(title)))
    for sheet in sheets:
        _print_sheet(console, sheet)
    if not any(sheet.rows for sheet in sheets):
        _print(console, Text("The two have nothing in common, and neither has anything else."))
    console.print()


def _print_reasons(console: Console, sheet: Sheet) -> None:
    """Print the cells without a result, those with the same reason told once."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for language, task, producer, state, reason in sheet.rows:
        which = f"{language} {show_task(str(task))} ({producer})"
        grouped.setdefault((str(state), str(reason)), []).append(which)
    if not grouped:
        return
    _print(console, _make_heading("Without a result"))
    for (state, reason), cells in grouped.items():
        named = ", ".join(cells[:6]) + (f" and {len(cells) - 6} more" if len(cells) > 6 else "")
        text = Text.assemble((state, _STYLES[state]), f"  {clean(reason)}")
        text.append(f"\n  {len(cells)}: {clean(named)}", style="dim")
        _print(console, text)


def _print_alarm(console: Console, sheet: Sheet) -> None:
    """Print lines that nobody may overlook: where, what, and a remedy if there is one."""
    if not sheet.rows:
        return
    _print(console, _make_heading(sheet.title, "red"))
    for where, what, *remedies in sheet.rows:
        lines = Text(f"{clean(str(where))}: {clean(str(what))}", style="red")
        for remedy in remedies:
            lines.append(f"\nRemedy: {clean(str(remedy))}.", style="default")
        _print(console, lines)


def _print(console: Console, part: RenderableType) -> None:
    console.print(Padding(part, (0, 0, 0, 1)), highlight=False)


def _make_heading(title: str, style: str = "") -> RenderableType:
    return Group(Text(), Text(title, style=f"bold {style}".strip()))


def _make_panel_parts(panel: Panel) -> list[RenderableType]:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    language = panel.language
    # Names may run from right to left: each ends its line, so that nothing after it is reordered.
    names = " · ".join(filter(None, (language.flores_code, language.autonym)))
    for word, value in (*([("Language", names)] if names else []), *words.list_facts(panel)):
        facts.add_row(word, Text(clean(value)))
    title = Text(clean(language.name), style="bold reverse")
    parts: list[RenderableType] = [Text(), title, facts, Text(), _make_score_table(panel)]
    if panel.has_gains:
        parts.append(Text())
        parts.append(Text(words.GAIN_NOTE, style="dim"))
    gaps = words.merge_gaps(panel)
    if gaps:
        parts.append(_make_heading("Without a result"))
        parts += [
            Text.assemble(
                (state, _STYLES[state]), "  ", clean(which), (f"\n  {clean(reason)}", "dim")
            )
            for which, state, reason in gaps
        ]
    if panel.notes:
        parts.append(_make_heading("Warnings", "yellow"))
        parts += [Text(clean(note)) for note in panel.notes]
    return parts


def _make_score_table(panel: Panel) -> Table:
    """One line per task and producer; with one producer, its name heads the column of scores."""
    names = panel.producers
    table = _make_table()
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
        for place, line in enumerate(list_lines(row)):
            shown = [title if place == 0 else Text()]
            if len(names) > 1:
                shown.append(Text(clean(line.producer) or "–"))
            shown.append(_score(line.base))
            if names:
                shown += [_score(line.cell), *_describe_gain(line.gain)]
            shown.append(Text(str(line.n or "–")))
            table.add_row(*shown)
    return table


def _score(cell: TableCell | None) -> Text:
    return Text(words.describe_score(cell), style=_STYLES[cell.state] if cell else "dim")


def _describe_gain(gain: Gain | None) -> tuple[Text, Text]:
    style = "" if gain else "dim"
    return Text(words.describe_gain(gain), style), Text(words.describe_interval(gain), style)


def _make_table() -> Table:
    return Table(box=None, padding=(0, _GAP, 0, 0), header_style="bold", pad_edge=False)


def _print_sheet(console: Console, sheet: Sheet) -> None:
    if not sheet.rows:
        return
    hidden = tuple(column.name for column in sheet.columns if column.spare)
    shown = sheet.tidy_for_people(hidden)
    room, left = console.width - 1, list[str]()
    while sum(_find_least_widths(shown)) > room and len(shown.columns) > 2:
        left.insert(0, shown.columns[-1].title)
        hidden += (shown.columns[-1].name,)
        shown = sheet.tidy_for_people(hidden)
    _print(console, _make_heading(sheet.title))
    _print(console, _make_sheet_table(shown, room))
    notes = [f"Too narrow here for: {', '.join(left)}."] if left else []
    for note in (*notes, *shown.notes):
        style = "yellow" if note.startswith("Warning") else "dim"
        _print(console, Text(clean(note), style=style))


def _make_sheet_table(sheet: Sheet, room: int) -> Table:
    least = _find_least_widths(sheet)
    widths = [_GAP + max(map(cell_len, cells)) for cells in _write_columns(sheet)]
    while sum(widths) > room and widths != least:
        # rich would squeeze the widest columns, were they numbers or not.
        spare = [width - low for width, low in zip(widths, least, strict=True)]
        widths[spare.index(max(spare))] -= 1
    table = _make_table()
    for column, width in zip(sheet.columns, widths, strict=True):
        justify: Literal["left", "right"] = "right" if column.numeric else "left"
        table.add_column(column.title, justify=justify, overflow="fold", width=width - _GAP)
    last = None
    for row in sheet.list_cells():
        cells = [Text(clean(cell.text), style=_choose_style(cell.marks)) for cell in row]
        if row[0].column.name == "language":
            # A language's name heads its rows, and is not repeated in each.
            cells[0] = Text("") if row[0].value == last else cells[0]
            last = row[0].value
        table.add_row(*cells)
    return table


def _write_columns(sheet: Sheet) -> list[list[str]]:
    """Give each column's heading and the texts below it."""
    rows = [[clean(cell.text) for cell in row] for row in sheet.list_cells()]
    return [
        [column.title, *(row[place] for row in rows)] for place, column in enumerate(sheet.columns)
    ]


def _find_least_widths(sheet: Sheet) -> list[int]:
    """Each column's least width, gap included: numbers and a heading's words stay whole."""
    widths = []
    for column, (title, *values) in zip(sheet.columns, _write_columns(sheet), strict=True):
        longest = max(map(cell_len, values))
        whole = column.numeric or column.name in ("language", "task", "stage", "verdicts")
        if column.name == "producer":
            whole = longest <= _LONGEST_PRODUCER
        words = max(map(cell_len, title.split()), default=0)
        widths.append(_GAP + max(words, longest if whole else min(longest, _FOLDED)))
    return widths


def _choose_style(marks: frozenset[Mark]) -> str:
    names = {"best": "bold", "best_equal": "underline"}
    return " ".join(names[mark] for mark in sorted(marks))


_PRINTERS: dict[Form, Callable[[Console, Sheet], None]] = {
    "table": _print_sheet,
    "reasons": _print_reasons,
    "alarm": _print_alarm,
}
