"""Give the pages of the study form tokens, rate limits and templates."""

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from preference.normalise import clean_text

HERE = Path(__file__).parent


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
