"""The benchmarks' files: read, checked at the door, and asked by the paper's protocol."""

import collections
import json
from pathlib import Path

import pytest

from tasks import belebele, flores, global_mmlu, sib200
from tasks.catalogue import TASKS
from tasks.data import DATA_DIR_VARIABLE, EMBEDDED, data_name, data_root, read_lines
from tasks.errors import DataMalformed, DataMissing

CODES = {"sib200": "swh_Latn", "belebele": "swh_Latn", "global_mmlu": "sw", "flores": "swh_Latn"}


@pytest.mark.parametrize("name", TASKS)
def test_the_embedded_sets_hold_24_scored_items_or_more(name: str) -> None:
    task = TASKS[name]
    assert len(task.fingerprint(EMBEDDED, CODES[task.benchmark])) == 64
    english = {"global_mmlu": "en"}.get(task.benchmark, "eng_Latn")
    if task.benchmark != "flores":
        assert task.fingerprint(EMBEDDED, english)
    assert not task.warnings(EMBEDDED, CODES[task.benchmark])


def test_embedded_answers_are_balanced_and_the_same_in_both_languages() -> None:
    mmlu = [global_mmlu.read(EMBEDDED, code) for code in ("en", "sw")]
    passages = [belebele.read(EMBEDDED, code) for code in ("eng_Latn", "swh_Latn")]
    topics = [sib200.read(EMBEDDED, code) for code in ("eng_Latn", "swh_Latn")]
    for rows, key in ((mmlu, "answer"), (passages, "correct_answer_num"), (topics, "category")):
        english, swahili = ([row[key] for row in language] for language in rows)
        assert english == swahili
        assert len(english) >= 27
        counts = collections.Counter(english).values()
        assert max(counts) - min(counts) <= 1
    assert len(read_lines(flores.path(EMBEDDED, "swh_Latn"))) >= 27


def test_the_data_directory_is_one_switch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_DIR_VARIABLE, raising=False)
    assert data_name(data_root(None)) == "embedded"
    monkeypatch.setenv(DATA_DIR_VARIABLE, str(tmp_path))
    assert data_root(None) == tmp_path
    assert data_root("/x") == Path("/x")
    assert data_name(tmp_path) == "local"


def test_a_language_that_the_data_lack_is_data_missing(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="they hold Swahili and English only"):
        sib200.read(EMBEDDED, "yor_Latn")
    with pytest.raises(DataMissing, match="there is no file"):
        belebele.read(tmp_path, "yor_Latn")
    with pytest.raises(DataMissing, match="nothing to translate"):
        TASKS["flores_xx_en"].fingerprint(EMBEDDED, "eng_Latn")


def sib_row(text: str = "x", category: str = "travel") -> str:
    return f"1\t{category}\t{text}\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("index_id\tcategory\ttext\n" + sib_row() * 3, "3 rows; the first 3 are the shots"),
        ("index_id\tcategory\ttext\n" + sib_row(category="cars") * 5, "unknown categories"),
        ("index_id\tcategory\n" + "1\ttravel\n" * 5, "row 1: no text"),
        ("index_id\tcategory\ttext\n" + sib_row() * 4 + sib_row(""), "row 5: no text"),
    ],
)
def test_malformed_topics_are_named(tmp_path: Path, content: str, words: str) -> None:
    path = sib200.path(tmp_path, "x")
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(DataMalformed, match=words):
        sib200.fingerprint(tmp_path, "x")


def test_quoted_fields_are_read_once_unquoted(tmp_path: Path) -> None:
    path = sib200.path(tmp_path, "x")
    path.parent.mkdir(parents=True)
    path.write_text("index_id\tcategory\ttext\n" + sib_row('"She said ""no""."') * 4)
    assert sib200.read(tmp_path, "x")[0]["text"] == 'She said "no".'


def test_broken_json_and_answers_are_named_with_their_line(tmp_path: Path) -> None:
    path = belebele.path(tmp_path, "x")
    path.parent.mkdir(parents=True)
    rows = belebele.read(EMBEDDED, "eng_Latn")
    good = [json.dumps(row) for row in rows[:5]]
    path.write_text("\n".join([*good, "{"]) + "\n")
    with pytest.raises(DataMalformed, match="line 6: not JSON"):
        belebele.read(tmp_path, "x")
    for other in ("[1]", "null", '"x"'):
        path.write_text("\n".join([*good, other]) + "\n")
        with pytest.raises(DataMalformed, match="line 6: a JSON object is needed"):
            belebele.fingerprint(tmp_path, "x")
    path.write_text("\n".join([*good, json.dumps(rows[5] | {"correct_answer_num": "5"})]) + "\n")
    with pytest.raises(DataMalformed, match="row 6: correct_answer_num is '5'"):
        belebele.read(tmp_path, "x")


def test_translations_must_be_parallel(tmp_path: Path) -> None:
    for code, lines in (("x", 5), ("eng_Latn", 6)):
        path = flores.path(tmp_path, code)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a\n" * lines)
    with pytest.raises(DataMalformed, match="has 5 lines"):
        flores.read(tmp_path, "x", "xx_en", "X")
    with pytest.raises(DataMalformed, match="has 5 lines"):
        TASKS["flores_en_xx"].fingerprint(tmp_path, "x")
    flores.path(tmp_path, "x").write_text("a\n" * 4 + "\n" + "a\n")
    with pytest.raises(DataMalformed, match="some empty"):
        TASKS["flores_xx_en"].fingerprint(tmp_path, "x")


def test_bytes_that_are_no_text_are_named_with_their_line(tmp_path: Path) -> None:
    broken = b"index_id\tcategory\ttext\n" + b"1\ttravel\tx\n" * 4000 + b"1\ttravel\t\xff\n"
    for path, check in (
        (sib200.path(tmp_path, "x"), TASKS["sib200"]),
        (belebele.path(tmp_path, "x"), TASKS["belebele"]),
        (flores.path(tmp_path, "x"), TASKS["flores_xx_en"]),
    ):
        path.parent.mkdir(parents=True)
        path.write_bytes(broken)
        with pytest.raises(DataMalformed, match=f"{path}, line 4002: not UTF-8"):
            check.fingerprint(tmp_path, "x")


def test_a_field_without_end_is_malformed(tmp_path: Path) -> None:
    path = sib200.path(tmp_path, "x")
    path.parent.mkdir(parents=True)
    path.write_text("index_id\tcategory\ttext\n" + sib_row('"' + "x" * 200_000))
    with pytest.raises(DataMalformed, match=r"line 2: not TSV \(field larger"):
        sib200.fingerprint(tmp_path, "x")


def test_a_sorted_test_set_is_warned_of(tmp_path: Path) -> None:
    path = sib200.path(tmp_path, "x")
    path.parent.mkdir(parents=True)
    path.write_text("index_id\tcategory\ttext\n" + sib_row() * 5)
    (warning,) = TASKS["sib200"].warnings(tmp_path, "x")
    assert "all 3 shots bear one label, 'travel'" in warning
    (cut,) = TASKS["sib200"].warnings(EMBEDDED, "swh_Latn", limit=2)
    assert "only 2 of the 7 labels occur" in cut


def test_unicode_line_separators_do_not_split_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("one\u2028still one\ntwo\n", encoding="utf-8")
    assert read_lines(path) == ["one\u2028still one", "two"]
