"""Ask a teacher behind one or several endpoints: retries, limits, a budget, and clear stops.

What a user can mend (address, key, model name, budget) stops the run with a TeacherError; of
several endpoints the others go on. What may pass (429, 5xx, time-outs, lost connections, malformed
bodies) is tried again with growing waits, wherever there is room; what stays is a failure with its
reason, which the next run asks again. A teacher that answers nothing, or stops answering half-way,
stops the run.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from generation.errors import BudgetError, GenerationError, LedgerError, TeacherError
from generation.ids import write_canonical
from generation.settings import Teacher
from generation.teacher.batch import BatchClient
from generation.teacher.budget import SpendingLimit
from generation.teacher.endpoint import Attempt, EndpointClient
from generation.teacher.ledger import Ledger, Request, RequestOutcome, compute_cost

# So many failures without an answer among them are the endpoint's or the settings' fault.
_HOPELESS = 5
# Of several endpoints, one that fails this often in a row gets a rest, or it would be asked most:
# who fails at once has always room.
_RESTS_AFTER = 3
_LONGEST_REST_S = 60.0

Tell = Callable[[int, int], None]


class TeacherClient:
    """The connections to the endpoints, for the length of one `async with` block."""

    def __init__(self, settings: Teacher) -> None:
        self.settings = settings
        self.endpoints = [
            EndpointClient(settings, place.base_url, place.api_key_env or settings.api_key_env)
            for place in settings.places
        ]
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._called = 0  # of those that waited, and have yet to send
        self._alarm: asyncio.TimerHandle | None = None
        self._answers = 0
        self._failures = 0
        self._passing_in_a_row = 0
        self._stop: GenerationError | None = None
        if settings.budget_usd is not None and settings.price is None:
            raise TeacherError(
                "A budget in dollars needs prices. Remedy: set teacher.usd_per_million_input and "
                "teacher.usd_per_million_output, or use teacher.budget_calls."
            )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        for endpoint in self.endpoints:
            await endpoint.close()

    async def ask_all(self, requests: Sequence[Request], ledger: Ledger, tell: Tell) -> None:
        """Ask each request once, writing each outcome to the ledger as it arrives.

        `tell(done, failed)` is called after each. Raises TeacherError when going on is pointless
        or beyond the budget; calls that are under way then still come to their end, since they
        are paid for.
        """
        if self.settings.batch.dialect:
            batches = BatchClient(self.settings, self.endpoints[0])
            await batches.ask_all(requests, ledger, tell, self._compute_worst)
            return
        spent = ledger.sum_spent()
        budget = SpendingLimit(
            self.settings.budget_usd,
            self.settings.budget_calls,
            spent_usd=spent.usd,
            spent_calls=spent.calls,
        )
        coming = iter(requests)
        done = failed = 0

        async def work() -> None:
            nonlocal done, failed
            for request in coming:
                if self._stop is not None:
                    return
                outcome = await self._ask(request, budget)
                if outcome is None:
                    return
                try:
                    ledger.append(request, outcome)
                except LedgerError as error:
                    # Nothing more is to be paid that cannot be kept.
                    self._stop = self._stop or error
                    raise
                done += 1
                failed += outcome.failure is not None
                tell(done, failed)

        # Twice as many as may be under way: those that wait for another try leave no gap.
        most = sum(endpoint.limiter.most for endpoint in self.endpoints)
        workers = 1 if most == 1 else min(2 * most, len(requests))
        tasks = [asyncio.create_task(work()) for _ in range(workers)]
        try:
            await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        if self._stop is not None:
            raise self._stop

    async def _ask(self, request: Request, budget: SpendingLimit) -> RequestOutcome | None:
        """The request's outcome after retries; None when the run stops instead."""
        started = time.monotonic()
        worst = self._compute_worst(request)
        attempt = 0
        while True:
            if not await self._afford(budget, worst):
                return None
            endpoint = await self._find_free_endpoint(again=attempt > 0)
            if endpoint is None:
                return None
            attempt += 1
            sent = time.monotonic()
            cost: float | None = 0.0
            try:
                got = await endpoint.send_chat(request.body, attempt)
                if got.response is not None:
                    cost = compute_cost(got.response, self.settings.price)
            finally:
                budget.settle(worst, cost)
                self._wake()
            if got.stop:
                self._lose(endpoint)
                if self._stop is not None:
                    return None
                continue
            if self._stop is not None and got.response is None:
                return None
            if got.response is not None or got.wait is None or attempt > self.settings.retries:
                break
            self._rest(endpoint)
            await asyncio.sleep(got.wait)
        self._count(got, endpoint)
        now = time.monotonic()
        return RequestOutcome(
            response=got.response,
            failure=got.failure,
            attempts=attempt,
            seconds=now - started,
            endpoint=endpoint.address,
            latency=now - sent,
            usd=cost if got.response is not None else None,
        )

    async def _afford(self, budget: SpendingLimit, worst: float | None) -> bool:
        try:
            return await budget.hold(worst, lambda: self._stop is not None)
        except BudgetError as error:
            self._stop = self._stop or error
            self._wake()
            return False

    def _compute_worst(self, request: Request) -> float | None:
        """The most dollars that a request can cost: a token for each byte, and all it may write."""
        if self.settings.budget_usd is None or self.settings.price is None:
            return None
        limits = ("max_tokens", "max_completion_tokens")
        out = max((request.body.get(name) or 0 for name in limits), default=0)
        size = len(write_canonical(request.body).encode("utf-8", "surrogatepass"))
        price = self.settings.price
        return (
            size * price.input + (out or self.settings.response_max_tokens) * price.output
        ) / 1e6

    async def _find_free_endpoint(self, again: bool) -> EndpointClient | None:
        """The endpoint with the most room, as soon as one has any; None when the run stops.

        Whoever asked first goes first, and one that asks `again` before all others: rows are made
        in the order of their requests, so that one which was overtaken by all would leave all
        checks to the end.
        """
        called = False
        while self._stop is None:
            now = time.monotonic()
            if called or (not self._waiting and self._count_room(now) > 0):
                alive = [endpoint for endpoint in self.endpoints if endpoint.stopped is None]
                best = max(alive, key=lambda endpoint: endpoint.limiter.count_free(now))
                if best.limiter.count_free(now) > 0:
                    return best
            place = asyncio.get_running_loop().create_future()
            # Where a limit fell since it was called, it is still the first.
            (self._waiting.appendleft if called or again else self._waiting.append)(place)
            self._wake()
            try:
                await place
            finally:
                self._called -= place.done() and not place.cancelled()
            called = True
        return None

    def _count_room(self, now: float) -> int:
        """Count how many more may be sent now, beside those that were called to send."""
        alive = [endpoint for endpoint in self.endpoints if endpoint.stopped is None]
        return sum(endpoint.limiter.count_free(now) for endpoint in alive) - self._called

    def _wake(self) -> None:
        """Call as many as there is room for, or all when the run stops."""
        now = time.monotonic()
        room = self._count_room(now)
        while self._waiting and (room > 0 or self._stop is not None):
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                self._called += 1
                room -= 1
        if self._waiting:
            self._set_alarm(now)

    def _set_alarm(self, now: float) -> None:
        """Call whoever waits when a pause ends, or the pace lets another go."""
        alive = [endpoint for endpoint in self.endpoints if endpoint.stopped is None]
        waits = [endpoint.limiter.compute_wait(now) for endpoint in alive]
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if known := [wait for wait in waits if wait is not None]:
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(max(0.001, min(known)), self._wake)

    def _rest(self, endpoint: EndpointClient) -> None:
        over = endpoint.failures_in_a_row - _RESTS_AFTER
        if len(self.endpoints) > 1 and over >= 0:
            seconds = min(2.0 ** min(over, 10), _LONGEST_REST_S)
            endpoint.limiter.pause(time.monotonic() + seconds)

    def _lose(self, endpoint: EndpointClient) -> None:
        """One endpoint is of no use any more; the run stops with the last of them."""
        if all(other.stopped for other in self.endpoints):
            said = [other.stopped or "" for other in self.endpoints]
            self._stop_with("; ".join(dict.fromkeys(said)))

    def _count(self, got: Attempt, endpoint: EndpointClient) -> None:
        # A refusal shows, as an answer does, that the server runs.
        self._passing_in_a_row = self._passing_in_a_row + 1 if got.wait is not None else 0
        if got.response is not None:
            self._answers += 1
            return
        self._failures += 1
        # As many as are under way together may fail before the next of them answers.
        hopeless = max(_HOPELESS, sum(e.limiter.most for e in self.endpoints))
        if not self._answers and self._failures >= hopeless:
            self._stop_with(
                f"The teacher at {endpoint.address} answered none of the first {self._failures} "
                f"requests; the last failure: {got.failure}. Remedy: see the server's log, and the "
                "teacher settings that it may not support (lists, max_tokens, extra_body)"
            )
        elif self._passing_in_a_row >= hopeless:
            self._stop_with(
                f"The teacher at {endpoint.address} stopped answering after {self._answers} "
                f"answers: {self._passing_in_a_row} requests in a row failed, the last with: "
                f"{got.failure}. Remedy: see that it runs and answers"
            )

    def _stop_with(self, problem_and_remedy: str) -> None:
        if self._stop is None:
            self._stop = TeacherError(
                f"{problem_and_remedy}; then start the same command again, which asks only for "
                "what is missing."
            )
        self._wake()
