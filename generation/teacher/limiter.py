"""Limit an endpoint's calls: how many are under way and, once it refuses some, how many a second.

Under way (additive increase, multiplicative decrease: Chiu and Jain 1989, the rule of TCP): from
the first answers on the limit doubles with every round, until calls time out; then it is cut to
three quarters and grows by one for every 25 answers. Calls that were already under way when it was
cut say nothing new and do not cut it again.

A refusal (HTTP 429, 503) sets the pace instead, see `pace.py`: refused calls make room for others
at once, so that a limit which each round of them cuts ends at one.
"""

from generation.teacher.pace import Pace

# From 16 the way up alone would cost 7% of 10,000 calls at 256 under way; from 64 it is 3%.
_FIRST = 64
_DECREASE = 0.75
_ANSWERS_PER_STEP = 25


class Limiter:
    """The state of one endpoint. Times are in seconds of the caller's clock."""

    def __init__(self, most: int, *, adaptive: bool = True) -> None:
        self.most = most
        self.adaptive = adaptive
        self.in_flight = 0
        self.paused_until = 0.0
        self._limit = float(min(most, _FIRST) if adaptive else most)
        self._growing = adaptive  # until the first time-out
        self._round = 0
        self._pace = Pace()

    @property
    def limit(self) -> int:
        """Requests that may be under way at once; at least 1."""
        return max(1, int(self._limit))

    def count_free(self, now: float) -> int:
        """Count how many more may be sent now."""
        room = self.limit - self.in_flight
        if now < self.paused_until or room <= 0:
            return 0
        return int(min(room, self._pace.count_free(now)))

    def compute_wait(self, now: float) -> float | None:
        """Seconds until one more may be sent without any call's end; None where one has to end."""
        if self.limit <= self.in_flight:
            return None
        return max(self.paused_until - now, self._pace.compute_wait(now))

    def count_sent(self, now: float) -> int:
        """Count a request that is sent; the number goes back where it times out."""
        self.in_flight += 1
        self._pace.note_sent(now)
        return self._round

    def note_answered(self) -> None:
        """The request was answered, or refused for its own sake: the endpoint keeps up."""
        # A limit that nothing came near has not been tried, and must not grow.
        busy = 2 * self.in_flight >= self.limit
        self.in_flight -= 1
        if self.adaptive and busy:
            step = 1.0 if self._growing else 1 / _ANSWERS_PER_STEP
            self._limit = min(self.most, self._limit + step)

    def note_lost(self) -> None:
        """The request failed in a way that says nothing of how much the endpoint can bear."""
        self.in_flight -= 1

    def note_refused(self, now: float, retry_after: float = 0.0) -> None:
        """The endpoint said that it is too much, and perhaps for how many seconds."""
        self.in_flight -= 1
        if self.adaptive:
            self._pace.note_refused(now, retry_after)
        else:
            self.pause(now + retry_after)

    def note_timed_out(self, sent_in: int) -> None:
        """The endpoint did not answer in time."""
        self.in_flight -= 1
        if self.adaptive and sent_in == self._round:
            self._limit = max(1.0, self._limit * _DECREASE)
            self._growing = False
            self._round += 1

    def pause(self, until: float) -> None:
        """Send nothing before this time."""
        self.paused_until = max(self.paused_until, until)
