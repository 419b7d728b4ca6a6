"""Ask an OpenAI-compatible endpoint: a bounded pool of workers, retries, and clear stops.

What a user can mend (address, key, model name) stops the run with a TeacherError. What may pass
(429, 5xx, time-outs, lost connections, malformed bodies) is tried again with growing waits; what
stays is a failure with its reason, which the next run asks again. A teacher that answers nothing,
or stops answering half-way, stops the run.
Not covered here: several endpoints, concurrency that adapts, budgets, batch jobs.
"""

import asyncio
import os
import random
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import httpx2
import openai

from generation.errors import TeacherError
from generation.failures import CONNECTION_LOST, MALFORMED, TIME_OUT, status_may_pass
from generation.ledger import Ledger, Outcome, Request
from generation.reply import completion
from generation.settings import Teacher

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 60.0
_LONGEST_RETRY_AFTER_S = 600.0
# So many failures without an answer among them are the endpoint's or the settings' fault.
_HOPELESS = 5
_MESSAGE_CHARACTERS = 300


class TeacherClient:
    """The connection to one endpoint, for the length of one `async with` block."""

    def __init__(self, settings: Teacher) -> None:
        self.settings = settings
        self._key = _api_key(settings)
        self._client = openai.AsyncOpenAI(
            base_url=settings.base_url,
            api_key=self._key or "no-key",
            max_retries=0,
            timeout=settings.timeout_s,
            http_client=openai.DefaultAsyncHttpxClient(
                limits=httpx2.Limits(
                    max_connections=settings.concurrency,
                    max_keepalive_connections=settings.concurrency,
                ),
                # The embedded teacher listens on loopback, which no proxy leads to.
                trust_env=settings.kind != "embedded",
            ),
        )
        self.endpoint = _without_secrets(str(self._client.base_url))
        self._answers = 0
        self._failures = 0
        self._passing_in_a_row = 0
        self._stop: TeacherError | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.close()

    async def ask_all(
        self, requests: Sequence[Request], ledger: Ledger, tell: Callable[[int, int], None]
    ) -> None:
        """Ask each request once, writing each outcome to the ledger as it arrives.

        `tell(done, failed)` is called after each. Raises TeacherError when going on is pointless;
        calls that are under way then still come to their end, since they are paid for.
        """
        waiting = iter(requests)
        done = failed = 0

        async def work() -> None:
            nonlocal done, failed
            for request in waiting:
                if self._stop is not None:
                    return
                outcome = await self._ask(request)
                if outcome is None:
                    return
                ledger.append(request, outcome)
                done += 1
                failed += outcome.failure is not None
                tell(done, failed)

        workers = min(self.settings.concurrency, len(requests))
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

    async def _ask(self, request: Request) -> Outcome | None:
        """The request's outcome after retries; None when the run stops instead."""
        started = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            response, failure, wait = await self._attempt(request.body, attempt)
            final = response is not None or wait is None or attempt > self.settings.retries
            if self._stop is not None and response is None:
                return None
            if final:
                break
            await asyncio.sleep(wait or 0.0)
            if self._stop is not None:
                return None
        self._count(response, failure, passing=wait is not None)
        seconds = time.monotonic() - started
        return Outcome(response, failure, attempt, seconds, self.endpoint)

    async def _attempt(
        self, body: dict[str, Any], attempt: int
    ) -> tuple[str | None, str | None, float | None]:
        """(raw response, failure, seconds to wait before the next try or None for no next try)."""
        try:
            response = await self._client.post(
                "/chat/completions", body=body, cast_to=httpx2.Response
            )
        except openai.APIStatusError as error:
            return self._refused(error, attempt)
        except openai.APITimeoutError:
            return None, TIME_OUT, _wait(attempt)
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, httpx2.ConnectError) and not self._answers:
                self._stop_with(
                    f"The teacher at {self.endpoint} cannot be reached",
                    "start the server or correct teacher.base_url",
                )
            return None, CONNECTION_LOST, _wait(attempt)
        raw = response.text
        if completion(raw) is None:
            return None, MALFORMED, _wait(attempt)
        return raw, None, None

    def _refused(
        self, error: openai.APIStatusError, attempt: int
    ) -> tuple[None, str, float | None]:
        status = error.status_code
        said = self._safe(_message(error))
        failure = f"HTTP {status}"
        if status in (401, 403):
            variable = self.settings.api_key_env
            self._stop_with(
                f"The teacher at {self.endpoint} refuses the key (HTTP {status}: {said})",
                f"put a valid key into the environment variable {variable}"
                if variable
                else "set teacher.api_key_env to the name of the variable that holds the key",
            )
        elif status == 404:
            self._stop_with(
                f"The teacher at {self.endpoint} does not know the model "
                f"{self.settings.name!r} or the address (HTTP 404: {said})",
                "correct teacher.name, or teacher.base_url, which usually ends in /v1",
            )
        elif status_may_pass(status):
            return None, failure, _wait(attempt, error.response.headers.get("retry-after"))
        return None, f"{failure}: {said}", None

    def _count(self, response: str | None, failure: str | None, *, passing: bool) -> None:
        # A refusal shows, as an answer does, that the server runs.
        self._passing_in_a_row = self._passing_in_a_row + 1 if passing else 0
        if response is not None:
            self._answers += 1
            return
        self._failures += 1
        # As many as are under way together may fail before the next of them answers.
        hopeless = max(_HOPELESS, self.settings.concurrency)
        if not self._answers and self._failures >= hopeless:
            self._stop_with(
                f"The teacher at {self.endpoint} answered none of the first {self._failures} "
                f"requests; the last failure: {failure}",
                "see the server's log, and the teacher settings that it may not support "
                "(lists, max_tokens, extra_body)",
            )
        elif self._passing_in_a_row >= hopeless:
            self._stop_with(
                f"The teacher at {self.endpoint} stopped answering after {self._answers} answers: "
                f"{self._passing_in_a_row} requests in a row failed, the last with: {failure}",
                "see that it runs and answers",
            )

    def _stop_with(self, problem: str, remedy: str) -> None:
        if self._stop is None:
            self._stop = TeacherError(
                f"{problem}. Remedy: {remedy}; then start the same command again, which asks "
                "only for what is missing."
            )

    def _safe(self, text: str) -> str:
        text = " ".join(text.split())
        if self._key:
            text = text.replace(self._key, "[key]")
        return text[:_MESSAGE_CHARACTERS]


def _api_key(settings: Teacher) -> str | None:
    if settings.api_key_env is None:
        return None
    key = os.environ.get(settings.api_key_env, "").strip()
    if not key:
        raise TeacherError(
            f"The environment variable {settings.api_key_env} (teacher.api_key_env) is not set. "
            "Remedy: export it with the endpoint's key."
        )
    return key


def _without_secrets(address: str) -> str:
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


def _message(error: openai.APIStatusError) -> str:
    body = error.body
    if isinstance(body, dict):
        return str(body.get("message") or body.get("detail") or body)
    return str(body or error.message)


def _wait(attempt: int, retry_after: str | None = None) -> float:
    """Seconds before the next try: what the server asks for, else doubling, with jitter."""
    try:
        asked = float(retry_after or 0)
    except ValueError:
        asked = 0.0
    grown = min(_FIRST_WAIT_S * 2.0 ** (attempt - 1), _LONGEST_WAIT_S)
    # Only the time of a call depends on this, never what is asked.
    jitter = random.uniform(0.5, 1.0)
    if asked > 0:
        return min(asked, _LONGEST_RETRY_AFTER_S) + 0.1 * jitter * grown
    return grown * jitter
