"""A real Chromium at 360 px: rare scripts, accessibility, no JavaScript, no connection, packets."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from chromium import click_through
from phones import SAMPLES, begin, link, phone, served, wait_for_words
from small_study import answers, prepared, questions, write_lines
from study_server import PATIENCE, Server, read_until

from preference.closing import open_ballots
from preference.correct_app import make_links
from preference.errors import BallotError
from preference.pack import read_pack
from preference.packet import import_packet, write_packet

pytestmark = pytest.mark.slow


def assert_usable(page: Any, where: str) -> None:
    """No violation of WCAG 2.2 AA, no sideways scrolling, and targets of 44 px."""
    from axe_playwright_python.sync_playwright import Axe

    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
    problems = [
        (v["id"], [n["html"] for n in v["nodes"]][:2]) for v in found.response["violations"]
    ]
    assert not problems, (where, problems)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, where
    heights = page.evaluate(
        "[...document.querySelectorAll('button, a.button, summary, label')]"
        ".filter((e) => e.getClientRects().length).map((e) => e.getBoundingClientRect().height)"
    )
    assert all(height >= 44 for height in heights), (where, heights)


@pytest.mark.parametrize("language", SAMPLES)
def test_every_page_in_rare_scripts(browser: Any, tmp_path: Path, language: str) -> None:
    with served(tmp_path, language, verdicts=True, practice=True) as (pack, address):
        context = phone(browser, color_scheme="dark" if language == "lao" else "light")
        page = context.new_page()
        requests: list[str] = []
        sizes: list[int] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on(
            "response", lambda answer: sizes.append(int(answer.headers.get("content-length", 0)))
        )
        errors: list[str] = []
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(link(pack, address), wait_until="networkidle")
        assert 5_000 < sum(sizes) <= 60_000, sizes
        assert_usable(page, "invitation")
        click_through(page, "button.main")
        assert_usable(page, "consent")
        click_through(page, "button.main")
        assert page.url.endswith("/practice/1")
        assert_usable(page, "practice")
        for choice in ("b", "equal"):
            click_through(page, f"a[href$='/{choice}']")
            assert_usable(page, "practice, answered")
            click_through(page, "a.main")
        page.wait_for_selector("#vote")
        page.wait_for_function("() => document.fonts.check('16px Study')")
        page.click("summary")
        assert_usable(page, "rate")
        block = page.locator(".words").first
        assert block.get_attribute("dir") == ("rtl" if language == "central_kurdish" else "ltr")
        assert page.locator("pre").first.get_attribute("dir") == "ltr"
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, (
            "at twice the text size"
        )
        click_through(page, "text=/^Pause$/")
        assert page.url.endswith("/pause")
        assert_usable(page, "pause")
        page.goto(f"{address}/withdraw")
        assert_usable(page, "withdraw")
        page.goto(f"{address}/rate")
        total = len(read_pack(pack)["slots"][0])
        for done in range(total):
            page.wait_for_selector(f"progress[value='{done}']")
            click_through(page, "button[name=choice][value=equal]")
        page.wait_for_selector("form[action='/guess']")
        assert_usable(page, "guess")
        for radio in page.query_selector_all("input[value=unknown]"):
            radio.check()
        click_through(page, "button.main")
        page.wait_for_selector(".receipt")
        assert_usable(page, "done")
        assert [url for url in requests if not url.startswith(address)] == []
        assert [e for e in errors if "favicon" not in e and "404" not in e] == []
        context.close()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_long_answers_in_a_sitting_of_five(browser: Any, tmp_path: Path, script: bool) -> None:
    """Folded after two screens under a bar that stays in sight, without a script as well."""
    word = "Habari ya leo, hii ni sentensi ndefu kidogo kuhusu kahawa. "
    said = {
        "northern": lambda n: word * 60 + f"kaskazini {n}",
        "southern": lambda n: word * 8 + f"kusini {n}",
    }
    base, trained = (f"{name}={answers(tmp_path, name, 16, of)}" for name, of in said.items())
    pack, _ = prepared(tmp_path, 16, base=base, trained=trained, allow=("language",))
    server = Server(pack)
    try:
        context = phone(browser, java_script_enabled=script, color_scheme="dark")
        page = context.new_page()
        page.goto(link(pack, server.address))
        for _ in range(2):
            click_through(page, "button.main")
        assert page.url.endswith("/today")
        click_through(page, "button[value='5']")
        folded = page.locator(".fold").locator("xpath=..").locator(".words")
        label = page.locator("label[for$=rest]")
        assert folded.bounding_box()["height"] == pytest.approx(2 * 740, abs=1)
        page.click("a[href='#answer-b']")
        bar, heading = (page.locator(of).bounding_box() for of in (".bar", "#answer-b"))
        assert bar["y"] == pytest.approx(0, abs=1), "in sight"
        assert heading["y"] >= bar["y"] + bar["height"] - 1, "not under the bar"
        if script:
            page.wait_for_selector(".bar a[href='#answer-b'][aria-current]")
            assert_usable(page, "long answers")
        label.click()
        assert folded.bounding_box()["height"] > 2 * 740
        assert not label.is_visible()
        for done in range(1, 6):
            click_through(page, "button[value=equal]")
            page.wait_for_selector(f"progress[value='{done}']")
        assert page.url.endswith("/pause")
        assert "/i/" in page.input_value("#link")
        if script:
            assert_usable(page, "pause, with the link")
            page.goto(f"{server.address}/today")
            assert_usable(page, "today")
        context.close()
    finally:
        server.kill()


def test_a_vote_without_connection_is_kept_and_sent_once(browser: Any, tmp_path: Path) -> None:
    with served(tmp_path, "swahili") as (pack, address):
        context = phone(browser)
        page = context.new_page()
        begin(page, link(pack, address))
        page.click("summary")
        page.fill("textarea", "maoni yangu")
        page.reload()
        assert page.input_value("textarea") == "maoni yangu", "a draft survives a reload"
        item = page.input_value("input[name=item]")
        context.set_offline(True)
        page.click("button[value=b]")
        wait_for_words(page, pack, "kept")
        page.click("button[value=b]")
        context.set_offline(False)
        page.wait_for_selector("progress[value='1']")
        ballots = open_ballots(pack, read_pack(pack))
        votes = [e.body for e in ballots.list_events() if e.kind == "vote"]
        comments = [comment.text for comment in ballots.list_comments()]
        ballots.close_file()
        assert [(v["item"], v["choice"]) for v in votes] == [(item, "b")]
        assert comments == ["maoni yangu"]
        context.close()


def test_a_kept_vote_waits_for_its_own_rater(browser: Any, tmp_path: Path) -> None:
    """One phone, handed on while a vote could not be sent."""
    with served(tmp_path, "swahili") as (pack, address):
        context = phone(browser)
        page = context.new_page()
        links = [link(pack, address, slot) for slot in (0, 1)]

        begin(page, links[0])
        context.set_offline(True)
        page.click("button[value=b]")
        wait_for_words(page, pack, "kept")
        page.goto("about:blank")
        context.set_offline(False)
        begin(page, links[1])
        assert page.text_content("#notice") == ""
        begin(page, links[0])
        page.wait_for_selector("progress[value='1']")
        ballots = open_ballots(pack, read_pack(pack))
        assert [len(ballots.fold_sitting(slot).votes) for slot in (0, 1)] == [1, 0]
        ballots.close_file()
        context.close()


def test_without_javascript_and_with_the_keyboard_alone(browser: Any, tmp_path: Path) -> None:
    with served(tmp_path, "swahili") as (pack, address):
        context = phone(browser, java_script_enabled=False)
        page = context.new_page()
        page.goto(link(pack, address))
        for _ in range(2):
            page.locator("button.main").focus()
            with page.expect_navigation():
                page.keyboard.press("Enter")
        total = len(read_pack(pack)["slots"][0])
        for done in range(total):
            page.wait_for_selector(f"progress[value='{done}']")
            page.locator("button[value=a]").focus()
            page.keyboard.press("Enter")
        page.wait_for_selector("form[action='/guess']")
        ballots = open_ballots(pack, read_pack(pack))
        assert len(ballots.fold_sitting(0).votes) == total
        ballots.close_file()
        context.close()


def test_the_packet_works_offline_and_comes_back(browser: Any, tmp_path: Path) -> None:
    pack, _ = prepared(tmp_path, language="amharic", title="ሰላም </script><b>", verdicts=True)
    path = write_packet(pack, 1)
    assert write_packet(pack, 1, tmp_path / "again.html").read_bytes() == path.read_bytes()
    context = phone(browser, offline=True, accept_downloads=True)
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto(path.as_uri())
    assert_usable(page, "packet, welcome")
    assert not page.is_visible("#undo")
    assert not page.is_visible("#save")
    page.click("#begin")
    assert_usable(page, "packet, rate")
    total = len(read_pack(pack)["slots"][0])
    for n in range(total):
        page.fill("#comment", f"ቃል {n}")
        page.check("[name=verdict_b][value=bad]")
        page.click(f"[data-choice={'ab'[n % 2]}]")
        if n == 2:
            page.click("#undo")
            assert page.input_value("#comment") == "ቃል 2", "what was written is there again"
            assert page.is_checked("[name=verdict_b][value=bad]")
            page.click("[data-choice=equal]")
            page.reload()
    for _ in range(2):
        page.click("[data-guess=unknown]")
    page.wait_for_selector("#done:not([hidden])")
    with page.expect_download() as download:
        page.click("#save")
    given = tmp_path / "votes.json"
    download.value.save_as(given)
    assert errors == []
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    context.close()

    whole = json.loads(given.read_text("utf-8"))
    edited = json.loads(given.read_text("utf-8"))
    edited["log"][6]["choice"] = "equal" if edited["log"][6]["choice"] != "equal" else "a"
    (tmp_path / "edited.json").write_text(json.dumps(edited), "utf-8")
    with pytest.raises(BallotError, match=r"entry 7 was edited.*Nothing was taken in"):
        import_packet(pack, tmp_path / "edited.json")
    shown = whole | {"shown_sha256": "0" * 64}
    (tmp_path / "shown.json").write_text(json.dumps(shown), "utf-8")
    with pytest.raises(BallotError, match="the packet was edited"):
        import_packet(pack, tmp_path / "shown.json")
    # Saved early, before the third vote was taken back, and sent late.
    (tmp_path / "part.json").write_text(json.dumps(whole | {"log": whole["log"][:3]}), "utf-8")
    assert import_packet(pack, tmp_path / "part.json").new == 3
    taken = import_packet(pack, given)
    # The vote in the place of the one that was taken back, and the rest; no guess is a vote.
    assert (taken.new, taken.total, taken.guesses) == (total - 3 + 1, total, True)
    assert import_packet(pack, given).new == 0
    assert import_packet(pack, tmp_path / "part.json").new == 0, "an older file adds nothing"
    ballots = open_ballots(pack, read_pack(pack))
    votes = ballots.fold_sitting(0).votes
    assert len(votes) == total
    assert [v.body["choice"] for v in votes.values()][2] == "equal"
    assert {v.body.get("verdict_b") for v in votes.values()} == {"bad"}
    assert not any("verdict_a" in v.body for v in votes.values())
    words = {comment.seq: comment.text for comment in ballots.list_comments()}
    assert [words[v.seq] for v in votes.values()] == [f"ቃል {n}" for n in range(total)]
    # Whoever knows a file's hash could guess a short comment from it.
    stored = str(ballots.list_rows())
    assert not any(entry["hash"] in stored for entry in whole["log"])
    ballots.close_file()


def test_the_correction_page(browser: Any, tmp_path: Path) -> None:
    from preference.questions import freeze, make_draft, read_corrections, read_prompts

    study = tmp_path / "study"
    rows = questions(3)
    translated = [row | {"turns": [f"ጥያቄ ቁጥር {n}"]} for n, row in enumerate(rows)]
    translated[1]["turns"] = ["ጥያቄ ያለ ቁጥር"]
    originals, texts = (
        read_prompts(write_lines(tmp_path / name, lines))
        for name, lines in (("q", rows), ("t", translated))
    )
    make_draft(study, "amharic", originals, {key: text for key, (_, text) in texts.items()})
    command = [sys.executable, "-m", "preference.cli", "correct", str(study), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        address = read_until(process, r"to correct: (http://\S+)/c/\S+\n")[1]
        context = phone(browser)
        page = context.new_page()
        page.goto(f"{address}/c/{make_links(study)['speaker']}")
        assert_usable(page, "start")
        click_through(page, "button.main")
        assert_usable(page, "list")
        page.goto(f"{address}/question/1")
        assert "This number of the English is missing: 1" in page.content()
        assert_usable(page, "question")
        page.fill("textarea", "ጥያቄ ቁጥር 1 ነው")
        click_through(page, "button.main")
        assert page.url.endswith("/question/2")
        page.goto(f"{address}/question/1")
        assert page.locator("ins").count() >= 1
        assert "is missing" not in page.content()
        assert_usable(page, "differences")
        page.goto(f"{address}/words/1")
        assert_usable(page, "words")
        context.close()
        other = phone(browser)
        page = other.new_page()
        page.goto(f"{address}/c/{make_links(study)['approver']}")
        click_through(page, "button.main")
        page.goto(f"{address}/question/1")
        click_through(page, "text=Approve")
        assert page.url.endswith("/question/2")
        kept = read_corrections(study)["1"]
        assert (kept.prompt, kept.by, kept.approved_by) == ("ጥያቄ ቁጥር 1 ነው", "speaker", "approver")
        assert [q.prompt for q in freeze(study, unreviewed=True).questions][1] == "ጥያቄ ቁጥር 1 ነው"
        page.goto(f"{address}/question/0")
        assert page.locator("button.main").count() == 0
        other.close()
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)
