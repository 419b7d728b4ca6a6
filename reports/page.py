"""The report as one HTML file: no network, no script, the same bytes from the same store."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports import files, score_sheets, stage_sheets, words
from reports.figure import curve, dumbbell
from reports.model import StoreView
from reports.page_samples import TaskSamples, task_samples
from reports.table import DATA_WORDS, Panel, Row, TableCell, build_panels, row_lines

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

HERE = Path(__file__).parent


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


def write_page(view: StoreView, out: Path) -> Path:
    """Writes the page and returns its path: `out` itself if it ends in .html, else a file in it.

    The file appears whole or not at all. Not covered: sorting, filtering and comparing stores.
    """
    path = out if out.suffix == ".html" else out / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_whole(path, render(view))
    return path


def render(view: StoreView) -> str:
    """The page's text."""
    panels = [_panel(panel, f"language-{n}") for n, panel in enumerate(build_panels(view), 1)]
    parts = [("provenance", "Provenance")]
    if view.stage("source") or view.stage("mixture"):
        parts.insert(-1, ("data", "Training data"))
    if view.stage("train"):
        parts.insert(-1, ("training", "Training"))
    parts.insert(-1, ("cost", "Cost"))
    page = {
        "languages": ", ".join(dict.fromkeys(words.clean(p.panel.language.name) for p in panels)),
        "summary": _summary(view, panels),
        "own_data": _own_data({score.data_name for score in view.scores.values()}),
        "problems": score_sheets.problems(view),
        "failed_runs": score_sheets.failed_runs(view),
        "panels": panels,
        "parts": parts,
        "yields": stage_sheets.yields(view),
        "mixture": stage_sheets.mixture(view),
        "training": stage_sheets.training(view),
        "curves": _curves(view),
        "stage_cost": stage_sheets.cost_by_stage(view),
        "cost": stage_sheets.cost(view),
        "resumed": stage_sheets.resumed_note(view),
        "provenance": stage_sheets.provenance(view),
        "runs": view.runs,
        "protocols": _protocols(view),
    }
    css = (HERE / "page.css").read_text(encoding="utf-8")
    template = _environment().get_template("page.html.j2")
    return template.render(page=page, css=_trusted(css), gain_note=words.GAIN_NOTE)


def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clean"] = lambda value: words.clean(str(value))
    environment.filters["safe_text"] = lambda value: words.safe(str(value))
    return environment


def _trusted(text: str) -> "Markup":
    """Our own style sheet, the only text that goes into the page unescaped."""
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


def _summary(view: StoreView, panels: list[PanelView]) -> str:
    cells = [cell for p in panels for row in p.panel.rows for cell in row.cells]
    results = sum(cell.state == "result" for cell in cells)
    languages = len({p.panel.language.name for p in panels})
    lacking = len(cells) - results
    text = f"{_count(languages, 'language')}, {_count(results, 'score')}"
    text += f", {_count(lacking, 'cell')} without a result" if lacking else ""
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


def _protocols(view: StoreView) -> list[str]:
    """Each protocol with what it was used for, its data's hash and its metric's signature."""
    found = {
        f"{score.task}: {score.full_protocol}, SHA-256 {score.data_sha256[:16] or 'not recorded'}"
        f"; {score.signature or score.metric}"
        for score in view.scores.values()
    }
    return sorted(found)


def _curves(view: StoreView) -> list[tuple[str, str, "Markup"]]:
    """Title, words and figure of every training run with an undamaged log."""
    found = []
    damaged = {problem.where for problem in view.problems}
    for number, artifact in enumerate(view.stage("train"), start=1):
        if "log.jsonl" not in artifact.files or f"train/{artifact.key}" in damaged:
            continue
        about = artifact.about
        title = f"{about.get('language', '')} · {about.get('producer', artifact.label)}"
        try:
            rows = files.read_lines(artifact.folder / "log.jsonl")
            values = [
                (files.number(row, "step"), files.number(row, "loss"))
                for row in rows
                if row.get("loss") is not None
            ]
        except files.Unreadable as error:
            found.append((title, f"No curve: log.jsonl {error}.", _trusted("")))
            continue
        figure = curve(values, f"loss-{number}", title)
        if figure:
            ends = f"Loss {values[0][1]:.2f} → {values[-1][1]:.2f} in {values[-1][0]:,g} steps"
            found.append((title, ends, figure))
    return found
