"""Gains over the steps of a training run: a panel for each task, with intervals."""

from collections.abc import Sequence

from markupsafe import Markup

from core.tasks import show_task
from reports.figures.svg import (
    Axis,
    Figure,
    draw_figure,
    draw_line,
    draw_mark,
    draw_path,
    draw_text,
    fit,
    format_number,
)
from reports.signs import set_minus
from reports.tables.on_the_way import KeptResult, RunResults

WIDTH, HEIGHT, LEFT, RIGHT, TOP, FOOT = 320, 140, 40, 34, 26, 24


def draw_runs(found: Sequence[RunResults]) -> list[Figure]:
    """Draw one figure a training run, with a panel for each task on which two steps have gains."""
    figures = []
    for number, key in enumerate(dict.fromkeys(run.key for run in found), start=1):
        shown = [run for run in found if run.key == key and len(_list_steps(run)) > 1]
        if shown:
            figures.append(_draw_run(f"steps-{number}", shown))
    return figures


def _list_steps(run: RunResults) -> list[KeptResult]:
    return [one for one in run.results if one.step is not None and one.result.gain]


def _draw_run(name: str, shown: Sequence[RunResults]) -> Figure:
    parts: list[Markup] = []
    for place, run in enumerate(shown):
        parts += _draw_panel(run, HEIGHT * place)
    first = shown[0]
    averaged = any(one.averaged for run in shown for one in run.results)
    mean = " On the right, the mean of the last checkpoints." if averaged else ""
    caption = (
        f"{first.language}, {first.producer}: gain over base at each step that was kept, with its "
        f"95% interval over items where it has one; filled where that is above zero.{mean}"
    )
    title = f"{first.language}: gain over steps"
    return draw_figure(name, title, caption, WIDTH, HEIGHT * len(shown), parts)


def _draw_panel(run: RunResults, top: float) -> list[Markup]:
    steps = _list_steps(run)
    gains = [one.result.gain for one in run.results if one.result.gain]
    reached = [end for gain in gains for end in (gain.low, gain.high) if end is not None]
    y = fit([*(gain.points for gain in gains), *reached], top + HEIGHT - FOOT, top + TOP, zero=True)
    last = steps[-1].step or 1
    x = Axis(0, last, LEFT, WIDTH - RIGHT)
    parts = [draw_text(LEFT, top + 14, f"{show_task(run.task)}, gain in points", "start head")]
    parts += [
        draw_line(LEFT, y.place(tick), WIDTH - 8, y.place(tick), "zero" if tick == 0 else "grid")
        + draw_text(LEFT - 6, y.place(tick) + 4, format_number(tick), "tick end")
        for tick in y.list_ticks(4)
    ]
    parts += [
        draw_text(x.place(tick), y.start + 16, format_number(tick), "tick")
        for tick in x.list_ticks(5)
        if tick == int(tick)
    ]
    line = [(x.place(0), y.place(0.0))]
    line += [
        (x.place(one.step or 0), y.place(one.result.gain.points))
        for one in steps
        if one.result.gain
    ]
    parts.append(draw_path(line, "curve"))
    for one in run.results:
        at = x.place(one.step) if one.step is not None else WIDTH - RIGHT / 2
        parts += _draw_point(one, at, y)
        if one.step is None and one.result.gain:
            parts.append(draw_text(at, y.start + 16, "mean", "tick"))
    return parts


def _draw_point(one: KeptResult, at: float, y: Axis) -> list[Markup]:
    gain = one.result.gain
    if gain is None:
        return []
    verdict = "tie"
    drawn: list[Markup] = []
    of = f"step {one.step}" if one.step is not None else f"mean of steps {one.averaged}"
    about = f"{of}: {gain.points:+.1f}"
    if gain.low is not None and gain.high is not None:
        verdict = "win" if gain.low > 0 else "loss" if gain.high < 0 else "tie"
        about += f" ({gain.low:+.1f} to {gain.high:+.1f})"
        drawn.append(draw_line(at, y.place(gain.low), at, y.place(gain.high), f"reach {verdict}"))
    return [*drawn, draw_mark(at, y.place(gain.points), verdict, set_minus(about), size=4)]
