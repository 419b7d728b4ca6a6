"""A training run's loss over its steps."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from reports.figures.svg import Figure, figure
from reports.store import files
from reports.store.files import Unreadable
from reports.store.model import StoreView


def curves(view: StoreView) -> list[tuple[str, str, Figure | None]]:
    """Title, words and figure of every training run whose log is undamaged."""
    found: list[tuple[str, str, Figure | None]] = []
    damaged = {problem.where for problem in view.problems}
    for number, artifact in enumerate(view.stage("train"), start=1):
        if "log.jsonl" not in artifact.files or f"train/{artifact.key}" in damaged:
            continue
        about = artifact.about
        title = f"{about.get('language', '')} · {about.get('producer', artifact.label)}"
        try:
            values = [
                (files.number(row, "step"), files.number(row, "loss"))
                for row in files.read_lines(artifact.folder / "log.jsonl")
                if row.get("loss") is not None
            ]
        except Unreadable as error:
            found.append((title, f"No curve: log.jsonl {error}.", None))
            continue
        drawn = curve(values, f"loss-{number}", title)
        if drawn:
            ends = f"Loss {values[0][1]:.2f} → {values[-1][1]:.2f} in {values[-1][0]:,g} steps"
            found.append((title, ends, drawn))
    return found


def curve(values: Sequence[tuple[float, float]], name: str, title: str) -> Figure | None:
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
        '<polyline class="curve" points="{path}"/><circle class="last" cx="{x}" cy="{y}" r="3.5"/>'
    ).format(w=width, h=height - 1, path=path, x=end_x, y=end_y)
    about = f"From {kept[0][1]:.2f} at step {kept[0][0]:g} to {kept[-1][1]:.2f} at {right:g}."
    return figure(name, f"Training loss, {title}", about, width, height, [body])
