"""The parts of which every figure is made: axes, marks and escaped text.

Colours and type come from figures.css: the page gives it its own colours, `export` those of print.
"""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from reports.signs import clean, set_minus


@dataclass(frozen=True)
class Figure:
    """A finished figure. `name` is its file name and the prefix of its ids.

    Where it could not be drawn, `svg` is empty and the caption says why.
    """

    name: str
    title: str
    caption: str
    svg: Markup
    width: int
    height: int
    small: bool = False
    """Whether it is one of many alike, which stand side by side."""
    producer: str = ""
    """The producer that it is of, where a page may show that of another instead."""


@dataclass(frozen=True)
class Axis:
    """A linear scale from `low`..`high` to the pixels `start`..`end`."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 1)

    def list_ticks(self, most: int = 6) -> list[float]:
        """Round values, at most about `most` of them."""
        step = choose_step((self.high - self.low) / most)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def fit(values: Sequence[float], start: float, end: float, zero: bool = False) -> Axis:
    """An axis that holds all values, with room at both ends; `zero` makes it hold zero too."""
    found = [*values, 0.0] if zero else list(values)
    low, high = min(found), max(found)
    room = (high - low) * 0.06 or 1.0
    return Axis(low - room, high + room, start, end)


def choose_step(least: float) -> float:
    """The least of 1, 2 or 5 times a power of ten that is not below `least`."""
    power: float = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))


def format_number(value: float) -> str:
    """A tick's number: no needless decimals, a real minus sign."""
    return set_minus(f"{value:,.10g}")


def draw_text(x: float, y: float, words: str, kind: str = "", longest: int = 0) -> Markup:
    """Escaped text on one line, cut to `longest` characters. `kind` is its CSS class."""
    words = clean(words)
    if longest and len(words) > longest:
        words = words[: longest - 1] + "…"
    font = find_font(words)
    family = f' font-family="{escape(font)}"' if font else ""
    return Markup(
        f'<text class="{kind}" x="{round(x, 1):g}" y="{round(y, 1):g}"{family}>'
        f"{escape(words)}</text>"
    )


def find_font(words: str) -> str:
    """The Noto family for the first letter that is not Latin; "" for Latin text.

    A browser finds it by itself; the converter for print shapes a script only in its own font.
    """
    for letter in words:
        if letter.isalpha() and ord(letter) > 0x2AF:
            script = unicodedata.name(letter, "").partition(" ")[0].capitalize()
            if script in ("Greek", "Cyrillic", "Modifier", "Latin", ""):
                return ""
            family = "Noto Serif" if script == "Tibetan" else "Noto Sans"
            return f"{family} {script}, Noto Sans, sans-serif"
    return ""


def draw_line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return Markup(
        f'<line class="{kind}" x1="{round(x1, 1):g}" y1="{round(y1, 1):g}" x2="{round(x2, 1):g}" '
        f'y2="{round(y2, 1):g}"/>'
    )


def draw_rect(
    x: float, y: float, width: float, height: float, kind: str, about: str = ""
) -> Markup:
    return Markup('<rect class="{}" x="{:g}" y="{:g}" width="{:g}" height="{:g}">{}</rect>').format(
        kind, round(x, 1), round(y, 1), round(width, 1), round(height, 1), _draw_title(about)
    )


def draw_mark(x: float, y: float, verdict: str, about: str = "", size: float = 4.5) -> Markup:
    """A point that tells win, loss and tie apart by shape as well as colour.

    A filled circle is a win, a filled triangle (down) a loss, an open circle neither.
    """
    if verdict == "loss":
        points = (
            f"{x - size:g},{y - size * 0.8:g} {x + size:g},{y - size * 0.8:g} {x:g},{y + size:g}"
        )
        return Markup('<polygon class="mark loss" points="{}">{}</polygon>').format(
            points, _draw_title(about)
        )
    kind = "win" if verdict == "win" else "tie"
    return Markup('<circle class="mark {}" cx="{:g}" cy="{:g}" r="{:g}">{}</circle>').format(
        kind, round(x, 1), round(y, 1), size, _draw_title(about)
    )


def draw_path(points: Sequence[tuple[float, float]], kind: str) -> Markup:
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return Markup('<polyline class="{}" points="{}"/>').format(kind, places)


def draw_frame(x: Axis, y: Axis, x_title: str, y_title: str) -> Markup:
    """Grid lines, numbers and titles of two axes; y runs upwards."""
    parts = [
        draw_line(x.place(tick), y.start, x.place(tick), y.end, "zero" if tick == 0 else "grid")
        + draw_text(x.place(tick), y.start + 16, format_number(tick), "tick")
        for tick in x.list_ticks()
    ]
    parts += [
        draw_line(x.start, y.place(tick), x.end, y.place(tick), "zero" if tick == 0 else "grid")
        + draw_text(x.start - 6, y.place(tick) + 4, format_number(tick), "tick end")
        for tick in y.list_ticks()
    ]
    parts.append(draw_text((x.start + x.end) / 2, y.start + 34, x_title, "axis"))
    parts.append(draw_text(x.start - 40, y.end - 8, y_title, "axis start"))
    return Markup("").join(parts)


def draw_figure(
    name: str, title: str, caption: str, width: int, height: int, parts: Sequence[Markup]
) -> Figure:
    """The whole figure; `caption` is also what a screen reader says of it."""
    svg = Markup(
        '<svg viewBox="0 0 {w} {h}" role="img" aria-labelledby="{n}-title {n}-desc">'
        '<title id="{n}-title">{title}</title><desc id="{n}-desc">{about}</desc>{body}</svg>'
    ).format(
        w=width,
        h=height,
        n=name,
        title=clean(title),
        about=clean(caption),
        body=Markup("").join(parts),
    )
    return Figure(name, clean(title), clean(caption), svg, width, height)


def _draw_title(about: str) -> Markup:
    return Markup("<title>{}</title>").format(clean(about)) if about else Markup("")
