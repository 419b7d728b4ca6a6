"""The score table: per language and student, tasks by producers, with gains and named gaps."""

from collections import defaultdict
from dataclasses import dataclass

from core.contract.names import SCORES
from core.contract.record import Unreadable
from core.statistics import Interval
from core.tasks import TASKS, show_task
from reports.side_by_side import open_pool
from reports.store.cells import Entry, find_entries, group_rows
from reports.store.model import Score, ShownLanguage, State, StoreView
from reports.store.naming import name_producers
from reports.store.samples import score_resamples_of
from reports.tables.gain import Gain, compute_gain, find_interval, recompute_score

DATA_WORDS = {
    "embedded": "the harness's own small sets, not the benchmarks",
    "local": "benchmark files from a local folder",
    "hub": "the benchmarks' published data sets",
}


@dataclass(frozen=True)
class TableCell:
    """One producer on one task. Without a gain, `no_gain` says why ("" for base itself)."""

    producer: str
    role: str
    state: State
    reason: str
    score: Score | None
    base: Score | None
    gain: Gain | None
    no_gain: str
    interval: Interval | None = None
    """95% interval of the score alone; None where none is known."""


@dataclass(frozen=True)
class PanelRow:
    """One task under one protocol. `setting` is "" unless the task has several rows."""

    task: str
    setting: str
    bases: tuple[TableCell, ...]
    others: tuple[TableCell, ...]

    @property
    def name(self) -> str:
        """The task's name as readers know it; an unknown task keeps its own."""
        return show_task(self.task)

    @property
    def full_name(self) -> str:
        """The task's name, with the setting where it has several rows."""
        return f"{self.name} ({self.setting})" if self.setting else self.name

    @property
    def cells(self) -> tuple[TableCell, ...]:
        """Base first, then the other producers."""
        return self.bases + self.others


@dataclass(frozen=True)
class ScoreLine:
    """One line of a printed score table. `cell` is None where the row holds nothing but base."""

    producer: str
    base: TableCell | None
    cell: TableCell | None
    n: int | None

    @property
    def gain(self) -> Gain | None:
        return self.cell.gain if self.cell else None


def list_lines(row: PanelRow) -> list[ScoreLine]:
    """List a row's lines, one per producer; one line when base is alone or all share one gap."""
    first = row.bases[0] if row.bases else None
    alike = len({(cell.state, cell.reason) for cell in row.cells}) == 1
    if not row.others or (alike and row.cells[0].score is None):
        n = first.score.n if first and first.score else None
        return [ScoreLine("", first or row.cells[0], row.others[0] if row.others else None, n)]
    lines = []
    for cell in row.others:
        base = next((b for b in row.bases if b.score and b.score is cell.base), first)
        score = cell.score or cell.base or (base.score if base else None)
        lines.append(ScoreLine(cell.producer, base, cell, score.n if score else None))
    return lines


@dataclass(frozen=True)
class Panel:
    """One language and student. `notes` are warnings of the scores and of their pairing."""

    language: ShownLanguage
    student: str
    teachers: tuple[str, ...]
    data: tuple[str, ...]
    rows: tuple[PanelRow, ...]
    notes: tuple[str, ...]

    @property
    def producers(self) -> list[str]:
        """The producers other than base, in the order of their first run."""
        return list(dict.fromkeys(cell.producer for row in self.rows for cell in row.others))

    @property
    def has_gains(self) -> bool:
        """True where any producer has a gain over base."""
        return any(cell.gain for row in self.rows for cell in row.others)

    @property
    def gaps(self) -> list[tuple[PanelRow, TableCell]]:
        """Every cell that is no result, in the table's order."""
        return [(row, cell) for row in self.rows for cell in row.cells if cell.state != "result"]


def build_panels(view: StoreView, checkpoint: str | None = None) -> tuple[Panel, ...]:
    """Build the score tables of a view, one per language and student, by name.

    With the key of a `checkpoint`, only those it stands in, beside nothing but base.
    """
    groups: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in name_producers(view, find_entries(view)):
        if checkpoint in (None, entry.cell.checkpoint.key) or entry.role == "base":
            groups[entry.cell.language, entry.student].append(entry)
    if checkpoint:
        groups = {
            key: entries
            for key, entries in groups.items()
            if any(entry.cell.checkpoint.key == checkpoint for entry in entries)
        }
    with open_pool() as pool:
        return tuple(pool.map(lambda key: _make_panel(view, groups[key]), sorted(groups)))


def describe_data(name: str) -> str:
    """Tell a reader where a data set comes from."""
    return f'"{name}": {DATA_WORDS[name]}' if name in DATA_WORDS else f'"{name}"'


def _make_panel(view: StoreView, entries: list[Entry]) -> Panel:
    notes: dict[str, list[str]] = defaultdict(list)
    tasks: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        tasks[entry.cell.task].append(entry)
    rows = []
    for task in sorted(tasks, key=_make_order_key):
        groups = group_rows(view, tasks[task])
        rows += [_make_row(view, group, len(groups) > 1, notes) for group in groups]
    newest = max(entries, key=lambda entry: entry.order)
    rows = _leave_out_foreign_suites(rows, newest.language, notes)
    scores = [entry.score for entry in entries if entry.score]
    return Panel(
        language=newest.language,
        student=newest.student,
        teachers=tuple(dict.fromkeys(e.teacher for e in entries if e.teacher)),
        data=tuple(sorted({score.data.name for score in scores})),
        rows=tuple(rows),
        notes=tuple(f"{', '.join(dict.fromkeys(who))}: {note}" for note, who in notes.items()),
    )


def _leave_out_foreign_suites(
    rows: list[PanelRow], language: ShownLanguage, notes: dict[str, list[str]]
) -> list[PanelRow]:
    """Leave out the rows of a suite none of whose tasks has the language, and note it once: of
    SEA-HELM, an African language would have one gap in place of twenty."""
    suites: dict[str, list[PanelRow]] = defaultdict(list)
    for row in rows:
        if row.task in TASKS and TASKS[row.task].suite:
            suites[TASKS[row.task].suite].append(row)
    dropped: set[str] = set()
    for suite, own in suites.items():
        known = any(language.flores_code in TASKS[row.task].languages for row in own)
        if not known and all(cell.state == "gap" for row in own for cell in row.cells):
            dropped |= {row.task for row in own}
            notes[f"none of its {len(own)} tasks that were asked for has {language.name}"] = [suite]
    return [row for row in rows if row.task not in dropped]


def _make_order_key(task: str) -> tuple[int, str]:
    known = list(TASKS)
    return (known.index(task) if task in known else len(known), task)


def _make_row(
    view: StoreView, entries: list[Entry], several: bool, notes: dict[str, list[str]]
) -> PanelRow:
    shown: dict[str, Entry] = {}
    name = show_task(entries[0].cell.task)
    for entry in sorted(entries, key=lambda entry: entry.order):
        producer = entry.cell.producer
        if producer in shown:
            older = shown[producer].cell.key or "gap"
            notes[f"planned twice; the newer is shown, not {older[:12]}"].append(
                f"{name}, {producer}"
            )
        shown[producer] = entry
    for note, who in _score_notes(shown).items():
        notes[note] += [f"{name}, {producer}" if producer else name for producer in who]
    for producer, entry in shown.items():
        for note in _warn_of_disagreement(entry.score):
            notes[note].append(f"{name}, {producer}")
    ordered = [entry for entry in entries if shown[entry.cell.producer] is entry]
    bases = [entry for entry in ordered if entry.role == "base"]
    if bases and len(ordered) > len(bases):
        score_resamples_of(entry.score for entry in ordered if entry.score)
    cells = {entry.cell.producer: _make_cell(view, entry, bases) for entry in ordered}
    for cell in cells.values():
        if cell.gain:
            for note in cell.gain.notes:
                notes[note].append(f"{name}, {cell.producer}")
    example = next((entry.score for entry in ordered if entry.score), None)
    setting = f"n {example.n}; {example.full_protocol}" if example else "no result yet"
    return PanelRow(
        task=entries[0].cell.task,
        setting=setting if several else "",
        bases=tuple(cells[entry.cell.producer] for entry in bases),
        others=tuple(cells[entry.cell.producer] for entry in ordered if entry not in bases),
    )


def _score_notes(shown: dict[str, Entry]) -> dict[str, list[str]]:
    """The scores' own warnings, and whose they are: "" for one that every score bears."""
    scores = {producer: entry.score for producer, entry in shown.items() if entry.score}
    found: dict[str, list[str]] = defaultdict(list)
    for producer, score in scores.items():
        for note in score.warnings:
            found[note].append(producer)
    return {note: who if len(who) < len(scores) else [""] for note, who in found.items()}


def _warn_of_disagreement(score: Score | None) -> list[str]:
    """A word of warning when the kept samples do not give the recorded score."""
    if score is None:
        return []
    try:
        found = recompute_score(score)
    except Unreadable as error:
        return [str(error)]
    if abs(found - score.score) > 0.06:
        return [f"the kept samples give {found:.2f}, but {SCORES} says {score.score:.2f}"]
    return []


def _make_cell(view: StoreView, entry: Entry, bases: list[Entry]) -> TableCell:
    base = view.scores.get(entry.base_key or "")
    why = "base has no result"
    if base is None and entry.base_key is None:
        results = [candidate.score for candidate in bases if candidate.score]
        base = results[0] if len(results) == 1 else None
        why = "several bases, and no run record says which" if len(results) > 1 else why
    gain = None
    if entry.role == "base":
        base, why = entry.score, ""
    elif entry.score is None:
        why = entry.reason
    elif base is not None:
        try:
            gain, why = compute_gain(base, entry.score), ""
        except Unreadable as error:
            why = str(error)
    return TableCell(
        producer=entry.cell.producer,
        role=entry.role,
        state=entry.state,
        reason=entry.reason,
        score=entry.score,
        base=base,
        gain=gain,
        no_gain=why,
        interval=find_interval(entry.score) if entry.score else None,
    )
