"""The report as Markdown, for a README, a pull request or an issue."""

import re
from pathlib import Path

from reports import words
from reports.report import Report
from reports.sections import find_parts
from reports.signs import clean
from reports.store import files
from reports.tables.panels import Panel, list_lines
from reports.tables.sheet import Sheet, SheetCell

# Whatever Markdown or HTML inside it could read as markup.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&!])")


def write_markdown(report: Report, out: Path) -> Path:
    """Writes the report and returns its path: `out` itself if it ends in .md, else a file in it."""
    path = out if out.suffix == ".md" else out / "report.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_whole(path, as_markdown(report))
    return path


def as_markdown(report: Report) -> str:
    """Give the report as the text of a Markdown file."""
    parts = [f"# Kakugo report: {escape(report.results.source)}"]
    for part, sections in find_parts("markdown", report):
        for panel in report.panels if part.each_language else ():
            parts += _write_panel(panel)
        for section in sections:
            if sheet := section.build(report):
                parts += write_sheet(sheet)
    return "\n\n".join(parts) + "\n"


def write_sheet(sheet: Sheet) -> list[str]:
    """Write a table under its title with its notes; nothing for an empty one."""
    if not sheet.rows:
        return []
    notes = "\n".join(f"- {escape(note)}" for note in sheet.notes)
    return [f"## {escape(sheet.title)}", _draw_sheet(sheet), *([notes] if notes else [])]


def escape(text: str) -> str:
    """Let untrusted text show as it is, on one line, inside a table too."""
    return _MARKUP.sub(r"\\\1", clean(text))


def _write_panel(panel: Panel) -> list[str]:
    language = panel.language
    names = [name for name in (language.autonym, language.flores_code) if name]
    title = f"## {escape(language.name)}" + (f" ({escape(', '.join(names))})" if names else "")
    facts = "; ".join(f"{name.lower()} {escape(value)}" for name, value in words.list_facts(panel))
    parts = [title, f"{facts[0].upper()}{facts[1:]}.", write_scores(panel)]
    if panel.has_gains:
        parts.append(words.GAIN_NOTE)
    gaps = [
        f"- **{state}** {escape(which)}: {escape(reason)}"
        for which, state, reason in words.merge_gaps(panel)
    ]
    notes = [f"- {escape(note)}" for note in panel.notes]
    parts += ["### Without a result", "\n".join(gaps)] if gaps else []
    parts += ["### Warnings", "\n".join(notes)] if notes else []
    return parts


def write_scores(panel: Panel) -> str:
    """Write a panel's table: tasks by producers."""
    lines = [
        [
            escape(row.full_name),
            escape(line.producer) or "–",
            words.describe_score(line.base),
            words.describe_score(line.cell),
            words.describe_gain(line.gain),
            words.describe_interval(line.gain),
            str(line.n or "–"),
        ]
        for row in panel.rows
        for line in list_lines(row)
    ]
    head = ["Task", "Producer", "Base", "Score", "Gain", "95% interval", "n"]
    return draw_grid(head, [False, False, True, True, True, True, True], lines)


def _draw_sheet(sheet: Sheet) -> str:
    sheet = sheet.tidy_for_people()
    lines = [list(map(_write_cell, row)) for row in sheet.list_cells()]
    head = [escape(column.title) for column in sheet.columns]
    return draw_grid(head, [column.numeric for column in sheet.columns], lines)


def _write_cell(cell: SheetCell) -> str:
    text = escape(cell.text)
    text = f"<u>{text}</u>" if "best_equal" in cell.marks else text
    return f"**{text}**" if "best" in cell.marks else text


def draw_grid(head: list[str], numeric: list[bool], lines: list[list[str]]) -> str:
    """Draw a table of cells that are Markdown already."""
    rule = ["--:" if right else "---" for right in numeric]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *lines))
