"""Gain per dollar and per GPU-hour, from the manifests of all that a checkpoint was made of."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from core.contract.facts import Facts, MixtureFacts, SourceFacts, TrainFacts
from core.statistics import Interval
from reports.stats.languages import compute_ratio
from reports.store.model import StoredArtifact, StoreView
from reports.tables.results import Result, Results
from reports.tables.sheet import LANGUAGE, PRODUCER, TASK, Column, Sheet, Value

NOTE = (
    "Dollars are those of every answer of the teacher that the checkpoint's sources hold, whenever "
    "it was paid; a source that several checkpoints share counts whole for each, and GPUs have no "
    "price here. GPU-hours are those of training alone: the time of the stage by its processes. A "
    "mean is mean gain over mean cost, over the languages whose cost is known and above zero, with "
    "a bootstrap over them where there are seven. A large gain per dollar may be a small gain."
)


@dataclass(frozen=True)
class CheckpointCost:
    """The cost of a checkpoint. An amount that is not known is None, and `why` says why by its
    unit."""

    dollars: float | None
    gpu_hours: float | None
    why: Mapping[str, str]


@dataclass(frozen=True)
class Worth:
    """One gain and what its checkpoint cost."""

    result: Result
    spent: CheckpointCost


def find_worth(view: StoreView, results: Results) -> tuple[Worth, ...]:
    """Find the cost of the checkpoint of every gain."""
    known: dict[str, CheckpointCost] = {}
    found = []
    for result in results.rows:
        if result.gain is None or result.is_base or result.record is None:
            continue
        key = result.record.artifact.manifest.checkpoint
        if key not in known:
            known[key] = find_spent(view, key)
        found.append(Worth(result, known[key]))
    return tuple(found)


def find_spent(view: StoreView, checkpoint: str) -> CheckpointCost:
    """Sum what went into a checkpoint over everything that it was made of."""
    why: dict[str, str] = {}
    artifacts, lacking = _list_parts(view, checkpoint)
    if lacking:
        gone = f"the record of its {lacking[0]} is gone"
        return CheckpointCost(None, None, {"dollars": gone, "gpu_hours": gone})
    if unnamed := _find_unnamed(artifacts):
        why["dollars"] = f"it is not recorded which artifact its source {unnamed} is"
    trained = [a for a in artifacts if isinstance(a.facts, TrainFacts)]
    if not trained:
        made = "it was not made in this store"
        return CheckpointCost(None, None, {"dollars": made, "gpu_hours": made})
    prices = {a.label: a.facts.cost_usd for a in artifacts if isinstance(a.facts, SourceFacts)}
    unpriced = [label for label, price in prices.items() if price is None]
    known = not unpriced and not unnamed
    dollars = sum(price or 0.0 for price in prices.values()) if known else None
    if unpriced:
        why["dollars"] = f"no price is known for {unpriced[0]}"
    elif dollars == 0:
        why["dollars"] = "nothing was paid"
    hours = [_count_gpu_hours(a, a.facts) for a in trained if isinstance(a.facts, TrainFacts)]
    unknown = [found for found in hours if isinstance(found, str)]
    gpu_hours = None if unknown else sum(found for found in hours if isinstance(found, float))
    if unknown:
        why["gpu_hours"] = unknown[0]
    elif gpu_hours == 0:
        why["gpu_hours"] = "it was trained without a GPU"
    return CheckpointCost(dollars, gpu_hours, why)


def sum_dollars(view: StoreView, checkpoints: Iterable[str]) -> float | None:
    """Sum what the teacher was paid for all sources of some checkpoints, each source once; None
    where it is not known of one."""
    prices: dict[str, float] = {}
    for key in checkpoints:
        if find_spent(view, key).dollars is None:
            return None
        for part in _list_parts(view, key)[0]:
            if isinstance(part.facts, SourceFacts):
                prices[part.key] = part.facts.cost_usd or 0.0
    return sum(prices.values())


def _list_parts(view: StoreView, key: str) -> tuple[list[StoredArtifact[Facts]], list[str]]:
    """List all that an artifact was made of, itself too, but no base; and the stages whose record
    is gone."""
    found, lacking, waiting = dict[str, StoredArtifact[Facts]](), list[str](), [("checkpoint", key)]
    while waiting:
        stage, at = waiting.pop()
        if at in found:
            continue
        artifact = view.find(Facts, at)
        if artifact is None:
            lacking.append(stage)
            continue
        found[at] = artifact
        # A base costs nothing here, and may lie outside of the store.
        inputs = artifact.manifest.inputs
        waiting += [(one.stage, one.key) for one in inputs if one.stage != "base"]
    return list(found.values()), lacking


def _find_unnamed(artifacts: Sequence[StoredArtifact[Facts]]) -> str:
    """Find a source that a mixture took rows of and that is none of its inputs; "" for none."""
    return next(
        (
            line.source
            for artifact in artifacts
            if isinstance(artifact.facts, MixtureFacts)
            for line in artifact.facts.table
            if line.rows and line.source not in {one.name for one in artifact.manifest.inputs}
        ),
        "",
    )


def _count_gpu_hours(artifact: StoredArtifact[Facts], facts: TrainFacts) -> float | str:
    """Count the hours of a training's GPUs, or say why they are not known."""
    if facts.device == "cpu":
        return 0.0
    if facts.device is None:
        return "the device is not recorded"
    if artifact.manifest.resumed:
        return "its training was interrupted, and only the time of the last attempt is recorded"
    if facts.processes is None:
        return "the number of processes is not recorded"
    return artifact.manifest.seconds * facts.processes / 3600


def tabulate_worth(found: Sequence[Worth]) -> Sheet:
    """List each gain with its cost; an amount that is not known is empty, and why is said."""
    columns = (
        LANGUAGE,
        TASK,
        PRODUCER,
        Column("gain", "Gain", "+.1f", numeric=True),
        Column("cost_usd", "Cost (USD)", ",.2f", numeric=True),
        Column("per_usd", "Gain per dollar", "+.3g", numeric=True),
        Column("per_usd_low", "95% from", "+.3g", numeric=True),
        Column("per_usd_high", "95% to", "+.3g", numeric=True),
        Column("gpu_hours", "GPU-hours", ",.2f", numeric=True),
        Column("per_gpu_hour", "Gain per GPU-hour", "+.3g", numeric=True),
        Column("why_usd", "Without dollars", prose=True),
        Column("why_gpu", "Without GPU-hours", prose=True),
    )
    rows: list[tuple[Value, ...]] = []
    for one in found:
        result, spent = one.result, one.spent
        gain = result.gain
        assert gain
        bounds = (gain.points, gain.low, gain.high)
        rows.append(
            (
                *(result.language.name, result.task, result.producer, gain.points),
                *(spent.dollars, *(_divide(bound, spent.dollars) for bound in bounds)),
                *(spent.gpu_hours, _divide(gain.points, spent.gpu_hours)),
                *(spent.why.get("dollars", ""), spent.why.get("gpu_hours", "")),
            )
        )
    return Sheet(columns, tuple(rows), notes=(NOTE,))


def tabulate_mean_worth(found: Sequence[Worth]) -> Sheet:
    """Give mean gain over mean cost of each producer on each task, in dollars and in GPU-hours."""
    columns = (
        TASK,
        PRODUCER,
        Column("languages", "Languages", numeric=True),
        *(
            column
            for unit, title in (("usd", "dollar"), ("gpu_hour", "GPU-hour"))
            for column in (
                Column(f"priced_{unit}", f"With {title}s", numeric=True),
                Column(f"gain_{unit}", "Their mean gain", "+.1f", numeric=True),
                Column(f"cost_{unit}", f"Mean {title}s", ",.2f", numeric=True),
                Column(f"per_{unit}", f"Gain per {title}", "+.3g", numeric=True),
                Column(f"per_{unit}_low", "95% from", "+.3g", numeric=True),
                Column(f"per_{unit}_high", "95% to", "+.3g", numeric=True),
            )
        ),
    )
    groups: dict[tuple[str, str], list[Worth]] = defaultdict(list)
    for one in found:
        groups[one.result.task, one.result.producer].append(one)
    rows = tuple(
        (
            *(task, producer, len(some)),
            *_divide_means([(one.result, one.spent.dollars) for one in some]),
            *_divide_means([(one.result, one.spent.gpu_hours) for one in some]),
        )
        for (task, producer), some in groups.items()
    )
    return Sheet(columns, rows, notes=(NOTE, *_say_unknown(found)))


def _divide_means(pairs: Sequence[tuple[Result, float | None]]) -> tuple[Value, ...]:
    priced = [(row.gain.points, cost) for row, cost in pairs if row.gain and cost]
    if not priced:
        return (0, *(None,) * 5)
    gains, costs = [gain for gain, _ in priced], [cost for _, cost in priced]
    ratio, interval = compute_ratio(gains, costs)
    bounds: Interval | tuple[None, None] = interval or (None, None)
    return (len(priced), fmean(gains), fmean(costs), ratio, *bounds)


def _say_unknown(found: Sequence[Worth]) -> list[str]:
    """Say for how many languages an amount is not known or nothing, and why."""
    reasons: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in found:
        for unit, why in one.spent.why.items():
            reasons[unit, why].add(one.result.language.name)
    named = {"dollars": "Dollars", "gpu_hours": "GPU-hours"}
    return [
        f"{named[unit]}: {why} ({len(names)} language{'s' * (len(names) != 1)})."
        for (unit, why), names in sorted(reasons.items())
    ]


def _divide(points: float | None, cost: float | None) -> float | None:
    return None if points is None or not cost else points / cost
