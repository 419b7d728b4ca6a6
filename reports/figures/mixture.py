"""Scores over what the mixtures hold: over their size, and over each source's share."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from markupsafe import Markup

from core.statistics import Interval
from core.tasks import show_task
from reports.figures.svg import Figure, draw_figure, draw_frame, draw_path, draw_text, fit
from reports.stats.languages import average_over_languages
from reports.store.model import StoreView
from reports.tables.results import Results

WIDTH, HEIGHT, LEFT, KEY, LONGEST = 420, 300, 46, 104, 15


@dataclass(frozen=True)
class Point:
    """A producer's mean gain on a task over the languages that all its producers share."""

    x: float
    gain: float
    interval: Interval | None
    languages: int


Points = Mapping[str, Sequence[Point]]
"""Task to its points."""
Measured = Mapping[str, Sequence[tuple[str, float, float]]]
"""Producer to (language, x, gain) of one task."""


def draw_over_size(results: Results) -> Figure | None:
    """The mean gain over the size of the training data; None for fewer than two sizes."""
    points: dict[str, list[Point]] = {}
    for task in results.tasks:
        points[task] = average_shared(
            {
                producer: [
                    (r.language.name, r.size, r.gain.points)
                    for r in results.find_gained(task, producer)
                    if r.size and r.gain
                ]
                for producer in results.trained
            }
        )
    return _draw_lines(
        "mixture-size",
        "Gain over the size of the training data",
        points,
        "Training data in tokens (else characters)",
        "The mixtures may differ in their sources, too.",
    )


def draw_over_shares(results: Results, view: StoreView) -> list[Figure]:
    """Draw for each source the mean gain over its share of the mixture's rows, in percent.

    Of mixtures of one size, where there are any: else size and share could not be told apart.
    """
    shares = _compute_shares(view)
    sources = sorted({source for found in shares.values() for source in found})
    figures = []
    for source in sources:
        points: dict[str, list[Point]] = {}
        for task in results.tasks:
            measured: dict[str, list[tuple[str, float, float]]] = defaultdict(list)
            for row in results.rows:
                if row.task != task or not row.gain or not row.record:
                    continue
                if results.equal and row.producer not in results.equal:
                    continue
                checkpoint = row.record.artifact.manifest.checkpoint
                if checkpoint in shares:
                    share = 100 * shares[checkpoint].get(source, 0.0)
                    measured[row.producer].append((row.language.name, share, row.gain.points))
            points[task] = average_shared(measured)
        found = _draw_lines(
            f"mixture-share-{_make_slug(source)}",
            f"Gain over the share of {source}",
            points,
            f"Share of {source} in the rows, %",
            "All were trained on one budget."
            if results.equal
            else "The mixtures differ in size, too, which may be what is seen.",
        )
        figures += [found] if found else []
    return figures


def average_shared(measured: Measured) -> list[Point]:
    """Averages each producer of a task over the languages that all of them have, by their x.

    Empty where they share none: means over different languages are not to be compared.
    """
    measured = {producer: rows for producer, rows in measured.items() if rows}
    names = [{language for language, _, _ in rows} for rows in measured.values()]
    shared = set.intersection(*names) if names else set()
    points = []
    for rows in measured.values():
        kept = [(x, gain) for language, x, gain in rows if language in shared]
        if kept:
            mean = average_over_languages([gain for _, gain in kept])
            points.append(Point(fmean(x for x, _ in kept), mean.value, mean.interval, mean.n))
    return sorted(points, key=lambda point: (point.x, point.gain))


def _compute_shares(view: StoreView) -> dict[str, dict[str, float]]:
    """A checkpoint's key to the share (0-1) of each source in its mixture."""
    found = {}
    for checkpoint in view.trained:
        if mixture := view.find_mixture(checkpoint.key):
            found[checkpoint.key] = {line.source: line.share for line in mixture.facts.table}
    return found


def _draw_lines(name: str, title: str, points: Points, x_title: str, beware: str) -> Figure | None:
    """Draws one line a task; None for fewer than two places."""
    every = [point for found in points.values() for point in found]
    counts = sorted({point.languages for point in every})
    if len({point.x for point in every}) < 2:
        return None
    many = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
    caption = (
        f"{title}: mean over the languages that all mixtures have ({many}), one line a task, one "
        f"point a producer. {beware}"
        + (
            " Bars: 95% over languages."
            if any(point.interval for point in every)
            else " Too few languages for intervals."
        )
    )
    return draw_lines(name, title, points, x_title, "Mean gain", caption)


def draw_lines(
    name: str, title: str, points: Points, x_title: str, y_title: str, caption: str
) -> Figure:
    """Draws several lines, told apart by colour, dashes and a name at its end."""
    points = {line: found for line, found in points.items() if found}
    every = [point for found in points.values() for point in found]
    bounds = [b for p in every if p.interval for b in (p.interval.low, p.interval.high)]
    x = fit([point.x for point in every], LEFT, WIDTH - KEY)
    y = fit([*(point.gain for point in every), *bounds], HEIGHT - 46, 26, zero=True)
    parts = [draw_frame(x, y, x_title, y_title)]
    ends = []
    for number, (line, found) in enumerate(points.items()):
        kind = f"s{number % 5}"
        places = [(x.place(point.x), y.place(point.gain)) for point in found]
        parts.append(draw_path(places, kind))
        parts += [
            draw_path([(px, y.place(p.interval.low)), (px, y.place(p.interval.high))], kind)
            for p, (px, _) in zip(found, places, strict=True)
            if p.interval
        ]
        parts += [
            Markup('<circle class="{}" cx="{:g}" cy="{:g}" r="3"/>').format(kind, px, py)
            for px, py in places
        ]
        ends.append((places[-1][1], line, places[-1][0]))
    last = -99.0
    for py, line, px in sorted(ends):
        last = max(py + 4, last + 13)
        parts.append(draw_text(WIDTH - KEY + 8, last, show_task(line), "start", LONGEST))
        if px < WIDTH - KEY:
            parts.append(draw_path([(px, py), (WIDTH - KEY + 5, last - 4)], "none"))
    return draw_figure(name, title, caption, WIDTH, HEIGHT, parts)


def _make_slug(words: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in words.lower())
