"""A run killed in the middle and continued ends as if nothing had happened."""

import dataclasses
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from killing import start
from running import run
from scripted import Scripted

from generation.settings import Teacher


def paid(folder: Path) -> tuple[int, int]:
    """(rows, different keys) of the ledger."""
    connection = sqlite3.connect(folder / "ledger.sqlite")
    found = connection.execute("SELECT count(*), count(DISTINCT key) FROM calls").fetchone()
    connection.close()
    return found[0], found[1]


def test_killed_and_continued(server: Scripted, teacher: Teacher, tmp_path: Path) -> None:
    run("topic", tmp_path / "calm", teacher)
    calm = paid(tmp_path / "calm")[0]

    def slow(body: dict[str, Any], nth: int) -> None:
        time.sleep(0.02)

    server.behave = slow
    killed = tmp_path / "killed"
    for share in (0.2, 0.5):
        before = len(server.bodies)
        process = start(killed, teacher)
        goal = before + int(calm * share)
        while len(server.bodies) < goal and process.is_alive():
            time.sleep(0.002)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert not (killed / "topic" / "rows.jsonl").exists()
    facts = run("topic", killed, teacher)
    name = Path("topic") / "rows.jsonl"
    assert (killed / name).read_bytes() == (tmp_path / "calm" / name).read_bytes()
    assert paid(killed) == (calm, calm)
    assert 0 < facts.calls_new < calm == facts.calls


def test_a_second_run_pays_nothing(server: Scripted, teacher: Teacher, tmp_path: Path) -> None:
    priced = dataclasses.replace(teacher, usd_per_million_input=1.0, usd_per_million_output=2.0)
    first = run("topic", tmp_path, priced)
    before = len(server.bodies)
    second = run("topic", tmp_path, priced)
    assert len(server.bodies) == before
    assert (second.calls_new, second.tokens_input_new, second.tokens_output_new) == (0, 0, 0)
    assert second.calls == first.calls == first.calls_new
    assert second.cost_usd == first.cost_usd == pytest.approx(first.calls * 17e-6)


def test_concurrency_does_not_change_the_rows(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    for width in (1, 16):
        run("scenario", tmp_path / str(width), dataclasses.replace(teacher, concurrency=width))
    first, second = ((tmp_path / w / "scenario" / "rows.jsonl").read_bytes() for w in ("1", "16"))
    assert first == second
