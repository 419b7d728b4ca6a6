"""Find the planned scores and what became of each: a result, or a state with its reason."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from core.contract.plan import Checkpoint, PlannedCell
from core.contract.producers import find_role
from reports.store.languages import describe_language
from reports.store.model import Run, Score, ShownLanguage, State, StoreView


@dataclass(frozen=True)
class Entry:
    """One planned or found score. `base_key` is the score key of base in the same run and task."""

    cell: PlannedCell
    language: ShownLanguage
    student: str
    teacher: str
    order: int
    """Position of the newest run that planned it; -1 when no run record does."""
    base_key: str | None
    state: State
    reason: str
    score: Score | None

    @property
    def role(self) -> str:
        """Tells what the checkpoint is: base, trained or published."""
        return find_role(self.cell.producer, self.cell.role)


def find_entries(view: StoreView) -> list[Entry]:
    """Every distinct cell of the store: planned by a run, or scored with its run record gone.

    The same cell planned by several runs is one entry, described by the newest of them.
    """
    found: dict[tuple[str, ...], Entry] = {}
    for order, run in enumerate(view.runs):
        teacher = _find_teacher(view, run)
        bases = {
            (c.language, c.task): c.key
            for c in run.cells
            if find_role(c.producer, c.role) == "base"
        }
        for cell in run.cells:
            state, reason = _find_state(view, cell, run)
            entry = Entry(
                cell=cell,
                language=run.language
                if run.language.name == cell.language
                else describe_language(cell.language),
                student=run.plan.student,
                teacher=teacher,
                order=order,
                base_key=bases.get((cell.language, cell.task)),
                state=state,
                reason=reason,
                score=view.scores.get(cell.key or ""),
            )
            checkpoint = (cell.checkpoint.stage, cell.checkpoint.key)
            identity = (cell.language, run.plan.student, cell.producer, cell.task, *checkpoint)
            found.pop((*identity, cell.key or ""), None)
            if cell.key:  # what was a gap for want of data is none any more
                found.pop((*identity, ""), None)
            elif any(known[:-1] == identity for known in found):
                continue
            found[(*identity, cell.key or "")] = entry
    planned = {entry.cell.key for entry in found.values()}
    orphans = [score for key, score in view.scores.items() if key not in planned]
    return [*found.values(), *_adopt(orphans, list(found.values()))]


def _find_teacher(view: StoreView, run: Run) -> str:
    """Name the teacher of a run; "" where none was asked, as for chats of the user's own alone.

    The plans of older runs name the teacher that was set, whether or not it had anything to write.
    """
    sources = view.artifacts.get("source", {})
    found = [sources.get(planned.key) for planned in run.plan.stages if planned.stage == "source"]
    asked = [
        made is None or made.about.teacher is not None or made.manifest.tokens.output > 0
        for made in found
    ]
    return run.plan.teacher if any(asked) or not asked else ""


def _find_state(view: StoreView, cell: PlannedCell, run: Run) -> tuple[State, str]:
    key = cell.key or ""
    if key in view.scores:
        return "result", ""
    if key in view.damaged:
        return "damaged", view.damaged[key]
    if cell.gap:
        return "gap", cell.gap
    if run.error:
        return "failed", run.error
    if why := _find_end(view, key, run):
        return "failed", why
    if key in view.unfinished:
        return "missing", "started but not finished; the same command continues it"
    return "missing", "not run yet"


def _find_end(view: StoreView, key: str, run: Run) -> str:
    """Tell why a cluster's job did not make a score, or what that waits for; "" where no job has
    failed."""
    if key in view.ends:
        return view.ends[key]
    stages = {stage.key: stage for stage in run.plan.stages}
    waiting, seen = [key], set()
    while waiting:
        at = waiting.pop(0)
        if at in seen or at not in stages or at in view.artifacts.get(stages[at].stage, {}):
            continue
        seen.add(at)
        if at in view.ends:
            return f"waits for {stages[at].label}, which failed: {view.ends[at]}"
        waiting += stages[at].inputs
    return ""


def _adopt(orphans: list[Score], entries: list[Entry]) -> list[Entry]:
    """Scores whose run record is gone, described by their manifests and by what else is known."""
    students = {entry.cell.checkpoint: entry.student for entry in entries}
    languages = {entry.cell.language: entry for entry in entries}
    adopted = []
    for score in orphans:
        about, inputs = score.artifact.about, score.artifact.manifest.inputs
        checkpoint = next(
            (Checkpoint(i.stage, i.key) for i in inputs if i.name == "checkpoint"),
            Checkpoint(),
        )
        name = about.language or "unknown language"
        known = languages.get(name)
        cell = PlannedCell(
            language=name,
            producer=about.producer or "unknown producer",
            checkpoint=checkpoint,
            task=score.task,
            key=score.artifact.key,
            gap=None,
            role=about.role,
        )
        entry = Entry(
            cell=cell,
            language=known.language if known else describe_language(name),
            student=students.get(checkpoint, known.student if known else ""),
            teacher=known.teacher if known else "",
            order=-1,
            base_key=None,
            state="result",
            reason="",
            score=score,
        )
        adopted.append(entry)
    return adopted


def group_rows(view: StoreView, entries: Iterable[Entry]) -> list[list[Entry]]:
    """The entries of one language, student and task, split into rows that may be compared.

    Two cells share a row when one run planned both, or when both are results of one protocol on
    the same data and number of items. So a second run under another limit or protocol gets a
    row of its own, and a cell that is not there yet stands beside those it belongs to.
    """
    entries = list(entries)
    parent = {_name_node(entry.cell): _name_node(entry.cell) for entry in entries}

    def root(node: str) -> str:
        while parent[node] != node:
            node = parent[node]
        return node

    def join(nodes: list[str]) -> None:
        for node in nodes[1:]:
            parent[root(node)] = root(nodes[0])

    which = (entries[0].cell.language, entries[0].cell.task)
    for planned in view.planned.get(which, ()):
        join([_name_node(c) for c in planned if c.key and _name_node(c) in parent])
        first = [_name_node(c) for c in planned if c.key and _name_node(c) in parent][:1]
        for cell in planned:
            if not cell.key and _name_node(cell) in parent:
                join([*first, _name_node(cell)])
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for entry in entries:
        if entry.score:
            s = entry.score
            alike[s.metric, s.full_protocol, s.data.sha256, str(s.n)].append(_name_node(entry.cell))
        elif not entry.cell.key:
            alike["gap",].append(_name_node(entry.cell))
    for nodes in alike.values():
        join(nodes)
    rows: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        rows[root(_name_node(entry.cell))].append(entry)
    return list(rows.values())


def _name_node(cell: PlannedCell) -> str:
    """A cell without a key (a gap) is told apart by its checkpoint."""
    return cell.key or f"gap {cell.checkpoint.key}"
