"""What the teacher is shown, and that its text ends in the student's own tokens."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from distilling import PLAIN, SETTINGS, guide
from small_checkpoints import TURNS, edit, save_model, small_tokenizer

from training.dataset import IGNORED
from training.distillation.settings import Verbalizer
from training.distillation.verbalizer import OURS, read_wording, show_conversation
from training.distillation.vocabulary import check_same_vocabulary
from training.errors import DistillationError
from training.prepare import TRAIN, prepare

WORDING = {
    "english": "$prompt [in English: $english] [$language]",
    "reference": "$prompt [like: $reference]",
    "both": "$prompt [in English: $english] [like: $reference]",
}
CHAT = [
    {"role": "system", "content": "Kuwa mwema."},
    {"role": "user", "content": "Habari?"},
    {"role": "assistant", "content": "Nzuri."},
    {"role": "user", "content": "$5 ni ngapi?"},
    {"role": "assistant", "content": "Nyingi."},
]
ENGLISH = ["How are you?", "Fine.", "How much is $5?", "A lot."]


@pytest.fixture
def student(tmp_path: Path) -> Path:
    return save_model(tmp_path / "student")


def show(view: Any, english: list[str] | None) -> tuple[str, list[str]]:
    shown = show_conversation(CHAT, view, WORDING, language="Swahili", english=english)
    assert [turn["role"] for turn in shown.messages] == [turn["role"] for turn in CHAT]
    assert [shown.messages[n] for n in (0, 2, 4)] == [CHAT[n] for n in (0, 2, 4)]
    return shown.view, [shown.messages[n]["content"] for n in (1, 3)]


def test_each_view_shows_what_it_says() -> None:
    plain = ["Habari?", "$5 ni ngapi?"]
    assert show("plain", ENGLISH) == ("plain", plain)
    assert show("english", ENGLISH) == (
        "english",
        [
            "Habari? [in English: How are you?] [Swahili]",
            "$5 ni ngapi? [in English: How much is $5?] [Swahili]",
        ],
    )
    assert show("reference", None) == ("reference", ["Habari?", "$5 ni ngapi? [like: Nyingi.]"])
    both = "$5 ni ngapi? [in English: How much is $5?] [like: Nyingi.]"
    assert show("both", ENGLISH) == ("both", ["Habari?", both])


def test_without_english_the_view_is_what_is_left_of_it() -> None:
    for english in (None, ENGLISH[:2]):
        assert show("english", english) == show("plain", None)
        assert show("both", english) == show("reference", None)


def test_the_wording_is_checked_with_all_that_is_wrong(tmp_path: Path) -> None:
    assert set(read_wording(OURS)) == {"english", "reference", "both"}
    file = tmp_path / "wording.yaml"
    file.write_text("english: $prompt alone\nreference: [1]\nboth: $prompt $englisch\nother: x\n")
    with pytest.raises(DistillationError) as raised:
        read_wording(file)
    for said in (
        "english lacks $english",
        "reference must be a text",
        "both lacks $english",
        "both names $englisch, which it has not",
        "other is no view",
        "Remedy: compare it with verbalizer.yaml",
    ):
        assert said in str(raised.value)
    with pytest.raises(DistillationError, match="cannot be read"):
        read_wording(tmp_path / "nothing.yaml")


@pytest.mark.parametrize("view", ["reference", "both"])
def test_a_reference_is_refused_where_it_would_be_copied(view: Any) -> None:
    with pytest.raises(ValueError, match=r"off_policy=.*copies it.*Remedy: english or plain"):
        Verbalizer(off_policy=view)


def split(row: dict[str, Any], name: str) -> list[tuple[list[int], list[int]]]:
    """The tokens and the trained ones of each document."""
    ids, labels, lengths = (row[f"{name}_{part}"] for part in ("ids", "labels", "lengths"))
    found, at = [], 0
    for length in lengths:
        trained = [label for label in labels[at : at + length] if label != IGNORED]
        found.append((ids[at : at + length], trained))
        at += length
    return found


def test_texts_stand_beside_the_rows_of_fine_tuning(
    student: Path, rows: Path, tmp_path: Path
) -> None:
    """The rows are those that `prepare` writes; the teacher's texts say more and end alike."""
    lines = [json.loads(line) for line in rows.read_text().splitlines()]
    for number, line in enumerate(lines):
        line["id"] = f"row-{number}"
    rows.write_text("".join(json.dumps(line) + "\n" for line in lines))
    english = {f"row-{n}": [f"Number {n}?", "The answer."] for n in range(0, 10, 2)}
    distillation = replace(PLAIN, verbalizer=Verbalizer("english", "both"))
    out = tmp_path / "guided"
    facts = guide(student, student, rows, out, distillation, english=english)
    assert facts.views == {
        "off_policy": {"english": 5, "plain": 5},
        "on_policy": {"both": 5, "reference": 5},
    }
    assert (facts.unaligned, facts.too_long, facts.packed.rows) == (0, 0, 10)
    prepare(base=student, rows=rows, out=tmp_path / "packed", data=SETTINGS.data, seed=3)
    plain = pq.read_table(tmp_path / "packed" / TRAIN)
    table = pq.read_table(out / TRAIN)
    assert table.select(plain.column_names) == plain
    tokenizer = small_tokenizer()
    seen = 0
    for row in table.to_pylist():
        own = {"own_ids": row["input_ids"], "own_labels": row["labels"]}
        documents = split({**own, "own_lengths": row["seq_lengths"]}, "own")
        for name, mark in (("off_policy", "The same in English"), ("on_policy", "A good answer")):
            for (ids, trained), (more, same) in zip(documents, split(row, name), strict=True):
                assert same == trained
                assert more[-len(trained) :] == trained
                assert ids[-len(trained) - 1 : -1] == trained  # before the template's newline
                text = tokenizer.decode(more[: -len(trained)])
                assert text.endswith("<s>assistant\n")  # all that is shown stands before it
                seen += mark in text
    # Of the rows that are trained on, those that have English and all, in turn.
    assert 10 <= seen <= 5 + 10


def test_cut_rows_are_cut_alike(student: Path, rows: Path, tmp_path: Path) -> None:
    data = replace(SETTINGS.data, overlong="truncate", max_length=34, validation=0.0)
    from training.distillation.guides import Guidance, prepare_guided

    facts = prepare_guided(
        base=student,
        teacher=student,
        rows=rows,
        english={},
        out=tmp_path / "out",
        data=data,
        guidance=Guidance({"on_policy": "reference"}, WORDING, "Swahili"),
        seed=1,
    )
    assert facts.packed.truncated > 0
    for row in pq.read_table(tmp_path / "out" / TRAIN).to_pylist():
        own = [label for label in row["labels"] if label != IGNORED]
        assert [label for label in row["on_policy_labels"] if label != IGNORED] == own


def test_rows_that_the_teacher_cannot_take_are_counted_and_all_of_them_an_error(
    student: Path, rows: Path, tmp_path: Path
) -> None:
    short = save_model(tmp_path / "short", max_position_embeddings=40)
    facts = guide(student, short, rows, tmp_path / "some", PLAIN)
    assert facts.too_long > 0
    assert facts.packed.rows + facts.too_long == 10
    shorter = save_model(tmp_path / "shorter", max_position_embeddings=8)
    with pytest.raises(DistillationError, match=r"10 are longer there than the 8 tokens.*Remedy"):
        guide(student, shorter, rows, tmp_path / "none", PLAIN)
    other = TURNS.replace("{{ m.content }}", "{{ m.content }}!")
    strange = save_model(tmp_path / "strange", tokenizer=small_tokenizer(other))
    with pytest.raises(DistillationError, match=r"10 rows have other answer tokens"):
        guide(student, strange, rows, tmp_path / "no", PLAIN)


def test_vocabularies_that_differ_in_one_token_are_refused(student: Path, tmp_path: Path) -> None:
    assert check_same_vocabulary(student, student) == len(small_tokenizer())
    other = save_model(tmp_path / "other")
    path = other / "tokenizer.json"
    content = json.loads(path.read_text())
    vocabulary = content["model"]["vocab"]
    first, second = "a", "b"  # the same tokens, of which two have changed places
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]
    edit(path, model=content["model"])
    with pytest.raises(DistillationError, match=r"2 tokens differ \('a' is number .*Remedy"):
        check_same_vocabulary(student, other)
