"""The samples of a score: one row per item, as a Parquet file that other tools read."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.files import making

SAMPLES = "samples.parquet"

Row = dict[str, Any]

_EVERY = {
    "doc": pa.int64(),  # position among the scored items
    "doc_id": pa.string(),  # the benchmark's own id
    "doc_sha256": pa.string(),
    "cluster": pa.string(),  # items of one cluster are not independent
    "prompt": pa.string(),
    "prompt_sha256": pa.string(),
    "prompt_tokens": pa.int64(),  # as run, after truncation
    "truncated": pa.bool_(),
}
CHOICES = pa.schema(
    {
        **_EVERY,
        "choices": pa.list_(pa.string()),
        "logprobs": pa.list_(pa.float64()),  # nats; null where an endpoint did not give it
        "prediction": pa.string(),
        "answer": pa.string(),
        "correct": pa.bool_(),
    }
)
TRANSLATIONS = pa.schema(
    {
        **_EVERY,
        "source": pa.string(),
        "hypothesis": pa.string(),
        "reference": pa.string(),
        "chrf": pa.float64(),  # of the sentence, 0 to 100
        "chrf_statistics": pa.list_(pa.int64()),  # sacrebleu's; their sum gives the corpus score
        "source_tokens": pa.int64(),
        "hypothesis_tokens": pa.int64(),
        "reference_tokens": pa.int64(),
        "finished": pa.bool_(),  # ended by itself
        "language": pa.string(),  # detected, ISO 639-3; null where it cannot be told
        "in_language": pa.bool_(),  # the wanted one; null where it cannot be told
        "copied_source": pa.bool_(),
    }
)


def sha256(text: str) -> str:
    """Of a text in UTF-8, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def doc_sha256(doc: Mapping[str, Any]) -> str:
    """Of a document's content, whatever the order of its columns."""
    return sha256(json.dumps(doc, sort_keys=True, ensure_ascii=False))


def write_samples(path: Path, rows: Sequence[Row], schema: pa.Schema) -> None:
    """Writes all rows or nothing; the same rows give the same bytes."""
    with making(path) as half:
        # Prompts share their shots: zstd makes little of them.
        pq.write_table(pa.Table.from_pylist(list(rows), schema), half, compression="zstd")


def read_samples(path: Path) -> list[Row]:
    """All rows as plain values."""
    rows: list[Row] = pq.read_table(path).to_pylist()
    return rows
