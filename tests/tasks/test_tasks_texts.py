"""Texts of whole documents: a user's own files in each form, and the sentences of a benchmark."""

import json
from pathlib import Path

import pytest
from wide_data import NEWS, write_sets

from tasks.data import BenchmarkData, open_data
from tasks.errors import DataMalformed, DataMissing
from tasks.texts import READY, list_documents, read_benchmark, read_file

DOCUMENTS = ["Habari za asubuhi.\nLeo ni siku nzuri.", "Mvua  ilinyesha.", "Soko limefunguliwa."]


def test_each_form_of_file_holds_the_same_text(tmp_path: Path) -> None:
    lines = [json.dumps({"text": text, "url": "x"}) for text in DOCUMENTS]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "a.txt").write_bytes(
        b"\xef\xbb\xbf\n" + "\n \n\n".join(DOCUMENTS).replace("\n", "\r\n").encode() + b"\n"
    )
    (tmp_path / "folder").mkdir()
    for number, text in enumerate(DOCUMENTS):
        (tmp_path / "folder" / f"{number}.txt").write_text(text + "\n", encoding="utf-8")
    found = [read_file(tmp_path / name) for name in ("a.jsonl", "a.txt", "folder")]
    assert [one.name for one in found] == ["a.jsonl", "a.txt", "folder"]
    for one in found:
        assert [document.text for document in one.documents] == DOCUMENTS
    assert len({one.sha256 for one in found}) == 1
    assert found[0].sha256 != read_file(tmp_path / "folder" / "0.txt").sha256


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", "", "holds no text"),
        ("a.txt", " \n\n\u200b\n", "holds no text"),
        ("a.jsonl", "", "holds no text"),
        ("a.jsonl", '{"content": "Habari"}\n', "text"),
        ("a.jsonl", '{"text": ["Habari"]}\n', "a list; text is wanted"),
        ("a.jsonl", '{"text": "Habari"\n', "line 1"),
        ("a.csv", "text\nHabari\n", r"ends in \.txt or \.jsonl"),
    ],
)
def test_what_is_no_text_is_refused_with_its_remedy(
    tmp_path: Path, name: str, content: str, said: str
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataMalformed, match=f"(?s){said}.*Remedy"):
        read_file(tmp_path / name)


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(DataMissing, match=r"there is no text ntrexx.*flores, ntrex"):
        read_file(Path("ntrexx"))


def test_the_sentences_of_a_document_are_one(tmp_path: Path) -> None:
    data = open_data(str(write_sets(tmp_path)))
    text = read_benchmark("ntrex", data, "swh_Latn", "Swahili")
    assert [document.id for document in text.documents] == [
        "bulletin.1",
        "bulletin.2",
        "bulletin.3",
    ]
    assert text.documents[0].text == "\n".join(here for name, here, _ in NEWS[:3])
    english = read_benchmark("ntrex", data, "eng_Latn", "English")
    assert english.documents[2].text == NEWS[5][2]
    assert READY == ("flores", "ntrex")
    flores = read_benchmark("flores", open_data(None), "swh_Latn", "Swahili")
    assert len(flores.documents) == 30, "the shots are text, too"


def test_lm_evals_rows_are_the_documents(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n\n".join(DOCUMENTS), encoding="utf-8")
    assert list_documents(text=str(tmp_path / "a.txt"))["scored"]["text"] == DOCUMENTS
    root = write_sets(tmp_path / "sets")
    rows = list_documents("ntrex", "swh_Latn", "Swahili", data_dir=str(root), batch_size=1)
    assert rows["scored"]["id"] == ["bulletin.1", "bulletin.2", "bulletin.3"]


def test_a_language_that_a_benchmark_lacks_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataMissing):
        read_benchmark("ntrex", BenchmarkData("local", tmp_path), "gug_Latn", "Guarani")
