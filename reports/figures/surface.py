"""The predicted gain of mixtures that hold more or less of one source than the best."""

from reports.figures.mixture import Point, draw_lines
from reports.figures.svg import Figure
from reports.stats.surface import Surface, trace_source

_STEPS = 6


def draw_traces(surface: Surface) -> Figure:
    """Draw a line a source: its share grows, the others keep their proportions in the best."""
    points = {
        source: [
            Point(100 * share, one.gain, one.interval, 0)
            for share, one in trace_source(surface, place, _STEPS)
        ]
        for place, source in enumerate(surface.sources)
    }
    caption = (
        "Predicted gain over all tasks at the largest size, from the best mixture: one line a "
        "source, of which the mixture holds more or less while the others keep their proportions. "
        "Within the shares that were trained. Bars: 95% for each point alone."
    )
    title = "Gain around the best mixture"
    return draw_lines(
        "surface", title, points, "Share of the source in the tokens, %", "Predicted gain", caption
    )
