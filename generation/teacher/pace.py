"""The pace that an endpoint bears: calls a second, from the first time on that it refuses too many.

What was taken can be taken again. Where more than a tenth of the latest calls is refused, the pace
falls just below the rate at which calls were taken, and an endpoint that asks for a pause gets it.
Then the pace grows, slowly while it is near that rate and fast beyond (the idea of CUBIC, RFC
9438), until the next time. Nothing is assumed of how the endpoint counts: where calls under way are
counted, the rate at which they are taken is the rate at which they end.

A single refusal among many taken makes that call wait, and no other. Not covered: an endpoint that
refuses more than a tenth by chance, however few come. It is asked ever less, down to one call in
two seconds; `teacher.adaptive=false` asks on.
"""

import math
from bisect import bisect_left
from collections import deque

# Beside other clients some are refused by chance, and to find what is borne takes some.
_BORNE_SHARE = 0.1
_FEWEST = 10  # calls, of which a share says something
_BELOW = 0.95
_SLOWEST = 0.5  # calls a second
# The latest calls: those of a second, since many take a burst and then nothing, and twenty taken.
_LATEST_S = 1.0
_LATEST_CALLS = 20
# Seconds in which the pace grows to 2.7 times: behind the first cut, since a burst says little of a
# rate (one that bears 40 at once of 50 ms each takes 800 a second), and behind all others.
_FIRST_GROWTH_S = 3.0
_GROWTH_S = 20.0
# Where longer pauses are asked for, as much longer, so that a tenth of the time is paused; within
# limits, since one long pause must not hold the pace down for an hour.
_MOST_TIMES_LONGER = 6.0
_MOST_GROWTH = 10.0  # powers of 2.7: a pace that nothing comes near
_TOGETHER_S = 0.01  # calls of so many seconds may be sent together: timers come late
_KEPT_CALLS = 4096


class Pace:
    """The state of one endpoint. Times are in seconds of the caller's clock; what is kept is on a
    clock that stands still in pauses.
    """

    def __init__(self) -> None:
        self._base = math.inf  # calls a second behind the last cut
        self._cut_at = self._first_cut_at = math.inf
        self._growth_s = _FIRST_GROWTH_S
        self._taken: deque[float] = deque(maxlen=_KEPT_CALLS)
        self._refused: deque[float] = deque(maxlen=_KEPT_CALLS)
        self._paused, self._paused_until = 0.0, -math.inf
        self._credit, self._credited_at = 0.0, 0.0

    def compute_rate(self, now: float) -> float:
        """Calls a second that may be sent; infinite before the first cut."""
        if math.isinf(self._base):
            return math.inf
        grown = (self._read_clock(now) - self._cut_at) / self._growth_s
        return self._base * math.exp(min(_MOST_GROWTH, grown**3))

    def count_free(self, now: float) -> float:
        """Count the calls that may be sent now; from 1 on one may."""
        if now < self._paused_until:
            return 0.0
        rate, clock = self.compute_rate(now), self._read_clock(now)
        if math.isinf(rate):
            return math.inf
        gained = rate * (clock - self._credited_at)
        self._credit = min(1.0 + rate * _TOGETHER_S, self._credit + gained)
        self._credited_at = clock
        return self._credit

    def compute_wait(self, now: float) -> float:
        """Seconds until one more may be sent."""
        pause = max(0.0, self._paused_until - now)
        lacking = 1.0 - self.count_free(now + pause)
        return pause + max(0.0, lacking) / self.compute_rate(now)

    def note_sent(self, now: float) -> None:
        """A call is sent."""
        self._taken.append(self._read_clock(now))
        self._credit -= 1.0

    def note_refused(self, now: float, pause: float) -> None:
        """A call is refused, and the endpoint asks for a pause of so many seconds, or of none."""
        clock = self._read_clock(now)
        self._refused.append(clock)
        if self._taken:
            self._taken.pop()  # it was one of the latest
        taken, refused, seconds = self._count_latest(clock)
        if refused <= _BORNE_SHARE * (taken + refused):
            return
        if pause:
            until = max(self._paused_until, now + pause)
            self._paused += until - max(now, self._paused_until)
            self._paused_until = until
        if taken + refused >= _FEWEST and (taken or math.isfinite(self._base)):
            self._cut(max(_SLOWEST, _BELOW * taken / seconds), clock, pause)

    def _count_latest(self, clock: float) -> tuple[int, int, float]:
        """(calls taken, calls refused, in how many seconds) of late."""
        seconds = _LATEST_S
        if self._taken:
            earliest = self._taken[-min(_LATEST_CALLS, len(self._taken))]
            seconds = max(seconds, clock - earliest)
        taken, refused = (
            len(times) - bisect_left(times, clock - seconds)
            for times in (self._taken, self._refused)
        )
        return taken, refused, seconds

    def _cut(self, rate: float, clock: float, pause: float) -> None:
        self._first_cut_at = min(self._first_cut_at, clock)
        first = clock - self._first_cut_at < _LATEST_S
        times = min(max(1.0, pause), _MOST_TIMES_LONGER)
        self._growth_s = times * (_FIRST_GROWTH_S if first else _GROWTH_S)
        self._base, self._cut_at = rate, clock
        self._credit, self._credited_at = 0.0, clock

    def _read_clock(self, now: float) -> float:
        """The time less all pauses."""
        return max(now, self._paused_until) - self._paused
