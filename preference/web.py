"""Give every page of the study security headers, form tokens, rate limits, templates."""

import gzip
import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from preference.normalise import clean_text

HERE = Path(__file__).parent
BODY_LIMIT = 64 * 1024

# No inline script or style, nothing from elsewhere, no frame around or inside.
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "x-robots-tag": "noindex",
}


class Guard:
    """ASGI middleware: the headers on every response, `no-store` on pages, and a limit on what a
    request may carry. hosts: allowed Host names (without port), or None for any."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None = None) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        request = Request(scope)
        if self.hosts is not None and (request.url.hostname or "") not in self.hosts:
            # A page elsewhere may name this address as its own (DNS rebinding).
            await Response("unknown host", 421)(scope, receive, guarded)
            return
        length = request.headers.get("content-length", "0")
        if request.method == "POST" and not (length.isdigit() and 0 < int(length) <= BODY_LIMIT):
            await Response("too large", 413)(scope, receive, guarded)
            return
        await self.app(scope, receive, guarded)


class RateLimit:
    """At most `count` events in `seconds` for a name; remembers the latest 4,096 names."""

    def __init__(
        self, count: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.count, self.seconds, self._clock = count, seconds, clock
        self._tokens: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, name: str) -> bool:
        """Takes one from the name's bucket, which fills again evenly; False when it is empty."""
        now = self._clock()
        left, then = self._tokens.pop(name, (float(self.count), now))
        left = min(self.count, left + (now - then) * self.count / self.seconds)
        allowed = left >= 1
        self._tokens[name] = (left - 1 if allowed else left, now)
        while len(self._tokens) > 4096:
            self._tokens.popitem(last=False)
        return allowed


def make_form_token(session: str) -> str:
    """The token of a session's forms: follows from the cookie, which no other site can read, and so
    stays valid when the server restarts."""
    return hashlib.sha256(f"form:{session}".encode()).hexdigest()[:32]


def is_same_token(session: str, given: str) -> bool:
    """Tell whether a form came from a page of this session; in constant time."""
    return hmac.compare_digest(make_form_token(session).encode(), given.encode("utf-8", "replace"))


def make_environment() -> Environment:
    """Templates with autoescape always on and no silent gaps."""
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render_page(env: Environment, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(env.get_template(template).render(**values), status)


class Assets:
    """The few static files, read once, under names that change with their content."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._by_url: dict[str, tuple[bytes, bytes, str]] = {}
        self.urls: dict[str, str] = {}
        for name, content in files.items():
            stem, suffix = name.rsplit(".", 1)
            url = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"
            self.urls[name] = f"/static/{url}"
            # A page's first load is paid by the megabyte; fonts are compressed already.
            packed = content if suffix == "woff2" else gzip.compress(content, mtime=0)
            self._by_url[url] = (content, packed, _TYPES[suffix])

    async def serve(self, request: Request) -> Response:
        found = self._by_url.get(request.path_params["name"])
        if found is None:
            return Response("not found", 404)
        content, packed, kind = found
        headers = {
            "cache-control": "public, max-age=31536000, immutable",
            "vary": "accept-encoding",
        }
        if packed is not content and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(packed, media_type=kind, headers=headers | {"content-encoding": "gzip"})
        return Response(content, media_type=kind, headers=headers)


_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "woff2": "font/woff2",
}


def make_style_sheet(font_url: str | None) -> str:
    """The pages' style, with the study's font where it has one."""
    css = (HERE / "static" / "study.css").read_text(encoding="utf-8")
    if font_url is None:
        return css
    return (
        f"@font-face{{font-family:Study;src:url({font_url})"
        f" format('woff2');font-display:swap}}\n{css}"
    )


def clean(text: str, limit: int) -> str:
    """Text that a person typed, as it is kept and shown: cleaned as answers are, at most `limit`
    characters."""
    return clean_text(clean_text(text).strip()[:limit])
