"""The samples of a score: one row per item, as a Parquet file that other tools read.

A row is one of the three classes; the columns of the file are their fields, and `columns` says of
which type each is.
"""

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The columns of every task. Items of one `cluster` are not independent."""

    doc: int
    """Its position among the scored items."""
    doc_id: str
    """The benchmark's own id."""
    doc_sha256: str
    cluster: str
    prompt: str
    prompt_sha256: str
    prompt_tokens: int
    """As run, after truncation."""
    truncated: bool


@dataclass(frozen=True, kw_only=True)
class Choice(Sample):
    """An item with answers to choose from. `logprobs` are in nats, with None where an endpoint did
    not give one.

    `category` and `cultural_sensitivity` are what the benchmark says of the item, alike in every
    language: Global-MMLU's subject category, and CS (culturally sensitive), CA (agnostic) or "-"
    (nobody labelled it). None where it says nothing, and in samples of before there were these.
    """

    choices: tuple[str, ...]
    logprobs: tuple[float | None, ...]
    prediction: str
    answer: str
    correct: bool
    category: str | None
    cultural_sensitivity: str | None


@dataclass(frozen=True, kw_only=True)
class Translation(Sample):
    """A translated sentence.

    `chrf` is of the sentence, 0 to 100; `chrf_statistics` are sacrebleu's, whose sum gives the
    corpus score. `finished` says that it ended by itself. `language` is the detected one (ISO
    639-3) and `in_language` says that it is the wanted one; both are None where it cannot be told.
    """

    source: str
    hypothesis: str
    reference: str
    chrf: float
    chrf_statistics: tuple[int, ...]
    source_tokens: int
    hypothesis_tokens: int
    reference_tokens: int
    finished: bool
    language: str | None
    in_language: bool | None
    copied_source: bool
    said: str | None
    """All that the model wrote, where the hypothesis was read out of it."""


@dataclass(frozen=True, kw_only=True)
class WrittenAnswer(Sample):
    """An answer that was written and then read.

    `said` is all that the model wrote. `prediction` is what was read of it as the score takes it,
    and `strict` what the stricter reading gives; "" where a reading finds no answer. `quality` and
    `strict_quality` are from 0 to 1. The score is the mean of the means of each `stratum`, above
    guessing (`core.statistics.score_weights`). `answer` is the right one, the first of
    `references` where there are several. `finished` says that it ended by itself; `category` is
    what the benchmark says of the item.
    """

    said: str
    said_tokens: int
    finished: bool
    prediction: str
    strict: str
    answer: str
    references: tuple[str, ...]
    quality: float
    strict_quality: float
    correct: bool
    stratum: str
    category: str | None


AnySample = Choice | Translation | WrittenAnswer

_ARROW: Mapping[Any, str] = {int: "int64", str: "string", bool: "bool_", float: "float64"}


def list_columns(kind: type[Sample]) -> tuple[str, ...]:
    """Returns the names of the columns."""
    return tuple(field.name for field in dataclasses.fields(kind))


def make_arrow_schema(kind: type[Sample]) -> Any:
    """Returns the pyarrow schema of the file."""
    import pyarrow as pa

    def arrow(hint: Any) -> Any:
        if typing.get_origin(hint) is tuple:
            return pa.list_(arrow(typing.get_args(hint)[0]))
        plain = [part for part in typing.get_args(hint) if part is not type(None)]
        return getattr(pa, _ARROW[plain[0] if plain else hint])()

    hints = typing.get_type_hints(kind)
    return pa.schema({name: arrow(hints[name]) for name in list_columns(kind)})
