"""The languages that each benchmark covers, and what was measured beside the scores."""

from collections import Counter

from core.contract.score import TRANSLATION_MEASURES
from reports.store.model import State
from reports.store.samples import is_translation
from reports.tables.results import Results
from reports.tables.sheet import LANGUAGE, PRODUCER, TASK, Column, Sheet, Value

STATES: tuple[State, ...] = ("gap", "missing", "failed", "damaged")


def tabulate_coverage(results: Results) -> Sheet:
    """Count for each task languages with a result, items, and cells without a result."""
    columns = (
        TASK,
        Column("languages", "Languages", numeric=True),
        Column("of", "Of", numeric=True),
        Column("items", "Items", numeric=True),
        Column("results", "Results", numeric=True),
        *(Column(state, state.capitalize(), numeric=True) for state in STATES),
        Column("without", "Languages without a result", prose=True),
    )
    every = len(results.languages)
    rows: list[tuple[Value, ...]] = []
    for task in results.tasks:
        found = [row for row in results.rows if row.task == task]
        scored = {row.language.name for row in found if row.score is not None}
        counts = Counter(row.state for row in found)
        sizes = sorted({row.record.n for row in found if row.record})
        items = (
            f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,}-{sizes[-1]:,}" if sizes else None
        )
        without = sorted({language.name for language in results.languages} - scored)
        rows.append(
            (
                *(task, len(scored), every, items, counts["result"]),
                *(counts[state] for state in STATES),
                ", ".join(without) or None,
            )
        )
    return Sheet(columns, tuple(rows))


def tabulate_measures(results: Results) -> Sheet:
    """Tell for each language, task and producer what the scoring measured beside the score."""
    records = [row.record for row in results.rows if row.record]
    translated = any(is_translation(record) for record in records)
    shown = [
        column
        for column in MEASURES
        if (translated and column.name in TRANSLATION_MEASURES)
        or any(getattr(record.measures, column.name) is not None for record in records)
    ]
    rows = tuple(
        (
            *(r.language.name, r.task, r.producer),
            *(getattr(r.record.measures, column.name) for column in shown),
        )
        for r in results.rows
        if r.record and shown
    )
    return Sheet((LANGUAGE, TASK, PRODUCER, *shown), rows)


MEASURES = (
    Column("items_truncated", "Cut prompts", ".0f", numeric=True),
    Column("items_left_out", "Left out", ".0f", numeric=True),
    Column("prompt_tokens_mean", "Prompt tokens", ",.0f", numeric=True, spare=True),
    Column("unread_share", "Unread", ".0%", numeric=True),
    Column("strict_score", "Strict score", ".1f", numeric=True),
    Column("strict_unread_share", "Unread strictly", ".0%", numeric=True, spare=True),
    Column("fertility", "Tokens a word", ".2f", numeric=True),
    Column("tokens_per_character", "Tokens a character", ".2f", numeric=True, spare=True),
    Column("output_language_share", "In the language", ".0%", numeric=True),
    Column("output_language_undetermined_share", "Undetermined", ".0%", numeric=True, spare=True),
    Column("copied_source_share", "Copied source", ".0%", numeric=True),
    Column("unfinished_share", "Unfinished", ".0%", numeric=True, spare=True),
    Column("empty_share", "Empty", ".0%", numeric=True, spare=True),
    Column("hypothesis_tokens_mean", "Output tokens", ",.0f", numeric=True, spare=True),
    Column("nfc_changed_share", "Changed by NFC", ".0%", numeric=True, spare=True),
    Column(
        "reference_nfc_changed_share", "References changed by NFC", ".0%", numeric=True, spare=True
    ),
    Column("chrf_nfc", "chrF++ in NFC", ".1f", numeric=True, spare=True),
    Column("chrf_visible", "Without invisible characters", ".1f", numeric=True, spare=True),
)
"""What is measured beside a score. Shares are 0-1; fertility is tokens a whitespace word."""
