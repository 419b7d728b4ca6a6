"""Figures as files: SVG by itself, PNG and PDF through Typst, which shapes every script."""

import re
import tempfile
from pathlib import Path
from typing import Literal

from core.files import write_whole
from reports.errors import FiguresError
from reports.figures.svg import Figure
from reports.report import Report
from reports.sections import draw_all

Form = Literal["svg", "png", "pdf"]
PIXELS_PER_INCH = 300
PRINT = {
    **{"paper": "#fff", "ink": "#000", "soft": "#444", "rule": "#ccc"},
    **{"up": "#0072b2", "down": "#c2530a", "up-band": "#bfdcec", "down-band": "#f0d4c2"},
    **{"c0": "#0072b2", "c1": "#d55e00", "c2": "#009e73", "c3": "#8a4f7d", "c4": "#666666"},
    **{"h0": "#9a4307", "h1": "#c2530a", "h2": "#ee9d63", "h3": "#f8d5bb", "h4": "#f2f2f2"},
    **{"h5": "#cfe4f2", "h6": "#8fc1e0", "h7": "#0072b2", "h8": "#004f7c"},
}
"""Colours that are told apart by colour-blind readers and, by lightness, in greyscale."""


def write_figures(report: Report, out: Path, form: Form) -> list[Path]:
    """Writes every figure into `out`/figures as svg, png or pdf; returns the paths.

    The same report gives the same bytes with the same fonts. Raises FiguresError when there is
    nothing to draw, or when the converter is not installed.
    """
    figures = draw_all(report)
    if not figures:
        raise FiguresError(
            "There is nothing to draw: figures need two languages, two producers or a training run."
        )
    folder = out / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for figure in figures:
        path = folder / f"{figure.name}.{form}"
        write_whole(path, convert(figure, form), shared=True)
        written.append(path)
    return written


def convert(figure: Figure, form: Form) -> bytes:
    """One figure as a file's bytes."""
    svg = make_standalone(figure).encode()
    if form == "svg":
        return svg
    return _typeset_figure(svg, figure, form)


def make_standalone(figure: Figure) -> str:
    """The figure as an SVG file of its own, in the colours of print."""
    css = (Path(__file__).parent / "figures.css").read_text(encoding="utf-8")
    css = re.sub(r"var\(--([\w-]+)\)", lambda name: PRINT[name[1]], css)
    css = re.sub(r"\bsvg (?=[.\w])", "", css)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{figure.width}" height="{figure.height}" '
        'font-family="Noto Sans, DejaVu Sans, sans-serif" '
    )
    style = f'<style>{css}</style><rect width="100%" height="100%" fill="#fff"/>'
    svg = str(figure.svg).replace("<svg ", head, 1)
    return svg.replace("</desc>", f"</desc>{style}", 1) + "\n"


def _typeset_figure(svg: bytes, figure: Figure, form: Literal["png", "pdf"]) -> bytes:
    try:
        import typst
    except ImportError:
        raise FiguresError(
            f"{form.upper()} needs Typst, which is not installed.\n"
            "Remedy: pip install 'kakugo-harness[figures]', or take --format svg."
        ) from None
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "figure.svg").write_bytes(svg)
        # A pixel of the page is 3/4 of a point.
        page = (
            f"#set page(width: {figure.width * 0.75}pt, height: {figure.height * 0.75}pt, "
            'margin: 0pt)\n#set document(date: none)\n#image("figure.svg", width: 100%)\n'
        )
        source = Path(folder) / "figure.typ"
        source.write_text(page, encoding="utf-8")
        made = typst.compile(str(source), format=form, ppi=PIXELS_PER_INCH)
    return made
