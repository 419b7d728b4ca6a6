import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from running import SMALL, run
from scripted import Scripted

from generation.errors import LedgerError, OutputError
from generation.settings import Teacher
from generation.teacher.ledger import Ledger, Request, RequestOutcome

REQUEST = Request("step", {"model": "m", "messages": [{"role": "user", "content": "ŋ"}]})
GOOD = '{"model": "m-1", "usage": {"prompt_tokens": 3, "completion_tokens": 2}}'


def outcome(response: str | None, failure: str | None = None) -> RequestOutcome:
    return RequestOutcome(response, failure, 1, 0.5, "http://teacher/v1")


def test_key_depends_on_body_and_sample_only() -> None:
    same = Request("another step", dict(reversed(REQUEST.body.items())))
    assert same.key == REQUEST.key
    assert Request("step", REQUEST.body, sample=1).key != REQUEST.key
    assert REQUEST.key == "9390b20113f81b57533ec9d8c1ba6669111a3757edee4f522a1964603b217ee6"


def test_newest_success_wins_over_failures(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as ledger:
        ledger.append(REQUEST, outcome(None, "time-out"))
        assert ledger.find_answered([REQUEST]) == set()
        ledger.append(REQUEST, outcome(GOOD))
        ledger.append(REQUEST, outcome(GOOD + " "))
        ledger.append(REQUEST, outcome(None, "HTTP 500"))
        assert ledger.find_answered([REQUEST]) == {REQUEST.key}
        answer = ledger.read_answer(REQUEST)
        assert (answer.response, answer.tokens_input, answer.tokens_output) == (GOOD + " ", 3, 2)


def test_rows_are_never_changed(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    with Ledger(path) as ledger:
        ledger.append(REQUEST, outcome(GOOD))
    connection = sqlite3.connect(path)
    for statement in ("DELETE FROM calls", "UPDATE calls SET response = ''"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


def test_two_may_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    with Ledger(path) as one, Ledger(path) as two:
        for number in range(50):
            for ledger in (one, two):
                ledger.append(Request("s", {"n": number, "who": id(ledger)}), outcome(GOOD))
        assert one.appended == two.appended == 50
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM calls").fetchone() == (100,)
    connection.close()


def test_another_file_is_named_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    path.write_text("not a database, but long enough to look at", encoding="utf-8")
    with pytest.raises(LedgerError, match=r"l\.sqlite failed: .*Remedy"):
        Ledger(path)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process grows beyond so many bytes, as on a disk that is full."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_a_full_disk_stops_the_run_which_then_goes_on(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    many = replace(SMALL, topic=replace(SMALL.topic, prompts=6))
    run("topic", tmp_path / "calm", teacher, many)
    calls = len(server.bodies)
    full = tmp_path / "full"
    with largest_file(100_000), pytest.raises(LedgerError, match=r"Remedy: make room.*same comm"):
        run("topic", full, teacher, many)
    facts = run("topic", full, teacher, many)
    assert 0 < facts.calls_new < facts.calls == calls
    # Only what was under way when the disk was full could not be kept.
    assert len(server.bodies) <= 2 * calls + teacher.concurrency
    (full / "topic" / "rows.jsonl").unlink()
    # Enough for the index of SQLite's log, and not for the rows.
    with (
        largest_file(40_000),
        pytest.raises(OutputError, match=r"Remedy: make room.*in the ledger"),
    ):
        run("topic", full, teacher, many)
    assert not (full / "topic" / "rows.jsonl").exists()
    before = len(server.bodies)
    run("topic", full, teacher, many)
    assert len(server.bodies) == before
    name = Path("topic") / "rows.jsonl"
    assert (full / name).read_bytes() == (tmp_path / "calm" / name).read_bytes()
