"""Which benchmark covers which languages, and why a cell is empty."""

from collections import Counter

from reports.store.model import State
from reports.tables.results import Results
from reports.tables.sheet import LANGUAGE, PRODUCER, TASK, Column, Sheet, Value

STATES: tuple[State, ...] = ("gap", "missing", "failed", "damaged")


def coverage(results: Results) -> Sheet:
    """Per task: languages with a result, items, and the states of the cells without one."""
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
    return Sheet("coverage", "Benchmark coverage", columns, tuple(rows))


def measures(results: Results) -> Sheet:
    """Per language, task and producer, what the scoring measured beside the score."""
    found = {name for row in results.rows if row.record for name in row.record.measures}
    names = [name for name in MEASURES if name in found] + sorted(found - set(MEASURES))
    columns = (
        LANGUAGE,
        TASK,
        PRODUCER,
        *(
            Column(
                name,
                MEASURES.get(name, (name, ""))[0],
                MEASURES.get(name, ("", ".2f"))[1],
                numeric=True,
            )
            for name in names
        ),
    )
    rows = tuple(
        (r.language.name, r.task, r.producer, *(r.record.measures.get(name) for name in names))
        for r in results.rows
        if r.record and names
    )
    return Sheet("measures", "Tokens and output", columns, rows)


MEASURES = {
    "items_truncated": ("Cut prompts", ".0f"),
    "items_left_out": ("Left out", ".0f"),
    "prompt_tokens_mean": ("Prompt tokens", ",.0f"),
    "fertility": ("Tokens a word", ".2f"),
    "tokens_per_character": ("Tokens a character", ".2f"),
    "output_language_share": ("In the language", ".0%"),
    "output_language_undetermined_share": ("Undetermined", ".0%"),
    "copied_source_share": ("Copied source", ".0%"),
    "unfinished_share": ("Unfinished", ".0%"),
    "empty_share": ("Empty", ".0%"),
    "hypothesis_tokens_mean": ("Output tokens", ",.0f"),
    "nfc_changed_share": ("Changed by NFC", ".0%"),
    "reference_nfc_changed_share": ("References changed by NFC", ".0%"),
    "chrf_nfc": ("chrF++ in NFC", ".1f"),
    "chrf_visible": ("Without invisible characters", ".1f"),
}
"""Measure to its title and number form. Shares are 0-1; fertility is tokens a whitespace word."""
