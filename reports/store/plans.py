"""Reads the run records of a store: what each run planned, and how it failed if it did."""

import re
from collections.abc import Iterator
from pathlib import Path

from reports.store import files
from reports.store.files import Unreadable
from reports.store.languages import describe_language
from reports.store.model import Cell, Language, Problem, Run


def read_runs(store: Path, problems: list[Problem]) -> Iterator[Run]:
    """The runs of a store, oldest first, one level of nesting (sweeps) included.

    A run that failed before its plan was written has an error.txt alone: it is a Run of its error
    and nothing else.
    """
    root = store / "runs"
    found = {
        path.parent
        for name in ("plan.json", "error.txt")
        for depth in ("*", "*/*")
        for path in root.glob(f"{depth}/{name}")
    }
    names = [folder.relative_to(root).as_posix() for folder in found]
    for name in sorted(names, key=_natural):
        path = root / name / "plan.json"
        if not path.exists():
            yield _without_plan(root / name, name)
            continue
        try:
            yield _read_plan(path, name)
        except Unreadable as error:
            remedy = "run its command again, or delete the run's folder; no result is lost by it"
            problems.append(Problem(f"runs/{name}/plan.json", f"the plan {error}", remedy))


def _read_plan(path: Path, name: str) -> Run:
    row = files.read_object(path)
    language = files.mapping(row, "language")
    return Run(
        path=name,
        experiment=files.text(row, "experiment", ""),
        command=files.text(row, "command", ""),
        language=describe_language(
            name=files.text(language, "name"),
            autonym=files.text(language, "autonym", ""),
            direction=files.text(language, "direction", ""),
            flores_code=files.text(language, "flores_code", ""),
            tag=files.text(language, "tag", ""),
        ),
        student=files.text(row, "student", ""),
        teacher=files.text(row, "teacher", ""),
        mix=files.text(row, "mix", ""),
        stages=tuple(
            (files.text(item, "stage"), files.text(item, "key"))
            for item in files.objects(row, "stages")
        ),
        cells=tuple(
            Cell(
                language=files.text(item, "language"),
                producer=files.text(item, "producer"),
                checkpoint=(
                    files.text(files.mapping(item, "checkpoint"), "stage", ""),
                    files.text(files.mapping(item, "checkpoint"), "key", ""),
                ),
                task=files.text(item, "task"),
                key=files.text(item, "key", "") or None,
                gap=files.text(item, "gap", "") or None,
            )
            for item in files.objects(row, "cells")
        ),
        error=_first_line(path.parent / "error.txt"),
    )


def _without_plan(folder: Path, name: str) -> Run:
    return Run(
        path=name,
        experiment="",
        command="",
        language=Language(""),
        student="",
        teacher="",
        mix="",
        stages=(),
        cells=(),
        error=_first_line(folder / "error.txt"),
    )


def _first_line(path: Path) -> str | None:
    """The first line of a failed run's error.txt; None when the run left none."""
    if not path.is_file():
        return None
    first = path.read_text(encoding="utf-8", errors="replace").strip().partition("\n")[0]
    return first or "it failed without a message"


def _natural(name: str) -> list[tuple[int, str]]:
    """Job 10 of a sweep comes after job 9."""
    return [
        (int(part), "") if part.isdigit() else (-1, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]
