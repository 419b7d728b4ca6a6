"""Gains as a grid of colours with their numbers: languages by producers, or by tasks."""

from collections.abc import Sequence

from markupsafe import Markup

from core.tasks import show_task
from reports.figures.svg import Figure, draw_figure, draw_rect, draw_text
from reports.signs import set_minus
from reports.tables.results import Result, Results

LABELS, CELL, LINE, HEAD = 140, 70, 19, 46
_STEPS = (-20.0, -10.0, -4.0, -1.0, 1.0, 4.0, 10.0, 20.0)
"""Between these gains the colour changes; the number says the rest."""
_LETTERS = {"gap": "–", "missing": "not yet", "failed": "failed", "damaged": "damaged"}


def draw_task(results: Results, task: str) -> Figure | None:
    """Languages by producers; None for fewer than two producers with a gain."""
    producers = [p for p in results.trained if results.find_gained(task, p)]
    if len(producers) < 2:
        return None
    name = show_task(task)
    columns = [(p, {r.language.name: r for r in results.find(task, p)}) for p in producers]
    caption = f"Gain over base on {name}, in points, for each language and producer."
    return _draw_grid(f"heatmap-{task}", f"Gains on {name}", caption, columns)


def draw_producer(results: Results, producer: str, mark: str = "") -> Figure | None:
    """Languages by tasks; None for one language. `mark` ends the figure's name."""
    columns = [
        (show_task(task), {r.language.name: r for r in results.find(task, producer)})
        for task in results.tasks
    ]
    caption = f"Gain of {producer} over base, in points, for each language and task."
    return _draw_grid(f"heatmap{mark}", f"Gains of {producer}", caption, columns)


def _draw_grid(
    name: str, title: str, caption: str, columns: Sequence[tuple[str, dict[str, Result]]]
) -> Figure | None:
    languages = sorted(set().union(*(found for _, found in columns)))
    if len(languages) < 2:
        return None
    parts: list[Markup] = []
    for number, (head, found) in enumerate(columns):
        left = LABELS + number * CELL
        for place, words in enumerate(_split_head(head)):
            parts.append(draw_text(left + CELL / 2, 18 + 13 * place, words, "value", 11))
        for row, language in enumerate(languages):
            parts.append(_draw_cell(found.get(language), left, HEAD + row * LINE))
    for row, language in enumerate(languages):
        parts.append(draw_text(LABELS - 8, HEAD + row * LINE + 13, language, "label", 22))
    height = HEAD + LINE * len(languages) + 10
    caption += " Blue: above base; orange: below. A cell without a number says what it lacks."
    return draw_figure(name, title, caption, LABELS + CELL * len(columns) + 10, height, parts)


def _draw_cell(result: Result | None, left: float, top: float) -> Markup:
    width, height = CELL - 2, LINE - 2
    if result is None or result.gain is None:
        words = _LETTERS.get(result.state, "no base") if result else "–"
        why = (result.reason or result.no_gain) if result else "not planned"
        return draw_rect(left, top, width, height, "none", why) + draw_text(
            left + CELL / 2 - 1, top + 13, words, "value small"
        )
    points = result.gain.points
    step = sum(points > edge for edge in _STEPS)
    about = set_minus(f"{result.language.name}, {result.producer}: {points:+.1f}")
    shade = "on-dark" if step in (0, 1, 7, 8) else "on-light"
    return draw_rect(left, top, width, height, f"h{step}", about) + draw_text(
        left + CELL / 2 - 1, top + 13, set_minus(f"{points:+.1f}"), f"value {shade}"
    )


def _split_head(head: str) -> list[str]:
    for sign in (" ", ":"):
        first, found, rest = head.partition(sign)
        if found and len(head) > 10:
            return [first + sign.strip(), rest]
    return [head]
