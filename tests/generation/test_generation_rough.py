"""Everything at once: a fifth of all calls go wrong, and the run is killed again and again."""

import json
import random
import signal
import sqlite3
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from killing import start
from running import SMALL, run
from scripted import Fault, Scripted, completion

from generation.ids import hash_parts
from generation.settings import Teacher

CANARY = "sk-canary-rough-0123456789"
KILLS = 20
# About 130 calls.
SOME = replace(SMALL, topic=replace(SMALL.topic, macro_topics=3, topics=4))
FAULTS: list[Any] = [
    Fault(429, headers={"Retry-After": "0.02"}),
    Fault(429),
    Fault(500, "<html>oops</html>"),
    Fault(503),
    Fault(None),
    Fault(200, '{"choices": ['),
    Fault(200, "null"),
    Fault(200, json.dumps(completion("Nusu ya", "error"))),
    "hang",
]


def own_faults(body: dict[str, Any], nth: int) -> dict[str, Any] | None:
    """Answers that are paid and no use: what the teacher itself does wrong, whoever asks when."""
    number = int(hash_parts(body)[:8], 16) % 20
    final = "JSON" not in body["messages"][0]["content"]
    if number == 0:
        return completion("Nusu ya", "length")
    if number == 1:
        return completion(" \n")
    if number == 2:
        return completion("Jibu bila sababu.") if final else completion("Samahani, sina orodha.")
    return None


class Rough:
    """What the server does: a fifth of all calls go wrong."""

    def __init__(self) -> None:
        self.draw = random.Random(7)
        self.asked: list[str] = []
        self.accepted = 0
        self.faults = 0

    def __call__(self, body: dict[str, Any], nth: int) -> Fault | dict[str, Any] | None:
        time.sleep(0.01)
        self.asked.append(hash_parts(body, 0))
        if self.draw.random() >= 0.2:
            self.accepted += 1
            return own_faults(body, nth)
        self.faults += 1
        fault = self.draw.choice(FAULTS)
        if fault == "hang":
            time.sleep(0.8)
            return Fault(None)
        assert isinstance(fault, Fault)
        return fault


def answered(folder: Path) -> list[str]:
    """The keys of all accepted responses in the ledger."""
    if not (folder / "ledger.sqlite").exists():
        return []
    connection = sqlite3.connect(folder / "ledger.sqlite")
    tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'calls'").fetchall()
    query = "SELECT key FROM calls WHERE response IS NOT NULL"
    found = [key for (key,) in connection.execute(query)] if tables else []
    connection.close()
    return found


def test_killed_twenty_times_on_a_rough_road(
    server: Scripted, teacher: Teacher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row accounted for, none misaligned, no accepted answer asked again, byte for byte."""
    monkeypatch.setenv("ROUGH_KEY", CANARY)
    keyed = replace(teacher, api_key_env="ROUGH_KEY", concurrency=4, retries=8, timeout_s=0.5)
    keyed = replace(keyed, reasoning="required")
    server.behave = own_faults
    run("topic", tmp_path / "calm", keyed, SOME)
    server.behave = rough = Rough()
    folder = tmp_path / "rough"
    for _ in range(KILLS):
        there = set(answered(folder))
        rough.asked.clear()
        process = start(folder, keyed, SOME, ROUGH_KEY=CANARY)
        goal = rough.accepted + rough.draw.randrange(6)
        while rough.accepted < goal and process.is_alive():
            time.sleep(0.001)
        time.sleep(rough.draw.random() * 0.02)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert not there & set(rough.asked)
    facts = run("topic", folder, keyed, SOME)

    for name in ("rows.jsonl", "README.md"):
        calm = (tmp_path / "calm" / "topic" / name).read_bytes()
        assert (folder / "topic" / name).read_bytes() == calm
    keys = answered(folder)
    assert len(keys) == len(set(keys)) == facts.calls
    # Only what was under way when a process was killed can have been answered in vain.
    assert 0 <= rough.accepted - facts.calls <= KILLS * keyed.concurrency
    assert rough.faults > 20
    for step in facts.steps:
        assert step.asked == step.answered
    last, lost = facts.steps[-1], Counter[str]()
    for step in facts.steps:
        lost.update(step.reasons)
    assert set(lost) == {"finish_reason length", "empty answer", "unreadable", "no reasoning"}
    assert last.asked == last.kept + sum(last.reasons.values())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if CANARY.encode() in path.read_bytes()]


def test_real_responses_through_the_whole_path(
    server: Scripted, teacher: Teacher, tmp_path: Path, real_data: Path
) -> None:
    """What gpt-oss-120b really sent becomes rows: text, reasoning, and what did not finish."""
    path = real_data / "mt_bench" / "model_answer" / "gpt-oss-120b-reasoning-fi.jsonl"
    real = [
        turn
        for line in path.read_text(encoding="utf-8").splitlines()
        for turn in json.loads(line)["choices"][0]["turns"]
    ]
    sent: dict[int, Any] = {}

    def behave(body: dict[str, Any], nth: int) -> dict[str, Any] | None:
        if "JSON" in body["messages"][0]["content"]:
            return None
        # The few that the provider broke off are asked again.
        sent[body["seed"]] = real[(body["seed"] + nth) % len(real)]
        found: dict[str, Any] = sent[body["seed"]]
        return found

    server.behave = behave
    more = replace(SMALL, topic=replace(SMALL.topic, topics=10, prompts=3))
    strict = replace(teacher, reasoning="required")
    facts = run("topic", tmp_path, strict, more)
    last = facts.steps[-1]
    assert last.kept == facts.rows > 50
    assert last.asked == last.kept + sum(last.reasons.values())
    texts = {turn["choices"][0]["message"]["content"].strip(): turn for turn in sent.values()}
    rows = (tmp_path / "topic" / "rows.jsonl").read_text(encoding="utf-8").split("\n")
    for line in filter(None, rows):
        row = json.loads(line)
        message = texts[row["messages"][1]["content"]]["choices"][0]["message"]
        assert row["reasoning"] == message["reasoning"].strip()
    # Finnish answers, also to requests for code and lists.
    assert facts.quality.languages["fin"] > 0.8 * facts.rows


def test_an_answer_without_a_trace_is_a_counted_failure(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    def behave(body: dict[str, Any], nth: int) -> dict[str, Any] | None:
        final = "JSON" not in body["messages"][0]["content"]
        return completion(f"Jibu {body['seed']}") if final and body["seed"] % 2 else None

    server.behave = behave
    facts = run("topic", tmp_path, replace(teacher, reasoning="required"))
    lost = facts.steps[-1].reasons["no reasoning"]
    assert lost > 0
    assert facts.rows + lost == facts.steps[-1].asked
