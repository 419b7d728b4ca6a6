"""Endpoints that refuse, in virtual time: a limiter is driven through minutes in milliseconds."""

import heapq
import itertools
import random
from dataclasses import dataclass
from typing import Protocol

from generation.teacher.limiter import Limiter

REFUSED_AFTER_S = 0.005
WORKERS = 512  # calls that wait for room, or for another try


class Server(Protocol):
    def take(self, now: float) -> bool: ...
    def end(self) -> None: ...


class Bucket:
    """Calls a second, of which some may come at once (a token bucket)."""

    def __init__(self, rate: float, depth: float) -> None:
        self.rate, self.depth = rate, depth
        self._tokens, self._at = depth, 0.0

    def take(self, now: float) -> bool:
        self._tokens = min(self.depth, self._tokens + self.rate * (now - self._at))
        self._at = now
        taken = self._tokens >= 1
        self._tokens -= taken
        return taken

    def end(self) -> None:
        pass


class Room:
    """So many calls under way at once."""

    def __init__(self, most: int) -> None:
        self.most, self.busy = most, 0

    def take(self, now: float) -> bool:
        taken = self.busy < self.most
        self.busy += taken
        return taken

    def end(self) -> None:
        self.busy -= 1


@dataclass
class Pressed:
    """Answers a second of each client, and the share of all their calls that was refused."""

    answered: list[float]
    refused: float


def press(
    server: Server,
    latency: float,
    seconds: float,
    *,
    retry_after: float = 0.0,
    other: float = 0.0,
    crowd: int = 0,
    clients: int = 1,
    adaptive: bool = True,
    varied: bool = False,
) -> Pressed:
    """Lets clients with a limiter each ask a server for so long.

    `other` calls a second come from someone who sends them at chance times, whatever is refused;
    `crowd` others send one call after the other, and again a while after a refusal.
    """
    draw, events, order = random.Random(0), [], itertools.count()
    limiters = [Limiter(256, adaptive=adaptive) for _ in range(clients)]
    waiting, answered = [WORKERS] * clients, [0] * clients
    alarms = [0.0] * clients
    sent = refused = 0

    def put(when: float, kind: str, who: int = 0) -> None:
        heapq.heappush(events, (when, next(order), kind, who))

    def pump(who: int, now: float) -> None:
        nonlocal sent
        limiter = limiters[who]
        for _ in range(min(waiting[who], limiter.count_free(now))):
            waiting[who] -= 1
            sent += 1
            limiter.count_sent(now)
            if server.take(now):
                took = latency * (draw.lognormvariate(-0.125, 0.5) if varied else 1)
                put(now + took, "answer", who)
            else:
                put(now + REFUSED_AFTER_S, "refusal", who)
        wait = limiter.compute_wait(now)
        due = now + max(0.001, wait or 0.0)
        if waiting[who] and wait is not None and not now < alarms[who] <= due:
            alarms[who] = due
            put(alarms[who], "pump", who)

    for who in range(clients):
        put(0.0, "pump", who)
    if other:
        put(0.0, "other")
    for _ in range(crowd):
        put(draw.uniform(0.0, latency), "crowd")
    while events[0][0] < seconds:
        now, _, kind, who = heapq.heappop(events)
        if kind == "answer":
            server.end()
            limiters[who].note_answered()
            answered[who] += 1
            waiting[who] += 1
        elif kind == "refusal":
            refused += 1
            limiters[who].note_refused(now, retry_after)
            put(now + max(retry_after, draw.uniform(0.5, 1.0)), "again", who)
        elif kind == "again":
            waiting[who] += 1
        elif kind == "other":
            if server.take(now):
                put(now + latency, "end")
            put(now + draw.expovariate(other), "other")
        elif kind in ("crowd", "crowd end"):
            if kind == "crowd end":
                server.end()
            if server.take(now):
                put(
                    now + latency * (draw.lognormvariate(-0.125, 0.5) if varied else 1), "crowd end"
                )
            else:
                put(now + draw.uniform(0.5, 1.0), "crowd")
        elif kind == "end":
            server.end()
        if kind not in ("other", "end", "crowd", "crowd end"):
            pump(who, now)
    # What is under way at the end is not answered.
    span = seconds - latency
    return Pressed([count / span for count in answered], refused / max(1, sent))
