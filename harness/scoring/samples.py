"""Writes the samples of a score, one row per item (see `core.contract.samples`)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.contract.record import as_json
from core.contract.samples import AnySample, make_arrow_schema
from core.files import making


def hash_text(text: str) -> str:
    """Computes the SHA-256 of a text in UTF-8, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def hash_document(doc: Mapping[str, Any]) -> str:
    """Computes the SHA-256 of a document's content, whatever the order of its columns."""
    return hash_text(json.dumps(doc, sort_keys=True, ensure_ascii=False))


def write_samples(path: Path, rows: Sequence[AnySample]) -> None:
    """Writes all rows, which are of one kind, or nothing; the same rows give the same bytes."""
    with making(path) as half:
        # Prompts share their shots: zstd makes little of them.
        table = pa.Table.from_pylist(
            [as_json(row) for row in rows], make_arrow_schema(type(rows[0]))
        )
        pq.write_table(table, half, compression="zstd")
