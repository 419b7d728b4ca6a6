"""The raters' pages: forms that work without JavaScript, POST -> 303 -> GET.

The application holds a pack and the votes, and so no name of any model. A GET changes nothing;
in particular an invitation may be fetched by a chat's preview without being used up.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from core.web import Assets, Guard
from preference.ballots import Ballots, Seat
from preference.chain import Event
from preference.commitment import make_fingerprint
from preference.errors import BallotError, StudyStateError, WithdrawnError
from preference.languages import find_direction, find_font_file
from preference.messages import fill_messages, make_writer
from preference.pace import ReadingPace
from preference.practice import PRACTICE
from preference.rendering import is_long, render_answer
from preference.screens import CHOICES, Screen, Sittings, choose_final_screens
from preference.standing import GUESSES, HeldChoice
from preference.today import list_steps, make_reminder, read_goal
from preference.web import (
    HERE,
    RateLimit,
    clean,
    is_same_token,
    make_environment,
    make_form_token,
    make_style_sheet,
    render_page,
)

COMMENT_LIMIT = 2000
# A page's own name, which its choices bear in the published votes: no place for words.
_PAGE = re.compile("[0-9a-f]{16}")
Handler = Callable[[Request, Seat], Awaitable[Response]]


class RaterApp:
    """Pages of one study. https: mark the cookie Secure (behind a proxy that speaks TLS);
    find_code: the code of a slot that a rater who has finished may show."""

    def __init__(
        self,
        pack: Mapping[str, Any],
        ballots: Ballots,
        *,
        https: bool = False,
        find_code: Callable[[int], str] | None = None,
    ) -> None:
        self.pack, self.ballots, self.https = pack, ballots, https
        # Studies on other ports of a host share their cookies: each has a name of its own.
        self.cookie = f"kakugo_rater_{pack['study']}"
        self.settings = pack["settings"]
        self.messages = fill_messages(self.settings)
        self.language = self.settings["language"]
        self.sittings = Sittings(pack)
        self.pace = ReadingPace(pack)
        self.find_code = find_code
        self.long = {
            key: is_long(text) for key, text in {**pack["prompts"], **pack["texts"]}.items()
        }
        self.env = make_environment()
        self.assets = _make_assets(self.language["font"], list_texts(pack))
        self.votes_a_minute = RateLimit(60, 60)
        self.tries_a_minute = RateLimit(30, 60)
        # Made once, before anyone asks: the time that a page takes says nothing of a text.
        self.rendered = {key: self._render(text) for key, text in pack["texts"].items()}
        self.prompts = {key: self._render(text) for key, text in pack["prompts"].items()}
        self.consent = self._render(self.settings.get("consent", ""))

    def make_app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/", self.show_home),
                Route("/i/{token}", self.show_invitation),
                Route("/start", self.start, methods=["POST"]),
                Route("/started", self.send_on),
                Route("/consent", self._guard_rater(self.show_consent)),
                Route("/enrol", self._guard_rater(self.enrol, form=True), methods=["POST"]),
                Route("/practice/{number:int}", self._guard_rater(self.show_practice)),
                Route("/practice/{number:int}/{choice}", self._guard_rater(self.show_practice)),
                Route("/today", self._guard_rater(self.show_today)),
                Route("/today", self._guard_rater(self.set_goal, form=True), methods=["POST"]),
                Route("/reminder.ics", self._guard_rater(self.send_reminder)),
                Route("/rate", self._guard_rater(self.rate)),
                Route("/vote", self._guard_rater(self.vote, form=True), methods=["POST"]),
                Route("/undo", self._guard_rater(self.undo, form=True), methods=["POST"]),
                Route("/pause", self._guard_rater(self.pause)),
                Route("/guess", self._guard_rater(self.guess, form=True), methods=["POST"]),
                Route("/withdraw", self._guard_rater(self.ask_withdrawal)),
                Route("/withdrawn", self._guard_rater(self.withdraw, form=True), methods=["POST"]),
                Route("/static/{name}", self.assets.serve),
            ],
            # Pages hold whole answers, in scripts of three bytes a letter. What would make packing
            # them unsafe, a secret beside words that another site chose, no page has: cookies do
            # not come with requests from elsewhere.
            middleware=[Middleware(Guard), Middleware(GZipMiddleware, minimum_size=1000)],
            exception_handlers={
                StudyStateError: self._say_closed,
                WithdrawnError: self._say_gone,
            },
        )

    # Before a session.

    async def show_home(self, request: Request) -> Response:
        return self._say("link_needed")

    async def show_invitation(self, request: Request) -> Response:
        """Show the page that a link opens. Reads only; the button starts."""
        token = request.path_params["token"]
        found = await run_in_threadpool(self.ballots.find_invited, token)
        if not self._allows_try(request, found):
            return self._say("too_fast", 429)
        if found is None:
            return self._say("link_unknown", 404)
        if found[1]:
            return self._say("link_revoked", 410)
        started = (await run_in_threadpool(self.ballots.fold_sitting, found[0])).nonce is not None
        if not started and await run_in_threadpool(self.ballots.is_enough):
            return self._say("enough")
        return self._render_page(
            "invitation.html.j2",
            token=token,
            started=started,
            count=len(self.pack["slots"][found[0]]),
            minutes=self.pace.estimate_minutes(found[0]),
            early="enough" in self.pack,
        )

    async def start(self, request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return self._say("link_needed", 403)
        token = str((await request.form()).get("token", ""))
        found = await run_in_threadpool(self.ballots.find_invited, token)
        if not self._allows_try(request, found):
            return self._say("too_fast", 429)
        try:
            session = await run_in_threadpool(self.ballots.begin, token)
        except BallotError:
            return (
                self._say("link_unknown", 404) if found is None else self._say("link_revoked", 410)
            )
        response = _redirect("/started")
        self._set_cookie(response, self.cookie, session)
        self._set_cookie(response, f"{self.cookie}_link", token)
        # A new sitting: how long it is to be is asked anew.
        response.delete_cookie(f"{self.cookie}_goal")
        return response

    def _allows_try(self, request: Request, found: tuple[int, bool] | None) -> bool:
        """Tell whether a link may be tried. A classroom shares one address: who holds a link is
        counted by it, and only those who guess are counted by their address."""
        name = f"slot {found[0]}" if found else f"from {_find_client(request)}"
        return self.tries_a_minute.allows(name)

    def _set_cookie(self, response: Response, name: str, value: str) -> None:
        response.set_cookie(
            name,
            value,
            max_age=90 * 86400,
            httponly=True,
            samesite="strict",
            secure=self.https,
            path="/",
        )

    async def send_on(self, request: Request) -> Response:
        """Send a starting rater on. Only here does a missing cookie mean that it was not kept."""
        if self.cookie not in request.cookies:
            return self._say("cookies_needed", 403)
        return _redirect("/today")

    # Within a session. Each gets the rater's seat.

    async def show_consent(self, request: Request, seat: Seat) -> Response:
        sitting = seat.sitting
        if sitting.nonce is not None:
            return _redirect("/rate")
        if seat.enough:
            return self._say("enough")
        return self._render_page(
            "consent.html.j2",
            **_describe_seat(seat),
            contact=self.settings["contact"],
            consent=self.consent,
            minutes=self.pace.estimate_minutes(seat.slot),
        )

    async def enrol(self, request: Request, seat: Seat) -> Response:
        if seat.enough and seat.sitting.nonce is None:
            return self._say("enough")
        await run_in_threadpool(self.ballots.enrol, seat.slot)
        return _redirect("/practice/1" if self.settings.get("practice") else "/today")

    async def show_practice(self, request: Request, seat: Seat) -> Response:
        """Show an example; with a choice, also what most people would choose."""
        number, choice = request.path_params["number"], request.path_params.get("choice", "")
        if not 1 <= number <= len(PRACTICE) or (choice and choice not in CHOICES):
            return self._say("link_needed", 404)
        return self._render_page(
            "practice.html.j2",
            **_describe_seat(seat),
            example=PRACTICE[number - 1],
            number=number,
            total=len(PRACTICE),
            choice=choice,
            next=f"/practice/{number + 1}" if number < len(PRACTICE) else "/today",
        )

    async def show_today(self, request: Request, seat: Seat) -> Response:
        """Ask how much of it in this sitting, where there is much."""
        screens = self._lay_out(seat)
        if screens is None:
            return _redirect("/consent")
        steps = list_steps(len(screens) - len(seat.sitting.votes))
        if not steps or seat.enough:
            return _redirect("/rate")
        return self._render_page(
            "today.html.j2", **_describe_seat(seat), **self._count(seat, screens), steps=steps
        )

    async def set_goal(self, request: Request, seat: Seat) -> Response:
        more = read_goal(str((await request.form()).get("more", "")))
        response = _redirect("/rate")
        if more is None:
            response.delete_cookie(f"{self.cookie}_goal")
        else:
            self._set_cookie(response, f"{self.cookie}_goal", str(len(seat.sitting.votes) + more))
        return response

    async def send_reminder(self, request: Request, seat: Seat) -> Response:
        """Send a calendar's file with the rater's own link in it."""
        link = await self._find_link(request, seat)
        if not link:
            return self._say("link_needed", 404)
        text = make_reminder(link, self.settings["title"], datetime.now(UTC))
        return Response(
            text,
            media_type="text/calendar; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="reminder.ics"'},
        )

    async def _find_link(self, request: Request, seat: Seat) -> str:
        """The link that the rater opened, while it opens their own part; else ""."""
        token = request.cookies.get(f"{self.cookie}_link", "")
        if await run_in_threadpool(self.ballots.find_invited, token) != (seat.slot, False):
            return ""
        scheme = "https" if self.https else request.url.scheme
        return f"{scheme}://{request.url.netloc}/i/{token}"

    def _has_reached_goal(self, request: Request, seat: Seat) -> bool:
        goal = read_goal(request.cookies.get(f"{self.cookie}_goal", ""))
        return goal is not None and len(seat.sitting.votes) >= goal

    def _lay_out(self, seat: Seat) -> list[Screen] | None:
        """The rater's screens; None before they have agreed to take part."""
        sitting = seat.sitting
        if sitting.nonce is None or sitting.pair_nonce is None:
            return None
        return self.sittings(seat.slot, sitting.nonce, sitting.pair_nonce)

    def _count(self, seat: Seat, screens: Sequence[Screen]) -> dict[str, int]:
        """Count how far the rater has come, and the minutes that are left."""
        done = len(seat.sitting.votes)
        if seat.enough:
            # Who is told that enough is known has done all there is to do.
            return {"done": done, "total": done, "minutes": 0}
        minutes = self.pace.estimate_minutes_left(screens, seat.sitting)
        return {"done": done, "total": len(screens), "minutes": minutes}

    async def rate(self, request: Request, seat: Seat) -> Response:
        sitting = seat.sitting
        screens = self._lay_out(seat)
        if screens is None:
            return _redirect("/consent")
        common: dict[str, Any] = {
            **_describe_seat(seat),
            **self._count(seat, screens),
            "last": next((v.idempotency for v in reversed(sitting.votes.values())), None),
            "idempotency": secrets.token_hex(8),
        }
        waiting = [s for s in screens if s.item in sitting.held]
        waiting += [s for s in screens if s.item not in sitting.votes and not seat.enough]
        if waiting and not sitting.held and self._has_reached_goal(request, seat):
            return _redirect("/pause")
        if waiting:
            screen = waiting[0]
            choices = sitting.list_choices(screen.item) if screen.item in sitting.held else []
            return self._render_page(
                "rate.html.j2",
                **common,
                **self._render_screen(screen),
                item=screen.item,
                seen=sitting.latest.get(screen.item, ""),
                chosen=[choice.body["choice"] for choice in choices],
                said=find_words_beside(
                    choices, await run_in_threadpool(self.ballots.read_words, seat.slot)
                ),
                verdicts=self.settings["verdicts"],
                comments=self.settings["comments"],
            )
        twice = GUESSES in sitting.held
        if (sitting.guesses is None or twice) and self.settings["guesses"] and sitting.votes:
            asked = choose_final_screens(screens, list(sitting.votes), self.settings["guesses"])
            shown = [(s.item, self._render_screen(s)) for s in asked]
            seen = sitting.latest.get(GUESSES, "")
            return self._render_page("guess.html.j2", **common, items=shown, seen=seen, twice=twice)
        receipt = sitting.receipt or ""
        return self._render_page(
            "done.html.j2",
            **common,
            receipt=make_fingerprint(receipt),
            code=self.find_code(seat.slot) if self.find_code else "",
            clear="drafts",
            early=seat.enough and len(sitting.votes) < len(screens),
        )

    async def vote(self, request: Request, seat: Seat) -> Response:
        """Keeps a choice. The page's script, which must not take a portal's answer for this one, is
        told so in JSON."""
        sitting = seat.sitting
        form = await request.form()
        item, choice = str(form.get("item", "")), str(form.get("choice", ""))
        key = str(form.get("idempotency", ""))
        if sitting.nonce is None or sitting.pair_nonce is None:
            return _redirect("/consent")
        screens = {s.item: s for s in self.sittings(seat.slot, sitting.nonce, sitting.pair_nonce)}
        if choice == "":
            return _redirect("/rate")
        if item not in screens or choice not in CHOICES or not _PAGE.fullmatch(key):
            return self._say("refused", 400)
        if not self.votes_a_minute.allows(seat.session):
            return self._say("too_fast", 429)
        body = make_vote_body(
            screens[item],
            choice,
            {name: str(form.get(name, "")) for name in ("verdict_a", "verdict_b", "comment")},
        )
        await run_in_threadpool(self.ballots.take, seat.slot, [_make_choice("vote", form, body)])
        if request.headers.get("accept") == "application/json":
            return JSONResponse({"taken": key})
        return _redirect("/rate")

    async def undo(self, request: Request, seat: Seat) -> Response:
        # The page names the vote, so that a form sent twice, or from another tab, undoes no other.
        key = str((await request.form()).get("last", ""))
        if not await run_in_threadpool(self.ballots.undo, seat.slot, key):
            return self._say("undo_changed", 409, back=True)
        return _redirect("/rate")

    async def pause(self, request: Request, seat: Seat) -> Response:
        screens = self._lay_out(seat)
        if screens is None:
            return _redirect("/consent")
        return self._render_page(
            "pause.html.j2",
            **_describe_seat(seat),
            **self._count(seat, screens),
            reached=self._has_reached_goal(request, seat),
            link=await self._find_link(request, seat),
        )

    async def guess(self, request: Request, seat: Seat) -> Response:
        sitting = seat.sitting
        form = await request.form()
        unfinished = len(sitting.votes) < len(self.pack["slots"][seat.slot]) and not seat.enough
        if unfinished or sitting.held.keys() - {GUESSES}:
            return _redirect("/rate")
        if sitting.nonce is None or sitting.pair_nonce is None:
            return _redirect("/rate")
        screens = self.sittings(seat.slot, sitting.nonce, sitting.pair_nonce)
        asked = choose_final_screens(screens, list(sitting.votes), self.settings["guesses"])
        guesses = {s.item: str(form.get(f"guess-{s.item}", "")) for s in asked}
        if not all(guess in ("a", "b", "unknown") for guess in guesses.values()):
            return self._say("guess_missing", 400, back=True)
        guess = _make_choice("guess", form, {"guesses": guesses})
        await run_in_threadpool(self.ballots.take, seat.slot, [guess])
        return _redirect("/rate")

    async def ask_withdrawal(self, request: Request, seat: Seat) -> Response:
        return self._render_page("withdraw.html.j2", **_describe_seat(seat))

    async def withdraw(self, request: Request, seat: Seat) -> Response:
        await run_in_threadpool(self.ballots.withdraw, seat.slot)
        return self._say_withdrawn(seat)

    # What the pages share.

    def _guard_rater(
        self, handler: Handler, form: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        """A handler behind a session; with `form`, behind the form's token as well."""

        async def wrapped(request: Request) -> Response:
            session = request.cookies.get(self.cookie, "")
            seat = await run_in_threadpool(self.ballots.find_seat, session) if session else None
            if seat is None:
                return self._say("session_ended" if session else "link_needed", 401)
            if form and not is_same_token(session, str((await request.form()).get("form", ""))):
                return self._say("form_expired", 403)
            if seat.sitting.withdrawn:
                return self._say_withdrawn(seat, 409 if form else 200)
            if seat.closed and not form:
                return self._say("closed")
            return await handler(request, seat)

        return wrapped

    def _say_withdrawn(self, seat: Seat, status: int = 200) -> HTMLResponse:
        return self._say("withdrawn", status, clear="all", **_describe_seat(seat))

    async def _say_closed(self, request: Request, error: Exception) -> Response:
        return self._say("closed", 409)

    async def _say_gone(self, request: Request, error: Exception) -> Response:
        """Answer a vote that was on its way when its rater withdrew on another device."""
        return self._say("withdrawn", 409)

    def _render_screen(self, screen: Screen) -> dict[str, Any]:
        return {
            "prompt": self.prompts[screen.prompt],
            "a": self.rendered[screen.a],
            "b": self.rendered[screen.b],
            "long": {
                "prompt": self.long[screen.prompt],
                "a": self.long[screen.a],
                "b": self.long[screen.b],
            },
        }

    def _render(self, text: str) -> Markup:
        return render_answer(
            text,
            direction=find_direction(text, self.language["direction"]),
            code_label=self.messages["code"],
            table_label=self.messages["table"],
        )

    def _say(
        self, message: str, status: int = 200, *, back: bool = False, **own: Any
    ) -> HTMLResponse:
        return self._render_page("say.html.j2", status, message=message, back=back, **own)

    def _render_page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        return render_page(
            self.env,
            template,
            status,
            t=make_writer(
                self.messages,
                self.settings["messages_tag"],
                language=self.language["autonym"],
                fingerprint=make_fingerprint(self.pack["commitment"]),
            ),
            title=self.settings["title"],
            page_tag=self.settings["messages_tag"],
            page_direction=self.settings["messages_direction"],
            text_tag=self.language["tag"],
            text_direction=self.language["direction"],
            urls=self.assets.urls,
            **{"form": "", "sheet": "", "clear": ""} | values,
        )


def _describe_seat(seat: Seat) -> dict[str, Any]:
    """Make what a rater's pages carry: the token of their forms, and the name of their drafts."""
    return {"form": make_form_token(seat.session), "sheet": seat.sheet}


def _make_choice(kind: str, form: FormData, body: Mapping[str, Any]) -> HeldChoice:
    """A page's choice: which page it was, and what that page had seen. Only its script counts."""
    turn, key = str(form.get("turn", "")), str(form.get("idempotency", ""))
    return HeldChoice(
        kind,
        f"{kind}:{key if _PAGE.fullmatch(key) else secrets.token_hex(8)}",
        int(turn) if turn.isdecimal() and len(turn) < 7 else None,
        str(form.get("seen", "")),
        body,
    )


def find_words_beside(choices: Sequence[Event], words: Mapping[int, str]) -> dict[str, str]:
    """Find what the rater said beside choices that differ, to go on from: every comment, and a
    verdict on which they agree. Nothing where there is no choice yet.
    """
    comments = dict.fromkeys(words[choice.seq] for choice in choices if choice.seq in words)
    said = {"comment": "\n".join(comments)}
    for name in ("verdict_a", "verdict_b"):
        given = {choice.body[name] for choice in choices if name in choice.body}
        said[name] = given.pop() if len(given) == 1 else ""
    return said


def make_vote_body(screen: Screen, choice: str, extra: Mapping[str, str]) -> dict[str, Any]:
    """Make the record of a vote: the choice, and what stood where when it was made."""
    body: dict[str, Any] = {
        "item": screen.item,
        "place": screen.place,
        "a": screen.a,
        "b": screen.b,
        "choice": choice,
    }
    for name in ("verdict_a", "verdict_b"):
        if extra.get(name) in ("good", "bad"):
            body[name] = extra[name]
    if comment := clean(extra.get("comment", ""), COMMENT_LIMIT):
        body["comment"] = comment
    return body


def list_texts(pack: Mapping[str, Any]) -> list[str]:
    """All that raters read."""
    settings = pack["settings"]
    own = [settings["title"], settings["language"]["autonym"], *settings["messages"].values()]
    own.append(settings.get("consent", ""))
    return [*own, *pack["prompts"].values(), *pack["texts"].values()]


def _make_assets(font: str | None, texts: list[str]) -> Assets:
    files: dict[str, bytes] = {"rate.js": (HERE / "static" / "rate.js").read_bytes()}
    if font:
        files[f"{font}.woff2"] = find_font_file(font, texts)
    font_url = Assets(files).urls.get(f"{font}.woff2")
    return Assets(files | {"study.css": make_style_sheet(font_url).encode("utf-8")})


def _find_client(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _redirect(url: str) -> RedirectResponse:
    return RedirectResponse(url, status_code=303)
