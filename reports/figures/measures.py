"""Gains over a measure of their languages: one panel a task, one point a language."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from core.tasks import show_task
from reports.figures.svg import (
    Axis,
    Figure,
    draw_figure,
    draw_line,
    draw_mark,
    draw_text,
    fit,
    format_number,
)
from reports.signs import set_minus
from reports.stats.languages import LEAST
from reports.tables.kinds import KindGains

ACROSS, WIDTH, HEIGHT, LEFT, TOP = 2, 210, 170, 38, 24


def draw_measure(found: Sequence[KindGains]) -> Figure | None:
    """Draw one measure of one producer, a panel for each task with enough languages; None for
    none."""
    shown = [one for one in found if len(one.rows) >= LEAST]
    if not shown:
        return None
    kind, producer = shown[0].kind, shown[0].producer
    parts = list[Markup]()
    for place, one in enumerate(shown):
        left, top = WIDTH * (place % ACROSS), HEIGHT * (place // ACROSS)
        parts += _draw_panel(one, left, top)
    caption = (
        f"{producer}: gain over base against {_name(kind.name)}, one point a language. "
        f"{_say(shown)} A pattern is no cause."
    )
    columns = min(ACROSS, len(shown))
    height = HEIGHT * math.ceil(len(shown) / ACROSS)
    title = f"Gains and {kind.title if kind.name == 'documents' else kind.title.lower()}"
    return draw_figure(f"measure-{kind.name}", title, caption, WIDTH * columns, height, parts)


def _name(kind: str) -> str:
    named = {
        "documents": "the documents of its training split in FineWeb2 (in powers of ten)",
        "fertility": "the base's tokens per word",
    }
    return named.get(kind, kind)


def _say(shown: Sequence[KindGains]) -> str:
    told = [show_task(one.task) for one in shown if one.is_told]
    if not told:
        return "No relation can be told."
    return f"A relation can be told of {', '.join(told)} alone." if len(told) < len(shown) else ""


def _draw_panel(one: KindGains, left: float, top: float) -> list[Markup]:
    logarithmic = one.kind.name == "documents"
    values = [float(value) for value in one.values]
    places = [math.log10(value) for value in values] if logarithmic else values
    gains = [row.gain.points for row in one.rows if row.gain]
    x = fit(places, left + LEFT, left + WIDTH - 12)
    y = fit(gains, top + HEIGHT - 34, top + TOP, zero=True)
    parts = [draw_text(left + LEFT, top + 14, show_task(one.task), "start head")]
    parts += [
        draw_line(x.place(tick), y.start, x.place(tick), y.end, "grid")
        + draw_text(x.place(tick), y.start + 15, _write_tick(tick, logarithmic), "tick")
        for tick in _list_ticks(x, logarithmic)
    ]
    parts += [
        draw_line(x.start, y.place(tick), x.end, y.place(tick), "zero" if tick == 0 else "grid")
        + draw_text(x.start - 5, y.place(tick) + 4, format_number(tick), "tick end")
        for tick in y.list_ticks(5)
    ]
    for row, value, place, gain in zip(one.rows, values, places, gains, strict=True):
        about = set_minus(f"{row.language.name}: {value:,.6g}, gain {gain:+.1f}")
        parts.append(draw_mark(x.place(place), y.place(gain), "tie", about, size=3.5))
    return parts


def _list_ticks(x: Axis, logarithmic: bool) -> list[float]:
    if logarithmic:
        return [float(n) for n in range(math.ceil(x.low), math.floor(x.high) + 1)]
    return x.list_ticks(4)


def _write_tick(value: float, logarithmic: bool) -> str:
    if not logarithmic:
        return format_number(value)
    power = round(value)
    return f"{10 ** (power - 6)} M" if power >= 6 else f"{10 ** (power - 3)}k"
