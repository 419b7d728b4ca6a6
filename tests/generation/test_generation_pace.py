"""What a client gets of an endpoint that refuses, in virtual time; the wire is tested beside it."""

import time

import pytest
from pressing import Bucket, Room, press

from generation.teacher.limiter import Limiter

LATENCIES = (0.05, 2.0, 10.0)
SECONDS = 300


@pytest.mark.parametrize("latency", LATENCIES)
@pytest.mark.parametrize("retry_after", [0.0, 1.0, 5.0])
@pytest.mark.parametrize("other", [0.0, 10.0])
def test_most_of_what_a_limit_in_calls_a_second_leaves(
    other: float, retry_after: float, latency: float
) -> None:
    """Someone else may send half of what is borne, and does not give way."""
    found = press(Bucket(20, 20), latency, SECONDS, retry_after=retry_after, other=other)
    assert found.answered[0] > (0.8 if retry_after == 5 else 0.9) * (20 - other)
    assert found.refused < 0.12


@pytest.mark.parametrize("latency", LATENCIES)
@pytest.mark.parametrize("retry_after", [0.0, 1.0])
@pytest.mark.parametrize("crowd", [0, 20])
def test_most_of_what_a_limit_of_calls_under_way_leaves(
    crowd: int, retry_after: float, latency: float
) -> None:
    found = press(
        Room(40), latency, 150 if latency > 1 else 60, retry_after=retry_after, crowd=crowd
    )
    assert found.answered[0] > (0.8 if latency > 1 else 0.7) * (40 - crowd) / latency
    assert found.refused < 0.4


@pytest.mark.parametrize("retry_after", [0.0, 1.0])
def test_most_where_latencies_vary(retry_after: float) -> None:
    """As a teacher's do; calls under way then end by chance, and some are refused by chance."""
    for server, bound in ((Bucket(20, 20), 20), (Room(40), 20)):
        found = press(server, 2.0, SECONDS, retry_after=retry_after, varied=True)
        assert found.answered[0] > 0.78 * bound


@pytest.mark.parametrize("retry_after", [0.0, 1.0])
def test_two_clients_share_all_of_it(retry_after: float) -> None:
    found = press(Bucket(20, 20), 2.0, SECONDS, retry_after=retry_after, clients=2)
    assert sum(found.answered) > 0.9 * 20
    assert min(found.answered) > 0.2 * 20


def test_more_than_is_asked_for_is_no_limit() -> None:
    found = press(Bucket(200, 200), 2.0, SECONDS)
    assert found.answered[0] > 0.95 * 256 / 2
    assert found.refused < 0.01


def test_a_burst_that_is_borne_misleads_for_seconds_only() -> None:
    """500 calls a minute, and a minute's all at once."""
    found = press(Bucket(500 / 60, 500), 2.0, SECONDS, retry_after=1.0)
    assert found.answered[0] > 500 / 60
    assert found.refused < 0.15


def test_a_fixed_limit_is_refused_most_calls() -> None:
    """It gets what is borne and asks for thirty times as much, or stands still in pauses."""
    fixed = press(Bucket(20, 20), 2.0, SECONDS, adaptive=False)
    assert fixed.answered[0] == pytest.approx(20, rel=0.1)
    assert fixed.refused > 0.9
    fixed = press(Room(40), 0.05, 60, retry_after=1.0, adaptive=False)
    assert fixed.answered[0] < 0.1 * 40 / 0.05


def refuse(limiter: Limiter, calls: int, *, refused: int, pause: float = 0.0) -> None:
    """Send so many calls at once at second 0, of which the last are refused 0.1 s later."""
    for _ in range(calls):
        limiter.count_sent(0.0)
    for _ in range(refused):
        limiter.note_refused(0.1, pause)


def test_a_pace_is_just_below_what_was_taken() -> None:
    limiter = Limiter(256)
    refuse(limiter, 60, refused=40)
    assert limiter.count_free(0.1) == 0
    wait = limiter.compute_wait(0.1)
    assert wait == pytest.approx(1 / (0.95 * 20))
    assert limiter.count_free(0.1 + wait + 1e-6) == 1


def test_few_refusals_make_nobody_wait() -> None:
    limiter = Limiter(256)
    refuse(limiter, 60, refused=6, pause=5.0)
    assert limiter.count_free(0.1) == 10
    assert limiter.compute_wait(0.1) == 0.0


def test_a_server_that_takes_none_yet_is_left_alone_and_not_slowed() -> None:
    """It is still loading its model."""
    limiter = Limiter(256)
    refuse(limiter, 1, refused=1, pause=2.0)
    assert limiter.count_free(2.0) == 0
    assert limiter.compute_wait(1.1) == pytest.approx(1.0)
    assert limiter.count_free(2.2) == 64


def test_no_burst_follows_a_pause() -> None:
    limiter = Limiter(256)
    refuse(limiter, 60, refused=40, pause=5.0)
    assert limiter.count_free(5.0) == 0
    assert limiter.compute_wait(1.1) == pytest.approx(4.0 + 1 / (0.95 * 20))
    assert limiter.count_free(5.2) <= 2


def test_a_limiter_is_quick() -> None:
    """It is asked for each call, of which there are some hundred a second."""
    limiter, begun = Limiter(256), time.process_time()
    for n in range(10_000):
        now = 0.001 * n
        limiter.count_free(now)
        limiter.count_sent(now)
        if n % 7 == 0:
            limiter.note_refused(now)
        else:
            limiter.note_answered()
    assert time.process_time() - begun < 1.0
