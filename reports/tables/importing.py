"""Score tables from CSV files: `language,task,base,trained`, or one score a line."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.languages import find_language
from core.tasks import TASKS, is_retention, show_task
from core.text import fold, has_visible_text
from reports.errors import ImportedTableError
from reports.store.languages import describe_language
from reports.tables.gain import Gain
from reports.tables.results import BASE, Result, Results
from reports.tables.table_columns import find_beside, find_producers
from reports.tables.table_file import TableFile, fold_name, read_table, refuse, strip_marks
from reports.tables.table_numbers import (
    Number,
    Scale,
    find_factor,
    find_marks,
    is_missing,
    read_number,
)

PUBLISHED = Path(__file__).parent.parent / "published"
NO_SAMPLES = "an imported table has no samples, so nothing can be tested"
# The columns of a store's scores.csv.
_OURS = {"language", "task", "producer", "protocol", "score", "n", "stderr"}
# A language or task of this name is a mean over others.
_SUMMARY = re.compile(
    r"((macro|micro|grand|overall)[ -]*)?(mean|average|avg|total|median)\b.*"
    r"|all|all languages|overall|sum|std|ø"
)


@dataclass
class _Spellings:
    """Names that differ in case, space, Unicode form or apostrophe alone are one: the key of each,
    and the ways in which it is written, in the order of the file."""

    spellings: dict[str, dict[str, None]] = field(default_factory=dict)

    def make_key(self, text: str) -> str:
        key = fold_name(text)
        self.spellings.setdefault(key, {})[text] = None
        return key

    def show_name(self, key: str) -> str:
        """A name as it was written first."""
        return next(iter(self.spellings[key]))


class _LanguageSpellings(_Spellings):
    """Names of languages: those that the registry has of one language are one, and its name in
    English is shown."""

    def make_key(self, text: str) -> str:
        known = find_language(text)
        key = fold_name(known.name if known else text)
        self.spellings.setdefault(key, {})[text] = None
        return key

    def show_name(self, key: str) -> str:
        first = super().show_name(key)
        known = find_language(first)
        return known.name if known else first


@dataclass
class _Reading:
    """A table that is being read. `numbers` are by (language, task, producer), names by key."""

    table: TableFile
    numbers: dict[tuple[str, str, str], tuple[int, Number | None]] = field(default_factory=dict)
    languages: _Spellings = field(default_factory=_LanguageSpellings)
    producers: _Spellings = field(default_factory=_Spellings)
    problems: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    items: dict[tuple[str, str, str], int | None] = field(default_factory=dict)
    stderrs: dict[tuple[str, str, str], Number] = field(default_factory=dict)


def import_table(path: Path, scale: Scale | None = None) -> Results:
    """Read the results of a CSV file, UTF-8, with a header line.

    Wide: `language,task` and one column a producer, named by it; `base` is what gains are over.
    Long, as scores.csv: `language,task,producer,score`, where further columns are left aside. A
    score is a number from 0 to 100, or with `scale="fraction"` from 0 to 1; an empty one is a gap.
    How sure it is may stand beside it: `n`, its number of items, and its standard error, `stderr`
    in a long table and `base_stderr` in a wide one. Columns that count rows and rows of means are
    left aside, which `notes` tell. Raises ImportedTableError, which lists every problem with its
    line.
    """
    table = read_table(path)
    header = [fold(name) for name in table.header]
    long = {"producer", "score"} <= set(header)
    columns = find_producers(table) if not long else None
    beside = columns or find_beside(table.header)
    if not {"language", "task"} <= set(header) or (columns and not columns.producers):
        refuse(table, columns.problems if columns else [])
        raise ImportedTableError(
            f"{path}: the header is {','.join(table.header) or 'empty'}.\n"
            "Remedy: it must be language,task and then one column a producer, base among them, "
            "or language,task,producer,score."
        )
    if any(name and header.count(name) > 1 for name in header):
        refuse(table, [f"line 1: a column is named twice: {', '.join(table.header)}"])
    reading = _Reading(table, problems=list(table.problems))
    if columns:
        reading.problems += columns.problems
        reading.aside += columns.aside
    for line, cells in table.rows:
        row = dict(zip(header, cells, strict=True))
        if any(_SUMMARY.fullmatch(fold(row[name])) for name in ("language", "task")):
            reading.aside.append(f"line {line}, which is a mean or total")
            continue
        language = _read_language(reading, line, row["language"])
        task = _read_task(reading, line, row["task"])
        items = (
            _read_items(reading, line, cells[beside.items]) if beside.items is not None else None
        )
        of_row = (
            [(name, place) for place, name in columns.producers.items()]
            if columns
            else [(row["producer"], header.index("score"))]
        )
        for producer, place in of_row:
            stderr = cells[beside.stderrs[place]] if place in beside.stderrs else ""
            _take(reading, line, (language, task, producer), cells[place])
            _take_stderr(reading, line, (language, task, producer), stderr)
            reading.items[language, task, reading.producers.make_key(producer)] = items
    refuse(table, reading.problems)
    # Our own scores.csv tells by its columns that it holds points of 100.
    factors = _find_factors(reading, "percent" if set(header) >= _OURS else scale)
    if not reading.numbers:
        reading.problems.append("it holds no scores")
    refuse(table, reading.problems)
    return Results(tuple(_make_results(reading, factors)), path.name, _write_notes(reading))


def read_published() -> Results:
    """Read the paper's Table 6: base (Granite 4 Micro) and Kakugo (full), rounded as printed."""
    found = import_table(PUBLISHED / "kakugo_table6.csv")
    table = read_table(PUBLISHED / "kakugo_items.csv")
    items = {task: int(n) for _, (task, n) in table.rows}
    rows = tuple(replace(row, items=items[row.task]) for row in found.rows)
    return Results(rows, "Kakugo, arXiv 2601.14051, Table 6")


def _read_language(reading: _Reading, line: int, name: str) -> str:
    if not has_visible_text(name):
        reading.problems.append(f"line {line}: the language is empty")
    return reading.languages.make_key(name)


def _find_nearest(name: str, known: Mapping[str, str]) -> str | None:
    """Finds the task whose name is most like one: by its words in any order, else by its letters.
    What is asked in English is named so."""
    words = sorted(_split_words(name))
    for text, task in known.items():
        if words in (sorted(_split_words(task)), sorted(_split_words(show_task(task)))):
            return known[text]
    english = "english" in words
    near = [text for text, task in known.items() if english or not is_retention(task)]
    close = difflib.get_close_matches(_keep_letters(name), near, n=1)
    return known[close[0]] if close else None


def _split_words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name.casefold())


def _read_task(reading: _Reading, line: int, name: str) -> str:
    """The task's own name, from that or the one that readers know."""
    known = {
        _keep_letters(text): task for task, facts in TASKS.items() for text in (task, facts.title)
    }
    task = known.get(_keep_letters(name))
    if task is None:
        close = _find_nearest(name, known)
        hint = f". Did you mean {close}?" if close else ""
        reading.problems.append(
            f"line {line}: unknown task {name!r}; allowed: {', '.join(TASKS)}{hint}"
        )
    return task or name


def _keep_letters(text: str) -> str:
    return "".join(character for character in fold(text) if character.isalnum())


def _take(reading: _Reading, line: int, names: tuple[str, str, str], cell: str) -> None:
    """Keeps the number of one cell, or notes why it cannot."""
    language, task, producer = names
    where = f"line {line}: {reading.languages.show_name(language)}, {task}, {producer}"
    if not has_visible_text(producer):
        reading.problems.append(f"line {line}: the producer is empty")
        return
    key = (language, task, reading.producers.make_key(producer))
    if key in reading.numbers:
        reading.problems.append(
            f"{where} stands on line {reading.numbers[key][0]} already. Remedy: keep one of them; "
            "a name is the same in any case and spelling of the language's names"
        )
        return
    number = None
    try:
        number = read_number(cell, line, task, producer, reading.table.decimal_comma)
    except ValueError as error:
        reading.problems.append(f"{where}: {error}")
    reading.numbers[key] = (line, number)


def _read_items(reading: _Reading, line: int, text: str) -> int | None:
    """The number of items that a line tells; None where it tells none."""
    digits = re.fullmatch(r"(\d+|\d{1,3}(?:,\d{3})+)(?:\.0+)?", text)
    items = int(digits[1].replace(",", "")) if digits else 0
    if not items and not is_missing(text):
        reading.problems.append(f"line {line}: {text!r} is no number of items")
    return items or None


def _take_stderr(reading: _Reading, line: int, names: tuple[str, str, str], cell: str) -> None:
    """Keeps the standard error beside a score, or notes why it cannot."""
    language, task, producer = names
    try:
        number = read_number(cell, line, task, producer, reading.table.decimal_comma)
    except ValueError as error:
        where = f"line {line}: {reading.languages.show_name(language)}, {task}, {producer}"
        reading.problems.append(f"{where}, standard error: {error}")
        return
    if number:
        reading.stderrs[language, task, reading.producers.make_key(producer)] = number


def _find_factors(reading: _Reading, scale: Scale | None) -> dict[str, float]:
    """Find the factor of each task's numbers: 1 for points of 100, 100 for fractions."""
    numbers = [number for _, number in reading.numbers.values() if number]
    reading.problems += find_marks(numbers)
    factors = {}
    for task in dict.fromkeys(number.task for number in numbers):
        own = [number for number in numbers if number.task == task]
        factors[task], problems = find_factor(task, own, scale)
        reading.problems += problems
    return factors


def _write_notes(reading: _Reading) -> tuple[str, ...]:
    """Tells a reader of the report how the table was read."""
    known = {
        reading.languages.show_name(key): names
        for key, names in reading.languages.spellings.items()
        if any(fold_name(name) != key for name in names)
    }
    every = [reading.languages.spellings, reading.producers.spellings]
    several = [
        names
        for spellings in every
        for names in spellings.values()
        if len(names) > 1 and names not in known.values()
    ]
    alike: dict[str, list[str]] = {}
    for key in reading.languages.spellings:
        alike.setdefault(strip_marks(key), []).append(reading.languages.show_name(key))
    return (
        *(
            f"Taken for different languages: {', '.join(map(repr, names))}. Where they are one, "
            "write them alike."
            for names in alike.values()
            if len(names) > 1
        ),
        *([f"Left aside in the table: {'; '.join(reading.aside)}."] if reading.aside else []),
        *(f"Taken for {name}: {', '.join(map(repr, names))}." for name, names in known.items()),
        *(f"Taken for one name: {', '.join(map(repr, names))}." for names in several),
    )


def _make_results(reading: _Reading, factors: dict[str, float]) -> Iterable[Result]:
    scores: dict[tuple[str, str, str], float | None] = {}
    for key, (_, number) in reading.numbers.items():
        scores[key] = _to_points(number, factors) if number else None
    for (language, task, producer), score in scores.items():
        base = scores.get((language, task, BASE))
        gained = producer != BASE and base is not None and score is not None
        # The difference of two rounded numbers, as exact as they are.
        points = round(score - base, 10) if gained and score is not None and base is not None else 0
        why = "" if producer == BASE else "base has no score in the table"
        stderr = reading.stderrs.get((language, task, producer))
        yield Result(
            language=describe_language(reading.languages.show_name(language)),
            task=task,
            producer=BASE if producer == BASE else reading.producers.show_name(producer),
            state="gap" if score is None else "result",
            reason="the table has no score here" if score is None else "",
            score=score,
            base=base if gained else None,
            gain=Gain(points, why=NO_SAMPLES) if gained else None,
            no_gain="" if gained else why,
            items=reading.items.get((language, task, producer)),
            stderr=_to_points(stderr, factors) if stderr else None,
        )


def _to_points(number: Number, factors: dict[str, float]) -> float:
    return round(number.value * (1 if number.percent else factors[number.task]), 10)
