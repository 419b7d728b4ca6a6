"""The share of each answer as stacked bars: what is right, and what each producer gives."""

from collections.abc import Mapping

from markupsafe import Markup

from core.tasks import show_task
from reports.figures.svg import (
    Axis,
    Figure,
    draw_figure,
    draw_line,
    draw_rect,
    draw_text,
    format_number,
)
from reports.tables.sheet import Sheet

WIDTH, LABELS, LINE, COLOURS = 400, 140, 20, 5
MOST = 12
"""With more producers than this a figure is longer than a screen: the table has them."""


def draw_answers(sheet: Sheet) -> list[Figure]:
    """From the table of mean shares: one figure a task."""
    names = [column.name for column in sheet.columns]
    tasks: dict[str, dict[str, dict[str, float]]] = {}
    right: dict[str, dict[str, float]] = {}
    for row in sheet.rows:
        at = dict(zip(names, row, strict=True))
        task, producer, answer = str(at["task"]), str(at["producer"]), str(at["answer"])
        given = tasks.setdefault(task, {}).setdefault(producer, {})
        given[answer] = float(at["given"] or 0)
        right.setdefault(task, {}).setdefault(answer, float(at["right"] or 0))
    return [_draw(task, right[task], producers) for task, producers in tasks.items()]


def _draw(
    task: str, right: Mapping[str, float], producers: Mapping[str, Mapping[str, float]]
) -> Figure:
    bars = {"right answers": right, **dict(list(producers.items())[:MOST])}
    answers = sorted({answer for shares in bars.values() for answer in shares})
    x = Axis(0, 100, LABELS, WIDTH - 16)
    top, bottom = 12, 16 + LINE * len(bars)
    parts = list[Markup]()
    for tick in x.list_ticks():
        parts.append(draw_line(x.place(tick), top - 4, x.place(tick), bottom, "grid"))
        parts.append(draw_text(x.place(tick), bottom + 15, format_number(tick), "tick"))
    for place, (name, shares) in enumerate(bars.items()):
        y, so_far = top + LINE * place, 0.0
        parts.append(draw_text(LABELS - 8, y + 13, name, "label", 22))
        for number_, answer in enumerate(answers):
            share = shares.get(answer, 0.0)
            width = x.place(so_far + share) - x.place(so_far)
            about = f"{name}, {answer}: {share:.1f}%"
            if width > 0:
                kind = f"s{number_ % COLOURS} share"
                parts.append(draw_rect(x.place(so_far), y + 2, width, LINE - 5, kind, about))
            if width > 8 + 7 * len(answer):
                middle = x.place(so_far) + width / 2
                parts.append(draw_text(middle, y + 13, answer, "value on-share"))
            so_far += share
    parts.append(draw_text((x.start + x.end) / 2, bottom + 31, "Percent of items", "axis"))
    caption = (
        f"{show_task(task)}: how often each answer is right, and how often each producer gives it; "
        "means over languages. A bar that is one answer is a habit, whatever its score."
    )
    if len(producers) > MOST:
        caption += f" The first {MOST} producers."
    title = f"Answers given, {show_task(task)}"
    return draw_figure(f"answers-{task}", title, caption, WIDTH, bottom + 40, parts)
