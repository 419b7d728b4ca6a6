"""The client with several endpoints, pressed endpoints and budgets, against real servers."""

import email.utils
import sqlite3
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from running import run
from scripted import Fault, Scripted, answer, serving

from generation.errors import BudgetError, TeacherError
from generation.settings import Endpoint, Teacher
from generation.teacher.limiter import Limiter

pytestmark = pytest.mark.slow

PRICED = {"usd_per_million_input": 1.0, "usd_per_million_output": 2.0}


def calls(folder: Path, columns: str) -> list[Any]:
    connection = sqlite3.connect(folder / "ledger.sqlite")
    found = connection.execute(f"SELECT {columns} FROM calls").fetchall()
    connection.close()
    return found


@pytest.fixture
def pair(teacher: Teacher) -> Any:
    """Two servers and a teacher that is served by both."""
    with ExitStack() as stack:
        servers = [stack.enter_context(serving()) for _ in range(2)]
        places = tuple(Endpoint(server.url) for server in servers)
        yield servers, replace(teacher, base_url=None, endpoints=places)


def test_several_endpoints_share_the_work_and_the_ledger(pair: Any, tmp_path: Path) -> None:
    servers, teacher = pair
    facts = run("topic", tmp_path, teacher)
    shares = [len(server.bodies) for server in servers]
    assert sum(shares) == facts.calls
    assert min(shares) > facts.calls / 5
    assert {url for (url,) in calls(tmp_path, "endpoint")} == {s.url for s in servers}


@pytest.mark.parametrize(
    "fault",
    [Fault(401, '{"error": {"message": "bad key"}}'), Fault(404), Fault(500), Fault(None)],
    ids=["key", "model", "500", "disconnect"],
)
def test_when_one_endpoint_fails_the_other_goes_on(pair: Any, tmp_path: Path, fault: Fault) -> None:
    servers, teacher = pair
    servers[0].behave = lambda body, nth: fault
    facts = run("topic", tmp_path, replace(teacher, retries=8))
    assert facts.steps[-1].asked == facts.rows > 0
    assert {url for (url,) in calls(tmp_path, "endpoint")} == {servers[1].url}
    assert len(servers[0].bodies) < facts.calls  # it is not asked again and again


def test_when_all_endpoints_refuse_each_reason_is_said(pair: Any, tmp_path: Path) -> None:
    servers, teacher = pair
    servers[0].behave = lambda body, nth: Fault(401, '{"error": {"message": "bad key"}}')
    servers[1].behave = lambda body, nth: Fault(404, '{"error": {"message": "no such model"}}')
    with pytest.raises(TeacherError, match=r"bad key.*no such model"):
        run("topic", tmp_path, teacher)


def test_an_account_without_credit_stops_at_once(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    said = '{"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}'
    server.behave = lambda body, nth: Fault(429, said)
    with pytest.raises(TeacherError, match=r"has no credit left.*You exceeded.*Remedy: add credit"):
        run("topic", tmp_path, teacher)
    assert len(server.bodies) <= teacher.concurrency


def test_retry_after_may_be_a_date_or_milliseconds(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    date = email.utils.formatdate(time.time() + 2, usegmt=True)
    for number, headers in enumerate(({"Retry-After": date}, {"retry-after-ms": "700"})):
        stamps: list[float] = []

        def busy(
            body: dict[str, Any],
            nth: int,
            stamps: list[float] = stamps,
            headers: dict[str, str] = headers,
        ) -> Fault | None:
            stamps.append(time.monotonic())
            return Fault(429, headers=headers) if len(stamps) == 1 else None

        server.behave = busy
        run("topic", tmp_path / str(number), replace(teacher, concurrency=1), seed=number)
        assert stamps[1] - stamps[0] >= 0.6
        assert stamps[2] - stamps[1] < 0.5


def test_a_pressed_server_is_found_its_pace(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    """A server that bears 3 at once: the client comes down to it and every row is there."""
    at_once: list[int] = []
    refused: list[int] = []

    def bears_three(body: dict[str, Any], nth: int) -> Fault | None:
        at_once.append(1)
        try:
            if len(at_once) > 3:
                refused.append(1)
                return Fault(429)
            time.sleep(0.02)
            return None
        finally:
            at_once.pop()

    server.behave = bears_three
    run("scenario", tmp_path / "calm", replace(teacher, concurrency=1))
    assert not refused
    facts = run("scenario", tmp_path / "pressed", replace(teacher, concurrency=64, retries=30))
    assert refused
    assert facts.steps[-1].asked == facts.rows
    names = ("calm", "pressed")
    calm, pressed = ((tmp_path / n / "scenario" / "rows.jsonl").read_bytes() for n in names)
    assert calm == pressed


def keep_busy(limiter: Limiter, answers: int) -> list[int]:
    """As many under way as may be, while so many are answered; those that are left."""
    sent = [limiter.count_sent(9.0) for _ in range(limiter.count_free(9.0))]
    for _ in range(answers):
        limiter.note_answered()
        sent += [limiter.count_sent(9.0) for _ in range(limiter.count_free(9.0))]
    return sent[answers:]


def test_limiter_grows_is_cut_once_a_round_and_recovers() -> None:
    limiter = Limiter(256)
    assert limiter.limit == 64
    sent = keep_busy(limiter, answers=64)
    assert limiter.limit == 128  # one more for each answer
    top = limiter.limit
    for number in sent:
        limiter.note_timed_out(number)
    assert limiter.limit == int(top * 0.75)  # not once for each
    keep_busy(limiter, answers=101)
    assert limiter.limit == int(top * 0.75) + 4  # one more for 25 answers


def test_a_limit_that_nothing_came_near_does_not_grow() -> None:
    limiter = Limiter(256)
    for _ in range(1000):
        limiter.count_sent(0.0)
        limiter.note_answered()
    assert limiter.limit == 64


def test_budget_in_calls_is_never_exceeded(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    poor = replace(teacher, budget_calls=20)
    for _ in range(2):  # the second run starts from what the first one spent
        with pytest.raises(BudgetError, match=r"20 calls \(teacher\.budget_calls\).*Remedy: raise"):
            run("topic", tmp_path, poor)
        assert len(server.bodies) == 20
    assert sum(n for (n,) in calls(tmp_path, "attempts")) == 20
    facts = run("topic", tmp_path, replace(teacher, budget_calls=10_000))
    assert len(server.bodies) == facts.calls
    assert facts.rows


def test_budget_in_dollars_is_never_exceeded(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    """Even when each answer is as long as it may be."""
    small = replace(teacher, max_tokens=50, response_max_tokens=50, **PRICED)

    def longest(body: dict[str, Any], nth: int) -> dict[str, Any]:
        said = answer(body)
        said["usage"] = {"prompt_tokens": 400, "completion_tokens": 50}
        return said

    server.behave = longest
    with pytest.raises(BudgetError, match=r"\$0\.01 .*is reached: \$0\.0\d+ is spent"):
        run("topic", tmp_path, replace(small, budget_usd=0.01, concurrency=16))
    spent = len(server.bodies) * (400 * 1.0 + 50 * 2.0) / 1e6
    assert 0.005 < spent <= 0.01
    assert sum(usd for (usd,) in calls(tmp_path, "usd")) == pytest.approx(spent)


def test_a_budget_in_dollars_needs_prices(teacher: Teacher, tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match=r"needs prices.*usd_per_million_input.*budget_calls"):
        run("topic", tmp_path, replace(teacher, budget_usd=5.0))


def test_what_was_paid_stays_what_it_was(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    first = run("topic", tmp_path, replace(teacher, **PRICED))
    dearer = run("topic", tmp_path, replace(teacher, usd_per_million_input=9.0))
    assert dearer.cost_usd == first.cost_usd == pytest.approx(first.calls * 17e-6)
    by_step = [step.cost_usd for step in first.steps]
    assert sum(cost or 0 for cost in by_step) == pytest.approx(first.cost_usd)


def test_what_is_spent_is_shown_while_it_runs(
    server: Scripted, teacher: Teacher, tmp_path: Path
) -> None:
    def notes(teacher: Teacher) -> list[str]:
        said: list[str] = []
        run("topic", tmp_path, teacher, progress=lambda done, total, note: said.append(note))
        return said

    said = notes(replace(teacher, usd_per_million_input=1000.0, usd_per_million_output=2000.0))
    dollars = [float(note.partition("$")[2]) for note in said if "$" in note]
    assert dollars == sorted(dollars)
    assert dollars[-1] == pytest.approx(len(server.bodies) * 0.017, abs=0.006)
    assert not [note for note in notes(teacher) if "$" in note]  # nothing new is paid
