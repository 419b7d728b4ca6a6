"""Tables for a paper: LaTeX with booktabs, best bold, best within the equal budget underlined.

A caption is the title alone, and notes stand below the table. Numbers of a column have their
decimal points in one line: columns of plain numbers are siunitx's, others are filled up.
"""

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from reports.report import Report
from reports.sections import find_sheets
from reports.signs import clean
from reports.store import files
from reports.tables.sheet import Column, Sheet, SheetCell

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
    "≤": r"$\leq$",
}
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
# A gain bears its sign, and thousands are set apart, as in other formats; bold is told from plain.
_SHOWN = (
    r"\sisetup{retain-explicit-plus,group-separator={,},group-minimum-digits=4,detect-weight,"
    "mode=text}\n"
)
_LINE = 60
# A table of many columns is made as small as the line wants, never larger.
_FITTED = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}"
_HEAD = r"""% Made by kakugo-report. Each table is a file of its own: \input the one that you want.
% They need \usepackage{booktabs,graphicx,longtable,siunitx}; names in other scripts XeLaTeX or
% LuaLaTeX, and a font that has them: \usepackage{fontspec}\setmainfont{Noto Serif}.
% Run it twice: long tables find the widths of their columns in the first run.
\documentclass{article}
\usepackage[margin=1cm,landscape]{geometry}
\usepackage{booktabs,graphicx,iftex,longtable,siunitx}
\ifPDFTeX\usepackage[T1]{fontenc}\fi
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
    """Write one table, with its title as caption, a label, and its notes below."""
    sheet = sheet.tidy_for_people()
    cells = sheet.list_cells()
    across = [list(column) for column in zip(*cells, strict=True)]
    kinds = [_choose_column_kind(column) for column in across]
    form = "".join(kinds)
    head = _write_head(sheet.columns, kinds)
    decimals = [max(_count_decimals(c) or 0 for c in column) for column in across]
    lines = []
    last: SheetCell | None = None
    by_language = sheet.columns[0].name == "language"
    several = len({row[0].value for row in cells}) < len(cells)
    for row in cells:
        # A blank line of space where a new language begins.
        if last and by_language and several and row[0].value != last.value:
            lines.append(r"\addlinespace[2pt]")
        last = row[0]
        lines.append(" & ".join(map(_write_cell, row, decimals, kinds)) + r" \\")
    shown = _SHOWN if any(kind.startswith("S") for kind in kinds) else ""
    title = f"\\caption{{{escape(sheet.title)}}}\\label{{tab:{sheet.name}}}"
    body = "\n".join(lines)
    notes = escape(" ".join(note.rstrip(".") + "." for note in sheet.notes))
    if len(sheet.rows) > LONG:
        again = f"\\multicolumn{{{len(sheet.columns)}}}{{l}}{{Table \\thetable, continued}}"
        below = f"\\noindent {{\\footnotesize {notes}\\par}}\n" if notes else ""
        return (
            f"\\begingroup\n{shown}\\begin{{longtable}}{{{form}}}\n{title}\\\\\n\\toprule\n{head}\n\\midrule\n"
            f"\\endfirsthead\n{again}\\\\\n\\toprule\n{head}\n\\midrule\n\\endhead\n"
            f"\\bottomrule\n\\endfoot\n{body}\n\\end{{longtable}}\n\\endgroup\n"
            f"{below}"
        )
    box = f"\\par\\smallskip\n\\parbox{{\\linewidth}}{{\\footnotesize {notes}}}\n"
    below = box if notes else ""
    return (
        f"\\begin{{table}}[ht]\n\\centering\n{shown}{title}\n{_FITTED}{{%\n\\begin{{tabular}}{{{form}}}\n"
        f"\\toprule\n{head}\n\\midrule\n{body}\n\\bottomrule\n\\end{{tabular}}}}\n{below}"
        f"\\end{{table}}\n"
    )


def _write_head(columns: Sequence[Column], kinds: Sequence[str]) -> str:
    """Write the titles of the columns, below that of their group where they have one."""
    titles = " & ".join(map(_write_title, columns, kinds)) + r" \\"
    groups = [(name, len(list(found))) for name, found in groupby(columns, lambda c: c.group)]
    if not any(name for name, _ in groups):
        return titles
    spans: list[str] = []
    rules: list[str] = []
    place = 1
    for name, width in groups:
        if name:
            spans.append(f"\\multicolumn{{{width}}}{{c}}{{{escape(name)}}}")
            rules.append(f"\\cmidrule(lr){{{place}-{place + width - 1}}}")
        else:
            spans += [""] * width
        place += width
    return " & ".join(spans) + " \\\\\n" + "".join(rules) + "\n" + titles


def _write_title(column: Column, kind: str) -> str:
    """Write a column's title; in braces above numbers, of which siunitx would take it for one."""
    title = escape(column.title)
    return f"{{{title}}}" if kind.startswith("S") else title


def _count_decimals(cell: SheetCell) -> int | None:
    """Count the digits behind the point; None for what is no number."""
    is_number = cell.column.numeric and isinstance(cell.value, int | float)
    return len(cell.text.partition(".")[2]) if is_number else None


def _write_cell(cell: SheetCell, decimals: int, kind: str) -> str:
    """Write a cell; a number with as much room behind it as those with more decimals need."""
    if kind.startswith("S"):
        number = cell.text.replace("−", "-").replace(",", "")
        if not _NUMBER.fullmatch(number):
            return f"{{{escape(cell.text)}}}"
        return f"\\bfseries {number}" if "best" in cell.marks else number
    text = escape(cell.text)
    text = f"\\underline{{{text}}}" if "best_equal" in cell.marks else text
    text = f"\\textbf{{{text}}}" if "best" in cell.marks else text
    own = _count_decimals(cell)
    if own is None or own == decimals:
        return text
    room = "0" * (decimals - own) if own else "." + "0" * decimals
    return f"{text}\\phantom{{{room}}}"


def _choose_column_kind(cells: Sequence[SheetCell]) -> str:
    """Choose siunitx's column for plain numbers, and "r" for others, which `_write_cell` fills up.
    Texts are kept on one line, or broken over several where that would leave the page.

    siunitx sets no underlined number in line with others, nor percent signs.
    """
    if not cells[0].column.numeric:
        return r"p{0.5\linewidth}" if max(len(cell.text) for cell in cells) > _LINE else "l"
    numbers = [
        cell.text.replace("−", "-").replace(",", "")
        for cell in cells
        if isinstance(cell.value, int | float)
    ]
    plain = all(map(_NUMBER.fullmatch, numbers))
    if not plain or not numbers or any("best_equal" in cell.marks for cell in cells):
        return "r"
    sign = "+" if any(one[0] in "+-" for one in numbers) else ""
    whole = max(len(one.lstrip("+-").partition(".")[0]) for one in numbers)
    decimals = max(len(one.partition(".")[2]) for one in numbers)
    return f"S[table-format={sign}{whole}.{decimals}]"


def escape(text: str) -> str:
    """Let LaTeX print untrusted text as it is, on one line."""
    return "".join(_ESCAPES.get(sign, sign) for sign in clean(text))
