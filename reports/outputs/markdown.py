"""The report as Markdown, for a README, a pull request or an issue."""

import re
from pathlib import Path

from reports import words
from reports.report import Report
from reports.sections import find_parts
from reports.store import files
from reports.tables.panels import Panel, row_lines
from reports.tables.sheet import Sheet
from reports.words import clean

# Whatever Markdown or HTML inside it could read as markup.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&!])")


def write_markdown(report: Report, out: Path) -> Path:
    """Writes the report and returns its path: `out` itself if it ends in .md, else a file in it."""
    path = out if out.suffix == ".md" else out / "report.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_whole(path, as_markdown(report))
    return path


def as_markdown(report: Report) -> str:
    """The report's text."""
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
    return [f"## {escape(sheet.title)}", _sheet(sheet), *([notes] if notes else [])]


def escape(text: str) -> str:
    """Untrusted text that shows as it is, on one line, inside a table too."""
    return _MARKUP.sub(r"\\\1", clean(text))


def _write_panel(panel: Panel) -> list[str]:
    language = panel.language
    names = [name for name in (language.autonym, language.flores_code) if name]
    title = f"## {escape(language.name)}" + (f" ({escape(', '.join(names))})" if names else "")
    facts = [f"Student {escape(panel.student)}"] if panel.student else []
    facts += [f"teacher {escape(', '.join(panel.teachers))}"] if panel.teachers else []
    facts.append(f"data {escape(words.data_line(panel))}")
    parts = [title, "; ".join(facts) + ".", scores(panel)]
    if any(cell.gain for row in panel.rows for cell in row.others):
        parts.append(words.GAIN_NOTE)
    gaps = [
        f"- **{state}** {escape(which)}: {escape(reason)}"
        for which, state, reason in words.merged_gaps(panel)
    ]
    notes = [f"- {escape(note)}" for note in panel.notes]
    parts += ["### Without a result", "\n".join(gaps)] if gaps else []
    parts += ["### Warnings", "\n".join(notes)] if notes else []
    return parts


def scores(panel: Panel) -> str:
    """A panel's table: tasks by producers."""
    lines = []
    for row in panel.rows:
        name = f"{row.name} ({row.setting})" if row.setting else row.name
        for line in row_lines(row):
            gain = line.cell.gain if line.cell else None
            lines.append(
                [
                    escape(name),
                    escape(line.producer) or "–",
                    words.shown_score(line.base),
                    words.shown_score(line.cell),
                    words.points(gain) if gain else "–",
                    words.interval(gain) if gain else "–",
                    str(line.n or "–"),
                ]
            )
    head = ["Task", "Producer", "Base", "Score", "Gain", "95% interval", "n"]
    return grid(head, [False, False, True, True, True, True, True], lines)


def _sheet(sheet: Sheet) -> str:
    sheet = sheet.for_people()
    lines = []
    for number, row in enumerate(sheet.rows):
        cells = []
        for place, (column, value) in enumerate(zip(sheet.columns, row, strict=True)):
            text = escape(column.show(value))
            marks = sheet.marks.get((number, place), ())
            text = f"<u>{text}</u>" if "best_equal" in marks else text
            cells.append(f"**{text}**" if "best" in marks else text)
        lines.append(cells)
    head = [escape(column.title) for column in sheet.columns]
    return grid(head, [column.numeric for column in sheet.columns], lines)


def grid(head: list[str], numeric: list[bool], lines: list[list[str]]) -> str:
    """A table of cells that are Markdown already."""
    rule = ["--:" if right else "---" for right in numeric]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *lines))
