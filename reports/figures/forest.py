"""The gain of each language with its interval, from the largest down, and their mean."""

from collections.abc import Iterator, Sequence

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
from reports.stats.languages import average_over_languages
from reports.tables.wins import JudgedGain

WIDTH, NAMES, LINE = 380, 132, 17


def draw_forest(
    task: str, producer: str, found: Sequence[JudgedGain], mark: str = ""
) -> Figure | None:
    """None for fewer than two languages. A pointer on a mark is told the language's own name.

    `mark` ends the figure's name, which has to be another for each producer of a page.
    """
    rows = sorted(
        found,
        key=lambda v: (-(v.result.gain.points if v.result.gain else 0), v.result.language.name),
    )
    if len(rows) < 2:
        return None
    gains = [v.result.gain for v in rows if v.result.gain]
    ends = [e for g in gains for e in (g.points, g.low, g.high) if e is not None]
    mean = average_over_languages([g.points for g in gains])
    x = fit(ends, NAMES + 10, WIDTH - 14, zero=True)
    height = 30 + LINE * len(rows) + 58
    bottom = height - 34
    parts = [
        draw_line(x.place(tick), 14, x.place(tick), bottom, "zero" if tick == 0 else "grid")
        + draw_text(x.place(tick), bottom + 15, format_number(tick), "tick")
        for tick in x.list_ticks(5)
    ]
    top = 24
    for verdict in rows:
        parts += _draw_language(verdict, x, top)
        top += LINE
    parts.append(draw_line(NAMES, top - 4, WIDTH - 14, top - 4, "grid"))
    top += 8
    parts.append(draw_text(NAMES, top + 4, "Mean", "label head"))
    low, high = mean.interval or (mean.value, mean.value)
    left, middle, right = x.place(low), x.place(mean.value), x.place(high)
    diamond = f"{left - 3:g},{top} {middle:g},{top - 6} {right + 3:g},{top} {middle:g},{top + 6}"
    parts.append(Markup('<polygon class="mean" points="{}"/>').format(diamond))
    parts.append(draw_text((x.start + x.end) / 2, bottom + 31, "Gain in points", "axis"))
    name = show_task(task)
    tested = any(v.by_test != "untested" for v in rows)
    how = (
        "Filled circle: a win by test at 5%; triangle: a loss; open: neither."
        if tested
        else "By sign alone: the table has no samples, so nothing was tested."
    )
    bounds = " with its 95% interval" if any(gain.low is not None for gain in gains) else ""
    words = set_minus(f"{mean.value:+.1f}")
    caption = (
        f"{producer} on {name}: gain over base{bounds}, {len(rows)} languages, mean {words}. {how}"
    )
    return draw_figure(
        f"forest-{task}{mark}", f"Gain by language, {name}", caption, WIDTH, height, parts
    )


def _draw_language(verdict: JudgedGain, x: Axis, top: int) -> Iterator[Markup]:
    result, gain, shape = verdict.result, verdict.result.gain, verdict.shape
    assert gain
    yield draw_text(NAMES, top + 4, result.language.name, "label", 24)
    if gain.low is not None and gain.high is not None:
        yield draw_line(x.place(gain.low), top, x.place(gain.high), top, f"reach {shape}")
    names = filter(None, (result.language.name, result.language.autonym))
    about = set_minus(f"{' · '.join(names)}: {gain.points:+.1f}")
    yield draw_mark(x.place(gain.points), top, shape, about, 4)
