"""A small page on this machine on which checkpoints are talked to, one or several side by side.

The page holds the conversation; each answer comes as lines of JSON while it is written:
`{"said": TEXT}` for each piece, then `{"answer": TEXT, "reasoning": TEXT}`, or `{"error": TEXT}`.
What a model says is text to the page, and never markup. An answer ends with the request: whoever
stops or closes the page ends the work.
"""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from core.errors import MendableError
from core.reasoning import split_reasoning
from core.web import LOOPBACK, Assets, Guard
from harness.chat.speakers import Manner, Speaker, choose_system, read_manner
from harness.errors import TalkError

HERE = Path(__file__).parent
_LIMIT = 4 * 1024 * 1024  # bytes of a conversation
_ROLES = {"user", "assistant"}


class ChatPage:
    """The page's application. `system` and `manner` are what its settings begin with."""

    def __init__(self, speakers: Sequence[Speaker], system: str, manner: Manner) -> None:
        self.speakers, self.system, self.manner = speakers, system, manner
        # A model in this process writes one answer at a time.
        self.locks = [threading.Lock() for _ in speakers]
        self.ending = threading.Event()
        files = {name: (HERE / "static" / name).read_bytes() for name in ("chat.css", "chat.js")}
        self.assets = Assets(files)
        environment = Environment(
            loader=FileSystemLoader(HERE / "static"), autoescape=True, undefined=StrictUndefined
        )
        self.html = environment.get_template("chat.html.j2").render(
            names=[speaker.name for speaker in speakers],
            taught=[speaker.name for speaker in speakers if speaker.systems],
            system=system,
            manner=manner,
            urls=self.assets.urls,
        )

    def make_app(self) -> Starlette:
        """Makes the ASGI application."""
        return Starlette(
            routes=[
                Route("/", self.show),
                Route("/say", self.say, methods=["POST"]),
                Route("/static/{name}", self.assets.serve),
            ],
            middleware=[Middleware(Guard, hosts=LOOPBACK, limit=_LIMIT)],
        )

    async def show(self, request: Request) -> Response:
        """Shows the page."""
        return HTMLResponse(self.html)

    async def say(self, request: Request) -> Response:
        """Answers a conversation with one of the speakers."""
        # Pages of other sites may send forms here, but neither JSON nor their own name hidden.
        kind = request.headers.get("content-type", "").partition(";")[0]
        if kind != "application/json" or not _is_own(request):
            return JSONResponse({"error": "This page alone may ask."}, 403)
        try:
            number, messages, manner = self._read_order(await request.json())
        except (ValueError, TypeError, LookupError, TalkError) as error:
            return JSONResponse({"error": f"This cannot be answered: {error}"}, 400)
        return _Answering(self._answer(number, messages, manner))

    def _read_order(self, order: Any) -> tuple[int, list[dict[str, str]], Manner]:
        number = int(order["speaker"])
        if not 0 <= number < len(self.speakers):
            raise ValueError("there is no such speaker")
        messages = [{"role": one["role"], "content": str(one["content"])} for one in order["talk"]]
        if not messages or any(one["role"] not in _ROLES for one in messages):
            raise ValueError("a conversation is of questions and answers")
        manner = read_manner({name: str(order[name]) for name in _MANNER if name in order})
        system = choose_system(self.speakers[number], str(order["system"]), manner)
        first = [{"role": "system", "content": system}] if system else []
        return number, [*first, *messages], manner

    async def _answer(
        self, number: int, messages: list[dict[str, str]], manner: Manner
    ) -> AsyncGenerator[dict[str, str]]:
        """Yields the pieces of an answer as they come; closing it ends the work."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[dict[str, str] | None] = asyncio.Queue()
        stopped = threading.Event()

        def put(found: dict[str, str] | None) -> None:
            # The loop may be gone already, where the program ends.
            if not loop.is_closed():
                loop.call_soon_threadsafe(queue.put_nowait, found)

        def work() -> None:
            try:
                put(self._write(number, messages, manner, stopped, put))
            except MendableError as error:
                put({"error": str(error)})
            except Exception as error:  # a library's: the page has to hear that there is no more
                put({"error": f"{type(error).__name__}: {error}"})
            put(None)

        threading.Thread(target=work, daemon=True).start()
        try:
            while (found := await queue.get()) is not None:
                yield found
        finally:
            stopped.set()

    def _write(
        self,
        number: int,
        messages: list[dict[str, str]],
        manner: Manner,
        stopped: threading.Event,
        put: Callable[[dict[str, str]], None],
    ) -> dict[str, str]:
        """Lets a speaker answer, in a thread; returns the whole answer, or as much as was let
        come."""
        said: list[str] = []
        with self.locks[number]:
            if stopped.is_set() or self.ending.is_set():
                return {"answer": "", "reasoning": ""}
            pieces = self.speakers[number].stream(messages, manner)
            try:
                for piece in pieces:
                    if stopped.is_set() or self.ending.is_set():
                        break
                    if piece:
                        said.append(piece)
                        put({"said": piece})
            finally:
                pieces.close()  # type: ignore[attr-defined]
        split = split_reasoning("".join(said))
        return {"answer": split.answer, "reasoning": split.reasoning}


_MANNER = ("thinking", "temperature", "max_tokens")


class _Answering(Response):
    """Sends an answer line by line, and closes it as soon as nobody reads any more."""

    def __init__(self, pieces: AsyncGenerator[dict[str, str]]) -> None:
        super().__init__(media_type="application/x-ndjson")
        del self.headers["content-length"]
        self.pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_wait_for_leaving(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            await self.pieces.aclose()

    async def _send(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        async for piece in self.pieces:
            line = json.dumps(piece, ensure_ascii=True) + "\n"
            await send(
                {"type": "http.response.body", "body": line.encode("ascii"), "more_body": True}
            )
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _wait_for_leaving(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _is_own(request: Request) -> bool:
    """Says whether a request comes from this page: browsers name the page that asks."""
    origin = request.headers.get("origin")
    return origin is None or origin == f"http://{request.headers.get('host', '')}"


def serve_page(
    speakers: Sequence[Speaker],
    system: str,
    manner: Manner,
    port: int,
    say: Callable[[str], None],
) -> None:
    """Serves the page on this machine alone until it is interrupted; 0 takes any free port.

    `say` is told the address. Raises `TalkError` where the port is taken.
    """
    page = ChatPage(speakers, system, manner)
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind(("127.0.0.1", port))
            bound.listen()
        except OSError as error:
            raise TalkError(
                f"port {port} cannot be had ({error.strerror}). Remedy: another, or port=0 for any"
            ) from None
        server = _Server(
            page,
            uvicorn.Config(
                page.make_app(),
                access_log=False,
                log_level="warning",
                server_header=False,
                timeout_graceful_shutdown=5,
            ),
        )
        say(f"http://127.0.0.1:{bound.getsockname()[1]}/")
        server.run(sockets=[bound])


class _Server(uvicorn.Server):
    """Ends the answers under way when it is interrupted, and then itself."""

    def __init__(self, page: ChatPage, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.page = page

    def handle_exit(self, sig: int, frame: Any) -> None:
        self.page.ending.set()
        super().handle_exit(sig, frame)
