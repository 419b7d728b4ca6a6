"""The tables of what the stages did: yields, mixtures, training, cost, provenance."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from reports.store.model import STAGES, Artifact, StoreView
from reports.tables.sheet import KEY, LANGUAGE, PRODUCER, Column, Sheet, Value

BUDGET_USD = 50.0
"""What the paper says that a language costs at most."""


def yields(view: StoreView) -> Sheet:
    """What each step of a source asked for and kept, then the rows that it wrote.

    `asked`, `answered` and `parsed` count requests, `kept` what the step handed on; `lost` names
    each reason with its count.
    """
    counts = ("asked", "answered", "parsed", "kept")
    columns = (
        LANGUAGE,
        Column("source", "Source"),
        KEY,
        Column("step", "Step"),
        *(Column(name, name.capitalize(), numeric=True) for name in counts),
        Column("lost", "Lost", prose=True),
    )
    rows: list[tuple[Value, ...]] = []
    for a in view.stage("source"):
        head = (_about(a, "language"), _about(a, "source"), a.key[:8])
        for step in _lines(a.facts.get("steps")):
            numbers = (_number(step, name) for name in counts)
            name = str(step.get("step", "")).removeprefix(f"{_about(a, 'source')}.")
            rows.append((*head, name, *numbers, _reasons(step)))
        rows.append((*head, "written", None, None, None, _number(a.facts, "rows"), ""))
    return Sheet(columns, tuple(rows))


def mixture(view: StoreView) -> Sheet:
    """What each mixture took of each source. Shares are 0-1; `fertility` is tokens per word.

    `budget` is of the whole mixture, in `unit`, and stands in its last line, which is of `all` its
    sources where there are several; of `untrainable` rows (too long, or with special tokens as
    text) the trainer takes nothing, of `truncated` ones not all; `excluded` were named.
    """
    columns = (
        LANGUAGE,
        Column("mix", "Mixture"),
        KEY,
        Column("source", "Source"),
        Column("weight", "Weight", "g", numeric=True, spare=True),
        Column("budget", "Budget", numeric=True),
        Column("unit", "Unit"),
        Column("rows", "Rows", numeric=True),
        Column("share", "Share", ".0%", numeric=True),
        Column("tokens", "Tokens", numeric=True),
        Column("available", "Available", numeric=True),
        Column("untrainable", "Untrainable", numeric=True),
        Column("truncated", "Truncated", numeric=True),
        Column("excluded", "Left out", numeric=True),
        Column("token_share", "Share of tokens", ".0%", numeric=True),
        Column("fertility", "Tokens per word", ".2f", numeric=True),
        Column("characters", "Characters", numeric=True),
    )
    rows: list[tuple[Value, ...]] = []
    for a in view.stage("mixture"):
        budget = _number(a.facts, "budget")
        unit = str(a.facts.get("unit", "")) if budget is not None else ""
        packed, table = _packed(view, a), _lines(a.facts.get("table"))
        head, whole = (_about(a, "language"), _about(a, "mix"), a.key[:8]), (budget, unit)
        for line in table:
            source = str(line.get("source", ""))
            taken = packed.get(source, {})
            rows.append(
                (
                    *(*head, source, _number(line, "weight")),
                    *(whole if len(table) == 1 else (None, "")),
                    *(_number(line, name) for name in ("rows", "share", "tokens", "available")),
                    _number(line, "untrainable"),
                    _number(taken, "truncated"),
                    *(_number(line, name) for name in ("excluded", "token_share", "fertility")),
                    _number(line, "characters"),
                )
            )
        if len(table) > 1:
            size = (_number(a.facts, "rows"), 1.0, _number(a.facts, "tokens"))
            rest = len(columns) - len((*head, "all", None, *whole, *size))
            rows.append((*head, "all", None, *whole, *size, *(None,) * rest))
    return Sheet(columns, tuple(rows))


def _packed(view: StoreView, mixture: Artifact) -> Mapping[str, Mapping[str, Any]]:
    """What became of each source's rows in packing; the same however the rows were packed."""
    for a in view.stage("packed"):
        found = a.facts.get("sources")
        if ("mixture", mixture.key) in a.inputs and isinstance(found, dict):
            return {name: line for name, line in found.items() if isinstance(line, dict)}
    return {}


def training(view: StoreView) -> Sheet:
    """Each training run: steps, loss (nats per supervised token), speed."""
    columns = (
        LANGUAGE,
        PRODUCER,
        KEY,
        Column("rows", "Rows", numeric=True),
        Column("steps", "Steps", numeric=True),
        Column("loss_first", "First loss", ".3f", numeric=True),
        Column("loss_last", "Last loss", ".3f", numeric=True),
        Column("eval_loss", "Validation loss", ".3f", numeric=True),
        Column("fill", "Fill", ".1%", numeric=True),
        Column("supervised_tokens", "Supervised tokens", numeric=True, spare=True),
        Column("tokens_per_second", "Tokens/s", ",.0f", numeric=True),
        Column("mfu", "MFU", ".1%", numeric=True),
        Column("memory_gb", "Memory (GB)", ".1f", numeric=True),
        Column("precision", "Precision"),
    )
    losses = ("loss_first", "loss_last", "eval_loss")
    speed = ("supervised_tokens", "tokens_per_second", "mfu", "memory_gb")
    names = ("rows", "steps", *losses, "fill", *speed)
    rows = [
        (
            *(_about(a, "language"), _about(a, "producer"), a.key[:8]),
            *(_number(a.facts, name) for name in names),
            str(a.facts.get("precision", "")) or None,
        )
        for a in view.stage("train")
    ]
    return Sheet(columns, tuple(rows))


def cost(view: StoreView) -> Sheet:
    """Time, tokens and money of each artifact, as its manifest recorded them."""
    columns = (
        Column("stage", "Stage"),
        Column("label", "What"),
        Column("seconds", "Seconds", ",.1f", numeric=True),
        Column("tokens_in", "Tokens in", numeric=True),
        Column("tokens_out", "Tokens out", numeric=True),
        Column("cost_usd", "Cost (USD)", ",.4f", numeric=True),
    )
    rows = [
        (a.stage, a.label, a.seconds, a.tokens_in, a.tokens_out, a.cost_usd)
        for stage in STAGES
        for a in view.stage(stage)
    ]
    return Sheet(columns, tuple(rows))


def cost_by_stage(view: StoreView) -> Sheet:
    """`cost`, summed over each stage's artifacts; cost is empty where none was recorded."""
    columns = (
        Column("stage", "Stage"),
        Column("artifacts", "Artifacts", numeric=True),
        *cost(view).columns[2:],
    )
    rows: list[tuple[Value, ...]] = []
    for stage in (*STAGES, "total"):
        found = [a for name in STAGES if stage in (name, "total") for a in view.stage(name)]
        prices = [a.cost_usd for a in found if a.cost_usd is not None]
        sums = (sum(a.seconds for a in found), sum(a.tokens_in for a in found))
        if found:
            money = sum(prices) if prices else None
            rows.append((stage, len(found), *sums, sum(a.tokens_out for a in found), money))
    notes = _note_resumed(view)
    return Sheet(columns, tuple(rows), notes=(notes,) if notes else (), has_total=True)


def cost_by_language(view: StoreView) -> Sheet:
    """What each language cost per stage, and its total against the paper's $50 a language.

    Work that several languages share (the base) stands under "shared". An unknown price is empty,
    never zero; a total leaves it out, and `unpriced` counts the artifacts that it leaves out.
    """
    columns = (
        LANGUAGE,
        Column("stage", "Stage"),
        *(replace(c, spare=c.name.startswith("tokens")) for c in cost_by_stage(view).columns[1:]),
        Column("unpriced", "Without a price", numeric=True),
        Column("of_budget", f"Of ${BUDGET_USD:.0f}", ".1%", numeric=True),
    )
    found: dict[str, dict[str, list[Artifact]]] = {}
    for stage in STAGES:
        for a in view.stage(stage):
            language = _about(a, "language") or "shared"
            for name in (stage, "total"):
                found.setdefault(language, {}).setdefault(name, []).append(a)
    rows: list[tuple[Value, ...]] = []
    for language in sorted(found, key=lambda name: (name == "shared", name)):
        for stage in (*(s for s in STAGES if s in found[language]), "total"):
            some = found[language][stage]
            prices = [a.cost_usd for a in some if a.cost_usd is not None]
            money = sum(prices) if prices else None
            share = money / BUDGET_USD if money is not None and stage == "total" else None
            sums = (
                sum(a.seconds for a in some),
                sum(a.tokens_in for a in some),
                sum(a.tokens_out for a in some),
            )
            # Only a teacher's tokens have a price that anybody could have set.
            asked = [a for a in some if a.tokens_in or a.tokens_out]
            unpriced = sum(a.cost_usd is None for a in asked)
            rows.append((language, stage, len(some), *sums, money, unpriced, share))
    return Sheet(columns, tuple(rows))


def data_quality(view: StoreView) -> Sheet:
    """What the checks of the training data found: flags, languages, rows dropped, contamination.

    Read from the facts `quality` and `contamination` of sources, mixtures and contamination checks.
    `share` is of the rows that were looked at, 0-1; None where their number was not recorded. What
    a contamination check could not look for has its reason and no count.
    """
    columns = (
        LANGUAGE,
        Column("stage", "Stage", spare=True),
        Column("what", "What"),
        KEY,
        Column("check", "Check"),
        Column("found", "Found", prose=True),
        Column("count", "Rows", numeric=True),
        Column("share", "Share", ".1%", numeric=True),
    )
    rows: list[tuple[Value, ...]] = []
    for stage in ("source", "mixture", "contamination"):
        for a in view.stage(stage):
            what = _about(a, "source") or _about(a, "mix")
            for check, found, count, of in _quality(a.facts):
                share = count / of if of and count is not None else None
                head = (_about(a, "language"), stage, what, a.key[:8])
                rows.append((*head, check, found, count, share))
    return Sheet(columns, tuple(rows))


def _quality(
    facts: Mapping[str, Any],
) -> Iterator[tuple[str, str, int | float | None, int | float]]:
    """(check, found, count, rows looked at) of each count above zero; and of a contamination check
    also that it found nothing, how much it looked for, and what it could not look for."""
    quality = facts.get("quality")
    if isinstance(quality, dict):
        of = _number(quality, "rows") or 0
        for name in ("in_language", "other_language", "undetermined_language"):
            if count := _number(quality, name):
                yield "language", name.replace("_", " "), count, of
        for check in ("flags", "dropped"):
            for name, count in _counts(quality.get(check)):
                yield check, name, count, of
    of = _number(facts, "rows") or 0
    contaminated = _number(facts, "contaminated_rows")
    if contaminated is not None:
        yield "contamination", "rows with a benchmark's text", contaminated, of
    for name, count in _counts(facts.get("contamination")):
        yield "contamination", name, count, of
    if (items := _number(facts, "items")) is not None:
        short, found = _number(facts, "too_short") or 0, _number(facts, "found_items") or 0
        note = f"looked for {items:,} texts: {found:,} found, {short:,} too short to tell"
        yield "contamination", note, None, 0
    unchecked = facts.get("unchecked")
    for name, why in unchecked.items() if isinstance(unchecked, dict) else ():
        yield "contamination", f"{name} was not looked for: {why}", None, 0


def _counts(value: object) -> list[tuple[str, int | float]]:
    found = value.items() if isinstance(value, dict) else ()
    return sorted((str(name), count) for name, count in found if isinstance(count, int | float))


def _note_resumed(view: StoreView) -> str:
    """Say what the seconds leave out; "" when they leave out nothing."""
    count = sum(a.resumed for stage in STAGES for a in view.stage(stage))
    if not count:
        return ""
    return (
        f"{count} artifacts were interrupted and continued: their seconds are the last attempt's."
    )


def runs(view: StoreView) -> Sheet:
    """List the command of each run, and the error of one that failed."""
    columns = (
        Column("run", "Run"),
        Column("command", "Command", prose=True, code=True),
        Column("error", "Error", prose=True),
    )
    rows = tuple((run.path, run.command or None, run.error) for run in view.runs)
    return Sheet(columns, rows)


def provenance(view: StoreView) -> Sheet:
    """What each artifact was made of and with."""
    columns = (
        Column("stage", "Stage"),
        Column("label", "What"),
        Column("key", "Key", code=True),
        Column("version", "Stage version"),
        Column("commit", "Commit", code=True),
        Column("packages", "Packages", prose=True),
    )
    rows = [
        (a.stage, a.label, a.key, a.version, _commit(a), _packages(a))
        for stage in STAGES
        for a in view.stage(stage)
    ]
    return Sheet(columns, tuple(rows))


def _about(artifact: Artifact, name: str) -> str:
    return str(artifact.about.get(name, ""))


def _commit(artifact: Artifact) -> str | None:
    if artifact.commit is None:
        return None
    return artifact.commit[:12] + (" + local changes" if artifact.dirty else "")


def _packages(artifact: Artifact) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(artifact.packages.items()))


def _number(row: Mapping[str, Any], name: str) -> int | float | None:
    value = row.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _lines(value: object) -> list[Mapping[str, Any]]:
    return [line for line in value if isinstance(line, dict)] if isinstance(value, list) else []


def _reasons(step: Mapping[str, Any]) -> str:
    reasons = step.get("reasons")
    found = reasons.items() if isinstance(reasons, dict) else ()
    return ", ".join(f"{reason} {count}" for reason, count in found)
