"""The Batch API: the same requests as files, at a discount, answered within a day.

A batch's requests are in the ledger before anything is sent, its id right after it is made, and its
results are joined by `custom_id`, the request's key. So a run that was killed finds its batches
again and never submits a request that is under way; what a batch leaves out (expired, cancelled,
failed for reasons that may pass, a line that cannot be read) is submitted again, so many times.

Between the moment when the provider accepts a batch and the moment when its id is in the ledger a
kill would lose it: the provider's list of batches is therefore searched for the uploaded file
before a batch is made.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx2
import openai

from core.lines import split_lines
from generation.errors import BudgetError, TeacherError
from generation.ids import write_canonical
from generation.settings import Teacher
from generation.teacher.dialects import DIALECTS, Dialect, State
from generation.teacher.endpoint import EndpointClient, wait_for
from generation.teacher.failures import LEFT_OUT, MALFORMED, may_pass, may_pass_later
from generation.teacher.jobs import Job, Jobs
from generation.teacher.ledger import Ledger, Request, RequestOutcome, compute_cost
from generation.teacher.reply import find_fault

Tell = Callable[[int, int], None]
_ATTEMPTS = 8


class BatchClient:
    """Asks through batch jobs at one endpoint."""

    def __init__(self, settings: Teacher, endpoint: EndpointClient) -> None:
        self.settings = settings
        self.endpoint = endpoint
        self.dialect: Dialect = DIALECTS[settings.batch.dialect or "openai"]

    async def ask_all(
        self,
        requests: Sequence[Request],
        ledger: Ledger,
        tell: Tell,
        worst: Callable[[Request], float | None],
    ) -> None:
        """Give each request an outcome in the ledger: from batches under way, then from new ones.

        `worst` is the most that a request can cost online. Returns when each request has an
        outcome; the failures among them may be asked again by the next run.
        """
        jobs = Jobs(ledger, self.endpoint.address)
        wanted = {request.key: request for request in requests}
        submitted: Counter[str] = Counter()
        final: set[str] = set()
        failed: set[str] = set()

        def collect(job: Job, outcomes: dict[str, RequestOutcome], status: str) -> None:
            """Keep what is final; what may pass is submitted again while that is worth it."""
            kept = {
                key: outcome
                for key, outcome in outcomes.items()
                if outcome.response is not None
                or not may_pass(outcome.failure or "")
                or submitted[key] > self.settings.retries
            }
            jobs.close(job, status, kept)
            final.update(kept.keys() & wanted.keys())
            failed.update(key for key in kept if kept[key].response is None)
            tell(len(final), len(failed & wanted.keys()))

        while True:
            # Another process may be at work on other requests of the same ledger.
            under_way = [job for job in jobs.open() if job.requests.keys() & wanted.keys()]
            taken = {key for job in under_way for key in job.requests}
            new = [r for key, r in wanted.items() if key not in taken | final]
            if not under_way and not new:
                return
            new = self._take_affordable(new, under_way, ledger, worst)
            under_way += [jobs.prepare(part) for part in self._split_requests(new)]
            submitted.update(key for job in under_way for key in job.requests)
            await asyncio.gather(*(self._run(job, jobs, collect) for job in under_way))

    def _take_affordable(
        self,
        new: list[Request],
        under_way: Sequence[Job],
        ledger: Ledger,
        worst: Callable[[Request], float | None],
    ) -> list[Request]:
        """Take as many of the requests as the budget surely covers, with what is under way."""
        teacher = self.settings
        spent = ledger.sum_spent()
        pending = [r for job in under_way for r in job.requests.values()]
        share = 1 - teacher.batch.discount
        usd = spent.usd + share * sum(worst(request) or 0.0 for request in pending)
        calls = spent.calls + len(pending)
        fits = []
        for request in new:
            usd += share * (worst(request) or 0.0)
            calls += 1
            over_usd = teacher.budget_usd is not None and usd > teacher.budget_usd
            if over_usd or (teacher.budget_calls is not None and calls > teacher.budget_calls):
                break
            fits.append(request)
        if new and not fits and not under_way:
            raise BudgetError(
                "The budget (teacher.budget_usd, teacher.budget_calls) does not cover another "
                f"request: ${spent.usd:,.4f} and {spent.calls:,} calls are spent. Remedy: raise it "
                "and start the same command again, which asks only for what is missing."
            )
        return fits

    async def _run(
        self, job: Job, jobs: Jobs, collect: Callable[[Job, dict[str, RequestOutcome], str], None]
    ) -> None:
        if job.remote is None:
            await self._submit(job, jobs)
        state = await self._wait_until_finished(job)
        lines: dict[str, dict[str, Any]] = {}
        for file in (state.output_file, state.error_file):
            if file:
                lines.update(
                    _read_result_lines((await self._get(f"/files/{file}/content")).content)
                )
        if state.failed_whole and not lines:
            jobs.close(job, state.status, {})
            raise TeacherError(
                f"The batch {job.remote} at {self.endpoint.address} failed as a whole: "
                f"{state.error or state.status}. Remedy: correct the teacher's settings (model, "
                "batch.dialect) or the limits of the account; then start the same command again, "
                "which asks only for what is missing."
            )
        seconds = time.time() - job.created
        outcomes = {
            key: self._read_outcome(lines.get(key), state, job, seconds) for key in job.requests
        }
        collect(job, outcomes, state.status)

    def _read_outcome(
        self, line: dict[str, Any] | None, state: State, job: Job, seconds: float
    ) -> RequestOutcome:
        """Read what one line of the results says; `line` is None where they lack the request."""

        def made(response: str | None, failure: str | None) -> RequestOutcome:
            usd = None
            if response is not None:
                usd = compute_cost(response, self.settings.price, self.settings.batch.discount)
            return RequestOutcome(
                response,
                failure,
                attempts=1,
                seconds=seconds,
                endpoint=self.endpoint.address,
                usd=usd,
                batch=job.remote,
            )

        if line is None:
            return made(None, f"{LEFT_OUT} ({state.status})")
        reply = line.get("response") if isinstance(line.get("response"), dict) else {}
        status = reply.get("status_code") if isinstance(reply, dict) else None
        body = reply.get("body") if isinstance(reply, dict) else None
        error = line.get("error") or (body.get("error") if isinstance(body, dict) else None)
        if status in (None, 200) and isinstance(body, dict) and body.get("choices"):
            raw = write_canonical(body)
            fault = find_fault(raw)
            return made(None if fault else raw, fault)
        if isinstance(status, int) and status != 200:
            said = "" if may_pass_later(status) else f": {_read_error(error)}"
            return made(None, f"HTTP {status}{said}")
        code = error.get("code") if isinstance(error, dict) else None
        if code in ("batch_expired", "batch_cancelled"):
            return made(None, f"{LEFT_OUT} ({str(code).removeprefix('batch_')})")
        return made(None, f"batch error: {_read_error(error)}" if error else MALFORMED)

    async def _submit(self, job: Job, jobs: Jobs) -> None:
        if job.file is None:
            content = b"".join(self._write_line(request) for request in job.requests.values())
            path, form = self.dialect.make_upload(f"kakugo-{job.name}.jsonl")
            jobs.note_uploaded(job, (await self._send(path, content, form))["id"])
        assert job.file is not None
        for _ in range(_ATTEMPTS):
            found = await self._find(job.file) or await self._create(job.file, job.name)
            # A lost reply says nothing of whether there is a batch now, so look again.
            if found:
                jobs.note_submitted(job, found["id"])
                return
        raise TeacherError(
            f"The Batch API at {self.endpoint.address} took no batch in {_ATTEMPTS} attempts. "
            "Remedy: see that it runs; then start the same command again, which goes on from here."
        )

    async def _find(self, file: str) -> dict[str, Any] | None:
        """The provider's batch of an uploaded file, if it has one."""
        answer = (await self._get("/batches", params=self.dialect.list_params)).json()
        batches = self.dialect.read_listed(answer)
        return next((b for b in batches if b.get("input_file_id") == file), None)

    async def _create(self, file: str, name: str) -> dict[str, Any] | None:
        body = self.dialect.make_batch(file, self.settings.batch.completion_window, name)
        response = await self._call("POST", "/batches", body=body)
        return self.dialect.read_created(response.json()) if response else None

    async def _wait_until_finished(self, job: Job) -> State:
        """The batch's state once it is over."""
        while True:
            state = self.dialect.read_state((await self._get(f"/batches/{job.remote}")).json())
            if state.over:
                return state
            await asyncio.sleep(self.settings.batch.poll_s)

    async def _send(self, path: str, content: bytes, form: dict[str, str]) -> dict[str, Any]:
        file = (form.get("file_name", "requests.jsonl"), content, "application/jsonl")
        response = await self._call("POST", path, body=form, files={"file": file})
        found: dict[str, Any] = response.json() if response else {}
        return found

    async def _get(self, path: str, params: dict[str, Any] | None = None) -> httpx2.Response:
        response = await self._call("GET", path, params=params)
        assert response is not None
        return response

    async def _call(
        self,
        method: str,
        path: str,
        *,
        body: dict[str, Any] | None = None,
        files: dict[str, Any] | None = None,
        params: dict[str, Any] | None = None,
    ) -> httpx2.Response | None:
        """A call to the Batch API itself; what may pass is tried again, the rest stops the run.

        None when the reply to the making of a batch is lost: that is not to be tried blindly.
        """
        client: Any = self.endpoint.client
        wanted: dict[str, Any] = {"cast_to": httpx2.Response, "options": {}}
        if params:
            wanted["options"] = {"params": params}
        if files:
            wanted["options"] = {"headers": {"Content-Type": "multipart/form-data"}}
            wanted["files"] = files
        if body is not None:
            wanted["body"] = body
        attempt = 0
        while True:
            attempt += 1
            failure, stop = "", None
            wait: float | None = None
            try:
                send = client.get if method == "GET" else client.post
                response: httpx2.Response = await send(path, **wanted)
                return response
            except openai.APIStatusError as error:
                got = self.endpoint.explain_refused(error, attempt)
                failure, wait, stop = got.failure or "", got.wait, got.stop
            except openai.APIConnectionError as error:
                failure, wait = type(error).__name__, wait_for(attempt)
            if stop is None and wait is not None and attempt < _ATTEMPTS:
                await asyncio.sleep(wait)
                if body is not None and files is None:
                    return None
                continue
            said = stop or (
                f"The Batch API at {self.endpoint.address} refuses {method} {path} ({failure}). "
                "Remedy: see teacher.batch.dialect, and whether this endpoint has a Batch API"
            )
            raise TeacherError(
                f"{said}; then start the same command again, which asks only for what is missing."
            )

    def _write_line(self, request: Request) -> bytes:
        line = self.dialect.make_line(request.key, request.body)
        return json.dumps(line).encode() + b"\n"

    def _split_requests(self, requests: list[Request]) -> Iterator[list[Request]]:
        """Files of at most as many requests and bytes as the provider takes."""
        part: list[Request] = []
        size = 0
        for request in requests:
            line = len(self._write_line(request))
            over = size + line > self.settings.batch.max_bytes
            if part and (over or len(part) >= self.settings.batch.max_requests):
                yield part
                part, size = [], 0
            part.append(request)
            size += line
        if part:
            yield part


def _read_result_lines(content: bytes) -> dict[str, dict[str, Any]]:
    """The lines of a result file by custom_id; what cannot be read is as if it were not there."""
    found: dict[str, dict[str, Any]] = {}
    for line in split_lines(content.decode("utf-8", "replace")):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict) and isinstance(value.get("custom_id"), str):
            found.setdefault(value["custom_id"], value)
    return found


def _read_error(error: object) -> str:
    text = error.get("message") or error.get("code") if isinstance(error, dict) else error
    return " ".join(str(text).split())[:300]
