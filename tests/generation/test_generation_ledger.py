import sqlite3
from pathlib import Path

import pytest

from generation.errors import LedgerError
from generation.teacher.ledger import Ledger, Outcome, Request

REQUEST = Request("step", {"model": "m", "messages": [{"role": "user", "content": "ŋ"}]})
GOOD = '{"model": "m-1", "usage": {"prompt_tokens": 3, "completion_tokens": 2}}'


def outcome(response: str | None, failure: str | None = None) -> Outcome:
    return Outcome(response, failure, 1, 0.5, "http://teacher/v1")


def test_key_depends_on_body_and_sample_only() -> None:
    same = Request("another step", dict(reversed(REQUEST.body.items())))
    assert same.key == REQUEST.key
    assert Request("step", REQUEST.body, sample=1).key != REQUEST.key
    assert REQUEST.key == "9390b20113f81b57533ec9d8c1ba6669111a3757edee4f522a1964603b217ee6"


def test_newest_success_wins_over_failures(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as ledger:
        ledger.append(REQUEST, outcome(None, "time-out"))
        assert ledger.answered([REQUEST]) == set()
        ledger.append(REQUEST, outcome(GOOD))
        ledger.append(REQUEST, outcome(GOOD + " "))
        ledger.append(REQUEST, outcome(None, "HTTP 500"))
        assert ledger.answered([REQUEST]) == {REQUEST.key}
        (answer,) = ledger.answers([REQUEST])
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
