"""Producers side by side: the mean score of each on each task."""

from collections.abc import Set

from markupsafe import Markup

from reports.figures.svg import Figure, draw_figure, draw_line, draw_text, fit, format_number
from reports.tables.sheet import Sheet

LABELS, PANEL, LINE = 150, 128, 20


def draw_subsets(sheet: Sheet, bases: Set[str]) -> Figure | None:
    """From the table of subsets and the names of base in it; None for fewer than two others."""
    rows = sheet.rows
    if sum(row[0] not in bases for row in rows) < 2:
        return None
    top, parts = 34, list[Markup]()
    bottom = top + LINE * len(rows)
    for row, values in enumerate(rows):
        parts.append(draw_text(LABELS - 8, top + LINE * row + 14, str(values[0]), "label", 24))
    for place, column in enumerate(sheet.columns[1:], start=1):
        left = LABELS + (place - 1) * PANEL
        found = {n: v for n, row in enumerate(rows) if isinstance(v := row[place], int | float)}
        parts.append(draw_text(left + PANEL / 2, 18, column.title, "value head", 18))
        if not found:
            parts.append(draw_text(left + PANEL / 2, top + 14, "no result", "value small"))
            continue
        x = fit(list(found.values()), left + 12, left + PANEL - 16)
        for tick in x.list_ticks(3):
            parts.append(draw_line(x.place(tick), top, x.place(tick), bottom, "grid"))
            parts.append(draw_text(x.place(tick), bottom + 15, format_number(tick), "tick"))
        base = next((v for n, v in found.items() if rows[n][0] in bases), None)
        if base is not None:
            parts.append(draw_line(x.place(base), top, x.place(base), bottom, "fit"))
        for n, value in found.items():
            y = top + LINE * n + 10
            best = "best" in sheet.marks.get((n, place), ())
            kind = "base" if rows[n][0] in bases else "mark win" if best else "mark tie"
            parts.append(
                Markup(
                    '<circle class="{}" cx="{:g}" cy="{:g}" r="4.5"><title>{}</title></circle>'
                ).format(kind, x.place(value), y, f"{rows[n][0]}: {value:.1f}")
            )
    caption = (
        "Mean score of each producer over the same languages. Dashed: base. Filled: the best, "
        "and those that cannot be told from it. Each task has a scale of its own."
    )
    width = LABELS + PANEL * (len(sheet.columns) - 1) + 10
    return draw_figure("subsets", "Training subsets", caption, width, bottom + 28, parts)
