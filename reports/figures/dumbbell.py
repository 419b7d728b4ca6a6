"""Base to producer on each task of one language, with the gain's interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from reports.figures.svg import draw_figure, draw_text
from reports.signs import clean
from reports.tables.panels import Panel, TableCell
from reports.words import describe_gain, describe_interval

WIDTH, LABELS, RIGHT = 440, 130, 424
LINE, HEAD = 22, 22
_USUAL_NAME, _LONGEST_NAME = 19, 30
"""Letters of a label: those that `LABELS` has room for, and those after which it is cut."""
_LETTER = 6.5


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float
    more: float = 0.0
    """Room for labels beyond `LABELS`, by which the whole figure is wider."""

    def place(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(LABELS + self.more + share * (RIGHT - LABELS), 1)

    def list_ticks(self) -> list[int]:
        step = next(s for s in (5, 10, 20, 25) if (self.high - self.low) / s <= 6)
        first = math.ceil(self.low / step) * step
        return list(range(first, math.floor(self.high) + 1, step))


def draw_panel(panel: Panel, name: str) -> Markup | None:
    """Base to producer per task, with the gain's 95% interval around the producer's score.

    `name` prefixes the element ids, which must be unique in a page. None without any pair.
    """
    rows = [
        (row.name, [cell for cell in row.others if cell.score and cell.base]) for row in panel.rows
    ]
    rows = [(task, cells) for task, cells in rows if cells]
    if not rows:
        return None
    several = len(panel.producers) > 1
    pairs = [(task, cell) for task, cells in rows for cell in cells]
    longest = max(len(cell.producer if several else task) for task, cell in pairs)
    scale = replace(_make_scale([cell for _, cell in pairs]), more=_make_room(longest))
    parts: list[Markup] = []
    top = 6
    for task, cells in rows:
        if several:
            parts.append(_draw_label(0, top + 14, task, "task"))
            top += HEAD
        for cell in cells:
            parts.append(_pair(scale, cell, cell.producer if several else task, top))
            top += LINE
        top += 6 if several else 0
    grid = Markup("").join(
        Markup('<line class="grid" x1="{0}" x2="{0}" y1="4" y2="{1}"/>{2}').format(
            scale.place(tick), top, _draw_label(scale.place(tick), top + 16, str(tick), "tick")
        )
        for tick in scale.list_ticks()
    )
    about = "; ".join(_describe_cell(task, cell) for task, cells in rows for cell in cells)
    title = f"Scores of base and of what was trained from it, {clean(panel.language.name)}"
    return draw_figure(name, title, about, WIDTH + round(scale.more), top + 22, [grid, *parts]).svg


def _make_room(longest: int) -> float:
    """The room that labels of so many letters take beyond the usual."""
    beyond = min(longest, _LONGEST_NAME) - _USUAL_NAME
    return 18 + beyond * _LETTER if beyond > 0 else 0.0


def _make_scale(cells: Sequence[TableCell]) -> _Scale:
    values = [0.0]
    for cell in cells:
        assert cell.score
        assert cell.base
        values += [cell.score.score, cell.base.score, *_place_whiskers(cell)]
        values += [cell.score.chance] if cell.score.chance is not None else []
    return _Scale(0.0, float(min(100, max(10, math.ceil(max(values) / 10) * 10))))


def _place_whiskers(cell: TableCell) -> tuple[float, ...]:
    """The gain's interval, placed around the producer's score; empty without one."""
    gain, score = cell.gain, cell.score
    if not gain or not score or gain.low is None or gain.high is None:
        return ()
    return (score.score + gain.low - gain.points, score.score + gain.high - gain.points)


def _pair(scale: _Scale, cell: TableCell, label: str, top: int) -> Markup:
    assert cell.score
    assert cell.base
    y = top + LINE // 2
    before, after = scale.place(cell.base.score), scale.place(cell.score.score)
    direction = "up" if cell.score.score >= cell.base.score else "down"
    parts = [_draw_label(LABELS + scale.more - 12, y + 4, label, "label")]
    if cell.score.chance is not None:
        parts.append(
            Markup('<line class="chance" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(
                scale.place(cell.score.chance), y - 8, y + 8
            )
        )
    ends = [scale.place(value) for value in _place_whiskers(cell)]
    if ends:
        parts.append(
            Markup('<line class="range {d}" x1="{0}" x2="{1}" y1="{y}" y2="{y}"/>').format(
                *ends, d=direction, y=y
            )
        )
    parts.append(
        Markup(
            '<line class="gain {d}" x1="{a}" x2="{b}" y1="{y}" y2="{y}"/>'
            '<circle class="base" cx="{a}" cy="{y}" r="4.5"/>'
            '<circle class="after {d}" cx="{b}" cy="{y}" r="4.5"/>'
        ).format(d=direction, a=before, b=after, y=y)
    )
    return Markup("").join(parts)


def _draw_label(x: float, y: float, words: str, kind: str) -> Markup:
    return draw_text(x, y, words, kind, _LONGEST_NAME if kind == "label" else 0)


def _describe_cell(task: str, cell: TableCell) -> str:
    assert cell.score
    assert cell.base
    said = f"{task}, {clean(cell.producer)}: {cell.base.score:.1f} to {cell.score.score:.1f}"
    if cell.gain and cell.gain.low is not None:
        said += f", gain {describe_gain(cell.gain)}, 95% interval {describe_interval(cell.gain)}"
    return said
