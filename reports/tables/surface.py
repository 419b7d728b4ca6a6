"""The best mixture by a surface over all that were trained, and what to train next."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import fmean

from core.contract.facts import MixtureFacts
from core.contract.plan import Checkpoint
from core.tasks import show_task
from reports.stats.left_out import PredictionError, measure_left_out
from reports.stats.surface import MixtureRun, Surface, SurfaceError, fit_surface
from reports.store.model import StoreView
from reports.store.naming import find_settings
from reports.tables.ranking import ALL
from reports.tables.results import Result, Results
from reports.tables.sheet import TASK, Column, Sheet, Value
from reports.tables.worth import find_spent, sum_dollars

NOTE = (
    "Fitted to the mean gains of {runs} trainings over the same {languages}: to each source's "
    "share of the tokens{blends}{size}. Best: of the mixtures within those that were trained, at "
    "the largest size; its interval holds for all of them at once. In question: of those mixtures, "
    "the share that cannot be told from the best at 5%. All intervals are over trainings, not over "
    "other languages or items. Error left out: of predicting a blend from the other mixtures, "
    "beside that of guessing their mean; where it is no smaller, the surface tells nothing of new "
    "mixtures. A source alone lies at the edge of all that can be mixed, where predictions go "
    "beyond what they are made from: its error is told apart."
)


@dataclass(frozen=True)
class TaskSurface:
    """The surface of one task's gains, or of all; without one, `why` says what it lacks."""

    task: str
    surface: Surface | None
    why: str = ""


@dataclass(frozen=True)
class Surfaces:
    """The surfaces of a store's mixtures, and what is needed to ask for more runs.

    `rows` is a source's tokens per row, `hours` the GPU-hours of a token, `dollars` what the
    teacher was paid for all of their sources, each None where unknown; `command` is what was typed
    for the last of the runs.
    """

    by_task: tuple[TaskSurface, ...]
    languages: int
    left_out: tuple[str, ...]
    rows: Mapping[str, float]
    hours: float | None
    dollars: float | None
    command: str

    @property
    def whole(self) -> Surface | None:
        """The surface over all tasks."""
        return next((one.surface for one in self.by_task if one.task == ALL), None)


@dataclass(frozen=True)
class _MixtureTraining:
    """A producer in all languages: what it was trained on, and its gains by (language, task)."""

    name: str
    kind: tuple[object, ...]
    mixtures: tuple[MixtureFacts, ...]
    checkpoints: tuple[str, ...]
    gains: Mapping[tuple[str, str], float]


def find_surfaces(view: StoreView, results: Results) -> Surfaces | None:
    """Fits the gains of all that was trained alike on mixtures; None for fewer than three of them.

    What was trained in another way than most, has no count of its tokens, or lacks a language or
    task that most have, is left out and named.
    """
    left_out: list[str] = []
    trained = _find_trained(view, results, left_out)
    if len({_describe_contents(one.mixtures) for one in trained}) < 3:
        return None
    trained = _keep_alike(trained, left_out)
    cells = _keep_common(trained)
    for one in trained:
        if lacking := [cell for cell in cells if cell not in one.gains]:
            language, task = lacking[0]
            left_out.append(f"{one.name}: no gain in {language}, {show_task(task)}")
    trained = [one for one in trained if all(cell in one.gains for cell in cells)]
    sources = sorted({line.source for one in trained for m in one.mixtures for line in m.table})
    tasks = [task for task in results.tasks if any(found == task for _, found in cells)]
    by_task = [_fit(task, sources, trained, [c for c in cells if c[1] == task]) for task in tasks]
    if len(tasks) > 1:
        by_task.append(_fit(ALL, sources, trained, cells))
    elif by_task:
        by_task = [TaskSurface(ALL, one.surface, one.why) for one in by_task]
    return Surfaces(
        tuple(by_task),
        len({language for language, _ in cells}),
        tuple(left_out),
        _count_tokens_per_row(trained),
        _find_hours_per_token(view, trained),
        sum_dollars(view, [key for one in trained for key in one.checkpoints]),
        _find_command(view, trained),
    )


def _find_trained(view: StoreView, results: Results, left_out: list[str]) -> list[_MixtureTraining]:
    found = []
    for name in results.trained:
        rows = [r for r in results.rows if r.producer == name and r.gain and r.record]
        keys = {r.language.name: _find_checkpoint(r) for r in rows}
        mixtures = {lang: view.find_mixture(one.key) for lang, one in keys.items()}
        facts = tuple(m.facts for m in mixtures.values() if m)
        if not rows or len(facts) < len(keys):
            continue  # a published checkpoint, or one of another way of training
        if any(m.tokens is None or any(x.token_share is None for x in m.table) for m in facts):
            left_out.append(f"{name}: the tokens of its mixture were not counted")
            continue
        kinds = [_find_kind(view, key, m) for key, m in zip(keys.values(), facts, strict=True)]
        gains = {(r.language.name, r.task): r.gain.points for r in rows if r.gain}
        checkpoints = tuple(one.key for one in keys.values())
        found.append(_MixtureTraining(name, kinds[0], facts, checkpoints, gains))
    return found


def _find_checkpoint(row: Result) -> Checkpoint:
    assert row.record
    found = (one for one in row.record.artifact.manifest.inputs if one.name == "checkpoint")
    return next((Checkpoint(one.stage, one.key) for one in found), Checkpoint())


def _find_kind(
    view: StoreView, checkpoint: Checkpoint, mixture: MixtureFacts
) -> tuple[object, ...]:
    """Finds how it was trained, its seed aside: mixtures are compared where this is the same."""
    settings = find_settings(view, checkpoint)
    seed = f"{checkpoint.stage}.seed"
    ways = sorted(
        f"{name.rpartition('.')[2]} {value}"
        for name, value in settings.items()
        if name.startswith(f"{checkpoint.stage}.") and name != seed
    )
    return ("with reasoning" if mixture.reasoning else "without reasoning", *ways)


def _keep_alike(trained: list[_MixtureTraining], left_out: list[str]) -> list[_MixtureTraining]:
    """Keeps those that were trained in the way of most, and names what differs in the others."""
    (most, _), *_ = Counter(one.kind for one in trained).most_common(1)
    for one in trained:
        if one.kind != most:
            differs = [str(way) for way in one.kind if way not in most]
            left_out.append(f"{one.name}: trained otherwise than most ({', '.join(differs)})")
    return [one for one in trained if one.kind == most]


def _keep_common(trained: Sequence[_MixtureTraining]) -> list[tuple[str, str]]:
    """Keeps the languages and tasks of which more than half have a gain."""
    counts = Counter(cell for one in trained for cell in one.gains)
    return [cell for cell, count in counts.items() if 2 * count > len(trained)]


def _fit(
    task: str,
    sources: Sequence[str],
    trained: Sequence[_MixtureTraining],
    cells: Sequence[tuple[str, str]],
) -> TaskSurface:
    by_task: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for cell in cells:
        by_task[cell[1]].append(cell)
    runs = [
        MixtureRun(
            _average_shares(one.mixtures, sources),
            exp(fmean(log(m.tokens) for m in one.mixtures if m.tokens)),
            # Each task counts as much as another, however many languages it has.
            fmean(fmean(one.gains[cell] for cell in some) for some in by_task.values()),
        )
        for one in trained
        if all(m.tokens for m in one.mixtures)
    ]
    try:
        return TaskSurface(task, fit_surface(sources, runs))
    except SurfaceError as error:
        return TaskSurface(task, None, str(error))


def _average_shares(mixtures: Sequence[MixtureFacts], sources: Sequence[str]) -> tuple[float, ...]:
    """Averages each source's share of the tokens over the languages; they sum to 1."""
    by_source = [{line.source: line.token_share or 0.0 for line in m.table} for m in mixtures]
    means = [fmean(of.get(source, 0.0) for of in by_source) for source in sources]
    return tuple(mean / sum(means) for mean in means)


def _describe_contents(mixtures: Sequence[MixtureFacts]) -> tuple[tuple[str, float], ...]:
    return tuple((line.source, round(line.token_share or 0.0, 2)) for line in mixtures[0].table)


def _count_tokens_per_row(trained: Sequence[_MixtureTraining]) -> dict[str, float]:
    tokens, rows = Counter[str](), Counter[str]()
    for one in trained:
        for mixture in one.mixtures:
            for line in mixture.table:
                tokens[line.source] += line.tokens or 0
                rows[line.source] += line.rows
    return {source: tokens[source] / rows[source] for source in rows if rows[source]}


def _find_hours_per_token(view: StoreView, trained: Sequence[_MixtureTraining]) -> float | None:
    hours = [find_spent(view, key).gpu_hours for one in trained for key in one.checkpoints]
    known = [found for found in hours if found]
    tokens = sum(m.tokens or 0 for one in trained for m in one.mixtures)
    return sum(known) / tokens if tokens and len(known) == len(hours) else None


def _find_command(view: StoreView, trained: Sequence[_MixtureTraining]) -> str:
    """Finds what was typed for the last run that planned a score of one of these checkpoints."""
    keys = {key for one in trained for key in one.checkpoints}
    for run in reversed(view.runs):
        if any(cell.checkpoint.key in keys for cell in run.cells):
            return run.plan.command
    return ""


def tabulate_surfaces(found: Surfaces) -> Sheet:
    """Lists each task's best mixture, with what cannot be told from it and what size adds."""
    columns = (
        TASK,
        Column("runs", "Trainings", numeric=True),
        Column("best", "Best mixture, of tokens", prose=True),
        Column("gain", "Predicted gain", "+.1f", numeric=True),
        Column("low", "95% from", "+.1f", numeric=True),
        Column("high", "95% to", "+.1f", numeric=True),
        Column("in_question", "In question", ".0%", numeric=True),
        Column("per_doubling", "Gain per doubling", "+.2f", numeric=True),
        Column("doubling_low", "From", "+.2f", numeric=True),
        Column("doubling_high", "To", "+.2f", numeric=True),
        Column("spread", "Scatter", ".2f", numeric=True),
        Column("error_left_out", "Error left out", ".2f", numeric=True),
        Column("error_of_mean", "Of the mean", ".2f", numeric=True),
        Column("error_alone", "Sources alone", ".2f", numeric=True),
        Column("error_alone_of_mean", "Of the mean", ".2f", numeric=True),
        Column("why", "Without a surface", prose=True),
    )
    rows: list[tuple[Value, ...]] = []
    for one in found.by_task:
        surface = one.surface
        if surface is None:
            rows.append((one.task, *(None,) * 14, one.why))
            continue
        best, more = surface.best, surface.per_doubling
        left_out = measure_left_out(surface)
        rows.append(
            (
                *(one.task, len(surface.runs), describe_mixture(surface.sources, best.shares)),
                *(best.gain, best.interval.low, best.interval.high),
                len(surface.in_question) / len(surface.candidates),
                *((more.gain, more.interval.low, more.interval.high) if more else (None,) * 3),
                *(surface.spread, *_show_left_out(left_out.blends)),
                *(*_show_left_out(left_out.alone), ""),
            )
        )
    return Sheet(columns, tuple(rows), tuple(_list_notes(found)))


def _show_left_out(found: PredictionError | None) -> tuple[Value, Value]:
    return (found.error, found.of_mean) if found else (None, None)


def _list_notes(found: Surfaces) -> list[str]:
    notes = []
    fitted = next((one.surface for one in found.by_task if one.surface), None)
    if fitted:
        many = f"{found.languages} language{'s' * (found.languages != 1)}"
        blends = ", and to their blends two by two," if fitted.pairs else " alone"
        size = " and to the doublings of all tokens" if fitted.sized else ""
        notes.append(NOTE.format(runs=len(fitted.runs), languages=many, blends=blends, size=size))
        if not fitted.pairs:
            notes.append("So few trainings tell nothing of blends: the best is one source alone.")
        if together := fitted.moving_together:
            notes.append(
                "Shares of {} and {} moved together: their effects are hardly told apart. "
                "Remedy: kakugo -m sweep=design, of a size of many rows".format(*together)
            )
        alone = measure_left_out(fitted).alone
        if alone and alone.error > alone.of_mean:
            notes.append(
                "Sources alone are predicted no better than by the mean: of mixtures of which one "
                "source is nearly all, take the gain that was measured. kakugo -m sweep=axial "
                "trains four mixtures on the way to them, which narrow this"
            )
    if found.left_out:
        rest = len(found.left_out) - 4
        more = f"; and {rest} more" if rest > 0 else ""
        notes.append(f"Left out: {'; '.join(found.left_out[:4])}{more}")
    return notes


def describe_mixture(sources: Sequence[str], shares: Sequence[float]) -> str:
    """Describes shares in words: "60% topic, 40% translated"."""
    found = sorted(zip(shares, sources, strict=True), key=lambda one: -one[0])
    return ", ".join(f"{share:.0%} {source}" for share, source in found if share >= 0.005)
