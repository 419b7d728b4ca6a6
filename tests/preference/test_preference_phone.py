"""One real browser after another: whose words go where, whose choice stands, what a tap shows."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import CHROMIUM, PATIENCE, click_through
from phones import begin, chosen, item, link, phone, served, sitting, vote, wait_for_words, words
from small_study import prepared
from study_server import Server

from preference import cli
from preference.closing import close
from preference.pack import read_pack
from preference.packet import import_packet, write_packet
from preference.verify import verify

pytestmark = pytest.mark.slow


@pytest.fixture
def study(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    with served(tmp_path, "swahili", verdicts=True) as (pack, address):
        yield pack, address


def stored(page: Any) -> dict[str, str]:
    """What the browser keeps of this study."""
    return dict(page.evaluate("Object.entries({...localStorage, ...sessionStorage})"))


def finish(page: Any, pack: Path, done: int) -> None:
    total = len(read_pack(pack)["slots"][0])
    for n in range(done, total - 1):
        vote(page, "equal", n + 1)
    click_through(page, "button[value=equal]")
    page.wait_for_selector("form[action='/guess']")
    for radio in page.query_selector_all("input[value=unknown]"):
        radio.check()
    click_through(page, "button.main")
    page.wait_for_selector(".receipt")


def lose_answers(page: Any, of: str, times: int | None = None) -> None:
    """The first request to vote with `of` in it reaches the server, none of its answers the page.

    Later ones reach nobody, `times` at most: the page tries again by itself, at any moment.
    """
    seen: list[Any] = []

    def lose(route: Any) -> None:
        if of not in (route.request.post_data or "") or (times and len(seen) >= times):
            route.continue_()
            return
        if not seen:
            route.fetch()
        seen.append(route)
        route.abort()

    page.route("**/vote", lose)


def test_words_go_where_they_were_meant_item_after_item_and_rater_after_rater(
    browser: Any, study: tuple[Path, str]
) -> None:
    pack, address = study
    context = phone(browser)
    page = context.new_page()
    begin(page, link(pack, address, 0))
    page.click("summary")
    page.fill("textarea", "maneno ya kwanza")
    page.check("[name=verdict_a][value=good]")
    (name,) = stored(page)
    assert item(page) in name
    page.reload()
    assert page.input_value("textarea") == "maneno ya kwanza"
    assert page.is_checked("[name=verdict_a][value=good]")
    vote(page, "a", 1)
    assert stored(page) == {}, "a draft is gone when it is sent"
    assert page.input_value("textarea") == ""
    assert not page.is_checked("[name=verdict_a][value=good]")
    vote(page, "b", 2)
    assert words(pack) == ["maneno ya kwanza"]
    page.click("summary")
    page.fill("textarea", "siri ya mtu wa kwanza")

    begin(page, link(pack, address, 1))
    assert page.input_value("textarea") == "", "not shown to the next rater"
    assert "siri" not in page.content()
    vote(page, "a", 1)
    page.click("summary")
    page.fill("textarea", "maneno ya pili")
    vote(page, "a", 2)
    assert words(pack, 1) == ["maneno ya pili"]
    (other,) = stored(page)
    assert other.split("-")[1] == name.split("-")[1]

    begin(page, link(pack, address, 0))
    assert page.input_value("textarea") == "siri ya mtu wa kwanza", "kept for whom it is"
    page.fill("textarea", "")
    finish(page, pack, 2)
    assert stored(page) == {}
    begin(page, link(pack, address, 1))
    page.click("summary")
    page.fill("textarea", "nitaondoka")
    page.goto(f"{address}/withdraw")
    click_through(page, "button.main")
    assert page.url.endswith("/withdrawn")
    assert stored(page) == {}, "nothing stays of who withdrew"
    assert len(words(pack)) == 1
    context.close()


def test_a_choice_changed_after_a_lost_answer_stands(browser: Any, study: tuple[Path, str]) -> None:
    pack, address = study
    context = phone(browser)
    page = context.new_page()
    begin(page, link(pack, address))
    first = item(page)
    lose_answers(page, "choice=a")
    page.click("button[value=a]")
    wait_for_words(page, pack, "kept")
    assert chosen(pack) == {first: "a"}, "the server has it, and the page cannot know"
    vote(page, "b", 1)
    page.unroute("**/vote")
    assert chosen(pack) == {first: "b"}
    assert page.locator("#twice").count() == 0, "one's own change of mind is no conflict"
    lose_answers(page, "choice=equal", times=1)
    second = item(page)
    page.click("button[value=equal]")
    page.wait_for_selector("progress[value='2']")
    assert chosen(pack) == {first: "b", second: "equal"}, "sent again by itself, kept once"
    finish(page, pack, 2)
    context.close()
    close(pack)
    verify(pack, pack.parent / "keys" / "key.json")


def test_two_tabs_ask_which_choice_is_right(browser: Any, study: tuple[Path, str]) -> None:
    pack, address = study
    context = phone(browser)
    one, two = context.new_page(), context.new_page()
    begin(one, link(pack, address))
    two.goto(f"{address}/rate")
    first = item(one)
    one.click("summary")
    one.fill("textarea", "A kwa sababu")
    vote(one, "a", 1)
    click_through(two, "button[value=b]")
    two.wait_for_selector("#twice")
    assert item(two) == first
    assert two.locator("#twice li").all_inner_texts() == ["A ni bora", "B ni bora"]
    assert two.input_value("textarea") == "A kwa sababu", "to go on from"
    assert chosen(pack) == {first: "a"}, "until the rater decides, the first counts"
    vote(one, "equal", 1) if item(one) == first else one.reload()
    one.wait_for_selector("#twice")
    vote(two, "b", 1)
    assert two.locator("#twice").count() == 0
    assert chosen(pack) == {first: "b"}
    assert sitting(pack).held == {}
    # The other tab has seen nothing of this decision.
    click_through(one, "button[value=a]")
    one.wait_for_selector("#twice")
    vote(one, "b", 1)
    # An undo names what it had seen: here, two tabs take back one vote and not two.
    second = item(one)
    vote(one, "a", 2)
    two.goto(f"{address}/rate")
    for page in (one, two):
        click_through(page, "nav form button")
        page.wait_for_selector("progress[value='1']")
    assert chosen(pack) == {first: "b"}
    vote(one, "a", 2)
    two.goto(f"{address}/rate")
    vote(one, "a", 3)
    click_through(two, "nav form button")
    assert two.url.endswith("/undo")
    assert read_pack(pack)["settings"]["messages"]["undo_changed"] in two.content()
    assert chosen(pack)[second] == "a"
    assert len(chosen(pack)) == 3
    context.close()


def test_a_vote_kept_offline_does_not_override_a_newer_one_elsewhere(
    browser: Any, study: tuple[Path, str]
) -> None:
    pack, address = study
    invitation = link(pack, address)
    phone_a, phone_b = phone(browser), phone(browser)
    old, new = phone_a.new_page(), phone_b.new_page()
    begin(old, invitation)
    first = item(old)
    phone_a.set_offline(True)
    old.click("summary")
    old.fill("textarea", "nje ya mtandao")
    old.click("button[value=b]")
    wait_for_words(old, pack, "kept")
    begin(new, invitation)
    assert item(new) == first
    finish(new, pack, 0)
    assert chosen(pack)[first] == "equal"
    phone_a.set_offline(False)
    wait_for_words(old, pack, "form_expired")
    assert "nje ya mtandao" in str(stored(old)), "not lost while the session is another's"
    old.goto(invitation)
    click_through(old, "button.main")
    old.wait_for_selector("#twice")
    assert chosen(pack)[first] == "equal", "nothing is overridden in silence"
    assert old.locator("#twice li").all_inner_texts() == ["Yanalingana", "B ni bora"]
    assert old.input_value("textarea") == "nje ya mtandao"
    assert cli.main(["close", str(pack)]) == 2, "a rater has to decide"
    click_through(old, "button[value=b]")
    old.wait_for_selector(".receipt")
    assert chosen(pack)[first] == "b"
    assert words(pack) == ["nje ya mtandao"]
    assert stored(old) == {}
    for context in (phone_a, phone_b):
        context.close()
    close(pack)
    verify(pack, pack.parent / "keys" / "key.json")


def test_the_same_choice_twice_is_no_conflict(browser: Any, study: tuple[Path, str]) -> None:
    pack, address = study
    context = phone(browser)
    one, two = context.new_page(), context.new_page()
    begin(one, link(pack, address))
    two.goto(f"{address}/rate")
    vote(one, "a", 1)
    vote(two, "a", 1)
    assert two.locator("#twice").count() == 0
    assert len(sitting(pack).votes) == 1
    context.close()


def pressed(page: Any) -> dict[str, tuple[str | None, bool]]:
    """Button -> whether it is marked, and whether it can be tapped."""
    return {
        b.get_attribute("value"): (b.get_attribute("aria-pressed"), b.is_enabled())
        for b in page.locator(".choices button").all()
    }


def test_a_tap_says_at_the_buttons_what_becomes_of_it(
    browser: Any, study: tuple[Path, str]
) -> None:
    pack, address = study
    context = phone(browser)
    page = context.new_page()
    begin(page, link(pack, address))
    vote(page, "a", 1)
    assert page.get_attribute("#notice", "role") == "status", "read out without being asked for"
    held: list[Any] = []
    page.route("**/vote", lambda route: held.append(route))
    page.click("button[value=equal]")
    wait_for_words(page, pack, "sending")
    while not held:  # no longer than the test's own patience
        page.wait_for_timeout(20)
    assert pressed(page) == {"a": ("false", False), "equal": ("true", True), "b": ("false", False)}
    assert page.locator("#notice").bounding_box()["y"] < 740, "in sight at the buttons"
    page.click("button[value=equal]")
    assert len(held) == 1, "a second tap sends nothing"
    context.set_offline(True)
    held[0].abort()
    page.unroute("**/vote")
    wait_for_words(page, pack, "kept")
    assert pressed(page) == {"a": ("false", True), "equal": ("true", True), "b": ("false", True)}
    page.click("button[value=b]")
    wait_for_words(page, pack, "kept")
    assert pressed(page)["b"] == ("true", True)
    page.click("nav a")
    wait_for_words(page, pack, "pause_offline")
    page.click("nav form button")
    wait_for_words(page, pack, "undo_offline")
    assert page.url.endswith("/rate"), "the page with the choice is still there"
    context.set_offline(False)
    page.wait_for_selector("progress[value='2']")
    assert list(chosen(pack).values()) == ["a", "b"]
    click_through(page, "nav a")
    assert page.url.endswith("/pause")
    click_through(page, "text=/^Endelea$/")
    page.wait_for_selector("#vote")
    click_through(page, "nav form button")
    page.wait_for_selector("progress[value='1']")
    # A server that is gone while the device has a network.
    page.route("**/*", lambda route: route.abort())
    page.click("nav a")
    wait_for_words(page, pack, "pause_offline")
    page.unroute("**/*")
    # A portal that wants a login first answers in the server's place.
    page.route("**/vote", lambda route: route.fulfill(status=302, headers={"location": "/rate"}))
    page.click("button[value=a]")
    wait_for_words(page, pack, "kept")
    page.unroute("**/vote")
    page.wait_for_selector("progress[value='2']")
    context.close()


def test_a_pause_tapped_while_a_vote_is_on_its_way_comes_after_it(
    browser: Any, study: tuple[Path, str]
) -> None:
    pack, address = study
    context = phone(browser)
    page = context.new_page()
    begin(page, link(pack, address))
    held: list[Any] = []
    asked: list[Any] = []
    page.route("**/vote", lambda route: held.append(route))
    page.route(f"{address}/", lambda route: asked.append(route))
    page.click("button[value=a]")
    page.click("nav a")
    while not (held and asked):  # no longer than the test's own patience
        page.wait_for_timeout(20)
    # The vote is taken while the page still asks if the server can be reached.
    with page.expect_response("**/vote"):
        held[0].continue_()
    page.wait_for_timeout(300)
    with page.expect_navigation():
        asked[0].continue_()
    assert page.url.endswith("/pause")
    assert list(chosen(pack).values()) == ["a"]
    page.wait_for_load_state("networkidle")
    assert page.url.endswith("/pause"), "nothing leads on from it"
    context.close()


def test_cookies_that_are_blocked_are_said_to_be(browser: Any, tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    (profile / "Default").mkdir(parents=True)
    blocked = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (profile / "Default" / "Preferences").write_text(json.dumps(blocked), "utf-8")
    with served(tmp_path, "egyptian_arabic") as (pack, address):
        said = read_pack(pack)["settings"]["messages"]["cookies_needed"]
        # Playwright runs one driver in a thread: the module's own starts this browser, too.
        context = browser.browser_type.launch_persistent_context(
            profile, executable_path=CHROMIUM, timeout=PATIENCE,
            viewport={"width": 360, "height": 740},
        )  # fmt: skip
        page = context.new_page()
        page.goto(link(pack, address))
        click_through(page, "button.main")
        page.get_by_text(said).wait_for()
        assert "cookies" in said
        assert page.get_attribute("html", "dir") == "rtl"
        context.close()


def test_one_browser_takes_part_in_two_studies_on_one_host(browser: Any, tmp_path: Path) -> None:
    context = phone(browser)
    packs = []
    servers = []
    for n, language in enumerate(("swahili", "yoruba")):
        pack, _ = prepared(tmp_path / language, 3, language=language, secret=bytes([n]) * 32)
        servers.append(Server(pack))
        packs.append((pack, servers[-1].address))
    try:
        pages = [context.new_page() for _ in packs]
        for page, (pack, address) in zip(pages, packs, strict=True):
            begin(page, link(pack, address))
        for done in (1, 2):
            for page in pages:
                vote(page, "a", done)
        names = [cookie["name"] for cookie in context.cookies()]
        assert len(set(names)) == 4, "a session and a link of each"
        assert all(len(chosen(pack)) == 2 for pack, _ in packs)
    finally:
        for server in servers:
            server.kill()
        context.close()


def save(page: Any, path: Path) -> Path:
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(path)
    return path


def test_a_packet_on_two_devices_asks_which_choice_is_right(browser: Any, tmp_path: Path) -> None:
    pack, key = prepared(tmp_path, 3, verdicts=True, repeats=0, checks=0, guesses=1)
    path = write_packet(pack, 1)
    files: dict[str, Path] = {}
    devices = {name: phone(browser, offline=True, accept_downloads=True) for name in ("one", "two")}
    pages = {name: context.new_page() for name, context in devices.items()}
    for name, page in pages.items():
        page.goto(path.as_uri())
        page.click("#begin")
        first = page.get_attribute("#sheet", "data-item")
        page.fill("#comment", f"maneno {name}")
        page.click(f"[data-choice={'a' if name == 'one' else 'b'}]")
        assert page.input_value("#comment") == ""
        page.fill("#comment", "rasimu")
        page.check("[name=verdict_a][value=bad]")
        page.click("#undo")
        assert page.input_value("#comment") == f"maneno {name}", "each item has its own words"
        assert not page.is_checked("[name=verdict_a][value=bad]")
        page.click(f"[data-choice={'a' if name == 'one' else 'b'}]")
        assert page.input_value("#comment") == "rasimu"
        files[name] = save(page, tmp_path / f"{name}.json")
    assert import_packet(pack, files["one"]).held == 0
    early = files["one"]
    taken = import_packet(pack, files["two"])
    assert taken.held == 1
    assert chosen(pack) == {first: "a"}, "neither file overrides the other"

    again = write_packet(pack, 1, tmp_path / "again.html")
    page = pages["one"]
    page.goto(again.as_uri())
    assert page.get_attribute("#sheet", "data-item") == first
    assert page.is_visible("#twice")
    assert page.locator("#chosen li").count() == 2
    assert page.input_value("#comment") == "maneno one\nmaneno two"
    page.click("[data-choice=b]")
    assert not page.is_visible("#twice")
    assert page.input_value("#comment") == "rasimu"
    page.click("[data-choice=equal]")
    page.click("[data-choice=equal]")
    page.click("[data-guess=a]")
    last = save(page, tmp_path / "last.json")
    assert import_packet(pack, last).held == 0
    assert list(chosen(pack).values()) == ["b", "equal", "equal"]
    for old in (early, files["two"], last):
        assert import_packet(pack, old).new == 0, "files that come late change nothing"
    assert chosen(pack)[first] == "b"
    assert words(pack) == ["maneno one\nmaneno two", "rasimu"]
    # A guess that is changed in a later file stands, like any choice of one browser.
    page.click("#undo")
    page.click("[data-choice=a]")
    page.click("[data-guess=b]")
    newest = save(page, tmp_path / "newest.json")
    import_packet(pack, newest)
    import_packet(pack, last)
    given = sitting(pack).guesses
    assert given is not None
    assert list(given.body["guesses"].values()) == ["b"]
    assert list(chosen(pack).values())[-1] == "a"
    for context in devices.values():
        context.close()
    close(pack)
    verify(pack, key)


def test_without_a_script_no_word_moves_and_no_key_votes(
    browser: Any, study: tuple[Path, str]
) -> None:
    pack, address = study
    context = phone(browser, java_script_enabled=False)
    one, two = context.new_page(), context.new_page()
    begin(one, link(pack, address))
    first = item(one)
    one.locator("[name=verdict_a][value=good]").focus()
    with one.expect_navigation():
        one.keyboard.press("Enter")
    assert chosen(pack) == {}, "Enter in a field is no choice for A"
    one.click("summary")
    one.fill("textarea", "maneno ya siri")
    two.goto(f"{address}/rate")
    vote(two, "a", 1)
    one.reload()
    assert item(one) != first
    assert one.input_value("textarea") == "", "the browser fills in nothing of another item"
    assert not one.is_checked("[name=verdict_a][value=good]")
    two.goto(f"{address}/rate")
    second = item(two)
    vote(one, "b", 2)
    click_through(two, "button[value=a]")
    two.wait_for_selector("#twice")
    assert chosen(pack)[second] == "b"
    context.close()


NO_STORAGE = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("blocked", "SecurityError"); } })"""
FULL_AFTER_ONE_VOTE = """{
  const set = Storage.prototype.setItem;
  let votes = 0;
  Storage.prototype.setItem = function (name, value) {
    if (name.includes("-vote-") && ++votes > 1) throw new DOMException("", "QuotaExceededError");
    set.call(this, name, value);
  };
}"""


@pytest.mark.parametrize("script", [NO_STORAGE, FULL_AFTER_ONE_VOTE], ids=["blocked", "full"])
def test_where_the_browser_keeps_nothing_the_page_does_and_says_to_leave_it_open(
    browser: Any, study: tuple[Path, str], script: str
) -> None:
    pack, address = study
    context = phone(browser)
    context.add_init_script(script)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    begin(page, link(pack, address))
    context.set_offline(True)
    page.click("button[value=a]")
    wait_for_words(page, pack, "kept")
    page.click("button[value=b]")
    wait_for_words(page, pack, "kept")
    page.click("a[href='/pause']")
    wait_for_words(page, pack, "kept")
    context.set_offline(False)
    page.wait_for_selector("progress[value='1']")
    assert [vote.body["choice"] for vote in sitting(pack).votes.values()] == ["b"]
    assert not errors
    context.close()


@pytest.mark.parametrize(
    "left", ["no JSON", "null", "3", "[]", '{"fields":null}', '{"at":1,"fields":{"item":"x"}}']
)
def test_what_another_version_left_behind_is_in_no_votes_way(
    browser: Any, study: tuple[Path, str], left: str
) -> None:
    pack, address = study
    context = phone(browser)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    begin(page, link(pack, address))
    page.evaluate(
        """([left, item]) => {
          const start = `kakugo-${document.querySelector("main").dataset.sheet}-`;
          localStorage[start + "vote-0123456789abcdef"] = left;
          localStorage[`${start}draft-${item}`] = left;
        }""",
        [left, item(page)],
    )
    page.reload()
    vote(page, "a", 1)
    assert page.evaluate("Object.keys(localStorage)") == []
    assert not errors
    context.close()
