"""Findings of the checks of the training data."""

from collections.abc import Iterator

from core.contract.facts import ContaminationFacts, Facts, QualityFacts, SourceFacts
from reports.store.model import StoredArtifact, StoreView
from reports.tables.sheet import KEY, LANGUAGE, Column, Sheet, Value


def tabulate_quality(view: StoreView) -> Sheet:
    """List what the checks of the training data found: flags, languages, rows, texts.

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
    found: list[tuple[StoredArtifact[Facts], Iterator[_Fault]]] = [
        *((a, _find_faults(a.facts.quality)) for a in view.list_with_facts(SourceFacts)),
        *((a, _find_benchmarks(a.facts)) for a in view.list_with_facts(ContaminationFacts)),
    ]
    for a, faults in found:
        head = (a.language, a.stage, a.about.source or a.about.mix or "", a.key[:8])
        for check, what, count, of in faults:
            share = count / of if of and count is not None else None
            rows.append((*head, check, what, count, share))
    return Sheet(columns, tuple(rows))


_Fault = tuple[str, str, int | None, int]
"""Check, what was found, in how many rows, and of how many."""


def _find_faults(quality: QualityFacts) -> Iterator[_Fault]:
    """Each count above zero of a source's checks."""
    for words, count in (
        ("in language", quality.in_language),
        ("other language", quality.other_language),
        ("undetermined language", quality.undetermined_language),
    ):
        if count:
            yield "language", words, count, quality.rows
    for check, counts in (("flags", quality.flags), ("dropped", quality.dropped)):
        for name, count in sorted(counts.items()):
            yield check, name, count, quality.rows


def _find_benchmarks(facts: ContaminationFacts) -> Iterator[_Fault]:
    """The rows with a benchmark's text, how much was looked for, and what could not be."""
    yield "contamination", "rows with a benchmark's text", facts.contaminated_rows, facts.rows
    for name, count in sorted(facts.contamination.items()):
        yield "contamination", name, count, facts.rows
    note = (
        f"looked for {facts.items:,} texts: {facts.found_items:,} found, "
        f"{facts.too_short:,} too short to tell"
    )
    yield "contamination", note, None, 0
    for name, why in facts.unchecked.items():
        yield "contamination", f"{name} was not looked for: {why}", None, 0
