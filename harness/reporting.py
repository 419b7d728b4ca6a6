"""Prints the results of a run: the report of a run alone, a line of a sweep's job."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from core.contract.names import RUNS
from core.tasks import show_task
from harness.stage import Stage
from harness.store import Store

if TYPE_CHECKING:
    from rich.console import Console

    from harness.experiment import Plan
    from harness.progress import Display
    from reports.report import Report


def read_run(root: Path, folder: Path) -> "Report":
    """Reads the report of one run, or of a sweep's folder.

    Nothing else of the store is read: what a job costs does not grow with the store. Who puts the
    runs' folders elsewhere (hydra.run.dir) is shown the whole store.
    """
    from reports.report import Report
    from reports.store.read import read_store

    is_below = folder.resolve().is_relative_to((root / RUNS).resolve())
    return Report.from_store(read_store(root, folder if is_below else None))


def report_run(root: Path, folder: Path, console: "Console") -> None:
    """Prints the report of a run that stands alone, and writes its page."""
    from reports.outputs.terminal import print_report

    report = read_run(root, folder)
    print_report(report, console)
    say_where(report, root, folder, console)


def say_where(report: "Report", root: Path, folder: Path, console: "Console") -> None:
    """Writes the page of a run into its folder, and says where it is."""
    from reports.page.write import write_page

    page = write_page(report, folder / "report.html")
    console.print(f"The same with figures and samples: {page}", soft_wrap=True)
    console.print(
        f"All runs of this store: kakugo-report --store {root} --format html", soft_wrap=True
    )


def begin_job(plan: "Plan", store: Store, display: "Display") -> None:
    """Says in a line what a sweep's job is about to do."""
    todo = sum(not store.find_folder(stage).exists() for stage in plan.stages)
    made = f"{todo} of {len(plan.stages)} stages to make" if todo else "all is there already"
    display.say(f"{describe_job(plan.stages)}: {made}")


def end_job(root: Path, folder: Path, display: "Display") -> None:
    """Says in a line what a sweep's job brought: each score, with its gain over base."""

    rows = [row for row in read_run(root, folder).results.rows if row.score is not None]
    compared = [row for row in rows if not row.is_base] or rows
    parts = [
        f"{show_task(row.task)} {row.score:.1f}"
        + (f" ({row.gain.points:+.1f})" if row.gain else "")
        for row in compared
    ]
    display.say(", ".join(parts) or "no score")


def describe_job(stages: Iterable[Stage]) -> str:
    """Names the language and the producers of a job's scores; the last stage of one that scores
    nothing."""
    stages = list(stages)
    scored = [stage.about for stage in stages if stage.about.task]
    if not scored:
        return stages[-1].label if stages else "nothing to do"
    languages = dict.fromkeys(about.language for about in scored if about.language)
    producers = dict.fromkeys(about.producer for about in scored if about.producer)
    return ": ".join(filter(None, (", ".join(languages), ", ".join(producers))))
