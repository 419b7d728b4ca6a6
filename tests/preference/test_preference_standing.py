"""Which of a rater's choices stands: the same page's latest, and no other in silence."""

import re
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from small_study import field, prepared
from test_preference_pages import Study

from preference.closing import close
from preference.errors import VerificationError
from preference.standing import GUESSES, HeldChoice, Sitting
from preference.verify import verify


@pytest.fixture
def study(tmp_path: Path) -> Any:
    made = Study(*prepared(tmp_path, 3, repeats=0, checks=0, guesses=1, verdicts=True))
    made.ballots.enrol(0)
    yield made
    made.ballots.close_file()


def take(study: Study, *choices: tuple[str, int | None, str, str]) -> Sitting:
    """Takes (page, turn, seen, choice), all on one item."""
    for page, turn, seen, choice in choices:
        body = {"item": "i", "choice": choice, "comment": f"why {choice}"}
        study.ballots.take(0, [HeldChoice("vote", page, turn, seen, body)])
    return study.ballots.fold_sitting(0)


def standing(sitting: Sitting) -> tuple[str, list[str]]:
    """The choice that counts, and those that wait."""
    return sitting.votes["i"].body["choice"], [e.body["choice"] for e in sitting.held.get("i", [])]


def test_a_pages_latest_choice_stands_in_whatever_order_and_however_often_it_arrives(
    tmp_path: Path,
) -> None:
    sent = [("p", 1, "", "a"), ("p", 2, "", "b"), ("p", 3, "", "equal")]
    for n, order in enumerate(permutations(sent)):
        study = Study(*prepared(tmp_path / str(n), 3, repeats=0, checks=0, guesses=1))
        study.ballots.enrol(0)
        sitting = take(study, *order, *order, sent[0])
        assert standing(sitting) == ("equal", []), order
        assert list(study.ballots.read_words(0).values()) == ["why equal"]
        study.ballots.close_file()


def test_a_page_without_a_script_is_taken_at_its_latest_word(study: Study) -> None:
    assert standing(take(study, *[("p", None, "", "a")] * 3)) == ("a", [])
    assert len(study.ballots.list_events()) == 2
    assert standing(take(study, ("p", None, "", "b"), ("p", None, "", "a"))) == ("a", [])
    assert len({event.idempotency for event in study.ballots.list_events()}) == 4


def test_what_a_page_had_not_seen_waits_and_what_it_had_seen_gives_way(study: Study) -> None:
    assert standing(take(study, ("p", 1, "", "a"), ("q", 1, "", "b"))) == ("a", ["b"])
    assert standing(take(study, ("q", 2, "", "equal"))) == ("a", ["equal"])
    assert standing(take(study, ("r", 1, "", "b"))) == ("a", ["equal", "b"])
    assert standing(take(study, ("s", 1, "q:2", "b"))) == ("b", ["b"]), "r came after s was made"
    assert standing(take(study, ("t", 1, "s:1", "b"))) == ("b", [])
    assert standing(take(study, ("u", 1, "p:1", "b"))) == ("b", []), "the same again"
    assert standing(take(study, ("v", 1, "p:1", "a"))) == ("b", ["a"])
    assert not study.ballots.undo(0, "p:1")
    assert study.ballots.undo(0, "t:1")
    assert study.ballots.undo(0, "t:1"), "sent again"
    assert study.ballots.fold_sitting(0).votes == {}
    # A late copy of a vote that was taken back brings it back to life no more than an undo did.
    assert "i" not in take(study, ("t", 1, "s:1", "b")).votes
    assert len(study.ballots.fold_sitting(0).held["i"]) == 1, "and what waits still waits"


def send(study: Study, client: Any, path: str, page: str, **more: str) -> Any:
    names = [n for n in ("form", "item", "idempotency", "seen") if f'name="{n}"' in page]
    return client.post(path, data={name: field(page, name) for name in names} | more)


def test_guesses_of_two_tabs_are_asked_again(study: Study) -> None:
    client = study.begin()
    page = client.get("/rate").text
    for _ in range(study.total):
        page = send(study, client, "/vote", page, choice="a").text
    (asked,) = re.findall(r'name="(guess-\w+)" value="unknown"', page)
    two = client.get("/rate").text
    assert "receipt" in send(study, client, "/guess", page, **{asked: "a"}).text
    assert "receipt" in send(study, client, "/guess", page, **{asked: "b"}).text
    guesses = study.ballots.fold_sitting(0).guesses
    assert guesses is not None
    assert list(guesses.body["guesses"].values()) == ["b"], "changed on the same page"
    again = send(study, client, "/guess", two, **{asked: "unknown"}).text
    assert study.pack["settings"]["messages"]["guessed_twice"] in again
    assert GUESSES in study.ballots.fold_sitting(0).held
    assert "receipt" in send(study, client, "/guess", again, **{asked: "a"}).text
    assert not study.ballots.fold_sitting(0).held
    close(study.pack_dir)
    assert study.key is not None
    verify(study.pack_dir, study.key)


def test_a_conflict_is_asked_about_without_a_script(study: Study) -> None:
    client = study.begin()
    one, two = client.get("/rate").text, client.get("/rate").text
    send(study, client, "/vote", one, choice="a", comment="kwanza", verdict_a="good")
    asked = send(study, client, "/vote", two, choice="b", comment="pili").text
    assert 'id="twice"' in asked
    assert "kwanza\npili</textarea>" in asked
    assert re.search(r'name="verdict_a" value="good" checked', asked)
    decided = send(study, client, "/vote", asked, choice="b", comment="pili").text
    assert 'id="twice"' not in decided
    assert [v.body["choice"] for v in study.ballots.fold_sitting(0).votes.values()] == ["b"]
    assert list(study.ballots.read_words(0).values()) == ["pili"]


@pytest.mark.parametrize(
    ("links", "named"),
    [
        ({}, "takes the place of event 3 unsaid"),
        ({"supersedes": ["0" * 64]}, "what it supersedes does not stand there"),
    ],
)
def test_verify_names_a_vote_that_replaces_another_unsaid(
    study: Study, links: dict[str, Any], named: str
) -> None:
    client = study.begin()
    page = client.get("/rate").text
    for choice in ("a", "b"):
        send(study, client, "/vote", page, choice=choice)
    vote = study.ballots.list_events()[-1]
    body = {name: value for name, value in vote.body.items() if name != "supersedes"}
    with study.ballots._writing():
        study.ballots._append(0, "vote", "vote:other:1", body | links)
    close(study.pack_dir)
    assert study.key is not None
    with pytest.raises(VerificationError, match=named):
        verify(study.pack_dir, study.key)
