"""How far a publication is, in words."""

from publishing.pace import SendingPace


def test_rate_and_time_are_of_what_was_sent() -> None:
    now = [100.0]
    pace = SendingPace({"a": 40_000_000, "b": 10_000_000, "c": 300_000_000}, lambda: now[0])
    now[0] += 10
    assert pace.note("b", sent=False) == "1 of 3"  # looking it up is no sending
    now[0] += 4
    assert pace.note("a", sent=True) == "2 of 3, 10.0 MB/s, 300 MB left, about 30 s"
    now[0] += 30
    assert pace.note("c", sent=True) == "3 of 3, 10.0 MB/s"


def test_long_times_are_in_minutes_and_hours() -> None:
    now = [0.0]
    pace = SendingPace({"a": 1_000_000, "b": 600_000_000, "c": 6_000_000_000}, lambda: now[0])
    now[0] = 1.0
    assert pace.note("a", sent=True).endswith("6,600 MB left, about 1.8 h")
    now[0] = 601.0
    assert pace.note("c", sent=True).endswith("600 MB left, about 60 s")
