"""The benchmarks' files: read, checked at the door, and warned of."""

import collections
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tasks import hub
from tasks.benchmarks import belebele, flores, global_mmlu, sib200
from tasks.catalogue import PAPERS_TASKS, TASKS
from tasks.data import DATA_DIR_VARIABLE, BenchmarkData, open_data, read
from tasks.errors import DataMalformed, DataMissing, FileMissing, HubUnavailable
from tasks.files import EMBEDDED, read_lines, read_lines_of_archive
from tasks.loading import Loaded, load_task
from tasks.protocol import Protocol, split_shots

CODES = {"sib200": "swh_Latn", "belebele": "swh_Latn", "global_mmlu": "sw", "flores": "swh_Latn"}
OURS = BenchmarkData("embedded", EMBEDDED)


def load(root: Path, name: str, code: str = "x", **choices: Any) -> Loaded:
    return load_task(TASKS[name], code, "X", BenchmarkData("local", root), Protocol(**choices))


def write(root: Path, path: str, content: str | bytes) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content.encode() if isinstance(content, str) else content)


def sib(*rows: str) -> str:
    return "index_id\tcategory\ttext\n" + "".join(rows)


def sib_rows(*categories: str) -> list[str]:
    return [f"{number}\t{category}\tx{number}\n" for number, category in enumerate(categories)]


@pytest.mark.parametrize("name", PAPERS_TASKS)
def test_the_embedded_sets_hold_24_scored_items_or_more(name: str) -> None:
    task = TASKS[name]
    loaded = load_task(task, CODES[task.benchmark], "Swahili", OURS)
    assert len(loaded.items) >= 24
    assert not loaded.list_warnings()
    english = {"global_mmlu": "en"}.get(task.benchmark, "eng_Latn")
    if task.kind == "choice":
        assert len(load_task(task, english, "English", OURS).items) >= 24


def test_embedded_answers_are_balanced_and_the_same_in_both_languages() -> None:
    for benchmark, codes, key in (
        (global_mmlu.BENCHMARK, ("en", "sw"), "answer"),
        (belebele.BENCHMARK, ("eng_Latn", "swh_Latn"), "correct_answer_num"),
        (sib200.BENCHMARK, ("eng_Latn", "swh_Latn"), "category"),
    ):
        english, swahili = (
            [row[key] for row in read(benchmark, OURS, code).rows] for code in codes
        )
        assert english == swahili
        assert len(english) >= 27
        counts = collections.Counter(english).values()
        assert max(counts) - min(counts) <= 1


def test_the_data_directory_is_one_switch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_DIR_VARIABLE, raising=False)
    assert open_data(None) == OURS
    monkeypatch.setenv(DATA_DIR_VARIABLE, str(tmp_path))
    assert open_data(None) == BenchmarkData("local", tmp_path)
    assert open_data(str(EMBEDDED)) == OURS
    assert open_data("hub", {"sib200": "me/mine"}) == BenchmarkData(
        "hub", None, {"sib200": "me/mine"}
    )
    with pytest.raises(DataMissing, match="data_dir=/x: there is no such directory"):
        open_data("/x")


def test_a_home_folder_is_found_and_that_of_nobody_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "data").mkdir()
    assert open_data("~/data").root == tmp_path / "data"
    assert hub.resolve("~/data").folder == tmp_path / "data"
    with pytest.raises(DataMissing, match="data_dir=~nobody-here/data: there is no such directory"):
        open_data("~nobody-here/data")
    with pytest.raises(HubUnavailable, match="~nobody-here/data is neither a folder nor"):
        hub.resolve("~nobody-here/data")


def test_a_language_that_the_data_lack_is_data_missing(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="they hold Swahili and English only"):
        load_task(TASKS["sib200"], "yor_Latn", "Yoruba", OURS)
    for name in PAPERS_TASKS:
        with pytest.raises(DataMissing, match="there is no file"):
            load(tmp_path, name)
    with pytest.raises(DataMissing, match="nothing to translate"):
        load_task(TASKS["flores_xx_en"], "eng_Latn", "English", OURS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "0 rows; 3 are the shots"),
        (sib(*sib_rows("travel")), "1 rows; 3 are the shots"),
        (sib(*sib_rows("travel", "travel", "travel")), "so at least 4 are needed"),
        (
            sib(*sib_rows("travel", "cars", "travel", "travel")),
            "test.tsv, line 3: category is 'cars'",
        ),
        ("index_id\tcategory\n" + "1\ttravel\n" * 5, "line 1: no column text; the header is"),
        ("1\ttravel\tx\n" * 5, "line 1: no column index_id, category, text"),
        ("index_id\tcategory\ttext\ttext\n", "line 1: a column is named twice"),
        (sib(*sib_rows("travel") * 5), "line 3: repeats index_id '0' of line 2; line 4: repeats"),
        (sib(*sib_rows("travel") * 9), "and 5 more rows. Remedy: mend these rows"),
        (sib("1\ttravel\tx\ty\n"), "line 2: 4 cells for 3 columns. Remedy: a tab stands"),
        (sib("1\ttravel\n"), "line 2: 2 cells for 3 columns"),
    ],
)
def test_malformed_topics_are_named(tmp_path: Path, content: str, words: str) -> None:
    write(tmp_path, "sib200/x/test.tsv", content)
    with pytest.raises(DataMalformed, match=words):
        load(tmp_path, "sib200")


def test_quoted_fields_are_read_once_unquoted(tmp_path: Path) -> None:
    write(tmp_path, "sib200/x/test.tsv", sib('1\ttravel\t"She said ""no""."\n'))
    assert sib200.read(tmp_path, "x")[0].cells["text"] == 'She said "no".'


def test_broken_json_and_answers_are_named_with_their_line(tmp_path: Path) -> None:
    lines = (EMBEDDED / "belebele/eng_Latn.jsonl").read_text().splitlines()[:6]
    for other, words in (
        ("{", "line 7: not JSON"),
        ("[1]", "line 7: a JSON object is needed, not list"),
        ("null", "line 7: a JSON object is needed, not NoneType"),
        (json.dumps(json.loads(lines[5]) | {"correct_answer_num": "5"}), "line 7: correct_answer"),
        (json.dumps({"link": "x"}), "line 7: no question_number, no flores_passage"),
        ('{"link": ' + "9" * 5000 + "}", "line 7: not JSON"),
        ("[" * 100_000, "line 7: not JSON"),
    ):
        write(tmp_path, "belebele/x.jsonl", "\n".join([*lines, other]) + "\n")
        with pytest.raises(DataMalformed, match=words):
            load(tmp_path, "belebele")


def test_translations_must_be_parallel(tmp_path: Path) -> None:
    write(tmp_path, "flores/devtest/x.txt", "a\n\nb\nc\nd\n")
    with pytest.raises(FileMissing, match=r"eng_Latn\.txt: FLORES needs its English sentences too"):
        load(tmp_path, "flores_xx_en")
    write(tmp_path, "flores/devtest/eng_Latn.txt", "a\n" * 6)
    for content in ("a\n\nb\nc\nd\n", "a\n\nb\nc\nd"):
        write(tmp_path, "flores/devtest/x.txt", content)
        with pytest.raises(
            DataMalformed,
            match=r"x\.txt has 5 sentences, .*eng_Latn\.txt 6; .*; line 2 of .*x\.txt is empty",
        ):
            load(tmp_path, "flores_xx_en")


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n \n\n"])
def test_an_empty_line_keeps_its_place_and_one_at_the_end_is_none(tmp_path: Path, end: str) -> None:
    write(tmp_path, "flores/devtest/x.txt", "x1\nx2\nx3\nx4\n\nx6" + end)
    write(tmp_path, "flores/devtest/eng_Latn.txt", "e1\ne2\ne3\ne4\ne5\ne6\n")
    loaded = load(tmp_path, "flores_xx_en")
    assert [(item.id, item.source, item.target) for item in loaded.items] == [
        ("4", "x4", "e4"),
        ("6", "x6", "e6"),
    ]
    assert (
        "1 of 6 rows are left out, since text is empty or invisible: line 5"
        in loaded.list_warnings()
    )


def test_flores_is_read_from_each_of_its_forms(tmp_path: Path) -> None:
    ours = load_task(TASKS["flores_xx_en"], "swh_Latn", "X", OURS)
    texts = {
        code: (EMBEDDED / f"flores/devtest/{code}.txt").read_bytes()
        for code in ("swh_Latn", "eng_Latn")
    }
    for folder in ("a", "a/flores200_dataset", "b/flores/flores200_dataset"):
        for code, text in texts.items():
            write(tmp_path, f"{folder}/devtest/{code}.devtest", text)
            write(tmp_path, f"{folder}/dev/{code}.dev", text + b"one more\n")
    for name, prefix in (("c", ""), ("d", "./")):
        (tmp_path / name).mkdir()
        with tarfile.open(tmp_path / name / "flores200_dataset.tar.gz", "w:gz") as archive:
            for code, text in texts.items():
                entry = tarfile.TarInfo(f"{prefix}flores200_dataset/devtest/{code}.devtest")
                entry.size = len(text)
                archive.addfile(entry, io.BytesIO(text))
    for root in ("a", "a/flores200_dataset", "b", "c", "d"):
        assert load(tmp_path / root, "flores_xx_en", "swh_Latn").data.sha256 == ours.data.sha256
    assert flores.find(tmp_path / "b", "swh_Latn", "dev").lines[-1] == "one more"
    with pytest.raises(DataMissing, match=r"has no flores200_dataset/devtest/yor_Latn.devtest"):
        load(tmp_path / "c", "flores_xx_en", "yor_Latn")
    whole = (tmp_path / "c/flores200_dataset.tar.gz").read_bytes()
    write(tmp_path, "cut.tar.gz", whole[: len(whole) // 2])
    with pytest.raises(DataMalformed, match=r"not a whole tar\.gz archive"):
        read_lines_of_archive(tmp_path / "cut.tar.gz", "flores200_dataset/devtest/x.devtest")


def test_bytes_that_are_no_text_are_named_with_their_line(tmp_path: Path) -> None:
    broken = b"index_id\tcategory\ttext\n" + b"1\ttravel\tx\n" * 4000 + b"1\ttravel\t\xff\n"
    for path, name in (
        ("sib200/x/test.tsv", "sib200"),
        ("belebele/x.jsonl", "belebele"),
        ("flores/devtest/x.txt", "flores_xx_en"),
    ):
        write(tmp_path, path, broken)
        with pytest.raises(DataMalformed, match=f"{tmp_path / path}, line 4002: not UTF-8"):
            load(tmp_path, name)


def test_a_field_without_end_is_malformed(tmp_path: Path) -> None:
    write(tmp_path, "sib200/x/test.tsv", sib('1\ttravel\t"' + "x" * 200_000))
    with pytest.raises(DataMalformed, match=r"line 2: a cell is too long"):
        load(tmp_path, "sib200")


def test_a_sorted_test_set_is_warned_of_and_balanced_shots_mend_it(tmp_path: Path) -> None:
    rows = sib_rows(*["travel"] * 4, *["sports"] * 2, *["health"] * 30, "travel")
    write(tmp_path, "sib200/x/test.tsv", sib(*rows))
    paper, balanced = load(tmp_path, "sib200"), load(tmp_path, "sib200", shots="balanced")
    assert paper.list_warnings()[0] == "all 3 shots have the same label, 'travel'"
    assert paper.list_warnings()[1] == "the set has 37 rows; as published it has 204"
    assert balanced.list_warnings() == paper.list_warnings()[1:]
    assert [item.id for item in balanced.shots] == ["0", "4", "6"]
    assert len(balanced.items) == len(paper.items) == 34
    assert paper.data.sha256 == balanced.data.sha256
    assert paper.prompts_sha256 != balanced.prompts_sha256
    limited = paper.list_warnings(limit=2)
    assert "only 2 of the 3 labels occur in the 2 scored items" in limited[1]
    assert "only 2 items are scored" in limited[3]


def test_balanced_shots_need_three_labels(tmp_path: Path) -> None:
    assert split_shots(list("AABCB"), "balanced") == [0, 2, 3]
    assert split_shots(list("AABCB"), "first") == [0, 1, 2]
    write(tmp_path, "sib200/x/test.tsv", sib(*sib_rows(*["travel"] * 4, "sports")))
    with pytest.raises(DataMalformed, match="have 2 labels, balanced shots need 3"):
        load(tmp_path, "sib200", shots="balanced")


def test_equal_answers_are_counted_where_their_text_is_scored(tmp_path: Path) -> None:
    lines = (EMBEDDED / "global_mmlu/en.jsonl").read_text().splitlines()
    row = json.loads(lines[-1])
    lines[-1] = json.dumps(row | {"option_b": row["option_a"] + " "})
    write(tmp_path, "global_mmlu/x.jsonl", "\n".join(lines) + "\n")
    assert len(load(tmp_path, "global_mmlu").list_warnings()) == 1  # of the number of rows
    (_, equal) = load(tmp_path, "global_mmlu", answers="labels").list_warnings()
    assert equal.startswith("1 items have two equal answers")


def test_unicode_line_separators_do_not_split_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes("one\u2028still one\r\ntwo\n".encode())
    assert read_lines(path) == ["one\u2028still one", "two"]
    path.write_bytes(b"")
    assert read_lines(path) == []
