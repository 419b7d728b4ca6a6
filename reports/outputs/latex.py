"""Tables for a paper: LaTeX with booktabs, best bold, best within the equal budget underlined."""

from collections.abc import Sequence
from pathlib import Path

from reports.report import Report
from reports.sections import find_sheets
from reports.signs import clean
from reports.store import files
from reports.tables.sheet import Sheet, SheetCell

LONG = 45
"""Rows beyond which a table runs over pages (longtable)."""
_ESCAPES = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    "−": "$-$",
    "→": r"$\rightarrow$",
    "±": r"$\pm$",
    "–": "--",
    "<": "$<$",
    ">": "$>$",
}
_LINE = 60
# A table of many columns is made as small as the line wants, never larger.
_FITTED = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}"
_HEAD = r"""% Made by kakugo-report. Each table is a file of its own: \input the one that you want.
% They need \usepackage{booktabs,graphicx,longtable}; names in other scripts XeLaTeX or LuaLaTeX.
% Run it twice: long tables find the widths of their columns in the first run.
\documentclass{article}
\usepackage[margin=1cm,landscape]{geometry}
\usepackage{booktabs,graphicx,longtable}
\begin{document}
\footnotesize
"""


def write_latex(report: Report, out: Path) -> list[Path]:
    """Write report.tex and one file per table into `out`/latex; returns the paths."""
    folder = out / "latex"
    folder.mkdir(parents=True, exist_ok=True)
    sheets = [sheet for sheet in find_sheets("latex", report) if sheet.rows]
    written = []
    for sheet in sheets:
        path = folder / f"{sheet.name}.tex"
        files.write_whole(path, as_latex(sheet))
        written.append(path)
    inputs = "".join(f"\\input{{{sheet.name}}}\n" for sheet in sheets)
    files.write_whole(folder / "report.tex", f"{_HEAD}{inputs}\\end{{document}}\n")
    return [*written, folder / "report.tex"]


def as_latex(sheet: Sheet) -> str:
    """Write one table, with caption and label; its notes are part of the caption."""
    sheet = sheet.tidy_for_people()
    form = "".join(
        "r" if column.numeric else _choose_column_kind([str(row[place]) for row in sheet.rows])
        for place, column in enumerate(sheet.columns)
    )
    head = " & ".join(escape(column.title) for column in sheet.columns) + r" \\"
    lines = []
    last = None
    for first, *rest in sheet.list_cells():
        # A blank line of space where a new language begins.
        if last and first.column.name == "language" and first.value != last:
            lines.append(r"\addlinespace[2pt]")
        last = first.value
        lines.append(" & ".join(map(_write_cell, (first, *rest))) + r" \\")
    caption = escape(" ".join((f"{sheet.title}.", *(n.rstrip(".") + "." for n in sheet.notes))))
    title = f"\\caption{{{caption}}}\\label{{tab:{sheet.name}}}"
    body = "\n".join(lines)
    if len(sheet.rows) > LONG:
        return (
            f"\\begin{{longtable}}{{{form}}}\n{title}\\\\\n\\toprule\n{head}\n\\midrule\n\\endhead\n"
            f"\\bottomrule\n\\endfoot\n{body}\n\\end{{longtable}}\n"
        )
    return (
        f"\\begin{{table}}[ht]\n\\centering\n{title}\n{_FITTED}{{%\n\\begin{{tabular}}{{{form}}}\n"
        f"\\toprule\n{head}\n\\midrule\n{body}\n\\bottomrule\n\\end{{tabular}}}}\n\\end{{table}}\n"
    )


def _write_cell(cell: SheetCell) -> str:
    text = escape(cell.text)
    text = f"\\underline{{{text}}}" if "best_equal" in cell.marks else text
    return f"\\textbf{{{text}}}" if "best" in cell.marks else text


def _choose_column_kind(values: Sequence[str]) -> str:
    """Keep texts on one line, or break them over several where that would leave the page."""
    return r"p{0.5\linewidth}" if max(map(len, values)) > _LINE else "l"


def escape(text: str) -> str:
    """Let LaTeX print untrusted text as it is, on one line."""
    return "".join(_ESCAPES.get(sign, sign) for sign in clean(text))
