"""The rows of sources as Parquet files, each row with where it comes from."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from core.contract.facts import Facts
from core.contract.names import ROWS
from core.files import making
from core.lines import read_json_lines
from reports.store.model import StoredArtifact

COLUMNS = {
    "id": "the row's name, which no other row of the source has",
    "source": "the source's name",
    "messages": "the conversation; a turn whose weight is 0 is context and not trained",
    "reasoning": "what the teacher thought before the last answer, null where it did not",
    "language": "the language (ISO 639-3) that was identified in the answers, null where none was",
    "quality": "the faults that were found; rows are not left out for them unless it is said",
    "provenance": "how the row came about, as JSON: seeds, requests, and what it started from",
    "teacher": "the model that wrote it, null where none did",
    "artifact": "the key of the source in the store that it is from",
}
"""What each column holds."""


def write_parquet(source: StoredArtifact[Facts], out: Path, left_out: Collection[str]) -> int:
    """Writes the rows of a source, without those that are `left_out` by id; returns how many.

    The same rows give the same bytes with the same version of pyarrow. Raises LineError for a line
    that is not JSON, OSError where the file cannot be read or written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    message = pa.struct([("role", pa.string()), ("content", pa.string()), ("weight", pa.int8())])
    kinds = {"messages": pa.list_(message), "quality": pa.list_(pa.string())}
    schema = pa.schema({name: kinds.get(name, pa.string()) for name in COLUMNS})
    written = 0
    with making(out) as half, pq.ParquetWriter(half, schema, compression="zstd") as writer:
        rows: list[dict[str, Any]] = []

        def write_rows() -> None:
            nonlocal written
            if rows:
                writer.write_table(pa.Table.from_pylist(rows, schema))
            written += len(rows)
            rows.clear()

        for _, row in read_json_lines(source.folder / ROWS):
            if row["id"] not in left_out:
                rows.append(_make_row(source, row))
            if len(rows) == 5000:
                write_rows()
        write_rows()
    return written


def _make_row(source: StoredArtifact[Facts], row: dict[str, Any]) -> dict[str, Any]:
    kept = ("role", "content", "weight")
    messages = [{name: message.get(name) for name in kept} for message in row["messages"]]
    return {
        "id": row["id"],
        "source": row["source"],
        "messages": messages,
        "reasoning": row.get("reasoning"),
        "language": row.get("language"),
        "quality": row.get("quality") or [],
        "provenance": json.dumps(row.get("provenance"), ensure_ascii=False, sort_keys=True),
        "teacher": source.about.teacher,
        "artifact": source.key,
    }
