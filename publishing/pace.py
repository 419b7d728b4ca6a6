"""Says how far a publication is: repositories, bytes, the rate, and the time that is left."""

import time
from collections.abc import Callable, Mapping


class SendingPace:
    """Counts what was sent. `sizes` are the bytes of each repository by name; those that need not
    be sent again count as done, and not into the rate."""

    def __init__(
        self, sizes: Mapping[str, int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._left, self._clock = dict(sizes), clock
        self._count, self._began = len(sizes), clock()
        self._sent = 0
        self._idle = 0.0
        self._last = self._began

    def note(self, name: str, *, sent: bool) -> str:
        """Notes that a repository is done; `sent` says that bytes went over the line. Returns the
        state in words."""
        now = self._clock()
        size = self._left.pop(name)
        if sent:
            self._sent += size
        else:
            self._idle += now - self._last
        self._last = now
        text = f"{self._count - len(self._left)} of {self._count}"
        seconds = now - self._began - self._idle
        if self._sent and seconds > 0:
            rate = self._sent / seconds
            text += f", {rate / 1e6:,.1f} MB/s"
            if self._left:
                text += f", {sum(self._left.values()) / 1e6:,.0f} MB left"
                text += f", about {_write_time(sum(self._left.values()) / rate)}"
        return text


def _write_time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
