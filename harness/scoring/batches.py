"""Batches whose make-up depends on the requests alone.

An interrupted task must go on with the very batches it would have had, since the shape of a batch
moves log-probabilities in their last digits. So batches are planned over all requests, and a batch
is kept or computed as a whole.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def plan_batches(lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """Indices in batches of similar lengths, longest first (so that memory runs out at once).

    A batch of n rows of at most m tokens has n * m <= `tokens`, or n = 1.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    batches: list[list[int]] = []
    for index in order:
        if batches and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= tokens:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


class Journal:
    """Results of finished batches in a JSONL file, one line a batch, on disk before the next.

    A last line that was cut off by a crash is dropped, and its batch computed again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._done: dict[str, Any] = {}
        if path.exists():
            whole = path.read_bytes().rpartition(b"\n")[0]
            for line in whole.decode("utf-8").split("\n") if whole else []:
                entry = json.loads(line)
                self._done[entry["batch"]] = entry["results"]
            with path.open("r+b") as file:
                file.truncate(len(whole) + 1 if whole else 0)

    def get(self, batch: str) -> Any:
        """The results of a batch, or None if it has to be computed."""
        return self._done.get(batch)

    def put(self, batch: str, results: Any) -> None:
        """Appends a batch's results."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"batch": batch, "results": results}, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
