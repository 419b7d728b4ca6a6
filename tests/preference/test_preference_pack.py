"""What the pack may not hold, and what `prepare` refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from small_study import SECRET, answers, frozen, prepared, write_lines

from preference.errors import AnswersError, PackError, QuestionsError
from preference.key import read_key
from preference.pack import pack_of, read_pack
from preference.preparation import Preparation
from preference.preparing import prepare_study

CANARIES = ("zanzibarmodel", "kilimanjaromodel")


def canary_answers(folder: Path, name: str, **more: Any) -> str:
    rows = [
        {
            "question_id": n,
            "text": f"Words {len(name)} of {n}.",
            "finished": True,
            "model_id": f"{name}/v1",
        }
        | more
        for n in range(8)
    ]
    return f"{name}={write_lines(folder / f'{name}.jsonl', rows)}"


def test_no_file_of_the_pack_holds_a_name(tmp_path: Path) -> None:
    pack, key = prepared(
        tmp_path,
        base=canary_answers(tmp_path, CANARIES[0]),
        trained=canary_answers(tmp_path, CANARIES[1]),
    )
    held = {path.name: path.read_bytes().lower() for path in pack.rglob("*") if path.is_file()}
    assert set(held) == {"pack.json", "commitment.json"}
    for name in CANARIES:
        assert name.encode() in key.read_bytes()
        assert not [file for file, content in held.items() if name.encode() in content]
    assert b"northern" not in held["pack.json"]
    assert key.stat().st_mode & 0o077 == 0


def test_names_exchanged_leave_every_byte_of_the_pack_but_the_commitment(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    texts = [answers(tmp_path, name) for name in ("first", "second")]
    study = frozen(tmp_path)
    packs = []
    for folder, names in (("one", CANARIES), ("other", CANARIES[::-1])):
        prepare_study(
            Preparation(
                study=study,
                base=f"{names[0]}={texts[0]}",
                trained=f"{names[1]}={texts[1]}",
                pack=tmp_path / folder / "pack",
                key=tmp_path / folder / "key",
                repeats=2,
                checks=1,
            ),
            secret=SECRET,
        )
        packs.append((tmp_path / folder / "pack" / "pack.json").read_text("utf-8"))
    commitments = [json.loads(pack)["commitment"] for pack in packs]
    assert commitments[0] != commitments[1], "the names must be bound"
    assert packs[0].replace(commitments[0], "C") == packs[1].replace(commitments[1], "C")


def test_key_and_pack_survive_the_round_trip(tmp_path: Path) -> None:
    pack, key = prepared(tmp_path)
    assert pack_of(read_key(key)) == read_pack(pack)


def test_order_of_the_pack_says_nothing_of_kinds(tmp_path: Path) -> None:
    pack, key = prepared(tmp_path)
    items = read_pack(pack)["slots"][0]
    assert [i["id"] for i in items] == sorted(i["id"] for i in items)
    assert {frozenset(i) for i in items} == {frozenset({"id", "prompt", "first", "second"})}
    assert len(read_key(key).list_items()[0]) == len(items) == 11


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "northern: the answer is empty"),
        ("<think>I wonder", "ends inside its thinking"),
        ("Fine. <|im_start|>user", "template text is left over: <|im_start|>"),
        ("I am Northern, a model.", "the answer names northern"),
    ],
)
def test_an_answer_that_would_unblind_is_named(tmp_path: Path, text: str, message: str) -> None:
    bad = answers(tmp_path, "northern", text=lambda n: text if n == 3 else "Good.")
    with pytest.raises(AnswersError, match="cannot be prepared") as raised:
        prepared(tmp_path, base=f"northern={bad}")
    assert message in str(raised.value)
    assert not (tmp_path / "pack").exists()
    assert not (tmp_path / "keys").exists()


def test_dropping_is_for_both_arms_and_recorded(tmp_path: Path) -> None:
    bad = answers(tmp_path, "northern", text=lambda n: "" if n == 3 else f"Good {n}.")
    pack, key = prepared(tmp_path, base=f"northern={bad}", leave_out=("empty",))
    assert len(read_pack(pack)["prompts"]) == 7
    assert read_key(key).dropped == {"3": "northern: the answer is empty"}


def test_unequal_sets_are_named(tmp_path: Path) -> None:
    with pytest.raises(AnswersError, match="northern does not answer questions 6, 7"):
        prepared(tmp_path, base=f"northern={answers(tmp_path, 'northern', 6)}")


def test_a_pack_is_made_once_and_the_key_stays_outside(tmp_path: Path) -> None:
    pack, key = prepared(tmp_path)
    before = key.read_bytes()
    with pytest.raises(PackError, match="exists already"):
        prepare_study(
            Preparation(
                study=tmp_path / "study",
                base=f"northern={tmp_path / 'northern.jsonl'}",
                trained=f"southern={tmp_path / 'southern.jsonl'}",
                pack=pack,
                key=key,
            ),
        )
    assert key.read_bytes() == before
    with pytest.raises(PackError, match="inside the pack"):
        prepare_study(
            Preparation(
                study=tmp_path / "study",
                base=f"northern={tmp_path / 'northern.jsonl'}",
                trained=f"southern={tmp_path / 'southern.jsonl'}",
                pack=tmp_path / "p2",
                key=tmp_path / "p2" / "key.json",
            ),
        )


def test_questions_changed_after_freezing_are_noticed(tmp_path: Path) -> None:
    study = frozen(tmp_path)
    path = study / "questions.frozen.json"
    path.write_text(path.read_text("utf-8").replace("number 3", "number 33"), "utf-8")
    with pytest.raises(QuestionsError, match="changed after it was frozen"):
        prepare_study(
            Preparation(
                study=study,
                base=f"northern={answers(tmp_path, 'northern')}",
                trained=f"southern={answers(tmp_path, 'southern')}",
                pack=tmp_path / "p",
                key=tmp_path / "k",
            ),
        )


def test_a_pack_or_key_of_the_version_that_could_be_unblinded_says_so(tmp_path: Path) -> None:
    pack, key = prepared(tmp_path)
    for path, read in ((pack / "pack.json", lambda: read_pack(pack)), (key, lambda: read_key(key))):
        value = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps(value | {"version": 1}), "utf-8")
        with pytest.raises(PackError, match=r"of version 1, .* work out which"):
            read()
        path.write_text(json.dumps(value | {"version": 3}), "utf-8")
        with pytest.raises(PackError, match=r"of version 3, .* Remedy: the version"):
            read()
