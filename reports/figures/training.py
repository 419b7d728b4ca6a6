"""A training run over its steps: loss, the signals of a distillation, learning rate and speed, one
above the other."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from markupsafe import Markup

from core.contract.facts import Facts
from core.contract.journal import LogLine, SpeedLine
from core.contract.names import LOG, SPEED
from core.contract.record import R, Unreadable
from reports.figures.svg import (
    Axis,
    Figure,
    draw_figure,
    draw_line,
    draw_path,
    draw_text,
    format_number,
)
from reports.store.files import read_lines
from reports.store.model import StoredArtifact, StoreView

WIDTH, PAD, LEFT = 300, 8, 40
LOSS, STRIP, GAP = 110, 28, 18  # heights of the loss, of a strip below it, and between them
FOOT = 18  # for the numbers of the steps

_SIGNALS = {
    "supervised": "Supervised",
    "off_policy": "Teacher on the corpus",
    "on_policy": "Teacher on rollouts",
    "sequence": "Sequences",
}

Points = Sequence[tuple[float, float]]
"""(step, value) in order of the steps."""


@dataclass(frozen=True)
class Log:
    """The logs of a training run."""

    loss: Points
    validation: Points = field(default_factory=tuple)
    learning_rate: Points = field(default_factory=tuple)
    speed: Points = field(default_factory=tuple)  # tokens a second
    signals: Mapping[str, Points] = field(default_factory=dict)
    """The losses of which a distillation's loss is the weighted sum, by what they are called."""


def draw_curves(view: StoreView) -> list[Figure]:
    """Draw every training run whose log is undamaged, or say why it cannot be drawn."""
    found: list[Figure] = []
    damaged = {problem.where for problem in view.problems}
    for number, artifact in enumerate(view.trained, start=1):
        if LOG not in artifact.manifest.files or f"{artifact.stage}/{artifact.key}" in damaged:
            continue
        title = f"{artifact.language} · {artifact.about.producer or artifact.label}"
        try:
            log = _read(artifact)
        except Unreadable as error:
            why = f"No curve: {error}."
            found.append(Figure(f"loss-{number}", title, why, Markup(""), 0, 0, small=True))
            continue
        drawn = draw_curve(log, f"loss-{number}", title)
        if drawn:
            (_, first), (steps, last) = log.loss[0], log.loss[-1]
            ends = f"Loss {first:.2f} → {last:.2f} in {steps:,g} steps"
            if log.validation:
                ends += f", {log.validation[-1][1]:.2f} on held-out rows"
            found.append(replace(drawn, title=title, caption=ends, small=True))
    return found


def draw_curve(log: Log, name: str, title: str) -> Figure | None:
    """Loss, with the validation rows' as circles, and strips of what else is known; None for fewer
    than two finite losses."""
    loss, validation = _keep_finite(log.loss), _keep_finite(log.validation)
    if len(loss) < 2:
        return None
    across = Axis(loss[0][0], loss[-1][0], LEFT, WIDTH - PAD)
    down = _make_axis([*loss, *validation], PAD + 14, LOSS - PAD)
    end_x, end_y = across.place(loss[-1][0]), down.place(loss[-1][1])
    parts = [
        *(
            draw_line(LEFT, down.place(tick), WIDTH - PAD, down.place(tick), "grid")
            + draw_text(LEFT - 6, down.place(tick) + 4, format_number(tick), "tick end")
            for tick in down.list_ticks(4)
        ),
        draw_path([(across.place(x), down.place(y)) for x, y in _thin(loss)], "curve"),
        Markup('<circle class="last" cx="{}" cy="{}" r="3.5"/>').format(end_x, end_y),
        *(
            Markup('<circle class="base" cx="{}" cy="{}" r="3"/>').format(
                across.place(x), down.place(y)
            )
            for x, y in validation
        ),
    ]
    about = f"From {loss[0][1]:.2f} at step {loss[0][0]:g} to {loss[-1][1]:.2f}"
    about += f" at {loss[-1][0]:g}."
    if validation:
        about += f" On held-out rows {validation[-1][1]:.2f} at the end (circles)."
    top = LOSS
    rates = [y for _, y in log.learning_rate]
    speeds = sorted(y for _, y in log.speed)
    for words, values in (
        *(
            (f"{name}, {points[0][1]:.3g} → {points[-1][1]:.3g}", points)
            for name, points in log.signals.items()
        ),
        (f"Learning rate, at most {max(rates, default=0):.1e}", log.learning_rate),
        (f"Tokens/s, median {speeds[len(speeds) // 2] if speeds else 0:,.0f}", log.speed),
    ):
        if len(values) < 2:
            continue
        values = _keep_finite(values)
        strip = Axis(0.0, max(y for _, y in values) or 1.0, top + GAP + STRIP, top + GAP)
        parts += [
            draw_text(LEFT, top + GAP - 4, words, "start small"),
            draw_path([(across.place(x), strip.place(y)) for x, y in _thin(values)], "curve"),
            draw_line(LEFT, strip.start + 1, WIDTH - PAD, strip.start + 1, "grid"),
            draw_text(LEFT - 6, strip.start + 4, "0", "tick end"),
        ]
        about += f" {words}."
        top += GAP + STRIP
    parts += [
        draw_text(across.place(tick), top + FOOT - 2, format_number(tick), "tick")
        for tick in across.list_ticks(5)
        if tick == int(tick)
    ]
    parts.append(draw_text(LEFT, 10, "Loss over steps, in nats a token", "start small"))
    height = top + FOOT + 4
    return draw_figure(name, f"Training loss, {title}", about, WIDTH, height, parts)


def _read(artifact: StoredArtifact[Facts]) -> Log:
    steps = _read_lines(LogLine, artifact, LOG)
    return Log(
        loss=_sort_points((line.step, line.loss) for line in steps),
        validation=_sort_points((line.step, line.eval_loss) for line in steps),
        signals={
            name: points
            for field_name, name in _SIGNALS.items()
            if (points := _sort_points((line.step, getattr(line, field_name)) for line in steps))
        },
        learning_rate=_sort_points((line.step, line.learning_rate) for line in steps),
        speed=_sort_points(
            (line.step, line.tokens_per_second) for line in _read_lines(SpeedLine, artifact, SPEED)
        ),
    )


def _read_lines(kind: type[R], artifact: StoredArtifact[Facts], name: str) -> Sequence[R]:
    if name not in artifact.manifest.files:
        return ()
    try:
        return read_lines(kind, artifact.folder / name)
    except Unreadable as error:
        raise Unreadable(f"{name} {error}") from error


def _sort_points(values: Iterable[tuple[int, float | None]]) -> Points:
    # Steps that were lost to a kill stand twice in the speeds: the later one counts.
    return sorted({step: value for step, value in values if value is not None}.items())


def _keep_finite(points: Points) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]


def _thin(points: Points) -> Points:
    """No more points than pixels: more would only make the page large."""
    return [*points[: -1 : max(1, len(points) // WIDTH)], points[-1]]


def _make_axis(points: Points, top: float, bottom: float) -> Axis:
    values = [y for _, y in points]
    low, high = min(values), max(values)
    return Axis(low, high if high > low else low + 1.0, bottom, top)
