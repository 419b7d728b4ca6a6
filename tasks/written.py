"""Scores answers that are written and read, in one way for our own scoring and for stock lm-eval.

``tasks/lm_eval/_reading*.yaml`` names the functions `rate`, `translate` and those that make one
number of what they return.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from core.statistics import score_strata
from tasks.benchmark import Item, WrittenForm
from tasks.protocol import Protocol
from tasks.quality import RATES
from tasks.reading import (
    EXTRACTIONS,
    cut_answer,
    read_label,
    read_label_strictly,
    read_text,
    read_text_strictly,
)


@dataclass(frozen=True)
class FoundAnswer:
    """The part of an answer that one reading takes ("" for none), and how good it is, 0 to 1."""

    text: str
    quality: float


@dataclass(frozen=True)
class ReadAnswer:
    """An answer as the chosen reading has it, and as the strict one does; `said` is what the model
    wrote, cut where a base model goes on to another item."""

    said: str
    scored: FoundAnswer
    strict: FoundAnswer


class Rated(NamedTuple):
    """A rated answer as lm-eval keeps it until it makes one number of all."""

    quality: float
    stratum: str
    guessing: float


def read_answer(doc: Mapping[str, Any], said: str) -> ReadAnswer:
    """Reads an answer to a document of a task that is read (`make_reading_document`)."""
    if doc["plain"]:
        said = cut_answer(said, doc["tag"])
    readings = {name: _read(doc, said, name) for name in EXTRACTIONS}
    return ReadAnswer(said, readings[doc["extraction"]], readings["strict"])


def _read(doc: Mapping[str, Any], said: str, extraction: str) -> FoundAnswer:
    tag, labels, references = doc["tag"], list(doc["choices"]), list(doc["references"])
    if labels:
        text = (
            read_label(said, tag, labels, lenient=doc["lenient"])
            if extraction == "seahelm"
            else read_label_strictly(said, tag, labels)
        )
        return FoundAnswer(text, float(text == references[0]))
    if not tag:
        return FoundAnswer(said, RATES[doc["metric"]](said, references, doc["code"]))
    text = read_text(said, tag) if extraction == "seahelm" else read_text_strictly(said, tag)
    rate = RATES.get(doc["metric"])
    return FoundAnswer(text, rate(text, references, doc["code"]) if rate else 0.0)


def make_reading_document(
    item: Item, reading: WrittenForm, code: str, protocol: Protocol
) -> dict[str, Any]:
    """Returns an item as lm-eval's document, with all that reading its answer takes."""
    own = ("id", "cluster", "text", "query", "stratum", "source", "target", "category")
    return {
        **{name: getattr(item, name) for name in own},
        "choices": list(item.choices),
        "references": list(item.references),
        "tag": reading.wordings[code].tag,
        "code": code,
        "plain": protocol.prompt == "plain",
        "extraction": protocol.extraction,
        "lenient": reading.lenient,
        "metric": reading.metric,
        "guessing": reading.find_guessing(code),
    }


def rate(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, Any]:
    """Rates the one answer to a document; lm-eval's ``process_results``."""
    found = read_answer(doc, results[0])
    place = (doc["stratum"], doc["guessing"])
    return {
        "score": Rated(found.scored.quality, *place),
        "strict": Rated(found.strict.quality, *place),
        "unread": float(not found.scored.text),
    }


def translate(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, Any]:
    """Reads the one translation of a document; lm-eval's ``process_results``."""
    found = read_answer(doc, results[0])
    return {
        "chrf++": (found.scored.text, doc["target"]),
        "strict": (found.strict.text, doc["target"]),
        "unread": float(not found.scored.text),
    }


def score_rated(items: Sequence[Rated]) -> float:
    """Makes the score (0-100) of all items; lm-eval's ``aggregation``."""
    rated = [Rated(*item) for item in items]
    return score_strata(
        [item.quality for item in rated], [item.stratum for item in rated], rated[0].guessing
    )


def score_translations(items: Sequence[tuple[str, str]]) -> float:
    """Computes chrF++ (0-100) of all translations; lm-eval's ``aggregation``."""
    from sacrebleu.metrics import CHRF

    hypotheses, references = zip(*items, strict=True)
    return float(CHRF(word_order=2).corpus_score(list(hypotheses), [list(references)]).score)
