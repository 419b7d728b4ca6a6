"""Reads the texts of a translation score: sources, translations and references."""

from dataclasses import dataclass

from core.contract.names import SAMPLES
from core.contract.record import Unreadable
from reports.store.model import Score
from reports.store.samples import read_columns

_COLUMNS = ("doc_id", "source", "hypothesis", "reference")


@dataclass(frozen=True)
class TranslatedTexts:
    """Sentences in the order of the file; `ids` are the benchmark's own."""

    ids: tuple[str, ...]
    sources: tuple[str, ...]
    hypotheses: tuple[str, ...]
    references: tuple[str, ...]


def read_translated(score: Score) -> TranslatedTexts:
    """Read the texts of a score of translations. Raises Unreadable."""
    table = read_columns(score.artifact.folder, _COLUMNS)
    lacking = [name for name in _COLUMNS if name not in table.column_names]
    if lacking:
        raise Unreadable(f"{SAMPLES} has no column {', '.join(lacking)}")
    columns = [table.column(name).to_pylist() for name in _COLUMNS]
    if any(value is None for column in columns for value in column):
        raise Unreadable(f"{SAMPLES} lacks the text of a sentence")
    return TranslatedTexts(*(tuple(column) for column in columns))
