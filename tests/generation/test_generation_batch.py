"""The Batch API against a real server that speaks both dialects, and its faults."""

import json
import random
import re
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from killing import start
from running import run
from scripted import Scripted, answer, completion

from generation.errors import TeacherError
from generation.settings import Batch, Teacher

pytestmark = pytest.mark.slow


class Provider:
    """Files and batches in memory. `polls` answers come before a batch is over."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []  # the custom_id of every request of every batch
        self.requests = 0
        self.url = ""
        self.slow_s = 0.0
        self.polls = 1
        self.forget_replies = 0  # answers to POST /batches that never arrive
        self.lock = threading.Lock()

    # What tests replace.
    def fate(self, nth: int, key: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """A line of the results, {"gone": True} for none at all, or None for a good answer."""
        return None

    def status(self, nth: int) -> str:
        """How the nth batch ends."""
        return "completed"

    def upload(self, content: bytes) -> dict[str, Any]:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return {"id": name, "object": "file"}

    def create(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["endpoint"] == "/v1/chat/completions"
        nth = len(self.batches)
        batch = {"id": f"batch-{nth}", "nth": nth, "polls": 0, **asked}
        for line in self.files[asked["input_file_id"]].decode().splitlines():
            self.asked.append(json.loads(line)["custom_id"])
        self.batches[batch["id"]] = batch
        return batch

    def show(self, batch: dict[str, Any]) -> dict[str, Any]:
        shown = {k: batch[k] for k in ("id", "input_file_id")}
        status = "in_progress"
        batch["polls"] += 1
        if batch["polls"] > self.polls:
            status = self.status(batch["nth"])
            shown |= self._results(batch, status)
        if status == "failed":
            shown["errors"] = {"data": [{"message": "the file has too many tokens"}]}
        shown["status"] = status.upper() if self.dialect == "together" else status
        return shown

    def _results(self, batch: dict[str, Any], status: str) -> dict[str, Any]:
        good, bad = [], []
        for text in self.files[batch["input_file_id"]].decode().splitlines():
            line = json.loads(text)
            key, body = line["custom_id"], line["body"]
            assert len(key) == 64
            fate = self.fate(batch["nth"], key, body)
            if fate == {"gone": True}:
                continue
            if fate is None:
                fate = {"response": {"status_code": 200, "body": answer(body)}, "error": None}
                good.append(json.dumps({"id": "r", "custom_id": key, **fate}))
            elif "raw" in fate:
                good.append(fate["raw"])
            else:
                bad.append(json.dumps({"id": "r", "custom_id": key, **fate}))
        found: dict[str, Any] = {"output_file_id": None, "error_file_id": None}
        # Never in the order in which they were asked.
        for name, lines in (("output_file_id", good[::-1]), ("error_file_id", bad)):
            if lines:
                found[name] = self.upload("\n".join(lines).encode())["id"]
        return found


@contextmanager
def providing(dialect: str) -> Iterator[Provider]:
    provider = Provider(dialect)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self, value: Any, status: int = 200) -> None:
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            with provider.lock:
                provider.requests += 1
                path = self.path.partition("?")[0]
                if found := re.fullmatch(r"/v1/files/(.+)/content", path):
                    self.reply(provider.files[found[1]])
                elif path == "/v1/batches":
                    shown = [
                        {k: b[k] for k in ("id", "input_file_id")}
                        for b in provider.batches.values()
                    ]
                    self.reply(shown if dialect == "together" else {"data": shown})
                else:
                    self.reply(provider.show(provider.batches[path.rpartition("/")[2]]))

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(provider.slow_s)
            with provider.lock:
                provider.requests += 1
                if self.path in ("/v1/files", "/v1/files/upload"):
                    head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
                    parts = {
                        part.get_param("name", header="content-disposition"): part
                        for part in BytesParser(policy=HTTP).parsebytes(head + content).iter_parts()  # type: ignore[attr-defined]
                    }
                    purpose = "batch-api" if dialect == "together" else "batch"
                    assert parts["purpose"].get_payload(decode=True).decode() == purpose
                    self.reply(provider.upload(parts["file"].get_payload(decode=True)))
                elif self.path == "/v1/batches":
                    made = provider.create(json.loads(content))
                    if provider.forget_replies:
                        provider.forget_replies -= 1
                        self.close_connection = True
                        return
                    self.reply({"job": made} if dialect == "together" else made)
                else:
                    self.reply({"error": {"message": "no online calls here"}}, 400)

        def log_message(self, *args: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(ConnectionError):
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(params=["openai", "together"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    with providing(request.param) as found:
        yield found


@pytest.fixture
def batched(provider: Provider, teacher: Teacher) -> Teacher:
    batch = Batch(dialect=provider.dialect, poll_s=0.01)  # type: ignore[arg-type]
    return replace(teacher, base_url=provider.url, batch=batch)


def content(folder: Path, source: str = "topic") -> bytes:
    return (folder / source / "rows.jsonl").read_bytes()


def counted(folder: Path) -> tuple[int, int]:
    """(accepted responses, different keys among them)."""
    connection = sqlite3.connect(folder / "ledger.sqlite")
    found = connection.execute(
        "SELECT count(*), count(DISTINCT key) FROM calls WHERE response IS NOT NULL"
    ).fetchone()
    connection.close()
    return found[0], found[1]


@pytest.fixture
def calm(server: Scripted, teacher: Teacher, tmp_path: Path) -> bytes:
    """The rows that online calls give."""
    run("topic", tmp_path / "calm", teacher)
    return content(tmp_path / "calm")


def test_batches_give_the_rows_that_online_calls_give(
    provider: Provider, batched: Teacher, calm: bytes, tmp_path: Path
) -> None:
    priced = replace(batched, usd_per_million_input=1.0, usd_per_million_output=2.0)
    facts = run("topic", tmp_path, priced)
    assert content(tmp_path) == calm
    assert facts.calls == len(provider.asked) == len(set(provider.asked))
    # At half the price.
    assert facts.cost_usd == pytest.approx(facts.calls * 17e-6 / 2)
    before = provider.requests
    assert run("topic", tmp_path, priced).calls_new == 0
    assert provider.requests == before


def test_online_and_batch_share_the_ledger(
    server: Scripted, provider: Provider, teacher: Teacher, batched: Teacher, tmp_path: Path
) -> None:
    run("topic", tmp_path, teacher)
    facts = run("topic", tmp_path, batched)
    assert facts.calls_new == 0
    assert not provider.asked


def test_files_are_of_the_size_that_the_provider_takes(
    provider: Provider, batched: Teacher, calm: bytes, tmp_path: Path
) -> None:
    few = replace(batched, batch=replace(batched.batch, max_requests=5, max_bytes=4000))
    run("topic", tmp_path, few)
    assert content(tmp_path) == calm
    inputs = [provider.files[b["input_file_id"]] for b in provider.batches.values()]
    assert len(inputs) > 10
    assert max(len(file) for file in inputs) <= 4000
    assert max(file.count(b"\n") for file in inputs) <= 5


FAULTS: dict[str, dict[str, Any]] = {
    "error file": {"response": {"status_code": 500, "body": {"error": {"message": "oops"}}}},
    "expired": {"response": None, "error": {"code": "batch_expired", "message": "too late"}},
    "not a completion": {
        "raw": '{"custom_id": "%s", "response": {"status_code": 200, "body": {}}}'
    },
    "broken off": {
        "response": {"status_code": 200, "body": completion("Nusu ya", "error")},
        "error": None,
    },
    "no JSON": {"raw": '{"custom_id": "'},
    "not there": {"gone": True},
}


def spoilt(name: str, key: str) -> dict[str, Any]:
    """A line of the results that has a fault."""
    fault = dict(FAULTS[name])
    if "raw" in fault and "%s" in fault["raw"]:
        fault["raw"] = fault["raw"] % key
    return fault


@pytest.mark.parametrize("provider", ["openai"], indirect=True)
@pytest.mark.parametrize("name", FAULTS)
def test_what_a_batch_leaves_out_is_submitted_again(
    provider: Provider, batched: Teacher, calm: bytes, tmp_path: Path, name: str
) -> None:
    def fate(nth: int, key: str, body: dict[str, Any]) -> dict[str, Any] | None:
        first = provider.asked.count(key) == 1 and int(key, 16) % 3 == 0
        return spoilt(name, key) if first else None

    provider.fate = fate  # type: ignore[method-assign]
    if name in ("expired", "not there"):
        provider.status = lambda nth: "expired" if nth % 2 == 0 else "completed"  # type: ignore[method-assign]
    facts = run("topic", tmp_path, batched)
    assert content(tmp_path) == calm
    assert len(provider.asked) > facts.calls
    # Nothing that was answered is asked again.
    assert counted(tmp_path) == (facts.calls, facts.calls)
    again = [key for key in set(provider.asked) if provider.asked.count(key) > 1]
    assert all(int(key, 16) % 3 == 0 for key in again)


def test_an_error_file_alone_is_read_and_what_cannot_pass_is_a_counted_loss(
    provider: Provider, batched: Teacher, tmp_path: Path
) -> None:
    refused = {"response": {"status_code": 400, "body": {"error": {"message": "too long"}}}}

    def fate(nth: int, key: str, body: dict[str, Any]) -> dict[str, Any] | None:
        return refused if "JSON" not in body["messages"][0]["content"] else None

    provider.fate = fate  # type: ignore[method-assign]
    facts = run("topic", tmp_path, batched)
    assert facts.rows == 0
    assert facts.steps[-1].reasons == {"HTTP 400": facts.steps[-1].asked}
    assert len(provider.asked) == len(set(provider.asked))


def test_a_batch_that_fails_as_a_whole_stops_the_run(
    provider: Provider, batched: Teacher, tmp_path: Path
) -> None:
    provider.status = lambda nth: "failed"  # type: ignore[method-assign]
    provider.fate = lambda nth, key, body: {"gone": True}  # type: ignore[method-assign]
    with pytest.raises(TeacherError, match=r"failed as a whole: (the file has too many|failed)"):
        run("topic", tmp_path, batched)
    assert len(provider.batches) == 1


def test_an_endpoint_without_a_batch_api_is_named(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    batched = replace(teacher, batch=Batch(dialect="openai", poll_s=0.01))
    with pytest.raises(TeacherError, match=r"Remedy: .*same command again"):
        run("topic", tmp_path, batched)


def test_a_reply_that_is_lost_makes_no_second_batch(
    provider: Provider, batched: Teacher, calm: bytes, tmp_path: Path
) -> None:
    provider.forget_replies = 1
    facts = run("topic", tmp_path, batched)
    assert content(tmp_path) == calm
    assert len(provider.asked) == facts.calls


def test_killed_at_any_time_on_a_rough_road_and_continued(
    provider: Provider, batched: Teacher, calm: bytes, tmp_path: Path
) -> None:
    """kill -9 between upload, submission, poll and download, and a fifth of the lines faulty."""
    draw = random.Random(5)
    faulty: Counter[str] = Counter()
    fates: dict[tuple[int, str], dict[str, Any] | None] = {}

    def fate(nth: int, key: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The same whenever the results are asked for."""
        if (nth, key) not in fates:
            fault = draw.choice(list(FAULTS)) if draw.random() < 0.2 else None
            faulty[key] += fault is not None
            fates[nth, key] = spoilt(fault, key) if fault else None
        return fates[nth, key]

    provider.fate = fate  # type: ignore[method-assign]
    provider.status = lambda nth: "expired" if nth % 4 == 0 else "completed"  # type: ignore[method-assign]
    provider.polls = 2
    provider.slow_s = 0.02
    small = replace(batched, retries=8, batch=replace(batched.batch, max_requests=6, poll_s=0.03))
    for _ in range(5):
        goal = provider.requests + draw.randrange(1, 20)
        process = start(tmp_path, small)
        while provider.requests < goal and process.is_alive():
            time.sleep(0.002)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    provider.slow_s = 0.0
    facts = run("topic", tmp_path, small)
    assert content(tmp_path) == calm
    assert counted(tmp_path) == (facts.calls, facts.calls)
    # Only what a batch left out is submitted again.
    assert sum(faulty.values()) > 5
    assert Counter(provider.asked) == Counter(dict.fromkeys(provider.asked, 1)) + faulty


def test_the_custom_id_and_not_the_place_decides(
    provider: Provider, batched: Teacher, tmp_path: Path
) -> None:
    def fate(nth: int, key: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if "JSON" in body["messages"][0]["content"]:
            return None
        said = completion(f"Jibu la {key}")
        return {
            "raw": json.dumps({"custom_id": key, "response": {"status_code": 200, "body": said}})
        }

    provider.fate = fate  # type: ignore[method-assign]
    run("topic", tmp_path, batched)
    for line in content(tmp_path).decode().splitlines():
        row = json.loads(line)
        key = row["provenance"]["requests"][-1]
        assert row["messages"][1]["content"] == f"Jibu la {key}"
