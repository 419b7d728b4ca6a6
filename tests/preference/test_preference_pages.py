"""The raters' pages over HTTP: what they let through, what they keep, and what they never show."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_study import SECRET, answers, field, frozen, prepared, write_lines
from starlette.testclient import TestClient

from preference.admin_app import make_admin_app
from preference.ballots import Ballots
from preference.closing import close, open_ballots
from preference.key import read_key
from preference.pack import pack_of, read_pack
from preference.preparation import Preparation
from preference.preparing import prepare_study
from preference.rater_app import RaterApp
from preference.screens import choose_final_screens, lay_out_screens

CANARIES = ("zanzibarmodel", "kilimanjaromodel")
SCRIPT = (
    '<script>alert("x")</script><img src=x onerror=alert(1)> [a](javascript:alert(1))'
    " ![i](http://e.org/i.png)"
)


class Study:
    """A study with its client, as one rater's browser."""

    def __init__(self, pack_dir: Path, key: Path | None = None) -> None:
        self.pack_dir, self.key = pack_dir, key
        self.pack = read_pack(pack_dir)
        self.ballots = open_ballots(pack_dir, self.pack)
        self.app = RaterApp(self.pack, self.ballots).make_app()

    def client(self) -> TestClient:
        return TestClient(self.app, base_url="http://study.test", follow_redirects=True)

    def begin(self, slot: int = 0) -> TestClient:
        """A rater who has opened the link and agreed."""
        client = self.client()
        client.post("/start", data={"token": self.ballots.invite(slot)})
        page = client.get("/consent").text
        client.post("/enrol", data={"form": field(page, "form")})
        return client

    @property
    def total(self) -> int:
        return len(self.pack["slots"][0])


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    base = write_lines(
        tmp_path / "b.jsonl",
        [{"question_id": n, "text": f"{SCRIPT} {n}", "model_id": CANARIES[0]} for n in range(8)],
    )
    trained = write_lines(
        tmp_path / "t.jsonl",
        [{"question_id": n, "text": f"**Good** {n}", "model_id": CANARIES[1]} for n in range(8)],
    )
    pack, key = prepared(
        tmp_path, base=f"{CANARIES[0]}={base}", trained=f"{CANARIES[1]}={trained}", verdicts=True
    )
    made = Study(pack, key)
    yield made
    made.ballots.close_file()


def vote(client: TestClient, choice: str = "a", **more: str) -> Any:
    page = client.get("/rate").text
    fields = {name: field(page, name) for name in ("form", "item", "idempotency")}
    return client.post("/vote", data=fields | {"choice": choice} | more)


def test_a_whole_session(study: Study) -> None:
    client = study.client()
    token = study.ballots.invite(0)
    before = study.ballots.find_head()
    landing = client.get(f"/i/{token}")
    assert "Start" in landing.text or "Anza" in landing.text
    assert study.ballots.find_head() == before
    assert not client.cookies, "a preview that fetches the link uses nothing up"
    consent = client.post("/start", data={"token": token})
    assert consent.url.path == "/consent"
    cookie = client.cookies.jar
    name = f"kakugo_rater_{study.pack['study']}"
    assert {(c.name, c.has_nonstandard_attr("HttpOnly")) for c in cookie} == {
        (name, True),
        (f"{name}_link", True),
    }
    assert "SameSite=strict" in consent.history[0].headers["set-cookie"]
    page = client.post("/enrol", data={"form": field(consent.text, "form")})
    assert page.url.path == "/rate"
    for n in range(study.total):
        assert f'max="{study.total}" value="{n}"' in page.text
        page = vote(client, "ab"[n % 2], comment=f"No. {n}", verdict_a="good")
    items = re.findall(r'name="guess-(\w+)" value="unknown"', page.text)
    assert len(items) == 2
    done = client.post(
        "/guess", data={"form": field(page.text, "form")} | {f"guess-{i}": "unknown" for i in items}
    )
    receipt = study.ballots.fold_sitting(0).receipt
    assert receipt
    assert receipt[:4] in done.text
    bodies = [e.body for e in study.ballots.list_events() if e.kind == "vote"]
    comments = study.ballots.list_comments()
    assert [c.text for c in comments] == [f"No. {n}" for n in range(study.total)]
    assert all(comment.genuine for comment in comments)
    assert not any("comment" in body for body in bodies), "the chain holds hashes of words only"
    assert {b["verdict_a"] for b in bodies} == {"good"}


def test_the_same_vote_twice_is_kept_once(study: Study) -> None:
    client = study.begin()
    page = client.get("/rate").text
    fields = {name: field(page, name) for name in ("form", "item", "idempotency")}
    for _ in range(3):
        assert client.post("/vote", data=fields | {"choice": "a"}).status_code == 200
    assert [e.kind for e in study.ballots.list_events()] == ["enrol", "vote"]


def test_undo_takes_back_one_vote_however_often_it_is_sent(study: Study) -> None:
    client = study.begin()
    for _ in range(3):
        vote(client)
    page = client.get("/rate").text
    fields = {"form": field(page, "form"), "last": field(page, "last")}
    client.post("/undo", data=fields)
    client.post("/undo", data=fields)
    sitting = study.ballots.fold_sitting(0)
    assert len(sitting.votes) == 2
    kinds = [e.kind for e in study.ballots.list_events()]
    assert kinds == ["enrol", "vote", "vote", "vote", "undo"], "nothing is deleted"
    vote(client, "b")
    assert len(study.ballots.fold_sitting(0).votes) == 3


def test_going_on_on_another_device_ends_the_first(study: Study) -> None:
    token = study.ballots.invite(0)
    phone, tablet = study.client(), study.client()
    page = phone.post("/start", data={"token": token})
    phone.post("/enrol", data={"form": field(page.text, "form")})
    vote(phone)
    assert 'value="1"' in tablet.post("/start", data={"token": token}).text
    answer = phone.get("/rate")
    assert answer.status_code == 401
    assert study.pack["settings"]["messages"]["session_ended"] in answer.text
    vote(tablet)
    assert len(study.ballots.fold_sitting(0).votes) == 2


def test_links_that_are_wrong_revoked_or_late_say_so(study: Study) -> None:
    words = study.pack["settings"]["messages"]
    client = study.client()
    assert words["link_unknown"] in client.get("/i/nonsense").text
    old = study.ballots.invite(0)
    new = study.ballots.invite(0)
    assert words["link_revoked"] in client.get(f"/i/{old}").text
    assert words["link_revoked"] in client.post("/start", data={"token": old}).text
    client.post("/start", data={"token": new})
    study.ballots.revoke(0)
    assert client.get("/rate").status_code == 401
    assert words["link_revoked"] in client.get(f"/i/{new}").text


def test_forms_of_elsewhere_and_closed_studies_change_nothing(study: Study) -> None:
    client = study.begin()
    page = client.get("/rate").text
    fields = {name: field(page, name) for name in ("form", "item", "idempotency")} | {"choice": "a"}
    assert client.post("/vote", data=fields | {"form": "0" * 32}).status_code == 403
    assert client.post("/vote", data=fields | {"item": "0" * 16}).status_code == 400
    assert client.post("/vote", data=fields | {"choice": "trained"}).status_code == 400
    assert client.post("/vote", content=b"x" * 100_000).status_code == 413
    cross = client.post(
        "/start", data={"token": study.ballots.invite(1)}, headers={"sec-fetch-site": "cross-site"}
    )
    assert cross.status_code == 403
    assert study.ballots.find_head()[0] == 1
    close(study.pack_dir)
    late = client.post("/vote", data=fields)
    assert late.status_code == 409
    assert study.pack["settings"]["messages"]["closed"] in late.text
    assert study.pack["settings"]["messages"]["closed"] in client.get("/rate").text


def test_too_fast_is_said_and_nothing_is_lost(study: Study) -> None:
    client = study.client()
    codes = [client.get("/i/guess").status_code for _ in range(35)]
    assert codes[:30] == [404] * 30
    assert codes[-1] == 429


def test_guesses_are_asked_on_different_prompts(study: Study) -> None:
    sheet = lay_out_screens(study.pack, 0, "n", "p")
    voted = [screen.item for screen in sheet]
    prompts = {screen.item: screen.prompt for screen in sheet}
    asked = choose_final_screens(sheet, voted, 8)
    assert len({screen.prompt for screen in asked}) == len(asked) == 8
    latest = dict.fromkeys(prompts[item] for item in reversed(voted))
    assert {screen.prompt for screen in choose_final_screens(sheet, voted, 3)} == set(
        list(latest)[:3]
    )
    assert choose_final_screens(sheet, voted, 0) == []


def crawl(study: Study, client: TestClient) -> dict[str, bytes]:
    """Everything that a rater's browser can fetch, through a whole session: headers and bodies."""
    seen: dict[str, bytes] = {}

    def keep(response: Any) -> Any:
        for one in [*response.history, response]:
            head = "\n".join(f"{k}: {v}" for k, v in one.headers.items())
            seen[f"{one.request.method} {one.url.path} {len(seen)}"] = head.encode() + one.content
        for url in re.findall(r'(?:href|src)="(/[^"]*)"', response.text):
            if url.startswith("/static/") and url not in seen:
                seen[url] = client.get(url).content
        return response

    token = study.ballots.invite(0)
    keep(client.get("/"))
    keep(client.get(f"/i/{token}"))
    page = keep(client.post("/start", data={"token": token}))
    keep(client.post("/enrol", data={"form": field(page.text, "form")}))
    for n in range(study.total):
        keep(client.get("/pause"))
        page = keep(vote(client, ["a", "b", "equal"][n % 3], comment="words"))
    for path in ("/consent", "/withdraw", "/nothing", "/static/nothing.css", "/vote"):
        keep(client.get(path))
    items = re.findall(r'name="guess-(\w+)" value="unknown"', page.text)
    keep(
        client.post(
            "/guess", data={"form": field(page.text, "form")} | {f"guess-{i}": "a" for i in items}
        )
    )
    keep(client.get("/rate"))
    return seen


def test_no_byte_that_a_rater_or_the_database_sees_names_a_model(study: Study) -> None:
    """The canary of the leak table."""
    client = study.client()
    seen = crawl(study, client)
    assert len(seen) > 30
    seen |= {p.name: p.read_bytes() for p in study.pack_dir.iterdir()}
    seen["admin"] = (
        TestClient(make_admin_app(study.pack, study.ballots), base_url="http://127.0.0.1")
        .get("/")
        .content
    )
    assert study.key is not None
    assert all(name.encode() in study.key.read_bytes() for name in CANARIES), "the canaries do sing"
    words = [*(name.encode() for name in CANARIES), b"arm_first", b'"kind"', b"northern"]
    for place, content in seen.items():
        held = content
        names = [w for w in words[:2] if w in held.lower()]
        assert not names, place
        if place.startswith(("GET", "POST", "/")):
            assert not [w for w in words[2:] if w in held.lower()], place


def test_names_exchanged_leave_every_byte_of_every_page(tmp_path: Path) -> None:
    """The label swap, over HTTP: same secret and texts, other names, other trained arm."""
    study_dir = frozen(tmp_path)
    texts = [answers(tmp_path, name) for name in ("first", "second")]
    pages = []
    for folder, names in (("one", CANARIES), ("other", CANARIES[::-1])):
        pack_dir = tmp_path / folder / "pack"
        prepare_study(
            Preparation(
                study=study_dir,
                base=f"{names[0]}={texts[0]}",
                trained=f"{names[1]}={texts[1]}",
                pack=pack_dir,
                key=tmp_path / folder / "key",
                repeats=2,
                checks=1,
            ),
            secret=SECRET,
        )
        made = Study(pack_dir)
        client = made.client()
        client.post("/start", data={"token": made.ballots.invite(0)})
        # The nonces are drawn when the rater starts; here they are the same for both.
        made.ballots._append(0, "enrol", "enrol", {"nonce": "n", "pair_nonce": "p"})
        rows = []
        for _ in range(made.total):
            rows.append(_steady(client.get("/rate").text, made.pack["commitment"]))
            vote(client)
        pages.append(rows)
        made.ballots.close_file()
    assert pages[0] == pages[1]
    assert len(set(pages[0])) > 10


def _steady(html: str, commitment: str) -> str:
    """A page without what is drawn anew for each: the forms' tokens."""
    assert commitment not in html
    drawn = r'(name="(form|idempotency|last)" value|data-form|data-sheet)="[\w:]+"'
    return re.sub(drawn, "", html)


def test_model_output_stays_text(study: Study) -> None:
    client = study.begin()
    seen = ""
    for _ in range(study.total):
        page = client.get("/rate")
        seen += page.text
        vote(client)
    assert "&lt;script&gt;" in seen
    for bad in ("<script>alert", "<img", 'href="javascript', "onerror=alert(1)>"):
        assert bad not in seen
    assert "<strong>Good</strong>" in seen
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"


ROUTES = {
    "/": (200, 200, 200),
    "/consent": (401, 200, 404),
    "/rate": (401, 200, 404),
    "/started": (403, 200, 404),
    "/pause": (401, 200, 404),
    "/practice/1": (401, 200, 404),
    "/practice/2/equal": (401, 200, 404),
    "/practice/9": (401, 404, 404),
    "/practice/1/neither": (401, 404, 404),
    "/today": (401, 200, 404),
    "/reminder.ics": (401, 200, 404),
    "/withdraw": (401, 200, 404),
    "/enrol": (405, 405, 404),
    "/vote": (405, 405, 404),
    "/undo": (405, 405, 404),
    "/guess": (405, 405, 404),
    "/withdrawn": (405, 405, 404),
    "/start": (405, 405, 404),
    "/admin": (404, 404, 404),
    "/result": (404, 404, 404),
    "/votes.sqlite": (404, 404, 404),
    "/pack.json": (404, 404, 404),
    "/static/../pack.json": (404, 404, 404),
    "/docs": (404, 404, 404),
}

PATTERNS = {
    "/i/{token}",
    "/static/{name}",
    "/practice/{number:int}",
    "/practice/{number:int}/{choice}",
}


def test_each_route_by_role(study: Study) -> None:
    admin = TestClient(make_admin_app(study.pack, study.ballots), base_url="http://localhost")
    clients = (study.client(), study.begin(), admin)
    for route, wanted in ROUTES.items():
        assert tuple(c.get(route).status_code for c in clients) == wanted, route
    stranger = clients[0]
    for route in ("/enrol", "/vote", "/undo", "/guess", "/withdrawn"):
        assert stranger.post(route, data={"form": "x"}).status_code == 401, route
        assert admin.post(route, data={"form": "x"}).status_code == 404, route
    assert admin.post("/", data={"x": "y"}).status_code == 405
    registered = {r.path for r in study.app.routes}  # type: ignore[attr-defined]
    assert registered <= ROUTES.keys() | PATTERNS, "a new route needs a row"


def test_the_admin_page_counts_and_answers_loopback_only(study: Study) -> None:
    client = study.begin()
    vote(client, "b", comment="secretive")
    app = make_admin_app(study.pack, study.ballots)
    page = TestClient(app, base_url="http://127.0.0.1:8771").get("/").text
    assert f"1 of {study.total}" in page
    assert "secretive" not in page
    assert TestClient(app, base_url="http://evil.example").get("/").status_code == 421


def test_withdrawn_votes_are_not_asked_for_again(study: Study) -> None:
    client = study.begin()
    vote(client)
    page = client.get("/withdraw").text
    client.post("/withdrawn", data={"form": field(page, "form")})
    assert study.pack["settings"]["messages"]["withdrawn"] in client.get("/rate").text
    assert study.ballots.fold_sitting(0).withdrawn


def test_time_says_nothing_of_the_arm(tmp_path: Path) -> None:
    """1,000 pages in turn, one with arm 0 on side A and one with arm 1: they take equally long."""
    pack_dir, key_path = prepared(tmp_path)
    study = Study(pack_dir)
    assert pack_of(read_key(key_path)) == study.pack
    pages: dict[int, tuple[TestClient, str]] = {}
    whose = read_key(key_path).map_texts()
    for slot in range(2):
        client = study.begin(slot)
        sitting = study.ballots.fold_sitting(slot)
        shown = lay_out_screens(study.pack, slot, str(sitting.nonce), str(sitting.pair_nonce))
        arm_on_a = {screen.item: whose[screen.a][1] for screen in shown}
        while (arm := arm_on_a[field(client.get("/rate").text, "item")]) in pages:
            vote(client)
        pages[arm] = client, client.get("/rate").text
    assert pages.keys() == {0, 1}
    times: dict[int, list[float]] = {0: [], 1: []}
    for _ in range(500):
        for arm, (client, _) in pages.items():
            # The processor's time, of which what else the machine does takes none.
            start = time.process_time()
            client.get("/rate")
            times[arm].append(time.process_time() - start)
    study.ballots.close_file()
    zero, one = (np.median(times[arm]) for arm in (0, 1))
    assert abs(zero - one) < 0.15 * zero


def test_a_database_belongs_to_its_study(tmp_path: Path) -> None:
    from preference.errors import StudyStateError

    Ballots(tmp_path / "v", "aa" * 32).close_file()
    with pytest.raises(StudyStateError, match="another study"):
        Ballots(tmp_path / "v", "bb" * 32)
