"""Build requests, make sure that the ledger has their answers, and count what became of them."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from core.contract.facts import StepFacts
from generation.ids import derive_seed
from generation.parse import read_list
from generation.prompts import Prompts
from generation.settings import Teacher
from generation.teacher.client import TeacherClient
from generation.teacher.failures import may_pass
from generation.teacher.ledger import Ledger, RecordedAnswer, Request, compute_cost
from generation.teacher.reply import Reply, read_reply

T = TypeVar("T")
Progress = Callable[[int, int, str], None]


@dataclass
class StepCounts:
    """Counts what becomes of one step; see `StepFacts`."""

    step: str
    asked: int = 0
    answered: int = 0
    parsed: int = 0
    kept: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    tokens_input: int = 0
    tokens_output: int = 0
    cost_usd: float | None = 0.0

    def lose(self, reason: str, count: int = 1) -> None:
        """Count something lost."""
        if count:
            self.reasons[reason] = self.reasons.get(reason, 0) + count

    def make_facts(self) -> StepFacts:
        """The counts as a record."""
        return StepFacts(
            step=self.step,
            asked=self.asked,
            answered=self.answered,
            parsed=self.parsed,
            kept=self.kept,
            reasons=self.reasons,
            tokens_input=self.tokens_input,
            tokens_output=self.tokens_output,
            cost_usd=self.cost_usd,
        )


class Asker:
    """Holds what a source's steps share: settings, wording, client, ledger, counts so far."""

    def __init__(
        self,
        *,
        teacher: Teacher,
        prompts: Prompts,
        client: TeacherClient,
        ledger: Ledger,
        seed: int,
        progress: Progress,
        pilot: int | None = None,
    ) -> None:
        """`pilot`: ask no more than so many requests of each step, and go on with their answers."""
        self.teacher = teacher
        self.prompts = prompts
        self.seed = seed
        self.steps: list[StepCounts] = []
        # Requests whose only outcome is a failure that may pass, by reason.
        self.passing: dict[str, int] = {}
        self._client = client
        self._ledger = ledger
        self._progress = progress
        self._asked: set[str] = set()
        self._pilot = pilot

    def add_step(self, name: str) -> StepCounts:
        """A new line in the table of yields."""
        self.steps.append(StepCounts(name))
        return self.steps[-1]

    def list_request(
        self, step: str, prompt: str, identity: object, /, *, count: int, **values: str
    ) -> Request:
        """A request for `count` strings. `identity` gives the request its own seed."""
        messages = self.prompts.write_messages(prompt, count=count, **values)
        text = _make_string_schema(self.teacher.schema_max_characters)
        return self.make_request(step, messages, identity, schema=make_array_schema([text] * count))

    def make_request(
        self,
        step: str,
        messages: list[dict[str, str]],
        identity: object,
        *,
        schema: dict[str, Any] | None = None,
        final: bool = False,
        max_tokens: int | None = None,
    ) -> Request:
        """A request with the teacher's settings.

        `schema` is used in schema mode only; `final` means an answer that becomes a row.
        """
        teacher = self.teacher
        usual = teacher.response_max_tokens if final else teacher.max_tokens
        body: dict[str, Any] = {
            "model": teacher.name,
            "messages": messages,
            "temperature": teacher.temperature,
            "max_tokens": max_tokens or usual,
            "seed": derive_seed(self.seed, step, identity),
        }
        if schema is not None and teacher.lists == "schema":
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": schema},
            }
        body |= teacher.extra_body | (teacher.response_extra_body if final else {})
        return Request(step, {name: value for name, value in body.items() if value is not None})

    async def ask_all(self, requests: Sequence[Request], step: StepCounts) -> list[Reply]:
        """Ask what the ledger lacks, then give the reply to each request, in order."""
        return [reply async for reply in self.ask_each(requests, step)]

    async def ask_each(
        self, requests: Sequence[Request], step: StepCounts
    ) -> AsyncGenerator[Reply, None]:
        """Ask what the ledger lacks, and give the reply to each request, in order, as they come.

        A reply waits for those before it, so that whatever is made of them does not depend on
        which came first; once all have come, progress tells how many were read. Close it
        (`contextlib.aclosing`), so that nothing more is asked where its reader gives up. Counts
        asked, answered and the reasons of what did not finish, also in `passing`. A request that
        failed is not asked twice in a run.
        """
        answered = self._ledger.find_answered(requests)
        found = answered | self._asked
        missing = list({r.key: r for r in requests if r.key not in found}.values())
        if self._pilot is not None:
            missing = missing[: max(0, self._pilot - len(answered))]
        total, ready = len(requests), len(requests) - len(missing)
        self._progress(ready, total, step.step)
        came = asyncio.Event()

        def tell(done: int, failed: int) -> None:
            parts = [step.step]
            if self._ledger.usd:
                parts.append(f"${self._ledger.usd:,.2f}")
            if failed:
                parts.append(f"{failed} failed")
            self._progress(ready + done, total, ", ".join(parts))
            came.set()

        asking = asyncio.create_task(self._client.ask_all(missing, self._ledger, tell))
        asking.add_done_callback(lambda task: came.set())
        awaited = {request.key for request in missing}
        self._asked |= awaited
        step.asked += total
        try:
            for place, request in enumerate(requests):
                while request.key in awaited and not asking.done():
                    if self._ledger.has_appended(request):
                        break
                    came.clear()
                    await came.wait()
                if asking.done():
                    await asking  # raises what stopped it
                    self._progress(place, total, f"{step.step}, reading answers")
                else:
                    await asyncio.sleep(0)  # calls come first
                yield self._read(request, step)
            await asking
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def ask_lists(
        self, requests: Sequence[Request], step: StepCounts, limit: int
    ) -> list[list[str] | None]:
        """Ask for lists; None where there is none."""
        return [
            read_counted(reply, step, lambda text: read_list(text, limit))
            async for reply in self.ask_each(requests, step)
        ]

    def _read(self, request: Request, step: StepCounts) -> Reply:
        reply = self._read_reply(self._ledger.read_answer(request), step)
        if reply.reason:
            step.lose(reply.reason)
        return reply

    def _read_reply(self, answer: RecordedAnswer, step: StepCounts) -> Reply:
        if answer.response is None:
            # The server's own words after the colon stay in the ledger.
            failure = answer.failure or "no response"
            reason = failure.partition(":")[0]
            if may_pass(failure):
                self.passing[reason] = self.passing.get(reason, 0) + 1
            return Reply(reason=reason)
        step.answered += 1
        step.tokens_input += answer.tokens_input
        step.tokens_output += answer.tokens_output
        # What was paid that day, or, where no price was given then, what it would cost now.
        usd = (
            compute_cost(answer.response, self.teacher.price) if answer.usd is None else answer.usd
        )
        known = step.cost_usd is not None and usd is not None
        step.cost_usd = (step.cost_usd or 0.0) + (usd or 0.0) if known else None
        return replace(
            read_reply(answer.response),
            tokens_input=answer.tokens_input,
            tokens_output=answer.tokens_output,
        )


def read_counted(reply: Reply, step: StepCounts, read: Callable[[str], T | None]) -> T | None:
    """Read a reply with `read` and count the result in the step; None where nothing is found."""
    if reply.reason is not None:
        return None
    value = read(reply.text)
    if value is None:
        step.lose("unreadable")
    else:
        step.parsed += 1
    return value


def make_array_schema(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """The schema of {"items": [...]} with exactly these entries."""
    same = all(entry == entries[0] for entry in entries)
    items: dict[str, Any] = {"items": entries[0]} if same else {"prefixItems": entries}
    array = {"type": "array", **items, "minItems": len(entries), "maxItems": len(entries)}
    return _make_object_schema({"items": array})


def make_conversation_schema(turns: list[dict[str, str]], longest: int | None) -> dict[str, Any]:
    """The schema of {"items": [...]} with the turns' roles fixed."""
    entries = []
    for turn in turns:
        # A translation is rarely more than twice as long in characters.
        limit = None if longest is None else max(longest, 2 * len(turn["content"]))
        role: dict[str, Any] = {"const": turn["role"]}
        entries.append(_make_object_schema({"role": role, "content": _make_string_schema(limit)}))
    return make_array_schema(entries)


def as_json(value: object) -> str:
    """Readable JSON for a prompt."""
    return json.dumps(value, ensure_ascii=False, indent=1)


def _make_object_schema(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _make_string_schema(longest: int | None) -> dict[str, Any]:
    limit = {} if longest is None else {"maxLength": longest}
    return {"type": "string", "minLength": 1, **limit}
