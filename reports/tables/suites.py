"""Takes SEA-HELM's totals of each pillar and language as its own program does, without the members
that a judge scores.

A member's score is the mean of its tasks (of a translation's directions), a pillar's the mean of
its members, a language's the mean of its pillars; nothing is weighted by items (arXiv 2502.14301,
and `aggregate_metrics` of its program at 6844e6c).
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

from core.statistics import Interval
from core.tasks import TASKS
from reports.stats.bootstrap import LEAST_UNITS
from reports.tables.results import Result, Results
from reports.tables.sheet import LANGUAGE, PRODUCER, Column, Sheet, Value

SUITE = "SEA-HELM"
NAME = f"{SUITE} without judges"
TOTAL = "all"
JUDGED: Mapping[str, tuple[str, ...]] = {
    "MT-Bench": (
        "ind_Latn", "vie_Latn", "tgl_Latn", "jav_Latn", "sun_Latn", "tha_Thai", "lao_Laoo",
        "khm_Khmr", "zsm_Latn", "mya_Mymr", "tam_Taml",
    ),
    "Kalahi's answers": ("tgl_Latn",),
    "LINDSEA's criteria": ("ind_Latn",),
}  # fmt: skip
"""Members that are left out since a model judges them, with their languages' FLORES codes."""
OTHERS: Mapping[str, tuple[str, ...]] = {
    "safeguards": (
        "ind_Latn", "zsm_Latn", "mya_Mymr", "tam_Taml", "tha_Thai", "tgl_Latn", "vie_Latn",
    ),
    "Thai exams": ("tha_Thai",),
    "instruction following": ("zsm_Latn", "mya_Mymr", "lao_Laoo", "khm_Khmr", "tam_Taml"),
}  # fmt: skip
"""Members that are not built here, in the same way."""
NOTE = (
    f"{NAME}: the mean of its pillars, each the mean of its members; translation counts once for "
    "both directions, and is scored by chrF++, where SEA-HELM takes MetricX. So no number here is "
    "one of SEA-HELM's own tables. A member that has no score is missing from the mean, and named: "
    "compare producers where they have the same members. Gain: over base, with its 95% interval of "
    "the members' own paired tests, taken for independent; both directions of a translation, which "
    "share their sentences, for going wholly together."
)


@dataclass(frozen=True)
class Total:
    """The score of one producer in one language, of a pillar or of `TOTAL`, in points.

    `members` are the titles of those in the mean, `missing` of those that have no score; `gain` is
    over base, None for other members than base's, and `stderr` its standard error, None where that
    of a task is not known.
    """

    language: str
    producer: str
    pillar: str
    score: float
    gain: float | None
    members: tuple[str, ...]
    missing: tuple[str, ...]
    stderr: float | None = None

    @property
    def interval(self) -> Interval | None:
        """The 95% interval of the gain; None where it has no standard error."""
        if self.gain is None or not self.stderr:
            return None
        return Interval(self.gain - _NORMAL * self.stderr, self.gain + _NORMAL * self.stderr)


def find_totals(results: Results) -> tuple[Total, ...]:
    """Find the totals of every producer in each language that has any score of the suite."""
    grouped: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for row in results.rows:
        if row.task in TASKS and TASKS[row.task].suite == SUITE:
            grouped[row.language.name, row.producer].append(row)
    own = {which: average_pillars(rows) for which, rows in grouped.items()}
    found: list[Total] = []
    for (language, producer), totals in own.items():
        row = grouped[language, producer][0]
        base = next((own[language, name] for name in results.bases if (language, name) in own), {})
        errors = pool_errors(grouped[language, producer])
        for pillar, (score, members, missing) in totals.items():
            before = None if row.is_base else base.get(pillar)
            alike = before is not None and before[1] == members
            gain = score - before[0] if before is not None and alike else None
            stderr = None if gain is None else errors.get(pillar)
            found.append(Total(language, producer, pillar, score, gain, members, missing, stderr))
    return tuple(found)


_NORMAL = NormalDist().inv_cdf(0.975)
_Mean = tuple[float, tuple[str, ...], tuple[str, ...]]


def average_pillars(rows: Sequence[Result]) -> dict[str, _Mean]:
    """Take the means of one producer in one language: pillar -> (score, members, missing)."""
    members: dict[str, dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        facts = TASKS[row.task]
        if row.language.flores_code in facts.languages or row.score is not None:
            members[facts.pillar][facts.member].append(row)
    means: dict[str, _Mean] = {}
    for pillar, own in members.items():
        scores, there, missing = [], [], []
        for member, found in own.items():
            if all(row.score is not None for row in found):
                scores.append(fmean(row.score for row in found if row.score is not None))
                there.append(member)
            else:
                missing.append(member)
        if scores:
            means[pillar] = (fmean(scores), tuple(there), tuple(missing))
        else:
            means[pillar] = (float("nan"), (), tuple(missing))
    known = {pillar: mean for pillar, mean in means.items() if mean[1]}
    if not known:
        return {}
    whole = (
        fmean(mean[0] for mean in known.values()),
        tuple(one for mean in known.values() for one in mean[1]),
        tuple(one for mean in means.values() for one in mean[2]),
    )
    return {**known, TOTAL: whole}


def pool_errors(rows: Sequence[Result]) -> dict[str, float]:
    """Pool the standard errors of one producer's gains in one language: pillar -> that of the
    pillar's gain; without those in which a scored task has none, or too few items for any.

    A member's is the mean of its tasks', the largest that it can be; members are independent.
    """
    members: dict[str, dict[str, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    scored: dict[str, dict[str, bool]] = defaultdict(lambda: defaultdict(lambda: True))
    for row in rows:
        facts = TASKS[row.task]
        if row.language.flores_code in facts.languages or row.score is not None:
            few = row.gain is not None and (row.gain.units or LEAST_UNITS) < LEAST_UNITS
            error = None if few or row.gain is None else row.gain.stderr
            members[facts.pillar][facts.member].append(error)
            scored[facts.pillar][facts.member] &= row.score is not None
    errors: dict[str, float] = {}
    known = True
    for pillar, own in members.items():
        there = [found for member, found in own.items() if scored[pillar][member]]
        told = [[one for one in found if one is not None] for found in there]
        if there and told == there:
            errors[pillar] = math.hypot(*map(fmean, told)) / len(there)
        elif there:
            known = False
    if errors and known:
        errors[TOTAL] = math.hypot(*errors.values()) / len(errors)
    return errors


def tabulate_totals(results: Results) -> Sheet | None:
    """List the totals; None where no task of the suite has a score."""
    found = find_totals(results)
    if not found:
        return None
    columns = (
        LANGUAGE,
        PRODUCER,
        Column("pillar", "Pillar"),
        Column("score", NAME, ".1f", numeric=True),
        Column("gain", "Gain", "+.1f", numeric=True),
        Column("low", "95% from", "+.1f", numeric=True),
        Column("high", "95% to", "+.1f", numeric=True),
        Column("members", "Members", prose=True),
        Column("missing", "Missing", prose=True),
    )
    rows: list[tuple[Value, ...]] = [
        (
            *(one.language, one.producer, one.pillar, one.score, one.gain),
            *(one.interval or (None, None)),
            *(", ".join(one.members), ", ".join(one.missing) or None),
        )
        for one in found
    ]
    return Sheet(columns, tuple(rows), notes=(NOTE, *_list_left_out(results)))


def _list_left_out(results: Results) -> Iterator[str]:
    """Name the members of SEA-HELM that no total here has, for each language."""
    for language in results.languages:
        code = language.flores_code
        judged = [name for name, codes in JUDGED.items() if code in codes]
        others = [name for name, codes in OTHERS.items() if code in codes]
        said = [f"{', '.join(judged)} (judged by a model)"] if judged else []
        said += [f"{', '.join(others)} (not built here)"] if others else []
        if said:
            yield f"Not in {language.name}'s total: {'; '.join(said)}."
