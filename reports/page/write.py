"""The report as one HTML file: no network, the same bytes from the same store."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.text import make_safe
from reports import words
from reports.figures.dumbbell import draw_panel
from reports.figures.svg import Figure
from reports.page.packing import pack_nothing, pack_part
from reports.page.rows import write_rows
from reports.page.samples import TaskSamples, find_task_samples
from reports.report import Report
from reports.section import Part, Section
from reports.sections import find_parts
from reports.side_by_side import open_pool
from reports.signs import clean
from reports.store import files
from reports.tables.panels import DATA_WORDS, Panel, PanelRow, TableCell, list_lines
from reports.tables.sheet import Sheet

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

HERE = Path(__file__).parent
MOST_PLAIN = 120
"""With more results than this, long parts of the page are packed."""
MOST_CHOICES = 12
"""With more producers than this the figures of each would be most of the page."""
MOST_LINKS = 6
"""With more languages than this, the contents lead to a list of them."""
STYLES = ("page.css", "../figures/figures.css")


@dataclass(frozen=True)
class LineView:
    """One line of a score table, its numbers already words."""

    producer: str
    base: TableCell | None
    cell: TableCell | None
    gain: str
    interval: str
    n: str


@dataclass(frozen=True)
class TaskView:
    """One task's lines, and its samples when they can be read."""

    row: PanelRow
    lines: tuple[LineView, ...]
    samples: TaskSamples | None


@dataclass(frozen=True)
class PanelView:
    """One language's section."""

    id: str
    panel: Panel
    title: str
    facts: tuple[tuple[str, str], ...]
    tasks: tuple[TaskView, ...]
    figure: "Markup | None"

    @property
    def producers(self) -> list[str]:
        return self.panel.producers

    @property
    def several(self) -> bool:
        return len(self.producers) > 1

    @property
    def gained(self) -> bool:
        return self.panel.has_gains

    @property
    def gaps(self) -> list[tuple[str, Any, str]]:
        return words.merge_gaps(self.panel)

    @property
    def has_samples(self) -> bool:
        return any(task.samples for task in self.tasks)


@dataclass(frozen=True)
class SectionView:
    """One section as the page shows it: its table, or None, and its figures."""

    section: Section
    sheet: Sheet | None
    figures: Sequence[Figure]
    choices: Sequence[tuple[str, Sequence[Figure]]] = ()
    """Producers, each with the figures that are of it alone."""

    @property
    def form(self) -> str:
        return self.section.form


@dataclass(frozen=True)
class PartView:
    """One part with those of its sections that have something to show."""

    id: str
    part: Part
    sections: tuple[SectionView, ...]

    @property
    def has_body(self) -> bool:
        """True where it shows something in its own place: alarms stand above all parts."""
        return any(section.form != "alarm" for section in self.sections)


def write_page(report: Report, out: Path) -> Path:
    """Writes the page and returns its path: `out` itself if it ends in .html, else a file in it.

    The file appears whole or not at all.
    """
    path = out if out.suffix == ".html" else out / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_whole(path, render(report))
    return path


def render(report: Report) -> str:
    """The page's text."""
    # The samples come from one file a score: reading them is most of the work, and Arrow leaves
    # the interpreter free meanwhile.
    with open_pool() as pool:
        names = (f"language-{n}" for n in count(1))
        made = pool.map(_make_panel_view, report.panels, names)
        parts = view_parts(report)
        panels = list(made)
    found = [section for part in parts for section in part.sections]
    page = {
        "title": _write_title(report),
        "lede": _write_summary(report),
        "own_data": _warn_of_own_data(report),
        "drawn": any(figures for section in found for _, figures in section.choices),
        "bases": sorted(report.results.bases),
        "choices": list_choices(report),
        # Seeds of one stand in tables as one, and alone in others.
        "members": [name for name in report.members.trained if name not in report.results.trained],
        "alarms": [section for section in found if section.form == "alarm"],
        "parts": parts,
        "contents": list_contents(parts, panels),
        "panels": panels,
        "students": len({panel.student for panel in report.panels}),
        "links": {
            (view.panel.language.name, task.row.task): task.samples.id
            for view in panels
            for task in view.tasks
            if task.samples
        },
    }
    css = "".join((HERE / name).read_text(encoding="utf-8") for name in STYLES)
    script = (HERE / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment = make_environment()
    packs = len(report.everything.rows) > MOST_PLAIN
    environment.filters["packed"] = pack_part if packs else pack_nothing
    template = environment.get_template("page.html.j2")
    return template.render(
        page=page,
        css=read_trusted(css),
        script=read_trusted(script),
        script_hash=f"sha256-{digest}",
        gain_note=words.GAIN_NOTE,
    )


def view_parts(report: Report) -> list[PartView]:
    """Give the parts of the page that have something to show."""
    found = []
    for part, sections in find_parts("html", report):
        views = (_view(section, report) for section in sections)
        shown = tuple(view for view in views if view.sheet or view.figures or view.choices)
        if shown or (part.each_language and report.panels):
            found.append(PartView(part.name, part, shown))
    return found


def list_contents(parts: list[PartView], panels: list[PanelView]) -> list[tuple[str, str]]:
    """Give the contents as anchors and titles: the parts, and the languages unless too many."""
    picker = len(panels) > MOST_LINKS
    contents = [
        (view.id, view.part.title)
        for view in parts
        if (picker if view.part.each_language else view.has_body)
    ]
    return contents + [(panel.id, panel.title) for panel in panels if not picker]


def _view(section: Section, report: Report) -> SectionView:
    sheet, figures = section.build(report), section.draw(report)
    choices: list[tuple[str, Sequence[Figure]]] = []
    producers = list_choices(report)
    if section.draw_each and producers:
        choices = [(name, section.draw_each(report, name)) for name in producers]
        figures = [figure for figure in figures if not figure.producer]
    return SectionView(section, sheet if sheet and sheet.rows else None, figures, choices)


def list_choices(report: Report) -> list[str]:
    """List the producers among which a reader of the page may choose, the one that is shown first;
    none where there is one alone, or too many to draw each."""
    shown, trained = report.results.shown, report.results.trained
    if shown is None or not 1 < len(trained) <= MOST_CHOICES:
        return []
    return [shown, *(name for name in trained if name != shown)]


def make_environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clean"] = lambda value: clean(str(value))
    environment.filters["table_rows"] = write_rows
    environment.filters["packed"] = pack_nothing
    environment.filters["safe_text"] = lambda value: make_safe(str(value))
    return environment


def read_trusted(text: str) -> "Markup":
    """Our own style sheet and script, the only texts that go into the page unescaped."""
    from markupsafe import Markup

    return Markup(text)


def _make_panel_view(panel: Panel, name: str) -> PanelView:
    tasks = []
    for number, row in enumerate(panel.rows, start=1):
        lines = tuple(
            LineView(
                producer=line.producer or "–",
                base=line.base,
                cell=line.cell,
                gain=words.describe_gain(line.gain),
                interval=words.describe_interval(line.gain),
                n=str(line.n or "–"),
            )
            for line in list_lines(row)
        )
        samples = find_task_samples(row, panel.language, f"{name}-samples-{number}")
        tasks.append(TaskView(row, lines, samples))
    code = panel.language.flores_code
    return PanelView(
        id=name,
        panel=panel,
        title=clean(panel.language.name),
        facts=(*([("Code", code)] if code else []), *words.list_facts(panel)),
        tasks=tuple(tasks),
        figure=draw_panel(panel, f"{name}-figure"),
    )


def _write_title(report: Report) -> str:
    names = [language.name for language in report.results.languages]
    some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return some if report.view else report.results.source


def _write_summary(report: Report) -> str:
    rows, view = report.everything.rows, report.view
    results = sum(row.score is not None for row in rows)
    lacking = len(rows) - results
    text = f"{_count(len(report.results.languages), 'language')}, {_count(results, 'score')}"
    text += f", {_count(lacking, 'cell')} without a result" if lacking else ""
    studies = len(report.studies)
    text += f", {studies} blind preference {'study' if studies == 1 else 'studies'}" * bool(studies)
    if view is None:
        return f"{text}; from {report.results.source}."
    seconds = sum(a.manifest.seconds for found in view.artifacts.values() for a in found.values())
    return f"{text}; {words.describe_duration(seconds)} of work."


def _warn_of_own_data(report: Report) -> str:
    """Warn that scores are not of the benchmarks; "" where all of them are."""
    names = {score.data.name for score in report.view.scores.values()} if report.view else set()
    if "embedded" not in names:
        return ""
    which = "These numbers" if len(names) == 1 else 'The numbers with the data "embedded"'
    return f"{which} come from {DATA_WORDS['embedded']}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
