"""Reads the run records of a store: what each run planned, and how it failed if it did."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.contract.names import ERROR, PLAN, RUNS
from core.contract.plan import RunPlan
from core.contract.record import Unreadable, read_file
from reports.store.languages import describe_language
from reports.store.model import NO_PLAN, Problem, Run, ShownLanguage

_REDO = "run its command again, or delete the run's folder; no result is lost by it"


def find_runs(store: Path, below: Path | None = None) -> list[str]:
    """The runs of a store by their paths, oldest first, one level of nesting (sweeps) included.

    `below` is the folder of a run, or of a sweep, to which they are limited.
    """
    root = store / RUNS
    start = root if below is None else below
    found = {
        path.parent
        for name in (PLAN, ERROR)
        for depth in ("", "*/", "*/*/")
        for path in start.glob(f"{depth}{name}")
    }
    names = [folder.relative_to(root).as_posix() for folder in found]
    return sorted(
        (name for name in names if name.count("/") <= 1 and name != "."), key=_make_natural_key
    )


def read_runs(store: Path, names: Iterable[str], problems: list[Problem]) -> Iterator[Run]:
    """Reads the records of these runs.

    A run that failed before its plan was written has an error.txt alone: it is a Run of its error
    and nothing else.
    """
    root = store / RUNS
    for name in names:
        path, error = root / name / PLAN, _read_first_line(root / name / ERROR)
        if not path.exists():
            yield Run(name, NO_PLAN, ShownLanguage(""), error)
            continue
        try:
            plan = read_file(RunPlan, path)
        except Unreadable as wrong:
            remedy = wrong.remedy or _REDO
            problems.append(Problem(f"{RUNS}/{name}/{PLAN}", f"the plan {wrong}", remedy))
            continue
        language = describe_language(
            name=plan.language.name,
            autonym=plan.language.autonym or "",
            direction=plan.language.direction,
            flores_code=plan.language.flores_code or "",
            tag=plan.language.tag or "",
        )
        yield Run(name, plan, language, error)


def _read_first_line(path: Path) -> str | None:
    """The first line of a failed run's error.txt; None when the run left none."""
    if not path.is_file():
        return None
    first = path.read_text(encoding="utf-8", errors="replace").strip().partition("\n")[0]
    return first or "it failed without a message"


def _make_natural_key(name: str) -> list[tuple[int, str]]:
    """Job 10 of a sweep comes after job 9."""
    return [
        (int(part), "") if part.isdigit() else (-1, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]
