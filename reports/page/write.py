"""The report as one HTML file: no network, the same bytes from the same store."""

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports import words
from reports.figures import gallery
from reports.figures.dumbbell import dumbbell
from reports.figures.training import curves
from reports.page.rows import table_rows
from reports.page.samples import TaskSamples, task_samples
from reports.store import files
from reports.store.model import StoreView
from reports.tables import score_sheets, stage_sheets
from reports.tables.panels import DATA_WORDS, SIDE_BY_SIDE, Panel, Row, TableCell, row_lines
from reports.tables.sheets import Report

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

HERE = Path(__file__).parent
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

    row: Row
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
        return any(cell.gain for row in self.panel.rows for cell in row.others)

    @property
    def gaps(self) -> list[tuple[str, Any, str]]:
        return words.merged_gaps(self.panel)

    @property
    def has_samples(self) -> bool:
        return any(task.samples for task in self.tasks)


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
    view = report.view
    # The samples come from one file a score: reading them is most of the work, and Arrow leaves
    # the interpreter free meanwhile.
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        names = (f"language-{n}" for n in count(1))
        panels = list(pool.map(_panel, report.panels, names))
    page = {
        "title": _title(report),
        "store": view is not None,
        "summary": _summary(report),
        "panels": panels,
        "students": len({panel.student for panel in report.panels}),
        **_compared(report, panels),
        "preference_figures": gallery.of_studies(report),
        "preference": report.preference,
        **_of_store(view),
    }
    page["parts"] = _parts(page)
    css = "".join((HERE / name).read_text(encoding="utf-8") for name in STYLES)
    script = (HERE / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = environment().get_template("page.html.j2")
    return template.render(
        page=page,
        css=trusted(css),
        script=trusted(script),
        script_hash=f"sha256-{digest}",
        gain_note=words.GAIN_NOTE,
    )


def _compared(report: Report, panels: list[PanelView]) -> dict[str, Any]:
    """The part over languages and producers; without anything to compare, only its flag."""
    results = report.results
    several = len(results.languages) > 1 or len(results.trained) > 1 or report.view is None
    return {
        "compared": several,
        "figures": gallery.over_languages(report) if several else [],
        "mixture_figures": [f for f in gallery.of_stages(report) if f.name != "cost"],
        "cost_figure": next((f for f in gallery.of_stages(report) if f.name == "cost"), None),
        "summary_sheet": report.summary,
        "correlation": report.correlation,
        "subsets": report.subsets,
        "by_language": report.by_language,
        "wins_by_language": report.wins_by_language,
        "wins": report.wins,
        "coverage": report.coverage,
        "gaps": report.gaps,
        "precision": report.precision,
        "measures": report.measures,
        "protocols": report.protocols,
        "links": {
            (view.panel.language.name, task.row.task): task.samples.id
            for view in panels
            for task in view.tasks
            if task.samples
        },
    }


def _of_store(view: StoreView | None) -> dict[str, Any]:
    """The tables of what a store's stages did; empty ones for an imported table."""
    view = view or StoreView(Path(), (), {}, {}, {})
    return {
        "own_data": _own_data({score.data_name for score in view.scores.values()}),
        "problems": score_sheets.problems(view),
        "failed_runs": score_sheets.failed_runs(view),
        "yields": stage_sheets.yields(view),
        "mixture": stage_sheets.mixture(view),
        "data_quality": stage_sheets.data_quality(view),
        "training": stage_sheets.training(view),
        "curves": curves(view),
        "language_cost": stage_sheets.cost_by_language(view),
        "stage_cost": stage_sheets.cost_by_stage(view),
        "cost": stage_sheets.cost(view),
        "resumed": stage_sheets.resumed_note(view),
        "provenance": stage_sheets.provenance(view),
        "runs": view.runs,
    }


def _parts(page: dict[str, Any]) -> list[tuple[str, str]]:
    """The contents: id and title of each section that the page has."""
    some = (
        ("overview", "Over languages", page["compared"]),
        ("figures", "Figures", page["figures"]),
        ("side-by-side", "Side by side", page["compared"]),
        ("languages", "Each language", len(page["panels"]) > 6),
        ("preference", "Native speakers", page["preference"][0].rows),
        ("each-score", "Each score", page["precision"].rows),
        ("data", "Training data", page["yields"].rows or page["mixture"].rows),
        ("training", "Training", page["training"].rows),
        ("cost", "Cost", page["cost"].rows),
        ("provenance", "Provenance", page["store"]),
    )
    return [(id_, title) for id_, title, there in some if there]


def environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clean"] = lambda value: words.clean(str(value))
    environment.filters["table_rows"] = table_rows
    environment.filters["safe_text"] = lambda value: words.safe(str(value))
    return environment


def trusted(text: str) -> "Markup":
    """Our own style sheet and script, the only texts that go into the page unescaped."""
    from markupsafe import Markup

    return Markup(text)


def _panel(panel: Panel, name: str) -> PanelView:
    tasks = []
    for number, row in enumerate(panel.rows, start=1):
        lines = tuple(
            LineView(
                producer=line.producer or "–",
                base=line.base,
                cell=line.cell,
                gain=words.points(line.cell.gain) if line.cell and line.cell.gain else "–",
                interval=words.interval(line.cell.gain) if line.cell and line.cell.gain else "–",
                n=str(line.n or "–"),
            )
            for line in row_lines(row)
        )
        samples = task_samples(row, panel.language, f"{name}-samples-{number}")
        tasks.append(TaskView(row, lines, samples))
    facts = (
        ("Code", panel.language.flores_code),
        ("Student", panel.student),
        ("Teacher", ", ".join(panel.teachers)),
        ("Data", words.data_line(panel)),
    )
    return PanelView(
        id=name,
        panel=panel,
        title=words.clean(panel.language.name),
        facts=tuple((title, value) for title, value in facts if value),
        tasks=tuple(tasks),
        figure=dumbbell(panel, f"{name}-figure"),
    )


def _title(report: Report) -> str:
    names = [language.name for language in report.results.languages]
    some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return some if report.view else report.results.source


def _summary(report: Report) -> str:
    rows, view = report.results.rows, report.view
    results = sum(row.score is not None for row in rows)
    lacking = len(rows) - results
    text = f"{_count(len(report.results.languages), 'language')}, {_count(results, 'score')}"
    text += f", {_count(lacking, 'cell')} without a result" if lacking else ""
    studies = len(report.studies)
    text += f", {studies} blind preference {'study' if studies == 1 else 'studies'}" * bool(studies)
    if view is None:
        return f"{text}; from {report.results.source}."
    seconds = sum(a.seconds for found in view.artifacts.values() for a in found.values())
    return f"{text}; {words.duration(seconds)} of work."


def _own_data(names: set[str]) -> str:
    """The warning that scores are not of the benchmarks; "" where all of them are."""
    if "embedded" not in names:
        return ""
    which = "These numbers" if len(names) == 1 else 'The numbers with the data "embedded"'
    return f"{which} come from {DATA_WORDS['embedded']}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
