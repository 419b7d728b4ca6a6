"""Votes and results from elsewhere: others' votes in the same analysis, several languages."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.lines import read_json_lines
from preference.analysis import SCHEMA, analyse
from preference.commitment import hash_canonical
from preference.errors import BallotError
from preference.files import read_json, write_json, write_text
from preference.normalise import clean_text
from preference.output import compare_studies, draw_figure, summarise, to_csv, write_tables
from preference.publishing import KEY
from preference.verify import verify
from preference.votes import Guess, Vote

_CHOICES = {
    "trained": "trained",
    "base": "base",
    "equal": "equal",
    "tie": "equal",
    "1": "base",
    "2": "trained",
}


@dataclass(frozen=True)
class Imported:
    """Holds what a file of votes says, and how its two arms are called."""

    votes: tuple[Vote, ...]
    guesses: tuple[Guess, ...]
    names: Mapping[str, str]


def read_votes(path: Path) -> Imported:
    """Votes from a JSON list or JSONL. Raises BallotError with the number of a row that is none.

    Rows are {"question", "rater", "choice": trained | base | equal, "category"?, "trained_side"?},
    or a public preference set's {"input", "output_1", "output_2", "label": "1" | "2"}, whose second
    output then stands in the place of the trained arm. A row's `kind` says what it is: `main` (or
    nothing) a vote; `repeat` a prompt shown again; `check` with "passed": true | false; `guess`
    with "trained_side" and "guess": a | b | unknown. Only the first counts as a vote.
    """
    try:
        text = path.read_text(encoding="utf-8")
        rows = (
            json.loads(text)
            if text.lstrip().startswith("[")
            else [line.value for line in read_json_lines(path)]
        )
    except (OSError, ValueError) as error:
        raise BallotError(f"{path}: neither a JSON list nor JSONL ({error})") from None
    read: list[Vote | Guess] = []
    seen: set[tuple[str, str, str]] = set()
    names = {"base": "base", "trained": "trained"}
    for number, row in enumerate(rows, 1):
        where = f"{path}, row {number}"
        if not isinstance(row, dict):
            raise BallotError(f"{where}: not an object but {json.dumps(row)[:60]}")
        if "label" in row:
            names = {"base": "output_1", "trained": "output_2"}
        try:
            found = _read_row(row)
        except KeyError as error:
            raise BallotError(f"{where}: it has no {error}") from None
        except (ValueError, TypeError) as error:
            raise BallotError(f"{where}: {error}") from None
        if isinstance(found, Vote):
            if (found.kind, found.rater, found.question) in seen:
                raise BallotError(f"{where}: {found.rater} has voted on this question already")
            seen.add((found.kind, found.rater, found.question))
        read.append(found)
    if not any(isinstance(one, Vote) and one.kind == "main" for one in read):
        raise BallotError(f"{path}: it holds no vote. Remedy: rows of question, rater and choice")
    return Imported(
        tuple(one for one in read if isinstance(one, Vote)),
        tuple(one for one in read if isinstance(one, Guess)),
        names,
    )


def _read_row(row: Mapping[str, Any]) -> Vote | Guess:
    if "label" in row:
        question = hash_canonical([row["input"], row["output_1"], row["output_2"]])[:16]
        row = {"question": question, "rater": "majority", "choice": row["label"]} | {
            name: row[name] for name in ("kind", "category") if name in row
        }
    kind = _read_one_of(row, "kind", ("main", "repeat", "check", "guess"), default="main")
    if kind == "guess":
        side = _read_one_of(row, "trained_side", ("a", "b"))
        return Guess(_name(row, "rater"), side, _read_one_of(row, "guess", ("a", "b", "unknown")))  # type: ignore[arg-type]
    passed = None
    choice = "equal"
    if kind == "check":
        passed = _read_one_of(row, "passed", ("true", "false")) == "true"
    else:
        choice = _CHOICES[_read_one_of(row, "choice", tuple(_CHOICES))]
    known = row.get("trained_side") not in (None, "") and kind != "check"
    return Vote(
        _name(row, "rater"),
        _name(row, "question"),
        _name({"category": "all", **row}, "category"),
        choice,  # type: ignore[arg-type]
        _read_one_of(row, "trained_side", ("a", "b")) if known else None,  # type: ignore[arg-type]
        kind,  # type: ignore[arg-type]
        passed,
    )


def _name(row: Mapping[str, Any], field: str) -> str:
    """Read who or what a row is about: text or a number, on one line. Raises KeyError where it is
    missing, ValueError where it names nobody."""
    value = row[field]
    name = " ".join(clean_text(str(value)).split())
    if not name or type(value) not in (str, int):
        raise ValueError(f"{field} is {value!r}; it has to be a name or a whole number")
    return name


def _read_one_of(
    row: Mapping[str, Any], name: str, allowed: Sequence[str], *, default: str | None = None
) -> str:
    """A field's value as text. Raises KeyError where it is missing, ValueError for another one."""
    value = row[name] if default is None else row.get(name, default)
    said = str(value).lower() if isinstance(value, bool) else str(value)
    if said not in allowed:
        raise ValueError(f"{name} is {value!r}; allowed are {', '.join(allowed)}")
    return said


def analyse_file(path: Path, out: Path, *, language: str = "") -> dict[str, Any]:
    """Analyses such a file into `result.json` and its tables."""
    read = read_votes(path)
    study = {"title": path.name, "language": language, **read.names, "imported": True}
    result = analyse(read.votes, read.guesses, study=study)
    write_tables(result, out)
    write_json(out / "result.json", result)
    return result


def compare_results(paths: Sequence[Path], out: Path) -> list[str]:
    """figure.svg, comparison.csv and comparison.json of several studies; returns lines to print.

    Raises VerificationError for a study whose folder does not fit together.
    """
    results: list[Mapping[str, Any]] = []
    notes: list[str] = []
    for path in paths:
        result = read_json(path / "result.json" if path.is_dir() else path, BallotError, "result")
        if result.get("schema") != SCHEMA or "estimate" not in result:
            raise BallotError(
                f"{path}: not a result that this program can read (schema {result.get('schema')!r})"
            )
        if (path / KEY).is_file():
            verify(path, path / KEY)
        else:
            notes.append(f"not verified: {path} holds no key")
        results.append(result)
    rows = compare_studies(results)
    write_text(out / "figure.svg", draw_figure(results))
    write_text(out / "comparison.csv", to_csv(list(rows[0]), [list(row.values()) for row in rows]))
    write_json(out / "comparison.json", {"rows": rows})
    if len(results) == 1:
        return [summarise(results[0]).rstrip("\n"), *notes]
    return [
        f"{row['language'] or '?'}: net {row['net']:+.3f}, p"
        f" {row['p'] if row['p'] is None else round(row['p'], 4)}, Holm"
        f" {row['p_holm'] if row['p_holm'] is None else round(row['p_holm'], 4)}"
        + (f". WARNING: {row['warnings']}" if row["warnings"] else "")
        for row in rows
        if row["net"] is not None
    ] + notes
