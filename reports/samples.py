"""The kept samples of a score: one row per item, checked, as the pairing needs them."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from reports import files
from reports.files import Unreadable
from reports.model import Score


@dataclass(frozen=True)
class Choice:
    """One multiple-choice item."""

    prompt: str
    """SHA-256 of the prompt that was scored; "" when it was not kept."""
    prediction: str
    answer: str
    correct: bool


@dataclass(frozen=True)
class Translation:
    """One FLORES item. `chrf` is the sentence's own chrF++ (0-100), None when it was not kept."""

    prompt: str
    source: str
    hypothesis: str
    reference: str
    chrf: float | None


Samples = Mapping[int, Choice] | Mapping[int, Translation]


def read_choices(score: Score) -> dict[int, Choice]:
    """The multiple-choice items of a score by document number."""
    return {doc: _choice(row) for doc, row in _rows(score).items()}


def read_translations(score: Score) -> dict[int, Translation]:
    """The translations of a score by document number."""
    return {doc: _translation(row) for doc, row in _rows(score).items()}


def first_items(score: Score, count: int = 5) -> Samples:
    """The first items by document number; empty when the file cannot be used."""
    try:
        rows = dict(islice(sorted(_rows(score).items()), count))
        if is_translation(score):
            return {doc: _translation(row) for doc, row in rows.items()}
        return {doc: _choice(row) for doc, row in rows.items()}
    except Unreadable:
        return {}


def is_translation(score: Score) -> bool:
    """Whether the score's items are translations (else they are multiple choice)."""
    return score.metric != "accuracy"


def _rows(score: Score) -> dict[int, Mapping[str, Any]]:
    try:
        rows: dict[int, Mapping[str, Any]] = {}
        for row in files.read_lines(score.artifact.folder / "samples.jsonl"):
            doc = files.whole(row, "doc")
            if doc in rows:
                raise Unreadable(f"lists document {doc} twice")
            rows[doc] = row
    except Unreadable as error:
        raise Unreadable(f"samples.jsonl {error}") from None
    return rows


def _choice(row: Mapping[str, Any]) -> Choice:
    correct = row.get("correct")
    if not isinstance(correct, bool):
        raise Unreadable(f"samples.jsonl: document {row['doc']} has no true or false `correct`")
    return Choice(
        prompt=str(row.get("prompt_sha256") or ""),
        prediction=str(row.get("prediction", "")),
        answer=str(row.get("answer", "")),
        correct=correct,
    )


def _translation(row: Mapping[str, Any]) -> Translation:
    try:
        return Translation(
            prompt=str(row.get("prompt_sha256") or ""),
            source=files.text(row, "source", ""),
            hypothesis=files.text(row, "hypothesis"),
            reference=files.text(row, "reference"),
            chrf=files.number_or_none(row, "chrf"),
        )
    except Unreadable as error:
        raise Unreadable(f"samples.jsonl: document {row['doc']}: {error}") from None
