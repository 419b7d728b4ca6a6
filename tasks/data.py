"""Reads a benchmark's rows from wherever one switch says: a directory, the Hub, or our own sets.

`data_dir` is a directory in the benchmarks' published file layout (`tasks.files`), the word `hub`
(`tasks.hub`), or None for the embedded sets.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from core.languages import find_hub_code
from core.places import expand
from tasks.benchmark import Benchmark
from tasks.catalogue import BENCHMARKS
from tasks.errors import DataMalformed, DataMissing
from tasks.files import EMBEDDED
from tasks.rows import LeftOut, Raw, Row, check, leave_out

DATA_DIR_VARIABLE = "KAKUGO_DATA_DIR"
HUB = "hub"


@dataclass(frozen=True)
class BenchmarkData:
    """An opened switch. `root` is the directory, None for the Hub; `repositories` names those of
    the Hub that stand in for a benchmark's own, by benchmark."""

    name: Literal["embedded", "local", "hub"]
    root: Path | None
    repositories: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Read:
    """The rows of a benchmark in one language that can be asked, checked, shots included.

    `sha256` is over the used columns of all rows, so that it does not depend on where or in which
    format they lay. `left_out` are the rows that have nothing to ask. `revision` is the commit of a
    repository, None where there is none. `examples` are those of a file of their own.
    """

    rows: tuple[Row, ...]
    sha256: str
    name: Literal["embedded", "local", "hub"]
    repository: str | None = None
    revision: str | None = None
    left_out: tuple[LeftOut, ...] = ()
    examples: tuple[Row, ...] = ()


def open_data(data_dir: str | None, repositories: Mapping[str, str] | None = None) -> BenchmarkData:
    """Opens the switch. None stands for ``$KAKUGO_DATA_DIR`` and, without it, the embedded sets.

    Raises `DataMissing` where there is no such directory.
    """
    given = data_dir or os.environ.get(DATA_DIR_VARIABLE)
    if given == HUB:
        return BenchmarkData("hub", None, dict(repositories or {}))
    root = Path(expand(given)) if given else EMBEDDED
    if not _is_folder(root):
        raise DataMissing(
            f"data_dir={given}: there is no such directory. Remedy: give the directory that holds "
            f"{', '.join(f'{name}/' for name in BENCHMARKS)}, or hub, or null for the embedded sets"
        )
    return BenchmarkData("embedded" if root.resolve() == EMBEDDED.resolve() else "local", root)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # it lies where this user may not look
        return False


def read(
    benchmark: Benchmark,
    data: BenchmarkData,
    code: str,
    hub_codes: Mapping[str, str] | None = None,
    examples: int = 0,
) -> Read:
    """Reads the rows of a benchmark in the language that it calls `code`, and a repository of
    the Hub perhaps otherwise: `hub_codes` are the language's (see `core.languages`). So many
    `examples` are read beside them.

    Rows without a text are left out; `DataMalformed` is raised where those that remain are too few,
    and where rows lack a column, repeat an id or make no sense. Raises `DataMissing` where it lacks
    the language, and `HubUnavailable`.
    """
    repository = revision = None
    shown: list[Raw] = []
    reading = benchmark.reading if examples else None
    if data.root is not None:
        raws = benchmark.read_files(data.root, code)
        if reading:
            shown = reading.read_examples(data.root, code)
        where = f"{data.root}, {benchmark.name} {code}"
    else:
        from tasks import hub

        found = hub.resolve(data.repositories.get(benchmark.name) or benchmark.repository)
        columns = benchmark.hub_columns or [column.name for column in benchmark.columns]
        here = {code: find_hub_code(hub_codes or {}, found.name, code)}

        def load(split: str) -> list[Raw]:
            return benchmark.read_hub(
                lambda config: hub.read_rows(
                    found,
                    here.get(config) or config,
                    split,
                    columns,
                    [column.name for column in benchmark.asides],
                ),
                code,
            )

        raws = load(benchmark.split)
        if reading:
            shown = load(reading.examples_split)
        where = f"{found.name}, {code}"
        repository, revision = found.name, found.revision
    rows = check(raws, benchmark.columns, benchmark.identity)
    kept, left_out = leave_out(raws, rows, benchmark.columns, benchmark.asides)
    if len(kept) <= benchmark.shots:
        less = f" after {len(left_out)} without a text" if left_out else ""
        raise DataMalformed(
            f"{where}: {len(kept)} rows{less}; {benchmark.shots} are the shots, so at least "
            f"{benchmark.shots + 1} are needed. Remedy: give the whole set"
        )
    if len(shown) < examples:
        raise DataMalformed(
            f"{where}: {len(shown)} examples, {examples} are shown. Remedy: give the whole file of "
            "examples, or evaluate.protocol.prompt=chat-message, which shows none"
        )
    first = check(shown[:examples], benchmark.columns, benchmark.identity)
    return Read(
        tuple(kept),
        hash_rows(rows),
        data.name,
        repository,
        revision,
        tuple(left_out),
        tuple(first),
    )


def hash_rows(rows: list[Row]) -> str:
    """Computes the SHA-256 over the rows in their order, as JSON lines with sorted keys."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(row, sort_keys=True, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()
