"""What is tokenised once is found again, and changes nothing but the time that it takes."""

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import training.tokenised
from training.dataset import IGNORED, Example, tokenise_conversations
from training.prepare import prepare
from training.settings import DataSettings
from training.tokenised import Tokeniser, _from_bytes, _to_bytes

CHATS: list[list[dict[str, Any]]] = [
    [
        {"role": "user", "content": f"Nambari {n}? \u2028 ናቸው"},
        {"role": "assistant", "content": "<think>Hmm.</think>Moja.", "weight": n % 2},
        {"role": "user", "content": "Na sasa?"},
        {"role": "assistant", "content": "Ndiyo. " * n},
    ]
    for n in range(1, 9)
]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many conversations were tokenised, call by call."""
    counts: list[int] = []

    def count(chats: Sequence[Any], *rest: Any, **more: Any) -> Any:
        counts.append(len(chats))
        return tokenise_conversations(chats, *rest, **more)

    monkeypatch.setattr(training.tokenised, "tokenise_conversations", count)
    return counts


def test_it_is_tokenised_once_and_comes_out_the_same(
    tiny: Path, tmp_path: Path, made: list[int]
) -> None:
    bare = Tokeniser(tiny).make_examples(CHATS)
    first = Tokeniser(tiny, kept=tmp_path).make_examples([*CHATS[:3], CHATS[0]])
    again = Tokeniser(tiny, kept=tmp_path).make_examples(CHATS)
    assert first == [*bare[:3], bare[0]]
    assert again == bare
    assert made == [8, 4, 5]
    texts = ["Habari", "", "Habari gani?"]
    counts = [Tokeniser(tiny, kept=kept).count(texts) for kept in (None, tmp_path, tmp_path)]
    assert counts[0] == counts[1] == counts[2] != [0, 0, 0]


def test_what_decides_tokens_is_in_its_key(tiny: Path, tmp_path: Path, made: list[int]) -> None:
    kept, other = tmp_path / "kept", tmp_path / "other"
    plain = Tokeniser(tiny, kept=kept).make_examples(CHATS)
    newline = Tokeniser(tiny, kept=kept, train_newline=True).make_examples(CHATS)
    assert newline == Tokeniser(tiny, train_newline=True).make_examples(CHATS) != plain
    shutil.copytree(tiny, other)
    template = tiny / "chat_template.jinja"
    changed = template.read_text(encoding="utf-8").replace("<|im_start|>", "<|im_start|>\n")
    (other / "chat_template.jinja").write_text(changed, encoding="utf-8")
    made.clear()
    assert (
        Tokeniser(other, kept=kept).make_examples(CHATS)
        == Tokeniser(other).make_examples(CHATS)
        != plain
    )
    assert made == [8, 8]
    assert len(list(kept.glob("*.sqlite"))) == 2


@pytest.mark.parametrize("damage", ["no file", "no SQLite", "no result"])
def test_what_cannot_be_read_is_made_anew(tiny: Path, tmp_path: Path, damage: str) -> None:
    kept = tmp_path / "kept"
    bare = Tokeniser(tiny).make_examples(CHATS)
    assert Tokeniser(tiny, kept=kept).make_examples(CHATS) == bare
    (file,) = kept.glob("*.sqlite")
    if damage == "no file":
        shutil.rmtree(kept)
        kept.write_text("a file where the folder should be")
    elif damage == "no SQLite":
        file.write_bytes(b"no SQLite file, but as long as one" * 200)
    else:
        with sqlite3.connect(file) as database:
            database.execute("UPDATE kept SET result = x'00'")
    assert Tokeniser(tiny, kept=kept).make_examples(CHATS) == bare


def test_packed_rows_are_the_same_with_it(
    tiny: Path, tmp_path: Path, write_rows: Callable[..., Path], made: list[int]
) -> None:
    rows = write_rows(*({"source": "topic", "messages": chat} for chat in CHATS))
    data = DataSettings(64, True, "truncate", False, 0.25)
    facts, files = [], []
    for name, kept in (("a", None), ("b", tmp_path / "kept"), ("c", tmp_path / "kept")):
        out = tmp_path / name
        facts.append(prepare(base=tiny, rows=rows, out=out, data=data, seed=0, kept=kept))
        files.append([(out / f"{part}.parquet").read_bytes() for part in ("train", "validation")])
    assert facts[0] == facts[1] == facts[2]
    assert files[0] == files[1] == files[2]
    assert made == [8, 8]


@given(st.lists(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.booleans()), max_size=9)))
def test_examples_survive_as_bytes(texts: list[list[tuple[int, bool]]]) -> None:
    examples = [
        Example(
            [token for token, _ in text],
            [token if trained else IGNORED for token, trained in text],
        )
        for text in texts
    ]
    assert _from_bytes(_to_bytes(examples)) == examples
