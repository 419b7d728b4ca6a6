"""Base score against gain, one point a language, with labels; a line where one is concluded."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from core.tasks import show_task
from reports.figures.svg import (
    Axis,
    Figure,
    draw_figure,
    draw_frame,
    draw_line,
    draw_mark,
    draw_text,
    fit,
)
from reports.signs import set_minus
from reports.stats.correlation import BaseAndGain
from reports.tables.wins import JudgedGain

WIDTH, HEIGHT = 420, 340
LEFT = 46
_LETTER, _LINE = 5.6, 11


def draw_scatter(
    task: str, producer: str, found: Sequence[JudgedGain], r: BaseAndGain, mark: str = ""
) -> Figure | None:
    """None for fewer than three languages. Filled circle: win; triangle: loss; open: neither.

    `mark` ends the figure's name, which has to be another for each producer of a page.
    """
    rows = [v.result for v in found]
    points = [(x.base, x.gain.points) for x in rows if x.base is not None and x.gain]
    if len(points) < 3:
        return None
    x = fit([p[0] for p in points], LEFT, WIDTH - 14)
    y = fit([p[1] for p in points], HEIGHT - 46, 26, zero=True)
    name = show_task(task)
    parts = [draw_frame(x, y, f"Base score, {name}", "Gain"), _fit(points, r, x, y)]
    places = [(x.place(a), y.place(b)) for a, b in points]
    for verdict, (px, py) in zip(found, places, strict=True):
        parts.append(draw_mark(px, py, verdict.shape, _describe_point(verdict)))
    names = [v.result.language.name for v in found]
    labels, left_out = place_labels(names, places)
    for label in labels:
        if label.line:
            parts.append(draw_line(*label.line, "leader"))
        parts.append(draw_text(label.x, label.y, label.name, "point"))
    caption = f"{producer} on {name}: gain over base against the base score, one point a language."
    caption += f" {r.conclusion}"
    if left_out:
        were = "names are" if left_out > 1 else "name is"
        caption += f" {left_out} {were} left out where names would overlap."
    return draw_figure(
        f"scatter-{task}{mark}", f"Base score and gain, {name}", caption, WIDTH, HEIGHT, parts
    )


@dataclass(frozen=True)
class PlacedLabel:
    """A point's name and where it begins; `line` leads to it where it does not touch its point."""

    name: str
    x: float
    y: float
    line: tuple[float, float, float, float] | None = None


def place_labels(
    names: Sequence[str], places: Sequence[tuple[float, float]]
) -> tuple[list[PlacedLabel], int]:
    """Place each name beside its point where it touches no other, or a little away at the end of a
    line; count those that fit nowhere."""
    taken = [(px - 5, py - 5, px + 5, py + 5) for px, py in places]
    placed: list[PlacedLabel] = []
    for name, (px, py) in sorted(zip(names, places, strict=True), key=lambda entry: entry[1]):
        width = _LETTER * min(len(name), 22)
        for found in _list_candidates(name, px, py, width):
            box = (found.x, found.y - _LINE + 2, found.x + width, found.y + 2)
            inside = box[0] >= LEFT and box[2] <= WIDTH and box[1] >= 14 and box[3] <= HEIGHT - 46
            if not inside or any(_is_touching(box, other) for other in taken):
                continue
            taken.append(box)
            placed.append(found)
            break
    return placed, len(names) - len(placed)


def _list_candidates(name: str, px: float, py: float, width: float) -> Iterator[PlacedLabel]:
    """Places that touch the point; then those a line away from it."""
    yield PlacedLabel(name, px + 7, py + 4)
    yield PlacedLabel(name, px - 7 - width, py + 4)
    yield PlacedLabel(name, px - width / 2, py - 8)
    yield PlacedLabel(name, px - width / 2, py + 15)
    for away in (18, 28):
        for side in (1, -1):
            for down in (-1, 1):
                lx, ly = px + side * 0.6 * away, py + down * away
                left = lx if side > 0 else lx - width
                middle = ly - 3
                yield PlacedLabel(name, left, ly, (px, py, lx, middle))


def _is_touching(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _fit(points: Sequence[tuple[float, float]], r: BaseAndGain, x: Axis, y: Axis) -> Markup:
    """The slope that is free of shared noise, within the points; nothing without a conclusion."""
    slope = r.decoupled.slope.value if r.decoupled.slope else None
    if r.relation not in ("lower", "higher") or slope is None:
        return Markup("")
    mean_x, mean_y = (math.fsum(p[i] for p in points) / len(points) for i in (0, 1))
    ends = [min(p[0] for p in points), max(p[0] for p in points)]
    (x1, y1), (x2, y2) = ((x.place(e), y.place(mean_y + slope * (e - mean_x))) for e in ends)
    return draw_line(x1, y1, x2, y2, "fit")


def _describe_point(verdict: JudgedGain) -> str:
    r = verdict.result
    assert r.gain
    said = set_minus(f"{r.language.name}: base {r.base:.1f}, gain {r.gain.points:+.1f}")
    return said if r.gain.p is None else f"{said}, p {r.gain.p:.3g}"
