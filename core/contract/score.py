"""A score: one checkpoint on one task, as it stands in the score's file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from core.contract.record import (
    REST,
    Count,
    NotNegative,
    Percent,
    Positive,
    Share,
    make_schema_field,
)

Metric = Literal["accuracy", "chrf++", "nacc", "token_f1", "rouge_l", "exact", "pass_rate"]
"""nacc: accuracy that is balanced over right answers, or over phenomena, above guessing."""


@dataclass(frozen=True)
class ScoreInterval:
    """The interval of one score alone, 0-100; `level` is 0.95 for 95%."""

    low: float
    high: float
    level: Share
    method: str = ""


@dataclass(frozen=True)
class ProtocolFields:
    """The protocol of the items, choice by choice (see tasks.protocol)."""

    answers: str | None
    prompt: str | None
    system_prompt: str | None
    instructions: str | None
    shots: str | None
    extraction: str | None


@dataclass(frozen=True)
class ScoredData:
    """The data that were scored; `revision` and `repository` are of what the Hub gave."""

    revision: str | None
    repository: str | None
    name: str = "unnamed"
    sha256: str = ""
    split: str = ""


@dataclass(frozen=True)
class Engine:
    """The engine that computed a score. `shares_prefix`: shared tokens were computed once.
    `settings` are what else the engine recorded, such as the tokens of a batch."""

    name: str
    version: str | int | None
    precision: str
    shares_prefix: bool
    settings: Mapping[str, Any] = field(default_factory=dict, metadata=REST)


def _make_translation_field() -> Any:
    return field(default=None, metadata={"of": "translations"})


@dataclass(frozen=True)
class Measures:
    """Measures beside a score; each is None where it was not taken or does not apply.

    Of every task: prompts that were cut and their mean tokens, tokens per word and per character of
    the items' own texts, and rows of the data that were left out. Where texts of answers are
    scored: the accuracy, in percent, of the answer with the highest log-probability per byte of
    UTF-8. Of translations, as shares of
    them: those in the wanted language (of those whose language can be told), those whose language
    cannot be told, copies of the source, those that did not end by themselves, empty ones; their
    mean tokens; the shares that NFC changes, of them and of the references; and chrF++ in NFC, and
    without invisible characters too. Of answers that are read, as shares of them: those in which no
    answer was found, by the score's reading and by the strict one; and the score, in points, by the
    strict one.
    """

    items_truncated: float | None = None
    prompt_tokens_mean: float | None = None
    fertility: float | None = None
    tokens_per_character: float | None = None
    items_left_out: float | None = None
    accuracy_per_byte: float | None = None
    unread_share: float | None = None
    strict_unread_share: float | None = None
    strict_score: float | None = None
    output_language_share: float | None = _make_translation_field()
    output_language_undetermined_share: float | None = _make_translation_field()
    copied_source_share: float | None = _make_translation_field()
    unfinished_share: float | None = _make_translation_field()
    empty_share: float | None = _make_translation_field()
    hypothesis_tokens_mean: float | None = _make_translation_field()
    nfc_changed_share: float | None = _make_translation_field()
    reference_nfc_changed_share: float | None = _make_translation_field()
    chrf_nfc: float | None = _make_translation_field()
    chrf_visible: float | None = _make_translation_field()


TRANSLATION_MEASURES = tuple(field.name for field in fields(Measures) if field.metadata)
"""The names of those that only translations have."""


@dataclass(frozen=True, kw_only=True)
class ScoreRecord:
    """One checkpoint's score on one task. `score`, `stderr` and `chance` are on a 0-100 scale.

    `guessing` is the percent of right answers that guessing gives, which is 0 of a score that was
    normalised by it. `protocol` is in words. `left_out` counts rows of the data that were not
    asked, by the columns that are blank in them.
    """

    task: str
    lm_eval_task: str = ""
    metric: str
    score: Percent
    stderr: NotNegative | None
    interval: ScoreInterval | None
    signature: str | None
    n: Positive
    chance: Percent | None
    guessing: Percent | None
    shots: Count
    protocol: str = ""
    protocol_fields: ProtocolFields | None
    data: ScoredData = field(default_factory=lambda: ScoredData(None, None))
    engine: Engine | None
    left_out: Mapping[str, int] = field(default_factory=dict)
    measures: Measures = field(default_factory=Measures)
    warnings: tuple[str, ...]
    schema: int = make_schema_field(1)
