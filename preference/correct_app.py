"""The page on which a speaker corrects each translation beside the English, and another approves.

Two links, one a role: whoever corrects, and whoever approves. Every save is appended and synced;
what was saved before stays in the file. The raters' own words are corrected on the same page.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.web import Assets, Guard
from preference.catalogues import keep_words, read_own_catalogue
from preference.commitment import hash_canonical
from preference.errors import QuestionsError
from preference.files import read_json, write_json
from preference.languages import FONTS, find_direction, find_study_language
from preference.messages import find_english, join_line, list_keys
from preference.places import PagePart, describe_form, read_places
from preference.questions import (
    FROZEN,
    Correction,
    add_correction,
    read_corrections,
    read_draft,
)
from preference.translation import mark_difference, warn_of_translation
from preference.web import (
    RateLimit,
    clean,
    is_same_token,
    make_environment,
    make_form_token,
    make_style_sheet,
    render_page,
)

LINKS = "correction-links.json"
ROLES = ("speaker", "approver")
LIMIT = 20_000


class CorrectApp:
    """The pages of one study's questions."""

    def __init__(self, study: Path) -> None:
        self.study = study
        self.draft = read_draft(study)
        self.language = find_study_language(self.draft.language)
        self.links = make_links(study)
        # Studies on other ports of a host share their cookies: each has a name of its own.
        self.cookie = f"kakugo_speaker_{hash_canonical(['cookie', *self.links.values()])[:16]}"
        self.env = make_environment()
        self.tries = RateLimit(30, 60)
        font = self.language.font
        files = {f"{font}.woff2": (FONTS / f"{font}.woff2").read_bytes()} if font else {}
        font_url = Assets(files).urls.get(f"{font}.woff2")
        self.assets = Assets(files | {"study.css": make_style_sheet(font_url).encode("utf-8")})

    def make_app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/c/{token}", self.show_landing),
                Route("/start", self.start, methods=["POST"]),
                Route("/", self._guard_speaker(self.show_overview)),
                Route("/question/{id}", self._guard_speaker(self.show_question)),
                Route(
                    "/question/{id}", self._guard_speaker(self.save, form=True), methods=["POST"]
                ),
                Route("/words/{part:int}", self._guard_speaker(self.show_words)),
                Route(
                    "/words/{part:int}",
                    self._guard_speaker(self.save_words, form=True),
                    methods=["POST"],
                ),
                Route("/static/{name}", self.assets.serve),
            ],
            middleware=[Middleware(Guard)],
        )

    async def show_landing(self, request: Request) -> Response:
        token = request.path_params["token"]
        if not self.tries.allows(
            request.client.host if request.client else ""
        ) or not self._find_role(token):
            return self._say("This link is not valid.", 404)
        return self._render_page(
            "correct_start.html.j2",
            token=token,
            count=len(self.draft.questions),
            words=len(list_keys(self.language.tag)),
        )

    async def start(self, request: Request) -> Response:
        token = str((await request.form()).get("token", ""))
        if not self._find_role(token):
            return self._say("This link is not valid.", 404)
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(
            self.cookie, token, max_age=90 * 86400, httponly=True, samesite="strict"
        )
        return response

    async def show_overview(self, request: Request, token: str, role: str) -> Response:
        corrections = await run_in_threadpool(read_corrections, self.study)
        rows = []
        for question in self.draft.questions:
            current = corrections.get(question.id)
            state = (
                "open" if current is None else "approved" if current.approved_by else "confirmed"
            )
            text = current.prompt if current else question.prompt
            rows.append((question, state, len(warn_of_translation(question.source, text))))
        catalogue = await run_in_threadpool(read_own_catalogue, self.study, self.language)
        words = []
        for number, part in enumerate(read_places(), 1):
            keys = self._list_keys(part)
            confirmed = sum(key in catalogue.confirmed for key in keys)
            state = "confirmed" if confirmed == len(keys) else "open"
            words.append((number, part.name, state, len(keys)))
        return self._render_page(
            "correct_list.html.j2", rows=rows, words=words, role=role, frozen=self._is_frozen()
        )

    async def show_question(self, request: Request, token: str, role: str) -> Response:
        return await self._show_question(request.path_params["id"], token, role)

    async def save(self, request: Request, token: str, role: str) -> Response:
        """Keeps the text as it was sent; shows it again if there is something to warn of."""
        key = request.path_params["id"]
        ids = [question.id for question in self.draft.questions]
        form = await request.form()
        text = clean(str(form.get("prompt", "")), LIMIT)
        if key not in ids:
            return self._say("There is no such question.", 404)
        if not text:
            return await self._show_question(key, token, role, status=400, typed=text)
        previous = (await run_in_threadpool(read_corrections, self.study)).get(key)
        if role == "approver":
            by = previous.by if previous else role
            correction = Correction(text, by, role)
        else:
            correction = Correction(text, role, None)
        try:
            await run_in_threadpool(add_correction, self.study, key, correction)
        except QuestionsError as error:
            return self._say(f"Not saved: {error}.", 409)
        source = self.draft.questions[ids.index(key)].source
        if warn_of_translation(source, text) and "anyway" not in form:
            return RedirectResponse(f"/question/{key}", status_code=303)
        after = ids[ids.index(key) + 1 :]
        return RedirectResponse(f"/question/{after[0]}" if after else "/words/1", status_code=303)

    async def show_words(self, request: Request, token: str, role: str) -> Response:
        return await self._show_words(request.path_params["part"], token)

    async def save_words(self, request: Request, token: str, role: str) -> Response:
        """Keeps the words of one part of the pages, which are then confirmed, if nothing in them
        is missing; otherwise says what is."""
        number, parts = request.path_params["part"], read_places()
        if not 1 <= number <= len(parts):
            return self._say("There is no such page.", 404)
        form = await request.form()
        typed = {
            key: join_line(clean(str(form.get(key, "")), 2000))
            for key in self._list_keys(parts[number - 1])
        }
        problems = await run_in_threadpool(keep_words, self.study, self.language, typed)
        if problems:
            return await self._show_words(number, token, typed, problems)
        last = number == len(parts)
        return RedirectResponse("/" if last else f"/words/{number + 1}", status_code=303)

    def _list_keys(self, part: PagePart) -> list[str]:
        """The messages of a part, each plural form for itself."""
        keys = list_keys(self.language.tag)
        return [key for note in part.notes for key in keys if key.partition(".")[0] == note]

    async def _show_words(
        self,
        number: int,
        token: str,
        typed: Mapping[str, str] | None = None,
        problems: Sequence[str] = (),
    ) -> Response:
        parts = read_places()
        if not 1 <= number <= len(parts):
            return self._say("There is no such page.", 404)
        part = parts[number - 1]
        catalogue = await run_in_threadpool(read_own_catalogue, self.study, self.language)
        rows = []
        for key in self._list_keys(part):
            text = (typed or catalogue.messages)[key]
            notes = (part.notes[key.partition(".")[0]], describe_form(key, self.language.tag))
            warnings = warn_of_translation(find_english(key), text)
            # A form for one or two may say so in words; that is checked when it is saved.
            warnings = [] if "." in key else warnings
            rows.append((key, find_english(key), "; ".join(filter(None, notes)), text, warnings))
        return self._render_page(
            "correct_words.html.j2",
            400 if problems else 200,
            rows=rows,
            place=part.name,
            number=number,
            total=len(parts),
            problems=problems,
            form=make_form_token(token),
            draft=catalogue.draft,
        )

    async def _show_question(
        self, key: str, token: str, role: str, *, status: int = 200, typed: str | None = None
    ) -> Response:
        corrections = await run_in_threadpool(read_corrections, self.study)
        ids = [question.id for question in self.draft.questions]
        if key not in ids:
            return self._say("There is no such question.", 404)
        place = ids.index(key)
        question = self.draft.questions[place]
        current = corrections.get(key)
        text = (
            current.prompt
            if current and typed is None
            else question.prompt
            if typed is None
            else typed
        )
        return self._render_page(
            "correct_question.html.j2",
            status,
            question=question,
            place=place + 1,
            total=len(self.draft.questions),
            text=text,
            saved=current,
            warnings=warn_of_translation(question.source, text),
            changes=mark_difference(question.prompt, text) if text != question.prompt else None,
            direction=find_direction(text, self.language.direction),
            role=role,
            form=make_form_token(token),
            frozen=self._is_frozen(),
        )

    def _guard_speaker(
        self, handler: Callable[[Request, str, str], Awaitable[Response]], form: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        async def wrapped(request: Request) -> Response:
            token = request.cookies.get(self.cookie, "")
            role = self._find_role(token)
            if role is None:
                return self._say("Please open the link that you were sent.", 401)
            if form and not is_same_token(token, str((await request.form()).get("form", ""))):
                return self._say("This page is too old. Please open your link again.", 403)
            return await handler(request, token, role)

        return wrapped

    def _find_role(self, token: str) -> str | None:
        for role, known in self.links.items():
            if secrets.compare_digest(known.encode(), token.encode("utf-8", "replace")):
                return role
        return None

    def _is_frozen(self) -> bool:
        return (self.study / FROZEN).exists()

    def _say(self, text: str, status: int) -> Response:
        return self._render_page("correct_say.html.j2", status, text=text)

    def _render_page(self, template: str, status: int = 200, **values: Any) -> Response:
        return render_page(
            self.env,
            template,
            status,
            title=f"Questions in {self.language.name}",
            language=self.language,
            page_tag="en",
            page_direction="ltr",
            urls=self.assets.urls,
            **values,
        )


def make_links(study: Path) -> dict[str, str]:
    """The two roles' tokens; made once, so that links go on working after a restart."""
    path = study / LINKS
    if not path.exists():
        write_json(path, {role: secrets.token_urlsafe(18) for role in ROLES}, secret=True)
    known = read_json(path, QuestionsError, "file of links")
    return {role: str(known[role]) for role in ROLES}


def serve_corrections(study: Path, *, host: str, port: int) -> None:
    """Serves the page until it is interrupted, and prints its two links."""
    from preference.serving import run_apps, served_alone

    app = CorrectApp(study)

    def opened(found: list[list[str]]) -> None:
        for address in found[0]:
            print(f"to correct: {address}/c/{app.links['speaker']}", flush=True)
            print(f"to approve: {address}/c/{app.links['approver']}", flush=True)

    with served_alone(study, "this study's correction page"):
        run_apps([(app.make_app(), host, port)], opened=opened)
