"""Time, tokens and money: of each artifact, each stage and each language."""

from dataclasses import replace

from reports.store.model import STAGES, Artifact, StoreView
from reports.tables.facts import get_about
from reports.tables.sheet import LANGUAGE, Column, Sheet, Value

BUDGET_USD = 50.0
"""The paper says that a language costs at most this."""


def tabulate_cost(view: StoreView) -> Sheet:
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


def tabulate_cost_by_stage(view: StoreView) -> Sheet:
    """`cost`, summed over each stage's artifacts; cost is empty where none was recorded."""
    columns = (
        Column("stage", "Stage"),
        Column("artifacts", "Artifacts", numeric=True),
        *tabulate_cost(view).columns[2:],
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


def _note_resumed(view: StoreView) -> str:
    """Say what the seconds leave out; "" when they leave out nothing."""
    count = sum(a.resumed for stage in STAGES for a in view.stage(stage))
    if not count:
        return ""
    return (
        f"{count} artifacts were interrupted and continued: their seconds are the last attempt's."
    )


def tabulate_cost_by_language(view: StoreView) -> Sheet:
    """What each language cost per stage, and its total against the paper's $50 a language.

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
    found: dict[str, dict[str, list[Artifact]]] = {}
    for stage in STAGES:
        for a in view.stage(stage):
            language = get_about(a, "language") or "shared"
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
