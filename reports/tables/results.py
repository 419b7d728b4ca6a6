"""Every score of a report in one flat list: the form from which the tables over languages are made.

a store ──panels.py──> from_panels ┐
                                   ├──> Results ──> summary, wins, correlation, figures, ...
a CSV file ────────> importing.py  ┘
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from core.contract.producers import find_role
from core.tasks import TASKS, is_retention
from reports.store.cells import find_entries
from reports.store.model import Score, ShownLanguage, State, StoreView
from reports.store.naming import name_producers
from reports.store.scored import ScoredAs, find_protocol
from reports.tables.gain import Gain
from reports.tables.panels import Panel, PanelRow, TableCell

BASE = "base"
BUDGET_SPREAD = 0.02
"""Training sizes so near to each other, in every language, count as one budget: each mixture is
within 1% of its own, unless it has fewer than about a hundred rows."""


@dataclass(frozen=True)
class Result:
    """One producer on one task in one language. Without a score, `reason` says why.

    Scores and gains are on a 0-100 scale. Without a gain, `no_gain` says why ("" for base).
    """

    language: ShownLanguage
    task: str
    producer: str
    state: State
    reason: str = ""
    score: float | None = None
    base: float | None = None
    gain: Gain | None = None
    no_gain: str = ""
    record: Score | None = None
    """The score artifact; None for an imported table."""
    base_record: Score | None = None
    """The score artifact that the gain is over; None without a gain, and for an imported table."""
    items: int | None = None
    """Of an imported table: the items that were scored, where it tells."""
    stderr: float | None = None
    """Of an imported table: the score's standard error, where it tells."""
    size: float | None = None
    """What it was trained on: tokens, or characters where no tokens were recorded."""
    seeds: tuple["Result", ...] = ()
    """Of a producer that stands for several training seeds: their results, whose mean it is."""
    role: str | None = None
    """What the checkpoint is: base, trained or published; None where its name alone is known."""

    @property
    def is_base(self) -> bool:
        return find_role(self.producer, self.role) == BASE


@dataclass(frozen=True)
class Results:
    """The results, each (language, task, producer) once. `notes` say what was left out."""

    rows: tuple[Result, ...]
    source: str
    notes: tuple[str, ...] = ()
    equal: frozenset[str] = field(default=frozenset())
    """Producers that were trained on the same budget; empty when no two were."""
    protocols: Mapping[str, ScoredAs] = field(default_factory=dict)
    """Task to the protocol of its scores; empty for an imported table, which tells none."""
    unmerged: tuple[str, ...] = ()
    """The seeds that are not in the mean over the seeds of their mixture, and why."""

    @property
    def tasks(self) -> list[str]:
        found = {row.task for row in self.rows}
        return [t for t in TASKS if t in found] + sorted(found - set(TASKS))

    @property
    def languages(self) -> list[ShownLanguage]:
        found = {row.language.name: row.language for row in self.rows}
        return [found[name] for name in sorted(found)]

    @property
    def producers(self) -> list[str]:
        """Base first, then the others in the order in which they were found."""
        found = dict.fromkeys(row.producer for row in self.rows)
        return sorted(found, key=lambda name: name not in self.bases)

    @cached_property
    def bases(self) -> frozenset[str]:
        """The names of base: one for each student."""
        return frozenset(row.producer for row in self.rows if row.is_base)

    @property
    def trained(self) -> list[str]:
        """The producers that are not base."""
        return [name for name in self.producers if name not in self.bases]

    @cached_property
    def shown(self) -> str | None:
        """The producer that figures show where only one has room: the one with most results.

        Never the one with the best: of equals, the one trained on most, then the first.
        """
        sizes: dict[str, float] = defaultdict(float)
        counts: dict[str, int] = defaultdict(int)
        for row in self.rows:
            counts[row.producer] += row.gain is not None
            sizes[row.producer] += row.size or 0
        return max(self.trained, key=lambda name: (counts[name], sizes[name]), default=None)

    def find(self, task: str, producer: str) -> list[Result]:
        """One task and producer, by language."""
        rows = [r for r in self.rows if (r.task, r.producer) == (task, producer)]
        return sorted(rows, key=lambda row: row.language.name)

    def find_gained(self, task: str, producer: str) -> list[Result]:
        """Lists those of `find` that have a gain."""
        return [row for row in self.find(task, producer) if row.gain]

    def keep(self, keep: Callable[[Result], bool]) -> "Results":
        """The results that `keep` keeps."""
        return replace(self, rows=tuple(filter(keep, self.rows)))


def from_panels(view: StoreView, panels: Iterable[Panel]) -> Results:
    """The results of a store, of one protocol for each task.

    A task counts as it was scored in most languages (of equals: with most results, then the
    last). What was scored otherwise has no score here, and the reason why; `notes` name it. With
    several students each producer bears its student's name.
    """
    panels = list(panels)
    students = {panel.student for panel in panels}
    kept = choose_protocols(panels)
    rows: list[Result] = []
    notes: dict[str, list[str]] = defaultdict(list)
    for panel in panels:
        suffix = f" ({panel.student or 'unknown student'})" if len(students) > 1 else ""
        for task, task_rows in _group_by_task(panel).items():
            best = _find_row(task_rows, kept.get(task))
            for other in task_rows:
                if other is not best:
                    said = f"{other.name}: also scored as {other.setting or 'another row'}"
                    notes[said].append(panel.language.name)
            for cell in best.cells:
                row = _make_result(view, panel, best, cell, suffix)
                if why := _describe_difference(cell, kept.get(task)):
                    row = _leave_out(row, why)
                    notes[f"{best.name}: {why}"].append(panel.language.name)
                rows.append(row)
    told = tuple(
        f"{said}; left out of the tables over languages: {', '.join(dict.fromkeys(names))}"
        for said, names in notes.items()
    )
    return Results(tuple(rows), str(view.root.name), told, find_equal_budget(rows), kept)


def split_retention(results: Results) -> tuple[Results, Results]:
    """Returns the results in the languages, and those in English, which tell what was forgotten
    and must enter no mean over tasks."""
    return (
        results.keep(lambda result: not is_retention(result.task)),
        results.keep(lambda result: is_retention(result.task)),
    )


def choose_protocols(panels: Iterable[Panel]) -> dict[str, ScoredAs]:
    """Chooses for each task the protocol in which most languages were scored."""
    languages: dict[str, dict[ScoredAs, set[str]]] = defaultdict(lambda: defaultdict(set))
    results: dict[str, dict[ScoredAs, int]] = defaultdict(lambda: defaultdict(int))
    for panel in panels:
        for row in panel.rows:
            for cell in row.cells:
                if cell.score:
                    protocol = find_protocol(cell.score)
                    languages[row.task][protocol].add(panel.language.name)
                    results[row.task][protocol] += 1
    return {
        task: max(reversed(found), key=lambda one: (len(found[one]), results[task][one]))
        for task, found in languages.items()
    }


def _find_row(rows: list[PanelRow], protocol: ScoredAs | None) -> PanelRow:
    """Finds the row with most scores of a protocol; of equals, with most scores, then the last."""

    def count(row: PanelRow) -> tuple[int, int]:
        scores = [cell.score for cell in row.cells if cell.score]
        return sum(find_protocol(score) == protocol for score in scores), len(scores)

    return max(reversed(rows), key=count)


def _describe_difference(cell: TableCell, protocol: ScoredAs | None) -> str:
    """Says how a cell was scored otherwise; "" where it was not."""
    if cell.score is None or protocol is None or find_protocol(cell.score) == protocol:
        return ""
    mine, most = find_protocol(cell.score).tell_apart(protocol)
    return f"scored as {mine}, most as {most}"


def _leave_out(row: Result, why: str) -> Result:
    """Takes the score out of a result that must not be averaged with the others."""
    return replace(
        row,
        state="gap",
        reason=why,
        score=None,
        base=None,
        gain=None,
        no_gain="" if row.is_base else why,
        record=None,
        base_record=None,
    )


def collect_entries(view: StoreView) -> Results:
    """The scores of a store without their gains: nothing is computed from the samples.

    Of a cell that was scored several times (another limit or protocol), the newest.
    """
    entries = name_producers(view, find_entries(view))
    students = {entry.student for entry in entries}
    found: dict[tuple[str, ...], Result] = {}
    for entry in sorted(entries, key=lambda entry: entry.order):
        suffix = f" ({entry.student or 'unknown student'})" if len(students) > 1 else ""
        cell = entry.cell
        found[cell.language, cell.task, cell.producer + suffix] = Result(
            language=entry.language,
            task=cell.task,
            producer=cell.producer + suffix,
            role=entry.role,
            state=entry.state,
            reason=entry.reason,
            score=entry.score.score if entry.score else None,
            record=entry.score,
        )
    return Results(tuple(found.values()), view.root.name)


def find_equal_budget(rows: Iterable[Result]) -> frozenset[str]:
    """The largest group of producers trained on the same amount in each language they share."""
    sizes: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        if row.size and not row.is_base:
            sizes[row.producer][row.language.name] = row.size
    groups = [
        frozenset(other for other in sizes if _is_alike(sizes[name], sizes[other]))
        for name in sizes
    ]
    best = max(groups, key=len, default=frozenset())
    whole = all(_is_alike(sizes[a], sizes[b]) for a in best for b in best)
    return best if len(best) > 1 and whole else frozenset()


def _is_alike(left: dict[str, float], right: dict[str, float]) -> bool:
    shared = left.keys() & right.keys()
    return bool(shared) and all(
        abs(left[name] - right[name]) <= BUDGET_SPREAD * max(left[name], right[name])
        for name in shared
    )


def _group_by_task(panel: Panel) -> dict[str, list[PanelRow]]:
    found: dict[str, list[PanelRow]] = defaultdict(list)
    for row in panel.rows:
        found[row.task].append(row)
    return found


def _make_result(
    view: StoreView, panel: Panel, row: PanelRow, cell: TableCell, suffix: str
) -> Result:
    return Result(
        language=panel.language,
        task=row.task,
        producer=cell.producer + suffix,
        role=cell.role,
        state=cell.state,
        reason=cell.reason,
        score=cell.score.score if cell.score else None,
        base=cell.base.score if cell.base and cell.gain else None,
        gain=cell.gain,
        no_gain=cell.no_gain,
        record=cell.score,
        base_record=cell.base if cell.gain else None,
        size=_find_training_size(view, cell.score),
    )


def _find_training_size(view: StoreView, score: Score | None) -> float | None:
    """Tokens of the checkpoint's mixture; characters where it has no tokens; None without one."""
    mixture = view.find_mixture(score.artifact.manifest.checkpoint) if score else None
    if mixture is None:
        return None
    characters = sum(line.characters for line in mixture.facts.table)
    return float(mixture.facts.tokens or characters) or None
