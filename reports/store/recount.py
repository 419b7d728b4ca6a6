"""Counts a blind study's votes again, from the `votes.csv` beside its result.

It tells a result that was changed alone. Not covered: votes that were changed as well, which only
`kakugo-preference verify` tells, against what was published before and at the close.
"""

import csv
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.contract.names import RESULT, VOTES
from core.contract.record import Unreadable
from core.contract.study import Counts, Estimate, StudyResult
from core.statistics import flip_signs_exactly

_SCORES = {"trained": 1, "equal": 0, "base": -1}
_NAMES = {"trained": "wins", "equal": "ties", "base": "losses"}
_DRAWS = 9999
"""Of the study's own test, where it draws signs instead of trying all."""
_MOST_STEPS = 60


def check_counts(folder: Path, result: StudyResult) -> None:
    """Raises Unreadable where a figure of the result is not what the votes give: votes, prompts,
    those of each rater and category, shares, net preference, and p (where their order is no
    matter)."""
    votes = _main_votes(folder / VOTES)
    by_prompt = _group_votes(votes, "question")
    _check_same("votes", result.votes, len(votes))
    _check_same("prompts", result.prompts, len(by_prompt))
    said: Sequence[tuple[str, str, Mapping[str, Counts]]] = (
        ("raters", "rater", {row.rater: row for row in result.raters}),
        ("categories", "category", {row.category: row for row in result.categories}),
    )
    for what, column, rows in said:
        groups = _group_votes(votes, column)
        if rows.keys() != groups.keys():
            raise Unreadable(f"{RESULT} names other {what} than {VOTES}")
        for name, group in groups.items():
            counted = Counter(_NAMES[vote["choice"]] for vote in group)
            for count in _NAMES.values():
                _check_same(f"{count} of {name}", getattr(rows[name], count), counted[count])
    estimate = result.estimate
    scores = {q: [_SCORES[vote["choice"]] for vote in vs] for q, vs in by_prompt.items()}
    for choice, name in _NAMES.items():
        shares = [sum(s == _SCORES[choice] for s in of) / len(of) for of in scores.values()]
        _check_near(name, getattr(estimate, name), shares)
    _check_near("net", estimate.net, [sum(of) / len(of) for of in scores.values()])
    if result.stopping is None:
        _check_p(result.primary.p, scores)
    elif result.primary.p is not None:
        # It hangs on the order of the votes, which `verify` has; here the two can be held together.
        _check_near("p", Estimate(result.primary.p, None), [min(1.0, 1 / result.stopping.e)])


def _main_votes(path: Path) -> list[Mapping[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows: list[Mapping[str, str]] = [
                {name: _strip_cell_mark(cell or "") for name, cell in row.items() if name}
                for row in csv.DictReader(lines)
                if row.get("kind") == "main"
            ]
    except (OSError, ValueError, csv.Error) as error:
        raise Unreadable(f"{VOTES} cannot be read ({error})") from None
    for row in rows:
        if row.get("choice") not in _SCORES or not row.get("question") or not row.get("rater"):
            raise Unreadable(f"{VOTES} holds a row that is no vote")
    return rows


def _strip_cell_mark(cell: str) -> str:
    """A cell without the mark that keeps a spreadsheet from taking it for a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@", "\t", "\r") else cell


def _group_votes(
    votes: Sequence[Mapping[str, str]], column: str
) -> dict[str, list[Mapping[str, str]]]:
    groups: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for vote in votes:
        groups[vote.get(column, "")].append(vote)
    return groups


def _check_same(what: str, said: int, counted: int) -> None:
    if said != counted:
        raise Unreadable(f"{RESULT} says {said} {what}, {VOTES} gives {counted}")


def _check_near(what: str, said: Estimate, values: Sequence[float]) -> None:
    value = said.value
    counted = sum(values) / len(values) if values else None
    if (value is None) != (counted is None) or (
        value is not None and counted is not None and abs(value - counted) > 1e-8
    ):
        raise Unreadable(f"{RESULT} says {what} {value}, {VOTES} gives {counted}")


def _check_p(said: float | None, scores: Mapping[str, Sequence[int]]) -> None:
    """The exact p of the same test. Left alone where prompts have so many different numbers of
    votes that it would take too long."""
    import numpy as np

    steps = math.lcm(*(len(of) for of in scores.values())) if scores else 1
    if steps > _MOST_STEPS:
        return
    sums = np.array([sum(of) * steps // len(of) for of in scores.values()], dtype=int)
    if not sums.any():
        if said is not None:
            raise Unreadable(f"{RESULT} says p {said}, where {VOTES} prefers no arm anywhere")
        return
    exact = flip_signs_exactly(sums)
    # What a study that draws its signs may be off by, five deviations of it.
    margin = 10 * math.sqrt(exact / 2 * (1 - exact / 2) / _DRAWS) + 2 / _DRAWS
    if said is None or abs(said - exact) > margin:
        raise Unreadable(f"{RESULT} says p {said}, {VOTES} gives {exact:.4f}")
