"""The user's own data as a source."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.contract.facts import SourceFacts
from generation.errors import InputError
from generation.own import make_own
from generation.settings import Own, Quality

ENGLISH = [
    "The river is wide today.",
    "We cook beans in the evening.",
    "",
    "The river is wide today.",
]
SWAHILI = ["Mto ni mpana leo.", "Tunapika maharage jioni.", "Tupu.", "Mto ni mpana leo."]


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., tuple[SourceFacts, list[dict[str, Any]]]]:
    def make(kind: Any, *texts: str, quality: Quality | None = None, seed: int = 1, **own: Any):  # type: ignore[no-untyped-def]
        files = []
        for number, text in enumerate(texts):
            files.append(tmp_path / f"file{number}")
            files[-1].write_text(text, encoding="utf-8")
        facts = make_own(
            "mine",
            Own(kind, tuple(map(str, files)), **own),
            language="Swahili",
            flores_code="swh_Latn",
            script="Latin",
            quality=quality or Quality(),
            hashes={},
            seed=seed,
            out=tmp_path / "out",
            progress=lambda done, total, note: None,
        )
        lines = (tmp_path / "out" / "rows.jsonl").read_text(encoding="utf-8").split("\n")
        return facts, [json.loads(line) for line in lines if line]

    return make


def lines(texts: list[str]) -> str:
    return "\n".join(texts) + "\n"


def test_two_line_files_become_translations_into_the_language(made: Any) -> None:
    facts, rows = made("parallel", lines(ENGLISH), lines(SWAHILI))
    assert facts.rows == len(rows) == 2
    assert facts.steps[0].reasons == {"empty side": 1, "duplicate": 1}
    for row, english, swahili in zip(rows, ENGLISH, SWAHILI, strict=False):
        asked, answer = (turn["content"] for turn in row["messages"])
        assert english in asked
        assert "Swahili" in asked
        assert answer == swahili
        assert row["source"] == "mine"


def test_both_directions_and_tab_separated_text(made: Any, tmp_path: Path) -> None:
    text = "".join(f"{a}\t{b}\n" for a, b in zip(ENGLISH[:2], SWAHILI, strict=False))
    facts, rows = made("parallel", text, direction="both", origin="own writing, CC0")
    assert [row["messages"][1]["content"] for row in rows] == [
        SWAHILI[0],
        ENGLISH[0],
        SWAHILI[1],
        ENGLISH[1],
    ]
    # Each answer is held against the language that it should be in.
    assert facts.quality.other_language == 0
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "own writing, CC0" in card
    assert "Synthetic" not in card
    _, back = made("parallel", text, direction="from")
    assert [row["messages"][1]["content"] for row in back] == ENGLISH[:2]


def test_chats_keep_their_system_message_and_reasoning(made: Any) -> None:
    chat = [{"role": "user", "content": "Habari?"}, {"role": "assistant", "content": "Nzuri."}]
    rows = [
        {"messages": [{"role": "system", "content": "Jibu."}, *chat], "reasoning": "hm"},
        {"conversations": [{"from": "human", "value": "A"}, {"from": "gpt", "value": "B"}]},
        {"messages": chat[:1]},
        {"messages": [*chat, chat[1]]},
        [],
    ]
    facts, found = made("chat", "".join(json.dumps(row) + "\n" for row in rows))
    assert [len(row["messages"]) for row in found] == [3, 2]
    assert found[0]["reasoning"] == "hm"
    assert facts.steps[0].reasons == {"not an alternating chat": 2, "not an object": 1}


def test_the_checks_of_every_source_apply(made: Any) -> None:
    english = [f"Sentence number {n} is about the weather here today." for n in range(3)]
    quality = Quality(drop=("language",))
    facts, rows = made("parallel", lines(english), lines(english), quality=quality)
    assert rows == []
    assert facts.quality.dropped == {"language": 3}


def chat(*turns: str, **fields: Any) -> str:
    """A line of JSON: user and assistant in turn; `system` is a first message."""
    messages: list[dict[str, Any]] = [
        {"role": ("user", "assistant")[place % 2], "content": text}
        for place, text in enumerate(turns)
    ]
    if "system" in fields:
        messages.insert(0, {"role": "system", "content": fields.pop("system")})
    return json.dumps({"messages": messages, **fields}) + "\n"


def test_what_rows_have_in_common_by_design_makes_no_duplicates(made: Any) -> None:
    quality = Quality(drop=("duplicate", "near_duplicate"))
    words = ["mto", "mlima", "nyumba", "samaki", "ndege"]
    prompt = "Wewe ni msaidizi mzuri wa watumiaji wote wa Kiswahili."
    greeting = "Habari za leo?"
    texts = [
        "".join(chat(f"Eleza {word}.", "Ni hivi.", system=prompt) for word in words),
        "".join(chat(greeting, "Njema.", f"Eleza {w} na {w}.", "Ni hivi.") for w in words),
    ]
    for text in texts:
        facts, rows = made("chat", text, quality=quality)
        assert len(rows) == 5, facts.quality.dropped
    phrases = ["good morning", "good evening", "good night", "thank you", "thanks a lot"]
    pairs = "".join(f"{a}\t{b}\n" for a, b in zip(phrases, words, strict=True))
    for direction in ("into", "from"):
        assert len(made("parallel", pairs, quality=quality, direction=direction)[1]) == 5
    twice = chat("Eleza mto.", "Ni hivi.") + chat("Eleza mto.", "Ni vile.", system=prompt)
    facts, rows = made("chat", twice, quality=quality)
    assert facts.quality.dropped == {"duplicate": 1}


def test_a_sample_is_drawn_by_content(made: Any) -> None:
    lines = [f"Text {n}\tMaandishi {n}\n" for n in range(60)]
    before = {row["id"] for row in made("parallel", "".join(lines), max_rows=20)[1]}
    moved = {row["id"] for row in made("parallel", "".join(lines[::-1]), max_rows=20)[1]}
    assert moved == before


def test_reasoning_is_found_wherever_it_stands(made: Any) -> None:
    last = {"role": "assistant", "content": "B", "reasoning_content": "hm"}
    asked = {"role": "user", "content": "A"}
    early = chat("A", "<think>ah</think>B", "C", "<think>\nhm\n</think>\n\nD")
    lines = [
        chat("A", "<think>hm</think>B"),
        json.dumps({"messages": [{**asked, "content": "E"}, last]}) + "\n",
        chat("F", "<think></think>B"),
        chat("G", "<think>hm", system="S"),
        early,
        chat("H", "B", system=""),
    ]
    facts, rows = made("chat", "".join(lines))
    assert [row["reasoning"] for row in rows] == ["hm", "hm", None, "hm", None]
    assert [row["messages"][-1]["content"] for row in rows] == ["B", "B", "B", "D", "B"]
    assert "think" not in json.dumps([row["messages"] for row in rows])
    assert [turn["role"] for turn in rows[-1]["messages"]] == ["user", "assistant"]
    assert facts.steps[0].reasons == {
        "reasoning without end": 1,
        "reasoning before the last turn": 1,
    }


BROKEN = "x\ud83d"  # half of a pair


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (chat("A", "B", reasoning=BROKEN), "broken unicode"),
        (chat("A", "B", system=BROKEN), "broken unicode"),
        (chat("A", BROKEN), "broken unicode"),
        (chat("A", "B", system=5), "content that is no text"),
        (chat("<image> A", "B"), "image, video or audio"),
        ('{"messages": ["junk", {"role": "user", "content": "A"}]}\n', "not an alternating chat"),
    ],
)
def test_a_line_that_cannot_be_trained_is_a_counted_loss(made: Any, line: str, reason: str) -> None:
    facts, rows = made("chat", line + chat("Habari?", "Nzuri."))
    assert facts.steps[0].reasons == {reason: 1}
    assert len(rows) == 1


def test_parallel_text_about_media_is_lost(made: Any) -> None:
    facts, rows = made("parallel", "<image> a\tb\nc\td\n")
    assert (facts.steps[0].reasons, len(rows)) == ({"image, video or audio": 1}, 1)


def test_a_larger_sample_contains_the_smaller(made: Any) -> None:
    texts = [f"Text {n}" for n in range(30)], [f"Maandishi {n}" for n in range(30)]
    before: set[str] = set()
    for most in (5, 11, 29):
        facts, rows = made("parallel", *map(lines, texts), max_rows=most)
        ids = {row["id"] for row in rows}
        assert len(ids) == facts.rows == most
        assert before <= ids
        before = ids


def test_what_a_file_says_of_its_turns_reaches_the_row(made: Any, tmp_path: Path) -> None:
    turns = [
        {"from": "human", "value": "Paka?"},
        {"from": "gpt", "value": "Juu ya mti.", "weight": 0},
        {"from": "human", "value": "Rekebisha."},
        {"from": "gpt", "value": "Kitandani.<|im_end|>", "weight": 1},
    ]
    line = json.dumps({"system": "Jibu kama mwalimu.", "conversations": turns}) + "\n"
    trained = json.dumps({"system": "Jibu kama mwalimu.", "conversations": turns[:1] + turns[3:]})
    facts, rows = made("chat", line + trained + "\n")
    assert rows[0]["messages"] == [
        {"role": "system", "content": "Jibu kama mwalimu."},
        {"role": "user", "content": "Paka?"},
        {"role": "assistant", "content": "Juu ya mti.", "weight": 0},
        {"role": "user", "content": "Rekebisha."},
        {"role": "assistant", "content": "Kitandani."},
    ]
    assert facts.rows == 2
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "[assistant, not trained]\nJuu ya mti." in card


def test_the_same_texts_trained_differently_are_no_duplicates(made: Any) -> None:
    def row(weight: int) -> str:
        turns = json.loads(chat("A", "B", "C", "D"))["messages"]
        turns[1]["weight"] = weight
        return json.dumps({"messages": turns}) + "\n"

    facts, rows = made("chat", row(0) + row(1) + row(1))
    assert (len(rows), facts.steps[0].reasons) == (2, {"duplicate": 1})


def test_answers_that_are_not_trained_are_not_checked_as_answers(made: Any) -> None:
    english = "I am sorry, but I cannot help you with the weather of today in this town."
    turns = json.loads(chat("A", english, "C", "Leo kuna mvua nyingi sana hapa mjini."))["messages"]
    turns[1]["weight"] = 0
    _, rows = made("chat", json.dumps({"messages": turns}) + "\n")
    assert (rows[0]["language"], rows[0]["quality"]) == ("swa", [])


@pytest.mark.parametrize(
    ("kind", "texts", "message"),
    [
        ("parallel", ("a\nb\n", "c\n"), "different numbers of lines: one ends before line 2"),
        ("parallel", ("a\tb\nc\n",), "line 2 has 1 tab-separated columns"),
        ("chat", ('{"messages": \n',), "line 1: not JSON"),
        ("chat", ("[" * 200_000 + "\n",), "line 1: not JSON"),
        (
            "chat",
            ('{"instruction": "A", "output": "B"}\n',),
            "keys instruction, output: a request and",
        ),
        (
            "chat",
            ('{"prompt": "A", "completion": "B"}\n',),
            "no chat .put .prompt., with any input",
        ),
        ("chat", (f"[{chat('A', 'B').strip()}]\n",), "no line of 1 is a chat .* line 1 is a list"),
        ("chat", (chat("A", "B", "C"),), '"messages" are of user, assistant, user'),
        ("chat", ("\n",), "no line at all"),
        ("parallel", ("a\t\nb\t\n",), "no line of 2 has a text in both languages .empty side 2"),
    ],
)
def test_files_that_cannot_be_read(made: Any, kind: str, texts: Any, message: str) -> None:
    with pytest.raises(InputError, match=rf"{message}.*Remedy"):
        made(kind, *texts)


def test_other_encodings_and_missing_files(made: Any, tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes("año\taño\n".encode("latin-1"))
    for file in ("latin", "nowhere"):
        own = Own("parallel", (str(tmp_path / file),))
        with pytest.raises(InputError, match=r"(UTF-8|not a file).*Remedy"):
            make_own(
                "mine", own, language="X", flores_code=None, script=None, quality=Quality(),
                hashes={}, seed=0, out=tmp_path, progress=lambda *_: None,
            )  # fmt: skip
