"""Scores over what the mixtures hold: over their size, and over each source's share."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean

from markupsafe import Markup

from core.tasks import show_task
from reports.figures.svg import Figure, draw_figure, draw_frame, draw_path, draw_text, fit
from reports.store.model import StoreView
from reports.tables.results import Results

WIDTH, HEIGHT, KEY = 560, 320, 130

Points = Mapping[str, Sequence[tuple[float, float]]]
"""Task to (x, mean gain)."""


def draw_over_size(results: Results) -> Figure | None:
    """The mean gain over the size of the training data; None for fewer than two sizes."""
    points: dict[str, list[tuple[float, float]]] = {}
    for task in results.tasks:
        for producer in results.trained:
            rows = [r for r in results.find_gained(task, producer) if r.size]
            if rows:
                size = fmean(r.size for r in rows if r.size)
                gain = fmean(r.gain.points for r in rows if r.gain)
                points.setdefault(task, []).append((size, gain))
    return _draw_lines(
        "mixture-size",
        "Gain over the size of the training data",
        points,
        "Mean size of the training data (tokens, or characters where tokens were not recorded)",
    )


def draw_over_shares(results: Results, view: StoreView) -> list[Figure]:
    """Draw for each source the mean gain over its share of the mixture's rows, in percent."""
    shares = _compute_shares(view)
    sources = sorted({source for found in shares.values() for source in found})
    figures = []
    for source in sources:
        points: dict[str, list[tuple[float, float]]] = {}
        for task in results.tasks:
            by_producer: dict[str, list[tuple[float, float]]] = defaultdict(list)
            for row in results.rows:
                if row.task != task or not row.gain or not row.record:
                    continue
                checkpoint = row.record.artifact.manifest.checkpoint
                if checkpoint in shares:
                    share = 100 * shares[checkpoint].get(source, 0.0)
                    by_producer[row.producer].append((share, row.gain.points))
            for some in by_producer.values():
                place = (fmean(x for x, _ in some), fmean(y for _, y in some))
                points.setdefault(task, []).append(place)
        title = f"Gain over the share of {source}"
        found = _draw_lines(
            f"mixture-share-{_make_slug(source)}",
            title,
            points,
            f"Share of {source} in the rows, %",
        )
        figures += [found] if found else []
    return figures


def _compute_shares(view: StoreView) -> dict[str, dict[str, float]]:
    """A checkpoint's key to the share (0-1) of each source in its mixture."""
    found = {}
    for checkpoint in view.trained:
        if mixture := view.find_mixture(checkpoint.key):
            found[checkpoint.key] = {line.source: line.share for line in mixture.facts.table}
    return found


def _draw_lines(name: str, title: str, points: Points, x_title: str) -> Figure | None:
    """One line a task, told apart by colour, dashes and a name at its end."""
    points = {task: sorted(set(found)) for task, found in points.items()}
    if len({x for found in points.values() for x, _ in found}) < 2:
        return None
    every = [place for found in points.values() for place in found]
    x = fit([p[0] for p in every], 56, WIDTH - KEY)
    y = fit([p[1] for p in every], HEIGHT - 46, 26, zero=True)
    parts = [draw_frame(x, y, x_title, "Mean gain")]
    ends = []
    for number, (task, found) in enumerate(points.items()):
        kind = f"s{number % 5}"
        places = [(x.place(a), y.place(b)) for a, b in found]
        parts.append(draw_path(places, kind))
        parts += [
            Markup('<circle class="{}" cx="{:g}" cy="{:g}" r="3"/>').format(kind, px, py)
            for px, py in places
        ]
        ends.append((places[-1][1], task, places[-1][0]))
    last = -99.0
    for py, task, px in sorted(ends):
        last = max(py + 4, last + 13)
        parts.append(draw_text(WIDTH - KEY + 8, last, show_task(task), "start"))
        if px < WIDTH - KEY:
            parts.append(draw_path([(px, py), (WIDTH - KEY + 5, last - 4)], "none"))
    caption = f"{title}: mean over languages, one line a task, one point a producer."
    return draw_figure(name, title, caption, WIDTH, HEIGHT, parts)


def _make_slug(words: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in words.lower())
