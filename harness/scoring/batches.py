"""Batches whose make-up depends on the requests alone, and the file that keeps their results.

An interrupted task must go on with the very batches it would have had, since the shape of a batch
moves log-probabilities in their last digits. So batches are planned over all requests, and a batch
is kept or computed as a whole. For the same reason they do not depend on how many processes share
them.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.lines import decode_lines, parse_json_lines


def plan_batches(lengths: Sequence[int], tokens: int, *, padded: bool = False) -> list[list[int]]:
    """Plans batches of similar lengths, as indices, longest first (so that memory runs out at
    once).

    A batch has at most `tokens` tokens, padding to its longest row counted if it is `padded`, or
    it is a single row.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    batches: list[list[int]] = []
    filled = 0
    for index in order:
        added = lengths[batches[-1][0]] if padded and batches else lengths[index]
        if batches and filled + added <= tokens:
            batches[-1].append(index)
            filled += added
        else:
            batches.append([index])
            filled = lengths[index]
    return batches


class BatchJournal:
    """Results of finished batches in JSONL files of a directory, a line each, on disk before the
    next is begun.

    Each process writes a file of its own, and reads all. A last line that was cut off by a crash
    is dropped, and its batch computed again.
    """

    def __init__(self, folder: Path, rank: int = 0) -> None:
        self.path = folder / f"{rank}.jsonl"
        self._done: dict[str, Any] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("*.jsonl")):
            whole, _, cut = path.read_bytes().rpartition(b"\n")
            lines = decode_lines(whole.split(b"\n"), str(path))
            for _, entry in parse_json_lines(lines, str(path)):
                self._done[entry["batch"]] = entry["results"]
            if cut and path == self.path:
                with path.open("r+b") as file:
                    file.truncate(path.stat().st_size - len(cut))

    def get(self, batch: str) -> Any:
        """Returns the results of a batch, or None if it has to be computed."""
        return self._done.get(batch)

    def put(self, batch: str, results: Any) -> None:
        """Appends a batch's results."""
        self._done[batch] = results
        line = json.dumps({"batch": batch, "results": results}, ensure_ascii=False) + "\n"
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
