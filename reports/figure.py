"""Figures as inline SVG. Colours and type come from the page's style sheet; text is escaped."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.table import Panel, TableCell
from reports.words import clean, interval, points

WIDTH, LABELS, RIGHT = 440, 130, 424
LINE, HEAD = 22, 22
_LONGEST_NAME = 19


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float

    def at(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(LABELS + share * (RIGHT - LABELS), 1)

    def ticks(self) -> list[int]:
        step = next(s for s in (5, 10, 20, 25) if (self.high - self.low) / s <= 6)
        first = math.ceil(self.low / step) * step
        return list(range(first, math.floor(self.high) + 1, step))


def dumbbell(panel: Panel, name: str) -> Markup | None:
    """Base to producer per task, with the gain's 95% interval around the producer's score.

    `name` prefixes the element ids, which must be unique in a page. None without any pair.
    """
    rows = [
        (row.name, [cell for cell in row.others if cell.score and cell.base]) for row in panel.rows
    ]
    rows = [(task, cells) for task, cells in rows if cells]
    if not rows:
        return None
    scale = _scale([cell for _, cells in rows for cell in cells])
    several = len(panel.producers) > 1
    parts: list[Markup] = []
    top = 6
    for task, cells in rows:
        if several:
            parts.append(_text(0, top + 14, task, "task"))
            top += HEAD
        for cell in cells:
            parts.append(_pair(scale, cell, cell.producer if several else task, top))
            top += LINE
        top += 6 if several else 0
    grid = Markup("").join(
        Markup('<line class="grid" x1="{0}" x2="{0}" y1="4" y2="{1}"/>{2}').format(
            scale.at(tick), top, _text(scale.at(tick), top + 16, str(tick), "tick")
        )
        for tick in scale.ticks()
    )
    about = "; ".join(_spoken(task, cell) for task, cells in rows for cell in cells)
    title = f"Scores of base and of what was trained from it, {clean(panel.language.name)}"
    return _svg(name, title, about, WIDTH, top + 22, grid + Markup("").join(parts))


def curve(values: Sequence[tuple[float, float]], name: str, title: str) -> Markup | None:
    """A training run's loss over its steps; None for fewer than two finite points."""
    kept = [(x, y) for x, y in values if math.isfinite(x) and math.isfinite(y)]
    if len(kept) < 2:
        return None
    width, height, pad = 300, 96, 6
    # More points than pixels would only make the page large.
    every = max(1, len(kept) // width)
    shown = [*kept[:-1:every], kept[-1]]
    (left, right), (low, high) = (
        (min(axis), max(axis)) for axis in ([x for x, _ in kept], [y for _, y in kept])
    )
    across, down = (right - left) or 1.0, (high - low) or 1.0

    def at(x: float, y: float) -> str:
        return (
            f"{pad + (x - left) / across * (width - 2 * pad):.1f},"
            f"{pad + (high - y) / down * (height - 2 * pad):.1f}"
        )

    path = " ".join(at(x, y) for x, y in shown)
    end_x, end_y = at(*kept[-1]).split(",")
    body = Markup(
        '<line class="grid" x1="0" x2="{w}" y1="{h}" y2="{h}"/>'
        '<polyline class="loss" points="{path}"/><circle class="end" cx="{x}" cy="{y}" r="3.5"/>'
    ).format(w=width, h=height - 1, path=path, x=end_x, y=end_y)
    about = f"From {kept[0][1]:.2f} at step {kept[0][0]:g} to {kept[-1][1]:.2f} at {right:g}."
    return _svg(name, f"Training loss, {clean(title)}", about, width, height, body)


def _scale(cells: Sequence[TableCell]) -> _Scale:
    values = [0.0]
    for cell in cells:
        assert cell.score
        assert cell.base
        values += [cell.score.score, cell.base.score, *_whiskers(cell)]
        values += [cell.score.chance] if cell.score.chance is not None else []
    return _Scale(0.0, float(min(100, max(10, math.ceil(max(values) / 10) * 10))))


def _whiskers(cell: TableCell) -> tuple[float, ...]:
    """The gain's interval, placed around the producer's score; empty without one."""
    gain, score = cell.gain, cell.score
    if not gain or not score or gain.low is None or gain.high is None:
        return ()
    return (score.score + gain.low - gain.points, score.score + gain.high - gain.points)


def _pair(scale: _Scale, cell: TableCell, label: str, top: int) -> Markup:
    assert cell.score
    assert cell.base
    y = top + LINE // 2
    before, after = scale.at(cell.base.score), scale.at(cell.score.score)
    direction = "up" if cell.score.score >= cell.base.score else "down"
    parts = [_text(LABELS - 12, y + 4, label, "label")]
    if cell.score.chance is not None:
        parts.append(
            Markup('<line class="chance" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(
                scale.at(cell.score.chance), y - 8, y + 8
            )
        )
    ends = [scale.at(value) for value in _whiskers(cell)]
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


def _text(x: float, y: float, text: str, kind: str) -> Markup:
    text = clean(text)
    if len(text) > _LONGEST_NAME and kind == "label":
        text = text[: _LONGEST_NAME - 1] + "…"
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(kind, x, y, text)


def _spoken(task: str, cell: TableCell) -> str:
    assert cell.score
    assert cell.base
    said = f"{task}, {clean(cell.producer)}: {cell.base.score:.1f} to {cell.score.score:.1f}"
    if cell.gain and cell.gain.low is not None:
        said += f", gain {points(cell.gain)}, 95% interval {interval(cell.gain)}"
    return said


def _svg(name: str, title: str, about: str, width: int, height: int, body: Markup) -> Markup:
    return Markup(
        '<svg viewBox="0 0 {w} {h}" role="img" aria-labelledby="{n}-title {n}-desc">'
        '<title id="{n}-title">{title}</title><desc id="{n}-desc">{about}</desc>{body}</svg>'
    ).format(w=width, h=height, n=name, title=title, about=about, body=body)
