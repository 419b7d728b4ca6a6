"""The training mixtures: their sources, sizes and budgets."""

from collections.abc import Mapping

from core.contract.facts import MixtureFacts, PackedFacts, TakenFacts
from reports.store.model import StoredArtifact, StoreView
from reports.tables.sheet import KEY, LANGUAGE, Column, Sheet, Value

COLUMNS = (
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


def tabulate_mixtures(view: StoreView) -> Sheet:
    """List what each mixture took of each source. Shares are 0-1; `fertility` is tokens per word.

    `budget` is of the whole mixture, in `unit`, and stands in its last line, which is of `all` its
    sources where there are several; of `untrainable` rows (too long, or with special tokens as
    text) the trainer takes nothing, of `truncated` ones not all; `excluded` were named.
    """
    rows: list[tuple[Value, ...]] = []
    for a in view.list_with_facts(MixtureFacts):
        budget, table = a.facts.budget, a.facts.table
        unit = a.facts.unit or "" if budget is not None else ""
        packed = _find_packed(view, a)
        head, whole = (a.language, a.about.mix or "", a.key[:8]), (budget, unit)
        for line in table:
            taken = packed.get(line.source)
            rows.append(
                (
                    *(*head, line.source, line.weight),
                    *(whole if len(table) == 1 else (None, "")),
                    *(line.rows, line.share, line.tokens, line.available, line.untrainable),
                    taken.truncated if taken else None,
                    *(line.excluded, line.token_share, line.fertility, line.characters),
                )
            )
        if len(table) > 1:
            size = (a.facts.rows, 1.0, a.facts.tokens)
            rest = len(COLUMNS) - len((*head, "all", None, *whole, *size))
            rows.append((*head, "all", None, *whole, *size, *(None,) * rest))
    return Sheet(COLUMNS, tuple(rows))


def _find_packed(
    view: StoreView, mixture: StoredArtifact[MixtureFacts]
) -> Mapping[str, TakenFacts]:
    """Finds what became of each source's rows in packing; the same however they were packed."""
    for a in view.list_with_facts(PackedFacts):
        if a.manifest.find_key("mixture") == mixture.key:
            return a.facts.sources
    return {}
