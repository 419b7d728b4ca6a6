"""Votes and results from elsewhere: others' votes in the same analysis, several languages."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.lines import read_json_lines
from harness.preference.analysis import SCHEMA, Vote, analyse
from harness.preference.commitment import digest
from harness.preference.errors import BallotError
from harness.preference.files import read_json, write_json, write_text
from harness.preference.output import comparison, figure, summary, to_csv, write_tables
from harness.preference.publishing import KEY
from harness.preference.verify import verify

_CHOICES = {
    "trained": "trained",
    "base": "base",
    "equal": "equal",
    "tie": "equal",
    "1": "base",
    "2": "trained",
}


def read_votes(path: Path) -> tuple[list[Vote], dict[str, str]]:
    """Votes from a JSON list or JSONL, and how the two arms are called.

    Rows are {"question", "rater", "choice": trained | base | equal, "category"?}, or a public
    preference set's {"input", "output_1", "output_2", "label": "1" | "2"}, whose second output then
    stands in the place of the trained arm. Raises BallotError with the row.
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
    votes: list[Vote] = []
    seen: set[tuple[str, str]] = set()
    names = {"base": "base", "trained": "trained"}
    for number, row in enumerate(rows, 1):
        try:
            if "label" in row:
                names = {"base": "output_1", "trained": "output_2"}
                question, rater, choice = (
                    digest([row["input"], row["output_1"], row["output_2"]])[:16],
                    "majority",
                    str(row["label"]),
                )
            else:
                question, rater, choice = (
                    str(row["question"]),
                    str(row["rater"]),
                    str(row["choice"]),
                )
            vote = Vote(rater, question, str(row.get("category", "all")), _CHOICES[choice])  # type: ignore[arg-type]
        except (KeyError, TypeError, AttributeError) as error:
            raise BallotError(
                f"{path}, row {number}: {type(error).__name__}: {error}; choices are"
                f" {', '.join(_CHOICES)}"
            ) from None
        if (rater, question) in seen:
            raise BallotError(f"{path}, row {number}: {rater} has voted on this question already")
        seen.add((rater, question))
        votes.append(vote)
    return votes, names


def analyse_file(path: Path, out: Path, *, language: str = "") -> dict[str, Any]:
    """Analyses such a file into `result.json` and its tables."""
    votes, names = read_votes(path)
    result = analyse(
        votes, study={"title": path.name, "language": language, **names, "imported": True}
    )
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
    rows = comparison(results)
    write_text(out / "figure.svg", figure(results))
    write_text(out / "comparison.csv", to_csv(list(rows[0]), [list(row.values()) for row in rows]))
    write_json(out / "comparison.json", {"rows": rows})
    if len(results) == 1:
        return [summary(results[0]).rstrip("\n"), *notes]
    return [
        f"{row['language'] or '?'}: net {row['net']:+.3f}, p"
        f" {row['p'] if row['p'] is None else round(row['p'], 4)}, Holm"
        f" {row['p_holm'] if row['p_holm'] is None else round(row['p_holm'], 4)}"
        for row in rows
        if row["net"] is not None
    ] + notes
