"""Wins, ties and losses of blind studies as stacked bars, one a language (the paper's Figure 2)."""

from collections.abc import Sequence

from markupsafe import Markup

from reports.figures.svg import Figure, draw_figure, draw_rect, draw_text
from reports.store.model import Study
from reports.tables.preference import describe_estimate

LEFT, BAR, ROW, WIDTH, TOP = 150, 26, 52, 640, 44


def draw_studies(studies: Sequence[Study]) -> Figure | None:
    """None without a study that has votes. Shares are means over prompts and add up to 100%."""
    rows = [study for study in studies if study.result.estimate.wins.value is not None]
    if not rows:
        return None
    inner = WIDTH - LEFT - 16
    parts: list[Markup] = []
    for place, (kind, words) in enumerate(
        (("win", "trained preferred"), ("tie", "equal"), ("loss", "base preferred"))
    ):
        left = LEFT + place * 150
        parts += [draw_rect(left, 12, 14, 14, f"bar {kind}"), draw_text(left + 20, 24, words)]
    for number, study in enumerate(rows):
        y, x = TOP + ROW * number, float(LEFT)
        parts.append(draw_text(LEFT - 10, y + 18, study.language, "label", 20))
        of, p_value = study.result.estimate, study.result.primary.p
        for kind, share in (("win", of.wins), ("tie", of.ties), ("loss", of.losses)):
            width = inner * (share.value or 0)
            parts.append(
                draw_rect(x, y, width, BAR, f"bar {kind}", f"{kind}: {describe_estimate(share)}")
            )
            if width > 40:
                parts.append(
                    draw_text(x + width / 2, y + 18, f"{share.value:.0%}", f"value on-{kind}")
                )
            x += width
        p = "p not computed" if p_value is None else f"p = {p_value:.3f}"
        p = "p < 0.001" if p_value is not None and p_value < 0.001 else p
        count = len(study.result.raters)
        raters = f"{count} rater" + ("" if count == 1 else "s")
        words = f"{study.result.prompts} prompts, {raters}, {p}"
        if count := len(study.result.warnings):
            words += f", {count} warning{'s' * (count > 1)}"
        parts.append(draw_text(LEFT, y + BAR + 14, words, "small"))
    caption = (
        "Which answer native speakers preferred, blind: share of prompts, raters averaged first. "
        "p is of the sign-flip test over prompts."
    )
    title = "What native speakers preferred"
    return draw_figure("preference", title, caption, WIDTH, TOP + ROW * len(rows), parts)
