"""The report as Markdown, for a README, a pull request or an issue."""

import re
from pathlib import Path

from reports import files, score_sheets, stage_sheets, words
from reports.model import StoreView
from reports.sheet import Sheet
from reports.table import Panel, build_panels, row_lines
from reports.words import clean

# Whatever Markdown or HTML inside it could read as markup.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&!])")


def write_markdown(view: StoreView, out: Path) -> Path:
    """Writes the report and returns its path: `out` itself if it ends in .md, else a file in it."""
    path = out if out.suffix == ".md" else out / "report.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_whole(path, as_markdown(view))
    return path


def as_markdown(view: StoreView) -> str:
    """The report's text."""
    parts = ["# Kakugo report"]
    problems = score_sheets.problems(view)
    for panel in build_panels(view):
        parts += _panel(panel)
    for sheet in (
        stage_sheets.yields(view),
        stage_sheets.mixture(view),
        stage_sheets.training(view),
        stage_sheets.cost_by_stage(view),
        score_sheets.failed_runs(view),
        problems,
    ):
        if sheet.rows:
            parts += [f"## {sheet.title}", _sheet(sheet)]
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Untrusted text that shows as it is, on one line, inside a table too."""
    return _MARKUP.sub(r"\\\1", clean(text))


def _panel(panel: Panel) -> list[str]:
    language = panel.language
    names = [name for name in (language.autonym, language.flores_code) if name]
    title = f"## {escape(language.name)}" + (f" ({escape(', '.join(names))})" if names else "")
    facts = [f"Student {escape(panel.student)}"] if panel.student else []
    facts += [f"teacher {escape(', '.join(panel.teachers))}"] if panel.teachers else []
    facts.append(f"data {escape(words.data_line(panel))}")
    parts = [title, "; ".join(facts) + ".", _scores(panel)]
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


def _scores(panel: Panel) -> str:
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
    return _grid(head, [False, False, True, True, True, True, True], lines)


def _sheet(sheet: Sheet) -> str:
    lines = [
        [escape(column.show(value)) for column, value in zip(sheet.columns, row, strict=True)]
        for row in sheet.rows
    ]
    head = [escape(column.title) for column in sheet.columns]
    return _grid(head, [column.numeric for column in sheet.columns], lines)


def _grid(head: list[str], numeric: list[bool], lines: list[list[str]]) -> str:
    rule = ["--:" if right else "---" for right in numeric]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *lines))
