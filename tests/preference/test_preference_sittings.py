"""In the rater's time: minutes, sittings of a chosen length, the way back, examples, the code."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from small_study import answers, enrolled, field, prepared
from starlette.testclient import TestClient

from preference import cli
from preference.ballots import Ballots
from preference.closing import open_ballots
from preference.invitations import make_code_finder
from preference.messages import find_catalogue
from preference.pace import ReadingPace, count_words, round_minutes
from preference.pack import read_pack
from preference.practice import PRACTICE
from preference.rater_app import RaterApp, make_vote_body
from preference.rendering import is_long
from preference.standing import HeldChoice, fold_sitting
from preference.today import list_steps, make_reminder

WORDS = find_catalogue("sw").messages


@pytest.fixture
def pack_dir(tmp_path: Path) -> Path:
    return prepared(tmp_path, 20, practice=True)[0]


@pytest.fixture
def ballots(pack_dir: Path) -> Iterator[Ballots]:
    opened = open_ballots(pack_dir, read_pack(pack_dir))
    yield opened
    opened.close_file()


def open_app(pack_dir: Path, ballots: Ballots, **more: Any) -> TestClient:
    app = RaterApp(read_pack(pack_dir), ballots, find_code=make_code_finder(pack_dir), **more)
    return TestClient(app.make_app(), base_url="http://study.test:8770", follow_redirects=True)


def vote(client: TestClient, page: str, choice: str = "a") -> Any:
    names = ("form", "item", "idempotency", "seen")
    return client.post("/vote", data={n: field(page, n) for n in names} | {"choice": choice})


def agree(client: TestClient, token: str) -> Any:
    page = client.post("/start", data={"token": token})
    return client.post("/enrol", data={"form": field(page.text, "form")})


def test_a_rater_chooses_how_much_today_and_comes_back(pack_dir: Path, ballots: Ballots) -> None:
    client, token = open_app(pack_dir, ballots), ballots.invite(0)
    assert agree(client, token).url.path == "/practice/1"
    page = client.get("/today").text
    assert [WORDS["today_some"].format(count=n) in page for n in (5, 10, 20)] == [True] * 3
    page = client.post("/today", data={"form": field(page, "form"), "more": "5"})
    for done in range(5):
        assert page.url.path == "/rate", done
        page = vote(client, page.text)
    assert page.url.path == "/pause"
    assert WORDS["today_done"] in page.text
    assert f'value="http://study.test:8770/i/{token}"' in page.text
    # Going on asks again, and the limit is counted from here.
    assert 'href="/today"' in page.text
    page = client.post(
        "/today", data={"form": field(client.get("/today").text, "form"), "more": "5"}
    )
    assert page.url.path == "/rate"
    assert "5 kati ya 23" in page.text
    # Another day, by the link: nothing of the last limit is left.
    page = client.post("/start", data={"token": token})
    assert page.url.path == "/today"
    page = client.post("/today", data={"form": field(page.text, "form"), "more": ""})
    for _ in range(6):
        page = vote(client, page.text)
    assert page.url.path == "/rate"


def test_a_limit_that_the_browser_made_up_is_none(pack_dir: Path, ballots: Ballots) -> None:
    client = open_app(pack_dir, ballots)
    agree(client, ballots.invite(0))
    form = field(client.get("/today").text, "form")
    for made_up in ("-3", "1e9", "99999999", "x", "٣"):
        assert client.post("/today", data={"form": form, "more": made_up}).url.path == "/rate"
    assert client.post("/today", data={"form": "wrong", "more": "5"}).status_code == 403


def test_a_short_study_asks_nothing() -> None:
    assert list_steps(11) == []
    assert list_steps(12) == [5, 10]
    assert list_steps(21) == [5, 10, 20]


def test_the_way_back_is_the_raters_own_and_ends_with_the_link(
    pack_dir: Path, ballots: Ballots
) -> None:
    client, token = open_app(pack_dir, ballots, https=True), ballots.invite(0)
    client = TestClient(client.app, base_url="https://study.test", follow_redirects=True)
    agree(client, token)
    answer = client.get("/reminder.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    unfolded = answer.text.replace("\r\n ", "")
    assert f"URL:https://study.test/i/{token}" in unfolded
    # Of another rater, or one that has ended, nothing is shown.
    name = f"kakugo_rater_{read_pack(pack_dir)['study']}_link"
    client.cookies.delete(name)
    client.cookies.set(name, ballots.invite(1))
    assert client.get("/reminder.ics").status_code == 404
    assert "/i/" not in client.get("/pause").text


def test_a_reminder_is_a_calendars_file() -> None:
    """RFC 5545: CRLF, lines of at most 75 octets, commas escaped, times in UTC."""
    now = datetime(2026, 11, 28, 23, 30, 15, tzinfo=UTC)
    text = make_reminder("https://study.example/i/" + "x" * 60, "Linganisha, ሰላም; " * 6, now)
    lines = text.split("\r\n")
    assert lines.pop() == ""
    assert all(len(line.encode()) <= 75 for line in lines)
    assert "\n" not in text.replace("\r\n", "")
    whole = text.replace("\r\n ", "")
    assert "DTSTART:20261129T233000Z" in whole
    assert "SUMMARY:Linganisha\\, ሰላም\\; " in whole
    assert whole.count("\r\nEND:") == 3 == whole.count("BEGIN:")


def test_examples_tell_what_most_would_choose_and_keep_nothing(
    pack_dir: Path, ballots: Ballots
) -> None:
    client = open_app(pack_dir, ballots)
    page = agree(client, ballots.invite(0))
    before = ballots.find_head()
    assert WORDS["practice_question_1"] in page.text
    assert WORDS["practice_why_1"] not in page.text
    for number, example in enumerate(PRACTICE, 1):
        for choice in ("a", "b", "equal"):
            text = client.get(f"/practice/{number}/{choice}").text
            right = choice == example.expected
            assert (WORDS["practice_right"] in text) is right
            assert (WORDS["practice_other"] in text) is not right
            assert WORDS[example.why] in text
    assert 'href="/today"' in client.get("/practice/2/equal").text
    assert ballots.find_head() == before


def test_no_practice_goes_on_at_once(tmp_path: Path) -> None:
    pack_dir, _ = prepared(tmp_path)
    ballots = open_ballots(pack_dir, read_pack(pack_dir))
    try:
        assert agree(open_app(pack_dir, ballots), ballots.invite(0)).url.path == "/rate"
    finally:
        ballots.close_file()


def test_the_code_of_who_has_finished_is_the_researchers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack_dir, _ = prepared(tmp_path, 3, repeats=0, guesses=0)
    ballots = open_ballots(pack_dir, read_pack(pack_dir))
    client = open_app(pack_dir, ballots)
    page = agree(client, ballots.invite(0))
    assert cli.main(["status", str(pack_dir)]) == 0
    assert "code" not in capsys.readouterr().out
    for _ in range(4):
        page = vote(client, page.text)
    code = re.search(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", page.text)
    assert code
    ballots.close_file()
    assert cli.main(["status", str(pack_dir)]) == 0
    assert f"rater 1: finished, 4 of 4, code {code[0]}" in capsys.readouterr().out
    find_code = make_code_finder(pack_dir)
    assert len({find_code(slot) for slot in range(200)}) == 200


def test_words_are_counted_where_there_are_no_spaces() -> None:
    assert count_words("one two  three\n\n- four") == 5
    assert count_words("") == 0
    # 60 letters of Lao without a space are some twelve words.
    assert count_words("ກ" * 60) == 12
    assert [round_minutes(s) for s in (5, 90, 20 * 60, 23 * 60, 400 * 60)] == [1, 2, 20, 25, 400]


def test_minutes_follow_the_raters_own_pace(tmp_path: Path) -> None:
    """By the clock of the votes: 10 items of 100 words, 10 seconds each where 49 were expected; a
    night between two of them is none of it."""
    text = " ".join(["neno"] * 48)
    arms = {
        n: f"{n}={answers(tmp_path, n, 10, lambda k, n=n: f'{text} {n[::-1]}{k}')}"
        for n in ("northern", "southern")
    }
    pack_dir, _ = prepared(
        tmp_path, 10, repeats=0, checks=0, base=arms["northern"], trained=arms["southern"],
        allow=("language",),
    )  # fmt: skip
    pack = read_pack(pack_dir)
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    ballots = Ballots(pack_dir / "votes.sqlite", pack["commitment"], lambda: now[0].isoformat())
    pace = ReadingPace(pack)
    # 3 + 2 x 49 = 101 words: 33 seconds, and 15 to choose.
    assert pace.words == [1010, 1010]
    assert pace.estimate_minutes(0) == round((1010 / 184) + 10 * 0.25)
    screens = enrolled(pack, ballots, 0)

    def left() -> int:
        return pace.estimate_minutes_left(screens, fold_sitting(ballots.list_events()))

    assert left() == 8
    for number, screen in enumerate(screens[:6]):
        now[0] += timedelta(hours=9) if number == 3 else timedelta(seconds=10)
        body = make_vote_body(screen, "a", {})
        ballots.take(0, [HeldChoice("vote", f"vote:{screen.item}", 1, "", body)])
        if number < 4:
            assert left() == round(0.8 * (9 - number)), "the estimate stands, of fewer items"
    assert left() == 1, "4 items of 10 seconds"
    ballots.close_file()


def test_a_long_text_is_folded_by_one_rule_for_both_arms(tmp_path: Path) -> None:
    assert not is_long("word " * 200)
    assert is_long("word " * 500)
    assert is_long("- a line\n" * 60)
    long, short = "neno refu sana " * 300, "fupi"
    arms = {
        n: f"{n}={answers(tmp_path, n, 3, lambda k, t=t, n=n: f'{t} {n[::-1]}{k}')}"
        for n, t in (("northern", long), ("southern", short))
    }
    pack_dir, _ = prepared(
        tmp_path, 3, repeats=0, checks=0, base=arms["northern"], trained=arms["southern"],
        allow=("language",),
    )  # fmt: skip
    ballots = open_ballots(pack_dir, read_pack(pack_dir))
    page = agree(open_app(pack_dir, ballots), ballots.invite(0)).text
    assert page.count('class="fold"') == 1
    assert page.count(WORDS["show_rest"]) == 1
    assert all(
        f'<a href="#{part}">' in page for part in ("question", "answer-a", "answer-b", "which")
    )
    ballots.close_file()


def test_a_first_load_in_the_heaviest_script_stays_small(tmp_path: Path) -> None:
    """Tibetan has the largest font, and three bytes a letter: words as long as the English ones,
    and the page, script, style and font that a link opens."""
    import yaml

    from preference.messages import FOLDER

    words = yaml.safe_load((FOLDER / "yo.yaml").read_text("utf-8"))
    words |= {"language": "Lhasa Tibetan", "tag": "bo"}
    # Syllables in an order of their own each time: what is repeated would pack too well.
    syllables = ["བཀྲ་", "ཤིས་", "བདེ་", "ལེགས་", "ང་", "ཁྱེད་", "རང་", "གི་", "ལ་", "དང་", "ནས་", "ཡིན་"]
    words["messages"] = {
        key: "".join(
            part
            if part.startswith("{")
            else "".join(syllables[draw(key, n)] for n in range(-(-len(part) // 3)))
            for part in re.split(r"(\{\w+\})", text)
        )
        for key, text in words["messages"].items()
    }
    own = tmp_path / "bo.yaml"
    own.write_text(yaml.safe_dump(words, allow_unicode=True), "utf-8")
    pack_dir, _ = prepared(
        tmp_path, 16, language="lhasa_tibetan", messages=own, allow=("language",)
    )
    ballots = open_ballots(pack_dir, read_pack(pack_dir))
    client = open_app(pack_dir, ballots)
    page = client.get(f"/i/{ballots.invite(0)}")
    assert page.headers["content-encoding"] == "gzip"
    urls = re.findall(r"/static/[\w.-]+", page.text)
    urls += re.findall(r"/static/[\w.-]+woff2", client.get(urls[0]).text)
    loaded = [page, *(client.get(url) for url in dict.fromkeys(urls))]
    assert len(loaded) == 4
    sizes = [int(answer.headers["content-length"]) for answer in loaded]
    assert 55_000 < sum(sizes) <= 60_000, sizes
    ballots.close_file()


def draw(key: str, place: int) -> int:
    """A number below 12 that looks like chance."""
    import hashlib

    return hashlib.sha256(f"{key}{place}".encode()).digest()[0] % 12
