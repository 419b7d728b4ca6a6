"""The raters' words: drafted by a teacher, corrected by a speaker, with their plural forms."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_study import answers, prepared, questions, write_lines
from starlette.testclient import TestClient

from preference import cli
from preference.closing import open_ballots
from preference.correct_app import CorrectApp, make_links
from preference.languages import find_study_language
from preference.messages import (
    FOLDER,
    MESSAGES,
    fill_messages,
    find_english,
    list_keys,
    make_writer,
    read_catalogue,
    read_english,
    write_messages,
)
from preference.pack import read_pack
from preference.places import describe_form, read_places
from preference.plurals import find_form, list_forms
from preference.rater_app import RaterApp

# The tests' own chat-completions server, which answers by rule.
sys.path.insert(0, str(Path(__file__).parents[1]))

from scripted import Scripted, completion, serving


@pytest.fixture
def teacher() -> Iterator[Scripted]:
    with serving() as server:
        yield server


def read_request(body: dict[str, Any]) -> list[dict[str, str]]:
    """The words that a request asks for; none where it is another request."""
    user = str(body["messages"][1]["content"])
    found = json.loads(user[user.index("[") :])
    return found if "english" in found[0] else []


def translate(body: dict[str, Any], nth: int) -> dict[str, Any] | None:
    """ "Irish" that keeps the braces; two words cannot be used."""
    words = read_request(body)
    if not words:
        return None
    if "Undo" in str(words) and len(words) > 1:
        return completion('["one text only"]')
    texts = [f"ga {word['english']}" for word in words]
    texts = ["ga lost its braces" if "{contact}" in text else text for text in texts]
    return completion(json.dumps(texts, ensure_ascii=False))


@pytest.fixture
def drafted(teacher: Scripted, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    teacher.behave = translate
    study = tmp_path / "study"
    source = write_lines(tmp_path / "q.jsonl", questions(2))
    settings = [
        "teacher=gpt_oss_120b", f"teacher.base_url={teacher.url}", "teacher.reasoning=optional",
        "teacher.api_key_env=null",
    ]  # fmt: skip
    command = ["questions", str(study), "--from", str(source), "--language", "irish"]
    assert cli.main([*command, "--translate", *settings]) == 0
    said = capsys.readouterr()
    assert "not translated: the raters' consent_contact: it has nothing in braces" in said.err
    assert "The raters' words in Irish are drafted" in said.out
    assert "1 of them for a speaker to translate" in said.out
    # Asked again, nothing is paid for twice.
    asked = len(teacher.bodies)
    assert cli.main(["words", str(study), *settings]) == 0
    assert len(teacher.bodies) == asked
    return study


def test_a_teacher_drafts_the_words_in_groups_with_notes_and_plural_forms(
    drafted: Path, teacher: Scripted
) -> None:
    asked = [words for body in teacher.bodies if (words := read_request(body))]
    assert sum(len(words) == 1 for words in asked) >= 10, "what a group lost is asked for alone"
    assert {"note", "english"} == set(asked[0][0])
    notes = [word["note"] for words in asked for word in words]
    assert any("The page that a link opens; said of 3, 4, 5 and others" in note for note in notes)
    catalogue = read_catalogue(drafted / MESSAGES)
    assert catalogue.draft
    assert (catalogue.tag, catalogue.direction) == ("ga", "ltr")
    assert catalogue.messages["undo"] == "ga Undo my last choice"
    assert catalogue.messages["intro.few"].startswith("ga You will see {count} questions")
    assert catalogue.messages["consent_contact"] == find_english("consent_contact")
    kept = yaml.safe_load((drafted / MESSAGES).read_text("utf-8"))
    assert list(kept["messages"]["minutes_left"]) == ["one", "two", "few", "many", "other"]


def open_page(study: Path) -> tuple[TestClient, str]:
    """A speaker's page and the token of its forms."""
    client = TestClient(CorrectApp(study).make_app())
    client.post("/start", data={"token": make_links(study)["speaker"]})
    found = re.search(r'name="form" value="([^"]*)"', client.get("/words/1").text)
    assert found
    return client, found[1]


def read_typed(page: str) -> dict[str, str]:
    """What stands in the fields of a page of words."""
    import html

    found = re.findall(r'<textarea id="([^"]+)".*?>\n(.*?)</textarea>', page, re.DOTALL)
    return {key: html.unescape(text) for key, text in found}


def test_a_speaker_confirms_the_words_on_the_page_of_the_questions(
    drafted: Path, teacher: Scripted, capsys: pytest.CaptureFixture[str]
) -> None:
    client, form = open_page(drafted)
    assert "short texts of the pages" in client.get(f"/c/{make_links(drafted)['speaker']}").text
    overview = client.get("/").text
    for part in read_places():
        assert part.name.replace("'", "&#39;") in overview
    page = client.get("/words/1").text
    assert "said of 3, 4, 5 and others" in page
    typed = read_typed(page)
    assert list(typed)[2:7] == ["intro.one", "intro.two", "intro.few", "intro.many", "intro"]
    # A text that lost a placeholder is not taken, nor anything of its page.
    lost = client.post("/words/1", data={**typed, "form": form, "intro": "Gan uimhir"})
    assert lost.status_code == 400
    assert "Not saved: intro has []" in lost.text
    assert read_catalogue(drafted / MESSAGES).confirmed == ()
    # For two one may say it in words.
    typed["minutes_all.two"] = "Tógann sé dhá nóiméad."
    kept = client.post("/words/1", data={**typed, "form": form}, follow_redirects=False)
    assert kept.headers["location"] == "/words/2"
    there = read_catalogue(drafted / MESSAGES)
    assert there.messages["minutes_all.two"] == "Tógann sé dhá nóiméad."
    assert set(there.confirmed) == set(typed)
    assert there.draft, "the other parts are still open"
    # What a speaker has confirmed, no teacher replaces.
    assert cli.main(["words", str(drafted), "teacher=gpt_oss_120b"]) == 0
    assert "are there already" in capsys.readouterr().out
    for number in range(2, len(read_places()) + 1):
        typed = read_typed(client.get(f"/words/{number}").text)
        client.post(f"/words/{number}", data={**typed, "form": form})
    assert not read_catalogue(drafted / MESSAGES).draft
    assert client.get("/").text.count("confirmed") == len(read_places())
    assert client.get("/words/99").status_code == 404


def test_a_catalogue_of_an_earlier_version_is_opened_where_it_lacks_a_message(
    drafted: Path,
) -> None:
    """What is new in it is English, and open; what was confirmed stays so."""
    kept = yaml.safe_load((drafted / MESSAGES).read_text("utf-8"))
    del kept["messages"]["show_rest"]
    kept["messages"]["intro"] = "Ceisteanna: {count}, {language}"
    kept["draft"] = False
    (drafted / MESSAGES).write_text(yaml.safe_dump(kept, allow_unicode=True), "utf-8")
    client, _ = open_page(drafted)
    assert "draft" in client.get("/words/4").text
    assert read_typed(client.get("/words/4").text)["show_rest"] == "Show the rest"
    assert set(read_typed(client.get("/words/1").text).values()) >= {kept["messages"]["intro"]}


def test_every_message_stands_in_one_place_and_every_place_holds_messages() -> None:
    listed = [key for part in read_places() for key in part.notes]
    assert len(listed) == len(set(listed))
    assert set(listed) == {key for key in read_english().messages if "." not in key}


def test_lay_people_read_no_word_of_the_trade() -> None:
    trade = (
        r"\b(receipt|fingerprint|hash|token|session|commitment|server|checkpoint|model|blind\w*)"
    )
    found = {
        key: text
        for key, text in read_english().messages.items()
        if re.search(trade, re.sub(r"\{\w+\}", "", text), re.IGNORECASE)
    }
    assert found == {}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda p: p.stem)
def test_a_catalogue_has_the_plural_forms_of_its_language(path: Path) -> None:
    """As Unicode lists them for counts of up to a thousand, and as they are written in YAML."""
    expected = {
        "ar": ["one", "two", "few", "many", "other"],
        "yo": ["other"],
    }.get(path.stem, ["one", "other"])
    assert list(list_forms(path.stem)) == expected
    catalogue = read_catalogue(path)
    assert set(catalogue.messages) == set(list_keys(path.stem))
    text = yaml.safe_load(path.read_text("utf-8"))["messages"]
    assert write_messages(catalogue.messages).keys() == text.keys()


def test_the_form_follows_the_count() -> None:
    write = make_writer(read_catalogue(FOLDER / "ar.yaml").messages, "ar", language="X")
    said = [str(write("today_some", count=count)) for count in (1, 2, 3, 10, 11, 99, 100, 103)]
    assert said == [
        "سؤال واحد", "سؤالان", "3 أسئلة", "10 أسئلة", "11 سؤالًا", "99 سؤالًا", "100 سؤال",
        "103 أسئلة",
    ]  # fmt: skip
    # Egyptian Arabic is written in the words of standard Arabic; Tibetan has one form.
    assert find_form("arz", 5) == "few"
    assert [find_form("bo", count) for count in (1, 5)] == ["other", "other"]
    assert find_form("x-none", 1) == "other"
    assert describe_form("intro", "en") == "said of 2, 3, 4 and others"
    assert describe_form("intro.one", "en") == "said of 1"


def test_a_pack_with_one_text_for_all_counts_keeps_to_it() -> None:
    """A speaker who did not tell the forms apart is not mixed with another language's."""
    settings = {"messages_tag": "gl", "messages": {"intro": "Preguntas: {count}"}}
    messages = fill_messages(settings)
    assert "intro.one" not in messages
    assert messages["minutes_left.one"].startswith("falta ")
    assert make_writer(messages, "gl")("intro", count=1) == "Preguntas: 1"


def open_consent(pack: Path) -> str:
    """The page on which a rater agrees to take part."""
    ballots = open_ballots(pack, read_pack(pack))
    try:
        client = TestClient(RaterApp(read_pack(pack), ballots).make_app())
        return client.post("/start", data={"token": ballots.invite(0)}).text
    finally:
        ballots.close_file()


def test_a_studys_own_consent_is_shown_above_what_the_program_keeps(tmp_path: Path) -> None:
    own = tmp_path / "idhini.md"
    own.write_text(
        "# Idhini\n\nBodi ya maadili: **namba 12**.\n\n<script>x</script>\u202e", "utf-8"
    )
    pack, key = prepared(tmp_path, consent=own)
    page = open_consent(pack)
    assert "<strong>namba 12</strong>" in page
    assert "<script>x" not in page
    assert "\u202e" not in page
    kept = read_catalogue(FOLDER / "sw.yaml").messages["consent_kept"]
    assert page.index("namba 12") < page.index(kept[:20])
    # It is part of what is committed to.
    assert json.loads(key.read_text("utf-8"))["settings"]["consent"].startswith("# Idhini")
    from preference.packet import write_packet

    assert "namba 12" in write_packet(pack, 2).read_text("utf-8")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b" \n", "0 characters; allowed are 1 to 20000"),
        (b"northern made it", "--consent names northern"),
    ],
)
def test_a_consent_that_cannot_be_shown_is_refused(
    tmp_path: Path, content: bytes | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "consent.md"
    if content is not None:
        own.write_bytes(content)
    from small_study import frozen

    study = frozen(tmp_path)
    base, trained = (f"{n}={answers(tmp_path, n)}" for n in ("northern", "southern"))
    command = ["prepare", str(study), "--base", base, "--trained", trained, "--consent", str(own)]
    assert cli.main([*command, "--pack", str(tmp_path / "p"), "--key", str(tmp_path / "k")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


def test_raters_who_read_english_words_are_told_of_to_the_researcher(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the words in English have the direction of English, in a language from right to left."""
    from small_study import frozen

    study = frozen(tmp_path, language="uyghur")
    base, trained = (f"{n}={answers(tmp_path, n)}" for n in ("northern", "southern"))
    command = ["prepare", str(study), "--base", base, "--trained", trained, "--allow", "language"]
    pack = tmp_path / "pack"
    assert cli.main([*command, "--pack", str(pack), "--key", str(tmp_path / "k")]) == 0
    assert re.search(r"\d+ of the raters' \d+ texts are in English", capsys.readouterr().err)
    page = open_consent(pack)
    assert '<html lang="en" dir="ltr">' in page
    assert find_study_language("uyghur").direction == "rtl"
