"""Where benchmark rows come from: one switch, and what was read through it.

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

from tasks.benchmark import Benchmark, Row
from tasks.errors import DataMalformed, DataMissing
from tasks.files import EMBEDDED
from tasks.protocol import SHOTS

DATA_DIR_VARIABLE = "KAKUGO_DATA_DIR"
HUB = "hub"


@dataclass(frozen=True)
class Data:
    """An opened switch. `root` is the directory, None for the Hub; `repositories` names those of
    the Hub that stand in for a benchmark's own, by benchmark."""

    name: Literal["embedded", "local", "hub"]
    root: Path | None
    repositories: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Read:
    """The rows of a benchmark in one language, checked, shots included.

    `sha256` is over the used columns of the rows, so that it does not depend on where or in which
    format they lay. `revision` is the commit of a repository, None where there is none.
    """

    rows: tuple[Row, ...]
    sha256: str
    name: Literal["embedded", "local", "hub"]
    repository: str | None = None
    revision: str | None = None


def open_data(data_dir: str | None, repositories: Mapping[str, str] | None = None) -> Data:
    """The switch. None stands for ``$KAKUGO_DATA_DIR`` and, without it, the embedded sets.

    Raises `DataMissing` where there is no such directory.
    """
    given = data_dir or os.environ.get(DATA_DIR_VARIABLE)
    if given == HUB:
        return Data("hub", None, dict(repositories or {}))
    root = Path(given or EMBEDDED).expanduser()
    if not root.is_dir():
        raise DataMissing(
            f"data_dir={given}: there is no such directory. Remedy: give the directory that holds "
            "sib200/, belebele/, flores/ and global_mmlu/, or hub, or null for the embedded sets"
        )
    return Data("embedded" if root.resolve() == EMBEDDED.resolve() else "local", root)


def read(benchmark: Benchmark, data: Data, code: str) -> Read:
    """The rows of a benchmark in the language that it calls `code`.

    Raises `DataMissing` where it lacks the language, `DataMalformed` where rows are too few, lack a
    column, repeat an id or make no sense, and `HubUnavailable`.
    """
    repository = revision = None
    if data.root is not None:
        rows = benchmark.read_files(data.root, code)
        where = f"{data.root}, {benchmark.name} {code}"
    else:
        from tasks import hub

        found = hub.resolve(data.repositories.get(benchmark.name) or benchmark.repository)
        columns = benchmark.hub_columns or benchmark.columns
        rows = benchmark.read_hub(
            lambda config: hub.rows(found, config, benchmark.split, columns), code
        )
        where = f"{found.name}, {code}"
        repository, revision = found.name, found.revision
    return Read(
        tuple(_checked(rows, benchmark, where)), fingerprint(rows), data.name, repository, revision
    )


def fingerprint(rows: list[Row]) -> str:
    """SHA-256 over the rows in their order, as JSON lines with sorted keys."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(row, sort_keys=True, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def _checked(rows: list[Row], benchmark: Benchmark, where: str) -> list[Row]:
    if len(rows) <= SHOTS:
        raise DataMalformed(
            f"{where}: {len(rows)} rows; {SHOTS} are the shots, so at least {SHOTS + 1} are needed"
        )
    for number, row in enumerate(rows, 1):
        lacking = [column for column in benchmark.columns if not row[column].strip()]
        wrong = f"no {', '.join(lacking)}" if lacking else benchmark.problem(row)
        if wrong:
            raise DataMalformed(f"{where}, row {number}: {wrong}")
    return rows
