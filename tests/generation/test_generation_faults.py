"""What a teacher may do wrong, and that every request is accounted for."""

import json
import re
import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from running import SMALL, run
from scripted import Fault, Scripted, completion

from generation.errors import GenerationError, TeacherError
from generation.settings import Sources, Teacher

pytestmark = pytest.mark.slow

CANARY = "sk-canary-0123456789"


def rows(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "topic" / "rows.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def is_final(body: dict[str, Any]) -> bool:
    return "JSON" not in body["messages"][0]["content"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, headers={"Retry-After": "0.05"}),
        Fault(429),
        Fault(500, "<html>"),
        Fault(None),
        Fault(200, '{"choices": ['),
        Fault(200, '{"error": "overloaded"}'),
        Fault(200, json.dumps(completion("Nusu ya", "error"))),
    ],
    ids=[
        "429 with Retry-After",
        "429",
        "500",
        "disconnect",
        "cut JSON",
        "not a completion",
        "broken off",
    ],
)
def test_what_passes_is_tried_again(
    server: Scripted, teacher: Teacher, tmp_path: Path, fault: Fault
) -> None:
    run("topic", tmp_path / "calm", teacher)
    server.behave = lambda body, nth: fault if nth == 1 else None  # each body came once before
    # Half of all are refused, however few come: a pace would go down and down.
    facts = run("topic", tmp_path / "rough", replace(teacher, adaptive=False))
    assert rows(tmp_path / "rough") == rows(tmp_path / "calm")
    assert all(step.asked == step.parsed for step in facts.steps)


def test_retry_after_is_honoured(server: Scripted, teacher: Teacher, tmp_path: Path) -> None:
    stamps: list[float] = []

    def busy(body: dict[str, Any], nth: int) -> Fault | None:
        stamps.append(time.monotonic())
        return Fault(429, headers={"Retry-After": "0.4"}) if len(stamps) == 1 else None

    server.behave = busy
    run("topic", tmp_path, replace(teacher, concurrency=1))
    assert stamps[1] - stamps[0] >= 0.4


def test_what_stays_is_a_counted_failure_and_never_a_row(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    faults: list[Fault | dict[str, Any]] = [
        Fault(400, '{"error": {"message": "4000 tokens are too many"}}'),
        Fault(422, '{"error": {"message": "no"}}'),
        completion("Nusu ya", "length"),
        completion("   "),
    ]

    def behave(body: dict[str, Any], nth: int) -> Fault | dict[str, Any] | None:
        return faults[body["seed"] % 4] if is_final(body) and body["seed"] % 8 < 4 else None

    server.behave = behave
    facts = run("topic", tmp_path, teacher)
    last = facts.steps[-1]
    assert set(last.reasons) == {"HTTP 422", "HTTP 400", "finish_reason length", "empty answer"}
    assert last.kept == facts.rows == len(rows(tmp_path))
    assert last.asked == last.kept + sum(last.reasons.values())
    for row in rows(tmp_path):
        assert row["messages"][1]["content"].startswith("Jibu")
        assert row["reasoning"].startswith("I think")

    # The next run asks for the failures alone: a finished HTTP response is never asked again.
    asked = len(server.bodies)
    server.behave = lambda body, nth: None
    again = run("topic", tmp_path, teacher)
    assert set(again.steps[-1].reasons) == {"finish_reason length", "empty answer"}
    assert again.calls_new == len(server.bodies) - asked == last.asked - last.answered
    assert (again.tokens_input_new, again.tokens_output_new) == (
        7 * again.calls_new,
        5 * again.calls_new,
    )


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "api_key_env|environment variable"), (403, "key"), (404, r"teacher\.name")],
)
def test_what_a_user_can_mend_stops_the_run(
    server: Scripted, teacher: Teacher, tmp_path: Path, status: int, words: str
) -> None:
    server.behave = lambda body, nth: Fault(status, '{"error": {"message": "no"}}')
    with pytest.raises(TeacherError, match=f"HTTP {status}.*({words}).*same command again"):
        run("topic", tmp_path, teacher)
    assert len(server.bodies) <= teacher.concurrency


def test_every_request_refused_stops_the_run(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    server.behave = lambda body, nth: Fault(400, '{"error": {"message": "no such field: seed"}}')
    wide: Sources = replace(SMALL, topic=replace(SMALL.topic, general_seeds=8))
    with pytest.raises(TeacherError, match=r"no such field: seed.*Remedy"):
        run("topic", tmp_path, teacher, wide)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(503), "HTTP 503"),
        (Fault(429), "HTTP 429"),
        (Fault(None), "connection lost"),
        (Fault(200, "{}"), "malformed response"),
    ],
    ids=["503", "429", "disconnect", "malformed"],
)
def test_a_teacher_that_stops_half_way_stops_the_run(
    server: Scripted, teacher: Teacher, tmp_path: Path, fault: Fault, reason: str
) -> None:
    run("topic", tmp_path / "calm", teacher)
    asked = len(server.bodies)
    server.behave = lambda body, nth: fault if len(server.bodies) > asked + 12 else None
    said = (
        rf"after (\d+) answers: 5 requests in a row failed.*{reason}\. Remedy.*same command again"
    )
    with pytest.raises(TeacherError, match=said) as stop:
        run("topic", tmp_path / "rough", replace(teacher, retries=0))
    found = re.search(said, str(stop.value))
    assert found
    answers = int(found[1])
    assert 12 - teacher.concurrency < answers <= 12
    # Those that were under way come to their end, and no other is started.
    assert len(server.bodies) <= asked + 12 + 5 + teacher.concurrency
    assert not (tmp_path / "rough" / "topic" / "rows.jsonl").exists()
    server.behave = lambda body, nth: None
    facts = run("topic", tmp_path / "rough", teacher)
    assert rows(tmp_path / "rough") == rows(tmp_path / "calm")
    assert facts.calls_new == facts.calls - answers


def test_an_answer_or_a_refusal_between_failures_shows_that_the_teacher_runs(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    cycle = [None, Fault(503), Fault(503), Fault(503), Fault(400), Fault(503), Fault(503)]
    last: list[int] = []

    def behave(body: dict[str, Any], nth: int) -> Fault | None:
        if not is_final(body):
            return None
        last.append(0)
        return cycle[len(last) % len(cycle)]

    server.behave = behave
    with pytest.raises(TeacherError, match=r"of the source 'topic' failed.*\(HTTP 503: \d+\)"):
        run("topic", tmp_path, replace(teacher, retries=0, concurrency=1))
    assert len(last) > 2 * len(cycle)


def test_a_source_with_holes_that_may_be_filled_is_not_finished(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    run("topic", tmp_path / "calm", teacher)
    faults = {3: Fault(500), 5: Fault(None)}

    def behave(body: dict[str, Any], nth: int) -> Fault | None:
        return faults.get(body["seed"] % 8) if is_final(body) else None

    server.behave = behave
    rough = tmp_path / "rough"
    said = r"\d+ of \d+ requests .*\(HTTP 500: \d+, connection lost: \d+\)\. Remedy: .*only these"
    with pytest.raises(TeacherError, match=said):
        run("topic", rough, replace(teacher, retries=0, concurrency=1))
    assert not (rough / "topic" / "rows.jsonl").exists()
    asked = len(server.bodies)
    server.behave = lambda body, nth: None
    run("topic", rough, teacher)
    assert rows(rough) == rows(tmp_path / "calm")
    assert {body["seed"] % 8 for body in server.bodies[asked:]} == {3, 5}


def test_the_embedded_teacher_is_asked_without_a_proxy(
    server: Scripted, teacher: Teacher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert run("topic", tmp_path / "own", replace(teacher, kind="embedded")).rows
    with pytest.raises(TeacherError, match="cannot be reached"):
        run("topic", tmp_path / "other", teacher)


def test_nobody_there(tmp_path: Path) -> None:
    teacher = Teacher("m", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(TeacherError, match=r"127\.0\.0\.1:9/v1 cannot be reached.*base_url"):
        run("topic", tmp_path, teacher)


def test_time_out(server: Scripted, teacher: Teacher, tmp_path: Path) -> None:
    def slow(body: dict[str, Any], nth: int) -> None:
        if is_final(body) and body["seed"] % 2:
            time.sleep(1.0)

    server.behave = slow
    hasty = replace(teacher, timeout_s=0.5, retries=0, concurrency=32)
    with pytest.raises(TeacherError, match=r"may pass \(time-out: \d+\)\..*teacher\.timeout_s"):
        run("topic", tmp_path, hasty)


def test_the_key_is_in_no_file_and_no_message(
    server: Scripted, teacher: Teacher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEACHER_KEY", CANARY)
    keyed = replace(teacher, api_key_env="TEACHER_KEY")
    facts = run("topic", tmp_path, keyed)
    assert server.headers[0]["authorization"] == f"Bearer {CANARY}"
    echo = json.dumps({"error": {"message": f"Incorrect API key: {CANARY}"}})
    server.behave = lambda body, nth: Fault(401, echo)
    with pytest.raises(TeacherError) as stop:
        run("topic", tmp_path, keyed, seed=2)
    server.behave = lambda body, nth: Fault(400, echo) if is_final(body) else None
    run("topic", tmp_path, keyed, seed=3)
    assert "[key]" in str(stop.value)
    assert CANARY not in str(stop.value) + repr(facts)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if CANARY.encode() in path.read_bytes()]


def test_a_missing_key_is_named(teacher: Teacher, tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match=r"KAKUGO_NO_SUCH_KEY .*Remedy"):
        run("topic", tmp_path, replace(teacher, api_key_env="KAKUGO_NO_SUCH_KEY"))


def test_ledger_row_tells_who_answered(server: Scripted, teacher: Teacher, tmp_path: Path) -> None:
    run("topic", tmp_path, teacher)
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    found = connection.execute("SELECT DISTINCT endpoint, model, attempts FROM calls").fetchall()
    connection.close()
    assert found == [(server.url, "scripted-1", 1)]
