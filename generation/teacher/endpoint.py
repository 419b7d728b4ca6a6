"""One OpenAI-compatible endpoint: its connection, its limit, and what became of one attempt.

The official client does the talking, with its aiohttp transport: at 256 requests under way it needs
half the processor time of the default one, whose pool looks through all connections for each.
"""

import asyncio
import email.utils
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import httpx2
import openai

from generation.errors import TeacherError
from generation.settings import Teacher
from generation.teacher.failures import CONNECTION_LOST, MALFORMED, TIME_OUT, may_pass_later
from generation.teacher.limiter import Limiter
from generation.teacher.reply import find_fault

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 60.0
_LONGEST_RETRY_AFTER_S = 600.0
_MESSAGE_CHARACTERS = 300


@dataclass(frozen=True)
class Attempt:
    """Holds what one attempt brought: a raw response, or a failure in the words the ledger keeps.

    `wait` is None where another attempt cannot help; else the seconds before it. `busy` says that
    the endpoint refused it because it has too much to do, and `late` that it timed out. `stop` says
    why this endpoint must not be asked again.
    """

    response: str | None = None
    failure: str | None = None
    wait: float | None = None
    busy: bool = False
    late: bool = False
    retry_after: float = 0.0
    stop: str | None = None


class EndpointClient:
    """The open connection to one address."""

    def __init__(self, teacher: Teacher, address: str | None, key_env: str | None) -> None:
        self._teacher = teacher
        self._key_env = key_env
        self._key = _read_api_key(key_env)
        self.client = openai.AsyncOpenAI(
            base_url=address,
            api_key=self._key or "no-key",
            max_retries=0,
            timeout=teacher.timeout_s,
            http_client=openai.DefaultAioHttpClient(
                limits=httpx2.Limits(
                    max_connections=teacher.concurrency,
                    max_keepalive_connections=teacher.concurrency,
                ),
                # The embedded teacher listens on loopback, which no proxy leads to.
                trust_env=teacher.kind != "embedded",
            ),
        )
        self.address = _remove_secrets(str(self.client.base_url))
        self.limiter = Limiter(teacher.concurrency, adaptive=teacher.adaptive)
        self.answers = 0
        self.failures_in_a_row = 0
        self.stopped: str | None = None

    @property
    def has_key(self) -> bool:
        """Tell whether requests carry a key."""
        return self._key is not None

    async def close(self) -> None:
        """End all connections."""
        await self.client.close()

    async def send_chat(self, body: dict[str, Any], attempt: int) -> Attempt:
        """Send one chat completion; never raises for what the endpoint does."""
        sent_in = self.limiter.count_sent(time.monotonic())
        try:
            result = await self._try_chat(body, attempt)
        except BaseException:
            self.limiter.note_lost()
            raise
        if result.busy:
            self.limiter.note_refused(time.monotonic(), result.retry_after)
        elif result.late:
            self.limiter.note_timed_out(sent_in)
        elif result.response is not None or result.wait is None:
            self.limiter.note_answered()
        else:
            self.limiter.note_lost()
        self._count(result)
        return result

    async def _try_chat(self, body: dict[str, Any], attempt: int) -> Attempt:
        try:
            # The client's own time-out is for each read; a server that trickles would never end.
            async with asyncio.timeout(self._teacher.timeout_s):
                response = await self.client.post(
                    "/chat/completions", body=body, cast_to=httpx2.Response
                )
                raw = response.text
        except openai.APIStatusError as error:
            return self.explain_refused(error, attempt)
        except openai.APIConnectionError as error:
            return self._explain_unreached(error, attempt)
        except (TimeoutError, httpx2.TimeoutException):
            return Attempt(failure=TIME_OUT, wait=wait_for(attempt), late=True)
        except (httpx2.HTTPError, aiohttp.ClientError, UnicodeDecodeError, ValueError):
            # The body broke off, or is not what its headers say.
            return Attempt(failure=MALFORMED, wait=wait_for(attempt))
        if fault := find_fault(raw):
            return Attempt(failure=fault, wait=wait_for(attempt))
        return Attempt(response=raw)

    def _explain_unreached(self, error: openai.APIConnectionError, attempt: int) -> Attempt:
        causes = list(_list_causes(error))
        nobody = any(
            isinstance(c, httpx2.ConnectError | aiohttp.ClientConnectorError) for c in causes
        )
        if nobody and not self.answers:
            return Attempt(
                failure=CONNECTION_LOST,
                stop=f"The teacher at {self.address} cannot be reached. Remedy: start the server "
                "or correct teacher.base_url",
            )
        # The transport calls a lost connection a time-out; what aiohttp itself says decides.
        lost = nobody or any(
            isinstance(c, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError)
            and not isinstance(c, TimeoutError)
            for c in causes
        )
        if isinstance(error, openai.APITimeoutError) and not lost:
            return Attempt(failure=TIME_OUT, wait=wait_for(attempt), late=True)
        return Attempt(failure=CONNECTION_LOST, wait=wait_for(attempt))

    def explain_refused(self, error: openai.APIStatusError, attempt: int) -> Attempt:
        """Turn an HTTP status other than success into the failure that it means."""
        status = error.status_code
        said = self._hide_key(_read_message(error))
        failure = f"HTTP {status}"
        if stop := self._stop(status, said, error):
            return Attempt(failure=f"{failure}: {said}", stop=stop)
        if may_pass_later(status):
            asked = read_retry_after(error.response.headers)
            return Attempt(
                failure=failure,
                wait=wait_for(attempt, asked),
                busy=status in (429, 503),
                retry_after=asked,
            )
        return Attempt(failure=f"{failure}: {said}")

    def _stop(self, status: int, said: str, error: openai.APIStatusError) -> str | None:
        if status in (401, 403):
            remedy = (
                f"put a valid key into the environment variable {self._key_env}"
                if self._key_env
                else "set teacher.api_key_env to the name of the variable that holds the key"
            )
            return (
                f"The teacher at {self.address} refuses the key (HTTP {status}: {said}). "
                f"Remedy: {remedy}"
            )
        if status == 404:
            return (
                f"The teacher at {self.address} does not know the model {self._teacher.name!r} or "
                f"the address (HTTP 404: {said}). Remedy: correct teacher.name, or "
                "teacher.base_url, which usually ends in /v1"
            )
        if status == 402 or (status == 429 and getattr(error, "code", "") == "insufficient_quota"):
            return (
                f"The account at {self.address} has no credit left (HTTP {status}: {said}). "
                "Remedy: add credit"
            )
        return None

    def _count(self, result: Attempt) -> None:
        if result.response is not None or (result.wait is None and result.stop is None):
            self.failures_in_a_row = 0
            self.answers += result.response is not None
        else:
            self.failures_in_a_row += 1
        if result.stop:
            self.stopped = result.stop

    def _hide_key(self, text: str) -> str:
        text = " ".join(text.split())
        if self._key:
            text = text.replace(self._key, "[key]")
        return text[:_MESSAGE_CHARACTERS]


def wait_for(attempt: int, asked: float = 0.0) -> float:
    """Seconds before the next try: what the server asks for, else doubling, with jitter."""
    grown = min(_FIRST_WAIT_S * 2.0 ** (attempt - 1), _LONGEST_WAIT_S)
    # Only the time of a call depends on this, never what is asked.
    jitter = random.uniform(0.5, 1.0)
    return asked + 0.1 * jitter * grown if asked > 0 else grown * jitter


def read_retry_after(headers: httpx2.Headers) -> float:
    """Seconds that a response asks to wait: retry-after-ms, or Retry-After as seconds or date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            asked = float(value) / unit
        except ValueError:
            try:
                asked = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
            except ValueError:
                continue
        if 0 < asked < float("inf"):
            return min(asked, _LONGEST_RETRY_AFTER_S)
    return 0.0


def _list_causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _read_api_key(variable: str | None) -> str | None:
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise TeacherError(
            f"The environment variable {variable} (teacher.api_key_env) is not set. "
            "Remedy: export it with the endpoint's key; for an endpoint that asks for none, give "
            "teacher.api_key_env=null."
        )
    return key


def _remove_secrets(address: str) -> str:
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


def _read_message(error: openai.APIStatusError) -> str:
    body = error.body
    if isinstance(body, dict):
        return str(body.get("message") or body.get("detail") or body)
    return str(body or error.message)
