"""A chat-completions server on loopback that answers by rule and misbehaves on request."""

import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_COUNT = re.compile(r"one JSON array of (\d+) strings")


@dataclass(frozen=True)
class Fault:
    """Sent instead of the answer; `status` None closes the connection without a word."""

    status: int | None
    text: str = "{}"
    headers: dict[str, str] = field(default_factory=dict)


Behave = Callable[[dict[str, Any], int], Fault | dict[str, Any] | None]


def completion(text: str, finish: str = "stop", **message: Any) -> dict[str, Any]:
    """A chat completion as servers send it."""
    return {
        "id": "x",
        "object": "chat.completion",
        "model": "scripted-1",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": text, **message},
            }
        ],
        "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
    }


def answer(body: dict[str, Any]) -> dict[str, Any]:
    """A good answer that depends on the body alone."""
    *systems, user = (message["content"] for message in body["messages"])
    system = " ".join(systems)
    mark = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:8]
    if found := _COUNT.search(system):
        items = [f"entry {mark} {index}" for index in range(int(found[1]))]
        return completion(f"Here you go:\n```json\n{json.dumps(items)}\n```")
    if "[" in user and '"role"' in user:
        return completion("```json\n" + user[user.index("[") :] + "\n```")
    return completion(f"Jibu {mark}.", reasoning=f"I think {mark}.")


class Scripted:
    """The running server: its address, what it was asked, and how it should behave."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.behave: Behave = lambda body, nth: None
        self.url = ""
        self._lock = threading.Lock()
        self._seen: Counter[str] = Counter()

    def reply(self, body: dict[str, Any], headers: dict[str, str]) -> Fault:
        """What to send; `behave` is told how often this very body came before."""
        with self._lock:
            self.bodies.append(body)
            self.headers.append(headers)
            text = json.dumps(body, sort_keys=True)
            nth = self._seen[text]
            self._seen[text] += 1
        action = self.behave(body, nth)
        if isinstance(action, Fault):
            return action
        return Fault(200, json.dumps(action if action is not None else answer(body)))


@contextmanager
def serving() -> Iterator[Scripted]:
    """A server on a free port, for the length of the block."""
    scripted = Scripted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = json.loads(self.rfile.read(length))
            fault = scripted.reply(
                body, {name.lower(): value for name, value in self.headers.items()}
            )
            if fault.status is None:
                self.close_connection = True
                return
            data = fault.text.encode()
            self.send_response(fault.status)
            for name, value in {"Content-Type": "application/json", **fault.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(ConnectionError):  # a client that was killed
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scripted.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield scripted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
