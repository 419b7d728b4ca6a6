"""Pages that this program serves itself: security headers on all of them, and their few files.

The blind study's pages and `kakugo chat page=true` stand on it.
"""

import gzip
import hashlib
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})
"""The names under which a page on this machine alone is opened."""

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
    request may carry. hosts: allowed Host names (without port), or None for any; limit: bytes."""

    def __init__(
        self, app: ASGIApp, hosts: frozenset[str] | None = None, limit: int = 64 * 1024
    ) -> None:
        self.app, self.hosts, self.limit = app, hosts, limit

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
        if request.method == "POST" and not (length.isdigit() and 0 < int(length) <= self.limit):
            await Response("too large", 413)(scope, receive, guarded)
            return
        await self.app(scope, receive, guarded)


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
