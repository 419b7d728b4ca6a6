"""Time, tokens and money: of each artifact, each stage and each language."""

from collections.abc import Sequence
from dataclasses import replace

from core.contract.manifest import Manifest
from reports.store.model import StoreView
from reports.tables.sheet import LANGUAGE, Column, Sheet, Value

BUDGET_USD = 50.0
"""The paper says that a language costs at most this."""


def tabulate_cost(view: StoreView) -> Sheet:
    """List time, tokens and money of each artifact, as its manifest recorded them."""
    columns = (
        Column("stage", "Stage"),
        Column("label", "What"),
        Column("seconds", "Seconds", ",.1f", numeric=True),
        Column("tokens_in", "Tokens in", numeric=True),
        Column("tokens_out", "Tokens out", numeric=True),
        Column("cost_usd", "Cost (USD)", ",.4f", numeric=True),
    )
    rows = [
        (a.stage, a.label, of.seconds, of.tokens.input, of.tokens.output, of.cost_usd)
        for stage in view.stages
        for a in view.list_stage(stage)
        for of in (a.manifest,)
    ]
    return Sheet(columns, tuple(rows))


def tabulate_cost_by_stage(view: StoreView) -> Sheet:
    """Sum time, tokens and money over each stage; money is empty where none was recorded."""
    columns = (
        Column("stage", "Stage"),
        Column("artifacts", "Artifacts", numeric=True),
        *tabulate_cost(view).columns[2:],
    )
    rows: list[tuple[Value, ...]] = []
    for stage in (*view.stages, "total"):
        names = [name for name in view.stages if stage in (name, "total")]
        found = [a.manifest for name in names for a in view.list_stage(name)]
        if found:
            rows.append((stage, len(found), *_sum_cost(found)))
    notes = _note_resumed(view)
    return Sheet(columns, tuple(rows), notes=(notes,) if notes else (), has_total=True)


def _note_resumed(view: StoreView) -> str:
    """Say what the seconds leave out; "" when they leave out nothing."""
    count = sum(a.manifest.resumed for stage in view.stages for a in view.list_stage(stage))
    if not count:
        return ""
    return (
        f"{count} artifacts were interrupted and continued: "
        "their seconds are those of the last attempt."
    )


def tabulate_cost_by_language(view: StoreView) -> Sheet:
    """Sum the cost of each language by stage, with its total against the paper's $50 a language.

    Work that several languages share (the base) stands under "shared". An unknown price is empty,
    never zero; a total leaves it out, and `unpriced` counts the artifacts that it leaves out.
    """
    columns = (
        LANGUAGE,
        Column("stage", "Stage"),
        *(
            replace(c, spare=c.name.startswith("tokens"))
            for c in tabulate_cost_by_stage(view).columns[1:]
        ),
        Column("unpriced", "Without a price", numeric=True),
        Column("of_budget", f"Of ${BUDGET_USD:.0f}", ".1%", numeric=True),
    )
    found: dict[str, dict[str, list[Manifest]]] = {}
    for stage in view.stages:
        for a in view.list_stage(stage):
            language = a.language or "shared"
            for name in (stage, "total"):
                found.setdefault(language, {}).setdefault(name, []).append(a.manifest)
    rows: list[tuple[Value, ...]] = []
    for language in sorted(found, key=lambda name: (name == "shared", name)):
        for stage in (*(s for s in view.stages if s in found[language]), "total"):
            some = found[language][stage]
            sums = _sum_cost(some)
            money = sums[-1]
            share = money / BUDGET_USD if money is not None and stage == "total" else None
            # Only a teacher's tokens have a price that anybody could have set.
            asked = [of for of in some if of.tokens.input or of.tokens.output]
            unpriced = sum(of.cost_usd is None for of in asked)
            rows.append((language, stage, len(some), *sums, unpriced, share))
    return Sheet(columns, tuple(rows))


def _sum_cost(some: Sequence[Manifest]) -> tuple[float, int, int, float | None]:
    """Sum seconds, tokens in and out, and the cost, which is None where none was recorded."""
    prices = [of.cost_usd for of in some if of.cost_usd is not None]
    return (
        sum(of.seconds for of in some),
        sum(of.tokens.input for of in some),
        sum(of.tokens.output for of in some),
        sum(prices) if prices else None,
    )
