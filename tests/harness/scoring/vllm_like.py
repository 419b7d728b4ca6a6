"""A server on loopback that takes and gives completions as vLLM 0.33's does.

Its requests are checked as vLLM's published `CompletionRequest` checks them, and its answers have
the shapes that its `OpenAIServingCompletion` writes; log-probabilities come of a rule of the
test's. (Written from what vllm/entrypoints/openai/completion says at commit 002032ee; a field that
vLLM does not define is an error here, where vLLM ignores it.)
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

MOST_IDS = 128  # vllm/sampling_params.py, MAX_LOGPROB_TOKEN_IDS
Logprobs = Callable[[list[int]], dict[int, float]]


class CompletionRequest(BaseModel):
    """The fields of vLLM's own that a scorer could send, with their types and checks."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str | None = None
    prompt: list[Annotated[int, Field(ge=0)]]
    logprobs: int | None = None
    max_tokens: int | None = 16
    stop: str | list[str] | None = []
    temperature: float | None = None
    repetition_penalty: float | None = None
    logprob_token_ids: list[int] | None = Field(default=None, min_length=1)
    return_tokens_as_token_ids: bool | None = None

    @model_validator(mode="after")
    def check(self) -> "CompletionRequest":
        if self.logprob_token_ids is not None:
            if self.logprobs is None:
                raise ValueError("when using `logprob_token_ids`, `logprobs` must be set.")
            if len(self.logprob_token_ids) > MOST_IDS:
                raise ValueError(f"at most {MOST_IDS} of `logprob_token_ids`")
        return self


class VllmLike:
    """The running server. `older`: before it knew `logprob_token_ids`. `most_logprobs` is what
    its `--max-logprobs` says, and `most_under_way` counts requests."""

    def __init__(self, logprobs: Logprobs, decode: Callable[[int], str], older: bool) -> None:
        self.logprobs, self.decode, self.older = logprobs, decode, older
        self.most_logprobs = 2000
        self.asked: list[CompletionRequest] = []
        self.under_way = self.most_under_way = 0
        self.lock = threading.Condition()
        self.wait_for = 0
        self.url = ""

    def complete(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Returns the status and the body of the answer."""
        try:
            request = CompletionRequest.model_validate(body)
        except ValidationError as error:
            return 400, {"error": {"message": str(error), "type": "BadRequestError", "code": 400}}
        if (request.logprobs or 0) > self.most_logprobs:
            return 400, {"error": {"message": "greater than max allowed", "code": 400}}
        with self.lock:
            self.asked.append(request)
        every = self.logprobs(request.prompt)
        ranked = sorted(every, key=lambda token: -every[token])
        sampled = ranked[0]
        given = [sampled]
        if request.logprob_token_ids and not self.older:
            given += request.logprob_token_ids
        else:
            given += ranked[: request.logprobs or 0]
        names = bool(request.return_tokens_as_token_ids)
        top = {(f"token_id:{t}" if names else self.decode(t)): every[t] for t in reversed(given)}
        logprobs = {
            "text_offset": [0],
            "token_logprobs": [every[sampled]],
            "tokens": [self.decode(sampled)],
            "top_logprobs": [top],
        }
        choice = {
            "index": 0,
            "text": self.decode(sampled),
            "logprobs": logprobs if request.logprobs is not None else None,
            "finish_reason": "length",
            "stop_reason": None,
        }
        usage = {"prompt_tokens": len(request.prompt), "completion_tokens": 1, "total_tokens": 1}
        answer = {"id": "cmpl-1", "object": "text_completion", "created": 0, "model": "m"}
        return 200, {**answer, "choices": [choice], "usage": usage}

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Counts a request; the first `wait_for` are held until so many are under way at once."""
        with self.lock:
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            self.lock.notify_all()
            self.lock.wait_for(lambda: self.most_under_way >= self.wait_for, timeout=20)
        try:
            yield
        finally:
            with self.lock:
                self.under_way -= 1


@contextmanager
def serving_like_vllm(
    logprobs: Logprobs, decode: Callable[[int], str], *, older: bool = False
) -> Iterator[VllmLike]:
    """A server on a free port, for the length of the block."""
    like = VllmLike(logprobs, decode, older)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(200, {"object": "list", "data": [MODEL]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with like.counted():
                self.reply(*like.complete(body))

        def reply(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 256
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        like.url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield like
        finally:
            server.shutdown()
            thread.join()


MODEL = {"id": "m", "object": "model", "created": 0, "owned_by": "vllm", "root": "m"}
