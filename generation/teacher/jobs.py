"""Batch jobs in the ledger: what each holds and how far it got, so that a killed run goes on.

Two tables, append-only like the calls: a job's requests, and its events (prepared, uploaded with
the file's id, submitted with the batch's id, closed with its state). A job is open until closed;
closing and its outcomes are one transaction, so that none is lost or counted twice.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from generation.ids import hash_parts, write_canonical
from generation.teacher.ledger import Ledger, Request, RequestOutcome

SCHEMA = """
CREATE TABLE IF NOT EXISTS batch_requests (
    batch TEXT NOT NULL,
    key TEXT NOT NULL,
    sample INTEGER NOT NULL,
    step TEXT NOT NULL,
    request TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS batch_requests_by_batch ON batch_requests (batch);
CREATE TABLE IF NOT EXISTS batch_events (
    id INTEGER PRIMARY KEY,
    batch TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    event TEXT NOT NULL CHECK (event IN ('prepared', 'uploaded', 'submitted', 'closed')),
    detail TEXT,
    at REAL NOT NULL
);
"""


@dataclass
class Job:
    """One batch: its requests by key, the provider's ids as far as they are known."""

    name: str
    requests: dict[str, Request]
    created: float
    file: str | None = None
    remote: str | None = None


@dataclass
class Jobs:
    """The batch jobs of a ledger at one endpoint."""

    ledger: Ledger
    endpoint: str

    def __post_init__(self) -> None:
        self.ledger.run_script(SCHEMA)

    def open(self) -> list[Job]:
        """The jobs that are not closed, in the order in which they were made."""
        events = self.ledger.find_rows(
            "SELECT batch, event, detail, at FROM batch_events WHERE endpoint = ? AND batch NOT IN"
            " (SELECT batch FROM batch_events WHERE event = 'closed') ORDER BY id",
            (self.endpoint,),
        )
        jobs: dict[str, Job] = {}
        for name, event, detail, at in events:
            if event == "prepared":
                jobs[name] = Job(name, self._read_requests(name), at)
            elif event == "uploaded":
                jobs[name].file = detail
            elif event == "submitted":
                jobs[name].remote = detail
        return list(jobs.values())

    def prepare(self, requests: Sequence[Request]) -> Job:
        """A new job with these requests, written down before anything is sent."""
        now = time.time()
        job = Job(
            hash_parts([r.key for r in requests], now)[:24], {r.key: r for r in requests}, now
        )
        with self.ledger.writing_together():
            for r in requests:
                self.ledger.execute(
                    "INSERT INTO batch_requests (batch, key, sample, step, request)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (job.name, r.key, r.sample, r.step, write_canonical(r.body)),
                )
            self._note_event(job, "prepared", None)
        return job

    def note_uploaded(self, job: Job, file: str) -> None:
        """The provider has the file."""
        self._note_event(job, "uploaded", file)
        job.file = file

    def note_submitted(self, job: Job, remote: str) -> None:
        """The provider has the batch."""
        self._note_event(job, "submitted", remote)
        job.remote = remote

    def close(self, job: Job, status: str, outcomes: Mapping[str, RequestOutcome]) -> None:
        """The batch is over and these are its outcomes, by key."""
        with self.ledger.writing_together():
            for key, outcome in outcomes.items():
                self.ledger.append(job.requests[key], outcome)
            self._note_event(job, "closed", status)

    def _read_requests(self, name: str) -> dict[str, Request]:
        rows = self.ledger.find_rows(
            "SELECT key, sample, step, request FROM batch_requests WHERE batch = ?", (name,)
        )
        return {key: Request(step, json.loads(body), sample) for key, sample, step, body in rows}

    def _note_event(self, job: Job, event: str, detail: str | None) -> None:
        self.ledger.execute(
            "INSERT INTO batch_events (batch, endpoint, event, detail, at) VALUES (?, ?, ?, ?, ?)",
            (job.name, self.endpoint, event, detail, time.time()),
        )
