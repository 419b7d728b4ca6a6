"""Samples as the harness wrote them before Parquet: JSON lines, turned into the same columns."""

import hashlib
from pathlib import Path
from typing import Any

from reports.store import files
from reports.store.files import Unreadable


def read_old(path: Path) -> Any:
    """A pyarrow table with today's columns, as far as the old rows hold them."""
    import pyarrow as pa

    from reports.stats.chrf import sentence_counts

    rows = []
    for row in files.read_lines(path):
        doc = files.whole(row, "doc")
        gold = row.get("answer") if "answer" in row else row.get("reference")
        if not isinstance(gold, str):
            raise Unreadable(f"{path.name}: document {doc} has no answer and no reference")
        new = dict(row) | {
            "doc_id": str(doc),
            "doc_sha256": hashlib.sha256(gold.encode()).hexdigest(),
            "cluster": str(doc),
            "prompt_sha256": str(row.get("prompt_sha256") or ""),
        }
        if "reference" in row:
            new["chrf_statistics"] = list(sentence_counts(str(row.get("hypothesis")), gold))
        rows.append(new)
    return pa.Table.from_pylist(rows)
