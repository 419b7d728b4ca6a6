"""Every request to a teacher and what came back: one append-only SQLite file (WAL) per language.

A row is one request in one run: `attempts` and `seconds` are of all its tries, `latency` of the
last one, and `usd` is what the response cost at the prices of that day. `response` is the raw body
of an accepted HTTP response, else `failure` says why there is none. Requests are found again by
their key, the hash of their body, so a response is never paid for twice, and what is parsed out of
it can change without a new call.
No column holds the endpoint's key.
"""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from generation.errors import LedgerError
from generation.ids import hash_parts, write_canonical
from generation.settings import Price

_SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    sample INTEGER NOT NULL,
    step TEXT NOT NULL,
    request TEXT NOT NULL,
    response TEXT,
    failure TEXT,
    tokens_input INTEGER,
    tokens_output INTEGER,
    attempts INTEGER NOT NULL,
    seconds REAL NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT,
    asked_at TEXT NOT NULL,
    latency REAL,
    usd REAL,
    batch TEXT,
    CHECK ((response IS NULL) <> (failure IS NULL))
);
CREATE INDEX IF NOT EXISTS calls_by_key ON calls (key, id);
CREATE TRIGGER IF NOT EXISTS calls_are_final BEFORE UPDATE ON calls
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS calls_are_kept BEFORE DELETE ON calls
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""
_CHUNK = 500
_BUSY_SECONDS = 60.0


@dataclass(frozen=True)
class Request:
    """One call: the step it belongs to, the body as sent, and which sample of that body."""

    step: str
    body: dict[str, Any]
    sample: int = 0
    key: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", hash_parts(self.body, self.sample))


@dataclass(frozen=True)
class RequestOutcome:
    """Holds what one run got for one request; exactly one of `response` and `failure` is set."""

    response: str | None
    failure: str | None
    attempts: int
    seconds: float
    endpoint: str
    latency: float | None = None
    usd: float | None = None
    batch: str | None = None


@dataclass(frozen=True)
class RecordedAnswer:
    """The newest accepted response to a request, or else its newest failure."""

    response: str | None
    failure: str | None
    tokens_input: int
    tokens_output: int
    usd: float | None = None


@dataclass(frozen=True)
class StepSample:
    """Answered requests of a step, and the mean tokens of one."""

    calls: int
    tokens_input: float
    tokens_output: float


@dataclass(frozen=True)
class Spent:
    """All that a ledger records: attempts, and the dollars of the responses whose cost is known."""

    calls: int
    usd: float


class Ledger:
    """The open file. Several processes may have it open at once.

    `appended`, tokens and `usd` count what this one has written since it opened the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.appended = 0
        self._appended: set[str] = set()
        self.tokens_input = 0
        self.tokens_output = 0
        self.usd = 0.0
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._explaining_errors():
            self._connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
                # In WAL mode NORMAL loses nothing when the process is killed.
                self._connection.execute("PRAGMA synchronous=NORMAL")
                self._connection.executescript(_SCHEMA)
                self._add_columns()
            except sqlite3.Error:
                self._connection.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def append(self, request: Request, outcome: RequestOutcome) -> None:
        """Write one row, at once and for good; counts rows and tokens of this run."""
        model, tokens_input, tokens_output = read_usage(outcome.response)
        with self._explaining_errors():
            self._connection.execute(
                "INSERT INTO calls (key, sample, step, request, response, failure, tokens_input,"
                " tokens_output, attempts, seconds, endpoint, model, asked_at, latency, usd, batch)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    request.key,
                    request.sample,
                    request.step,
                    write_canonical(request.body),
                    outcome.response,
                    outcome.failure,
                    tokens_input,
                    tokens_output,
                    outcome.attempts,
                    round(outcome.seconds, 3),
                    outcome.endpoint,
                    model,
                    time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                    None if outcome.latency is None else round(outcome.latency, 3),
                    outcome.usd,
                    outcome.batch,
                ),
            )
        self.appended += 1
        self._appended.add(request.key)
        self.tokens_input += tokens_input
        self.tokens_output += tokens_output
        self.usd += outcome.usd or 0.0

    def sum_spent(self) -> Spent:
        """Add up what all runs together spent."""
        with self._explaining_errors():
            calls, usd = self._connection.execute(
                "SELECT coalesce(sum(attempts), 0), coalesce(sum(usd), 0.0) FROM calls"
            ).fetchone()
        return Spent(calls, usd)

    def count_samples(self, model: str) -> dict[str, StepSample]:
        """Count for each step the answered requests to a model, and their mean tokens."""
        with self._explaining_errors():
            rows = self._connection.execute(
                "SELECT step, count(DISTINCT key), avg(tokens_input), avg(tokens_output) FROM calls"
                " WHERE response IS NOT NULL AND json_extract(request, '$.model') = ?"
                " GROUP BY step",
                (model,),
            ).fetchall()
        return {step: StepSample(*numbers) for step, *numbers in rows}

    def run_script(self, statements: str) -> None:
        """Run statements, such as those that make tables."""
        with self._explaining_errors():
            self._connection.executescript(statements)

    def execute(self, statement: str, values: tuple[object, ...]) -> None:
        """Write one row of another table."""
        with self._explaining_errors():
            self._connection.execute(statement, values)

    def find_rows(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """Run a query and give the rows that it finds."""
        with self._explaining_errors():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def writing_together(self) -> Iterator[None]:
        """All that is written in the block, or nothing of it."""
        with self._explaining_errors():
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        with self._explaining_errors():
            self._connection.execute("COMMIT")

    def find_answered(self, requests: Sequence[Request]) -> set[str]:
        """The keys of those requests that have an accepted response."""
        found: set[str] = set()
        for keys in _split_keys([request.key for request in requests]):
            marks = ",".join("?" * len(keys))
            with self._explaining_errors():
                rows = self._connection.execute(
                    "SELECT DISTINCT key FROM calls WHERE response IS NOT NULL"
                    f" AND key IN ({marks})",
                    keys,
                )
                found.update(key for (key,) in rows)
        return found

    def read_answer(self, request: Request) -> RecordedAnswer:
        """Give the newest success of a request, else its newest failure."""
        with self._explaining_errors():
            row = self._connection.execute(
                "SELECT response, failure, tokens_input, tokens_output, usd FROM calls"
                " WHERE key = ? ORDER BY response IS NULL, id DESC LIMIT 1",
                (request.key,),
            ).fetchone()
        return RecordedAnswer(*row) if row else RecordedAnswer(None, "not asked", 0, 0)

    def has_appended(self, request: Request) -> bool:
        """Tell whether an outcome of the request was written since this one opened the file."""
        return request.key in self._appended

    def _add_columns(self) -> None:
        """Columns that came later, so that no paid response of an older ledger is lost."""
        there = {row[1] for row in self._connection.execute("PRAGMA table_info(calls)")}
        for name, kind in (("latency", "REAL"), ("usd", "REAL"), ("batch", "TEXT")):
            if name not in there:
                self._connection.execute(f"ALTER TABLE calls ADD COLUMN {name} {kind}")

    @contextmanager
    def _explaining_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise LedgerError(
                f"The ledger {self.path} failed: {error}. Remedy: make room on the disk, see that "
                "the folder is writable and local, and that the file is a ledger; then start the "
                "same command again, which asks only for what is missing."
            ) from error


def read_usage(response: str | None) -> tuple[str | None, int, int]:
    """(served model, input tokens, output tokens) as a raw response states them."""
    if response is None:
        return None, 0, 0
    body = json.loads(response)
    usage = body.get("usage") or {}
    tokens = (usage.get("prompt_tokens"), usage.get("completion_tokens"))
    counted = [value if isinstance(value, int) else 0 for value in tokens]
    model = body.get("model")
    return model if isinstance(model, str) else None, counted[0], counted[1]


def compute_cost(response: str, price: Price | None, discount: float = 0.0) -> float | None:
    """Dollars of a response; None without a price or without usage."""
    _, tokens_input, tokens_output = read_usage(response)
    if price is None or not tokens_input + tokens_output:
        return None if price is None or price.input or price.output else 0.0
    full = (tokens_input * price.input + tokens_output * price.output) / 1e6
    return full * (1 - discount)


def _split_keys(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]
