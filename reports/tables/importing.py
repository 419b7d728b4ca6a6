"""Score tables from CSV files: `language,task,base,trained`, or one score a line."""

import csv
import io
import math
from collections.abc import Iterable
from pathlib import Path

from reports.errors import ImportedTableError
from reports.store.model import Language
from reports.tables.gain import Gain
from reports.tables.results import BASE, Result, Results
from reports.tables.sheet import TASK_NAMES

PUBLISHED = Path(__file__).parent.parent / "published"
NO_SAMPLES = "an imported table has no samples, so nothing can be tested"
_LONGEST_LIST = 12


def import_table(path: Path) -> Results:
    """The results of a CSV file, UTF-8, with a header line.

    Wide: `language,task` and one column a producer, named by it; `base` is what gains are over.
    Long, as scores.csv: `language,task,producer,score`, where further columns are left aside. A
    score is a number from 0 to 100; an empty one is a gap. Raises ImportedTableError, which lists
    every problem with its line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ImportedTableError(f"{path} cannot be opened ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise ImportedTableError(f"{path} is not UTF-8.\nRemedy: save it as CSV UTF-8.") from None
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    header = next(csv.reader(io.StringIO(text, newline="")), [])
    problems: list[str] = []
    long = {"producer", "score"} <= set(header)
    producers = [name for name in header if name not in ("language", "task")]
    if not {"language", "task"} <= set(header) or not producers:
        raise ImportedTableError(
            f"{path}: the header is {','.join(map(str, header)) or 'empty'}.\n"
            "Remedy: it must be language,task and then one column a producer, base among them, "
            "or language,task,producer,score."
        )
    if len(set(header)) < len(header):
        problems.append(f"line 1: a column is named twice: {', '.join(header)}")
    scores: dict[tuple[str, str, str], tuple[int, float | None]] = {}
    for number, line in enumerate(lines, start=2):
        if None in line or None in line.values():
            problems.append(f"line {number}: it has not as many values as the header has columns")
            continue
        language, task = line["language"].strip(), line["task"].strip()
        if not language:
            problems.append(f"line {number}: the language is empty")
        if task not in TASK_NAMES:
            problems.append(
                f"line {number}: unknown task {task!r}; allowed: {', '.join(TASK_NAMES)}"
            )
        pairs = [(line["producer"], line["score"])] if long else [(p, line[p]) for p in producers]
        for producer, value in pairs:
            key = (language, task, producer.strip())
            if key in scores:
                problems.append(
                    f"line {number}: {language}, {task}, {producer} stands on line "
                    f"{scores[key][0]} already"
                )
            try:
                scores[key] = (number, _score(value))
            except ValueError as error:
                problems.append(f"line {number}: {language}, {task}, {producer}: {error}")
    if not scores and not problems:
        problems.append("it holds no scores")
    if problems:
        more = len(problems) - _LONGEST_LIST
        listed = problems[:_LONGEST_LIST] + ([f"and {more} more"] if more > 0 else [])
        raise ImportedTableError(f"{path}:\n" + "\n".join(f"  {problem}" for problem in listed))
    return Results(tuple(_results(scores)), path.name)


def published() -> Results:
    """The paper's Table 6: base (Granite 4 Micro) and Kakugo (full), rounded as printed."""
    found = import_table(PUBLISHED / "kakugo_table6.csv")
    return Results(found.rows, "Kakugo, arXiv 2601.14051, Table 6")


def _score(value: str) -> float | None:
    """A number from 0 to 100, None for an empty cell."""
    value = value.strip()
    if not value:
        return None
    try:
        score = float(value)
    except ValueError:
        raise ValueError(f"{value!r} is no number") from None
    if not math.isfinite(score) or not 0 <= score <= 100:
        raise ValueError(f"{value!r} must be a finite number from 0 to 100")
    return score


def _results(scores: dict[tuple[str, str, str], tuple[int, float | None]]) -> Iterable[Result]:
    for (language, task, producer), (_, score) in scores.items():
        base = scores.get((language, task, BASE), (0, None))[1]
        gained = producer != BASE and base is not None and score is not None
        # The difference of two rounded numbers, as exact as they are.
        points = round(score - base, 10) if gained and score is not None and base is not None else 0
        why = "" if producer == BASE else "base has no score in the table"
        yield Result(
            language=Language(language),
            task=task,
            producer=producer,
            state="gap" if score is None else "result",
            reason="the table has no score here" if score is None else "",
            score=score,
            base=base if gained else None,
            gain=Gain(points, why=NO_SAMPLES) if gained else None,
            no_gain="" if gained else why,
        )
