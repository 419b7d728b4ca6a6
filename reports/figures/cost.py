"""The cost of each language by stage: in dollars where prices are known, else in hours."""

from markupsafe import Markup

from reports.figures.svg import (
    Axis,
    Figure,
    choose_step,
    draw_figure,
    draw_line,
    draw_rect,
    draw_text,
    format_number,
)
from reports.store.model import order_stages
from reports.tables.cost import BUDGET_USD
from reports.tables.sheet import Sheet

WIDTH, LABELS, LINE = 400, 140, 20


def draw_cost(sheet: Sheet) -> Figure | None:
    """From `cost_by_language`; None when nothing took time or money."""
    names = [column.name for column in sheet.columns]
    rows = [dict(zip(names, row, strict=True)) for row in sheet.rows]
    priced = any(row["cost_usd"] for row in rows)
    unit = "cost_usd" if priced else "seconds"
    scale = 1.0 if priced else 1 / 3600
    spent: dict[str, dict[str, float]] = {}
    for row in rows:
        value = row[unit]
        if row["stage"] != "total" and isinstance(value, int | float) and value > 0:
            spent.setdefault(str(row["language"]), {})[str(row["stage"])] = value * scale
    if not spent:
        return None
    most = max(sum(stages.values()) for stages in spent.values())
    high = max(most, BUDGET_USD if priced and most > BUDGET_USD / 5 else 0)
    step = choose_step(high / 5)
    x = Axis(0, -(-high // step) * step, LABELS, WIDTH - 20)
    used = order_stages({stage for found in spent.values() for stage in found})
    parts = list[Markup]()
    left, key = 8.0, 8
    for stage in used:
        width = 34 + 6.5 * len(stage)
        if left + width > WIDTH:
            left, key = 8.0, key + 18
        parts.append(draw_rect(left, key, 10, 10, f"s{used.index(stage) % 5}"))
        parts.append(draw_text(left + 14, key + 9, stage, "start"))
        left += width
    first = key + 24
    bottom = first + 2 + LINE * len(spent)
    for tick in x.list_ticks():
        parts.append(draw_line(x.place(tick), first - 4, x.place(tick), bottom, "grid"))
        parts.append(draw_text(x.place(tick), bottom + 15, format_number(tick), "tick"))
    for place, (language, stages) in enumerate(spent.items()):
        top, so_far = first + LINE * place, 0.0
        parts.append(draw_text(LABELS - 8, top + 13, language, "label", 22))
        for stage in used:
            value = stages.get(stage, 0.0)
            if value:
                width = max(x.place(so_far + value) - x.place(so_far), 0.5)
                about = f"{language}, {stage}: {value:,.3g} {'USD' if priced else 'hours'}"
                kind = f"s{used.index(stage) % 5}"
                parts.append(draw_rect(x.place(so_far), top + 3, width, LINE - 7, kind, about))
            so_far += value
    if priced and x.high >= BUDGET_USD:
        parts.append(draw_line(x.place(BUDGET_USD), first - 10, x.place(BUDGET_USD), bottom, "fit"))
    words = "US dollars" if priced else "Hours of work (nothing had a price)"
    parts.append(draw_text((x.start + x.end) / 2, bottom + 31, words, "axis"))
    caption = f"{words} of each language by stage."
    caption += f" Dashed: ${BUDGET_USD:.0f}." if priced and x.high >= BUDGET_USD else ""
    return draw_figure("cost", "Cost of each language", caption, WIDTH, bottom + 40, parts)
