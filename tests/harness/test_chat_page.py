"""The page of `kakugo chat`, in a real browser, and what stands behind it."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from chromium import open_context
from small_checkpoints import save_model

from harness.chat.command import read_words
from harness.chat.page import ChatPage
from harness.chat.speakers import Manner, choose_system, join_reasoning
from harness.errors import TalkError

ARABIC = "نعم، القاهرة هي عاصمة مصر (10,000).\n\nThe capital is Cairo."
AMHARIC = "<think>ምንድን ነው?</think>አዲስ አበባ ናት። <script>document.title='x'</script><b>b</b>"
THINKS = "Think first."


class Told:
    """A speaker that says what it is told to, and keeps what it was asked."""

    def __init__(self, name: str, text: str, pause: float = 0.0) -> None:
        self.name, self.text, self.pause = name, text, pause
        self.systems: Mapping[bool, str] = {True: THINKS}
        self.asked: list[list[dict[str, str]]] = []
        self.closed = threading.Event()

    def stream(self, messages: Sequence[Any], manner: Manner) -> Iterator[str]:
        self.asked.append(list(messages))
        try:
            for piece in re.split(r"(?<= )", self.text):
                yield piece
                time.sleep(self.pause)
        finally:
            self.closed.set()


def served(*speakers: Told) -> Iterator[str]:
    """The page's address, while it is served in a thread."""
    page = ChatPage(speakers, "", Manner())
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()  # so that who comes before the server is ready waits for it
        server = uvicorn.Server(uvicorn.Config(page.make_app(), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def talkers() -> tuple[Told, Told]:
    return Told("base", ARABIC), Told("አማርኛ: trained", AMHARIC)


@pytest.fixture(scope="module")
def address(talkers: tuple[Told, Told]) -> Iterator[str]:
    yield from served(*talkers)


@pytest.fixture
def endless() -> Iterator[tuple[Told, str]]:
    speaker = Told("endless", "word " * 10_000, pause=0.01)
    for address in served(speaker):
        yield speaker, address


def ask(page: Any, question: str) -> None:
    page.fill("#question", question)
    page.press("#question", "Enter")


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_every_script_side_by_side_as_text(
    browser: Any, address: str, talkers: tuple[Told, Told], width: int, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = open_context(browser, width, 740, color_scheme=scheme)
    page, told, fetched = context.new_page(), [], []
    page.on("console", lambda message: told.append(message.text))
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(address)
    assert "not blind" in page.inner_text("header")
    ask(page, "ما هي العاصمة؟")
    page.wait_for_selector("#state:text('Answered.')")
    left, right = page.query_selector_all(".answer")
    assert left.query_selector(".words").inner_text() == ARABIC
    assert right.query_selector("details .words").text_content() == "ምንድን ነው?"
    assert "<script>document.title='x'</script><b>b</b>" in right.inner_text()
    assert page.title() == "Kakugo chat"
    assert page.query_selector(".answer b, .answer script") is None
    # Each paragraph begins where its own script does.
    line = "(e) => [e.getBoundingClientRect(), ...range(e)].map((r) => [r.left, r.right])"
    boxes = left.query_selector(".words").evaluate(
        f"""(e) => {{
        const range = (e) => ["نعم", "The"].map((word) => {{
            const at = e.firstChild.data.indexOf(word), found = document.createRange();
            found.setStart(e.firstChild, at); found.setEnd(e.firstChild, at + word.length);
            return found.getBoundingClientRect();
        }});
        return ({line})(e);
        }}"""
    )
    (start, end), arabic, english = boxes
    assert end - arabic[1] < 2 < arabic[0] - start
    assert english[0] - start < 2
    assert page.evaluate("document.documentElement.scrollWidth") == width
    ask(page, "Again?")
    page.wait_for_selector(".turn:nth-child(2) .answer:nth-child(2) details")
    page.wait_for_selector("#state:text('Answered.')")
    # Each remembers its own words, without its thoughts.
    base, trained = talkers
    assert [one["content"] for one in base.asked[-1]] == ["ما هي العاصمة؟", ARABIC, "Again?"]
    assert trained.asked[-1][1]["content"].startswith("አዲስ አበባ")
    assert Axe().run(page).response["violations"] == []
    assert told == []
    assert all(url.startswith(address) for url in fetched)
    context.close()


def test_thinking_gives_the_prompt_that_was_learnt_unless_another_is_written(
    browser: Any, address: str, talkers: tuple[Told, Told]
) -> None:
    page = open_context(browser, 800, 600).new_page()
    page.goto(address)
    page.click("summary")
    for system, expected in (("", THINKS), ("Be brief.", "Be brief.")):
        page.select_option("#thinking", "true")
        page.fill("#system", system)
        page.click("#new")
        ask(page, "Hi")
        page.wait_for_selector("#state:text('Answered.')")
        assert talkers[0].asked[-1][0] == {"role": "system", "content": expected}
    page.select_option("#thinking", "")
    page.fill("#system", "")
    ask(page, "Hi")
    page.wait_for_selector(".turn:nth-child(2) .answer:nth-child(2) details")
    assert talkers[0].asked[-1][0]["role"] == "user"


@pytest.mark.parametrize("way", ["#stop", "Escape", "close"])
def test_an_answer_that_is_stopped_ends_at_its_speaker(
    browser: Any, endless: tuple[Told, str], way: str
) -> None:
    speaker, address = endless
    context = open_context(browser, 800, 600)
    page = context.new_page()
    page.goto(address)
    ask(page, "Hi")
    page.wait_for_selector(".answer .words:has-text('word word')")
    assert not speaker.closed.is_set()
    if way == "close":
        page.close()
    else:
        page.click(way) if way == "#stop" else page.keyboard.press(way)
        page.wait_for_selector("#state:text('Stopped.')")
        assert "word" in page.inner_text(".answer .words")
        assert page.is_enabled("#send")
    assert speaker.closed.wait(10)
    context.close()


def post(address: str, order: object, **headers: str) -> tuple[int, list[Any]]:
    request = urllib.request.Request(
        f"{address}say",
        json.dumps(order).encode(),
        {"Content-Type": "application/json", **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, [json.loads(line) for line in answer]
    except urllib.error.HTTPError as error:
        text = error.read().decode()
        return error.code, [json.loads(text) if text.startswith("{") else text]


ORDER = {"speaker": 0, "talk": [{"role": "user", "content": "Hi"}], "system": ""}


def test_pages_of_others_may_not_ask(address: str) -> None:
    assert post(address, ORDER)[0] == 200
    assert post(address, ORDER, Origin="http://evil.example")[0] == 403
    assert post(address, ORDER, Origin="null")[0] == 403
    assert post(address, ORDER, **{"Content-Type": "text/plain"})[0] == 403
    assert post(address, ORDER, Host="evil.example")[0] == 421
    with urllib.request.urlopen(address, timeout=60) as answer:
        policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"speaker": 7}, "no such speaker"),
        ({"talk": []}, "questions and answers"),
        ({"talk": [{"role": "system", "content": "x"}]}, "questions and answers"),
        ({"temperature": "warm"}, "temperature a number"),
        ({"max_tokens": "0"}, "at least 1"),
    ],
)
def test_an_order_that_makes_no_sense_is_answered_with_the_reason(
    address: str, change: dict[str, object], said: str
) -> None:
    status, (told,) = post(address, {**ORDER, **change})
    assert status == 400
    assert said in told["error"]


class Failing(Told):
    def stream(self, messages: Sequence[Any], manner: Manner) -> Iterator[str]:
        yield "begun "
        raise TalkError("the server is gone. Remedy: start it")


def test_an_answer_that_fails_says_so_after_what_came() -> None:
    for address in served(Failing("f", "")):
        _, lines = post(address, ORDER)
        assert lines == [{"said": "begun "}, {"error": "the server is gone. Remedy: start it"}]


class Delta:
    def __init__(self, content: str | None = None, **fields: str) -> None:
        self.content = content
        self.__dict__.update(fields)


def test_reasoning_in_a_field_of_its_own_stands_before_the_answer() -> None:
    deltas = [Delta(reasoning_content="a"), Delta(reasoning="b"), Delta("c"), Delta("d"), Delta()]
    assert "".join(join_reasoning(deltas)) == "<think>ab</think>cd"


def test_words_of_the_command() -> None:
    assert read_words(["x"]).port is None
    assert read_words(["x", "page=true", "port=8100"]).port == 8100
    for wrong in (["x", "page=yes"], ["x", "page=true", "port=70000"]):
        with pytest.raises(TalkError, match="page is true or false, port 0 to 65535"):
            read_words(wrong)
    silent = Told("x", "")
    assert choose_system(silent, "", Manner(thinking=True)) == THINKS
    assert choose_system(silent, "", Manner(thinking=False)) == ""
    assert choose_system(silent, "", Manner()) == ""


@pytest.mark.slow
def test_the_command_serves_a_checkpoint_until_it_is_interrupted(tmp_path: Path) -> None:
    """Also while an answer is under way."""
    folder = save_model(tmp_path / "model", max_position_embeddings=4096)
    command = [sys.executable, "-m", "harness.cli", "chat", str(folder), "page=true"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        (address,) = re.findall(r"http://127\.0\.0\.1:\d+/", run.stdout.readline())
        _, lines = post(address, {**ORDER, "max_tokens": "5"})
        assert "error" not in lines[-1]
        order = {**ORDER, "max_tokens": "4000"}
        asking = threading.Thread(target=lambda: post(address, order), daemon=True)
        asking.start()
        time.sleep(1)
        began = time.monotonic()
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=60)
        assert time.monotonic() - began < 15
        assert run.returncode == 0, errors
        assert "Traceback" not in errors
