"""What stands in a row is checked alike wherever it was read from: from files and from the Hub."""

import gzip
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hub_repositories
import pytest

from tasks.catalogue import TASKS
from tasks.data import BenchmarkData, open_data
from tasks.errors import DataMalformed
from tasks.files import EMBEDDED, read_lines
from tasks.loading import Loaded, load_task
from tasks.rows import Raw, RowColumn, check

LINES = {
    "belebele": read_lines(EMBEDDED / "belebele/swh_Latn.jsonl"),
    "sib200": read_lines(EMBEDDED / "sib200/swh_Latn/test.tsv"),
}
ROWS = [json.loads(line) for line in LINES["belebele"]]
Loading = Callable[[dict[int, Any]], Loaded]


def local(root: Path, changes: dict[int, Any]) -> Loaded:
    """Belebele of a folder, some of its rows (from 1) changed."""
    (root / "belebele").mkdir(exist_ok=True)
    (root / "belebele/swh_Latn.jsonl").write_text(changed(changes), encoding="utf-8")
    return load_task(TASKS["belebele"], "swh_Latn", "Swahili", BenchmarkData("local", root))


def of_hub(root: Path, changes: dict[int, Any]) -> Loaded:
    """The same as the Hub's reader finds it."""
    (root / "test.jsonl").write_text(changed(changes), encoding="utf-8")
    hub_repositories.readme(root, {"swh_Latn": {"test": "test.jsonl"}})
    data = open_data("hub", {"belebele": str(root)})
    return load_task(TASKS["belebele"], "swh_Latn", "Swahili", data)


def changed(changes: dict[int, Any]) -> str:
    rows = [{**row, **changes.get(number, {})} for number, row in enumerate(ROWS, 1)]
    return "".join(json.dumps(row) + "\n" for row in rows)


def sib(root: Path, *lines: str) -> Loaded:
    (root / "sib200/x").mkdir(parents=True, exist_ok=True)
    (root / "sib200/x/test.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load_task(TASKS["sib200"], "x", "X", BenchmarkData("local", root))


@pytest.mark.parametrize("reader", [local, of_hub])
@pytest.mark.parametrize("blank", [None, "", "  ", "\u200b", "\ufeff", "\u3164\u00ad"], ids=ascii)
def test_a_row_with_a_blank_text_is_left_out_and_counted(
    tmp_path: Path, reader: Callable[..., Loaded], blank: str | None
) -> None:
    loaded = reader(tmp_path, {9: {"mc_answer3": blank}, 12: {"flores_passage": blank}})
    assert len(loaded.items) == 25
    assert {"9", "12"} & {item.id for item in loaded.items} == set()
    place = "line" if reader is local else "row"
    warnings = loaded.list_warnings()
    assert (
        f"1 of 30 rows are left out, since mc_answer3 is empty or invisible: {place} 9" in warnings
    )
    assert "the set has 30 rows; as published it has 900" in warnings


def test_a_blank_row_among_the_first_moves_the_shots_and_says_so(tmp_path: Path) -> None:
    whole, less = local(tmp_path, {}), local(tmp_path, {2: {"question": "\u2060"}})
    assert [item.id for item in less.shots] == [
        whole.shots[0].id, whole.shots[2].id, whole.items[0].id
    ]  # fmt: skip
    assert any("the shots are not the paper's" in warning for warning in less.list_warnings())
    assert whole.data.sha256 != less.data.sha256


def test_a_missing_number_of_a_file_is_a_blank(tmp_path: Path) -> None:
    loaded = local(tmp_path, {9: {"question": math.nan}})
    assert "NaN" in (tmp_path / "belebele/swh_Latn.jsonl").read_text()
    assert any("since question is empty" in warning for warning in loaded.list_warnings())


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"question": True}, "question is True, true or false; text is wanted"),
        ({"mc_answer1": ["a", "b"]}, r"mc_answer1 is \['a', 'b'\], a list; text is wanted"),
        ({"mc_answer1": {"a": 1}}, "an object; text is wanted"),
        ({"mc_answer2": 1.5}, "mc_answer2 is 1.5, a fraction; text is wanted"),
        ({"mc_answer2": math.inf}, "mc_answer2 is inf, a fraction"),
        ({"question": "What? \ud83d"}, r"question holds half of a character, \\ud83d"),
        ({"link": "\udc00"}, "link holds half of a character"),
        ({"question": "a\0b"}, "question holds a NUL byte"),
        ({"question_number": None}, "question_number is empty"),
        ({"link": "\u200b"}, "link is empty"),
        ({"correct_answer_num": "0"}, r"is '0', allowed are 1, 2, 3, 4 \(the first answer is"),
        ({"correct_answer_num": 5}, "correct_answer_num is '5', allowed are"),
        ({"correct_answer_num": None}, "correct_answer_num is empty"),
        ({"correct_answer_num": False}, "correct_answer_num is False, true or false"),
        ({"link": ROWS[3]["link"]}, "repeats link, question_number .* of line 4"),
    ],
    ids=str,
)
def test_a_row_that_makes_no_sense_is_named_with_file_line_and_remedy(
    tmp_path: Path, cells: dict[str, Any], said: str
) -> None:
    with pytest.raises(
        DataMalformed, match=rf"{tmp_path}/belebele/swh_Latn\.jsonl, line 7: .*{said}.*\. Remedy: "
    ) as caught:
        local(tmp_path, {7: cells})
    str(caught.value).encode()  # printed and kept


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("correct_answer_num", "0", "row 7: correct_answer_num is '0', allowed"),
        ("link", ROWS[3]["link"], "row 7: repeats link"),
        ("question", "a\0b", "row 7: question holds a NUL byte"),
    ],
)
def test_the_hub_s_rows_go_through_the_same_checks(
    tmp_path: Path, column: str, value: str, said: str
) -> None:
    with pytest.raises(DataMalformed, match=said):
        of_hub(tmp_path, {7: {column: value}})


def test_a_label_may_differ_in_case_and_space_alone(tmp_path: Path) -> None:
    header, *rows = LINES["sib200"]
    cells = [row.split("\t") for row in rows]
    loud = ["\t".join((a, f" {b.title()} ", c)) for a, b, c in cells]
    plain, other = sib(tmp_path, header, *rows), sib(tmp_path, header, *loud)
    assert other.prompts_sha256 == plain.prompts_sha256
    assert other.data.sha256 == plain.data.sha256
    with pytest.raises(DataMalformed, match="line 2: category is 'sport', allowed are"):
        sib(tmp_path, header, "1\tsport\tx")


def test_an_answer_may_be_a_number_or_lower_case() -> None:
    number = RowColumn("answer", "label", ("1", "2"))
    assert [number.as_text(value) for value in (1, "1", " 2 ")] == ["1", "1", "2"]
    assert RowColumn("answer", "label", ("A", "B")).as_text("b") == "B"
    assert RowColumn("option").as_text(1989) == "1989"


@pytest.mark.parametrize("text", ['"Kisiwa hicho', '"No" he said', '"one\ttwo'])
def test_a_stray_quote_mark_joins_no_rows(tmp_path: Path, text: str) -> None:
    header, *rows = LINES["sib200"]
    rows[9] = f"10\tgeography\t{text}"
    with pytest.raises(DataMalformed, match=r"test\.tsv, line 11: a quote mark .*Remedy"):
        sib(tmp_path, header, *rows)


def test_a_stray_quote_mark_of_the_hub_joins_no_rows_either(tmp_path: Path) -> None:
    header, *rows = LINES["sib200"]
    for place in (9, 13):
        number, category, text = LINES["sib200"][place + 1].split("\t")
        rows[place] = f'{number}\t{category}\t"{text}'
    hub_repositories.readme(tmp_path, {"x": {"test": "test.tsv"}})
    data = open_data("hub", {"sib200": str(tmp_path)})
    for content, said in (
        ([header, *rows], "row 10: text holds a tab or a line break"),
        ([header, *rows[:12]], r"test\.tsv cannot be read as rows: .*EOF inside string.*Remedy"),
        ([header, *rows[:9], "1\ttravel\tx\ty"], "cannot be read as rows: .*in line 11, saw 4"),
    ):
        (tmp_path / "test.tsv").write_text("\n".join(content) + "\n", encoding="utf-8")
        with pytest.raises(DataMalformed, match=said):
            load_task(TASKS["sib200"], "x", "X", data)


@pytest.mark.parametrize("name", ["sib200", "belebele", "flores_xx_en"])
@pytest.mark.parametrize("form", ["bom", "crlf", "cr", "blank lines"])
def test_marks_and_line_ends_change_nothing_that_is_asked(
    tmp_path: Path, name: str, form: str
) -> None:
    change: dict[str, Callable[[bytes], bytes]] = {
        "bom": lambda content: b"\xef\xbb\xbf" + content,
        "crlf": lambda content: content.replace(b"\n", b"\r\n"),
        "cr": lambda content: content.replace(b"\n", b"\r"),
        "blank lines": lambda content: content + b"\n\n",
    }
    for path in EMBEDDED.rglob("*_Latn*/test.tsv" if name == "sib200" else "*_Latn.*"):
        to = tmp_path / path.relative_to(EMBEDDED)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(change[form](path.read_bytes()))
    theirs = load_task(TASKS[name], "swh_Latn", "Swahili", BenchmarkData("local", tmp_path))
    ours = load_task(TASKS[name], "swh_Latn", "Swahili", BenchmarkData("embedded", EMBEDDED))
    assert theirs.prompts_sha256 == ours.prompts_sha256
    assert theirs.data.sha256 == ours.data.sha256


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-16", "the file is UTF-16"), ("utf-32", "the file is UTF-32"), ("latin-1", "not UTF-8")],
)
def test_other_encodings_are_named(tmp_path: Path, encoding: str, said: str) -> None:
    (tmp_path / "sib200/x").mkdir(parents=True)
    path = tmp_path / "sib200/x/test.tsv"
    path.write_bytes("index_id\tcategory\ttext\n1\ttravel\tcafé\n".encode(encoding))
    with pytest.raises(DataMalformed, match=rf"test\.tsv, line \d: {said}.*Remedy: save the file"):
        load_task(TASKS["sib200"], "x", "X", BenchmarkData("local", tmp_path))


def test_an_item_that_equals_a_shot_is_warned_of(tmp_path: Path) -> None:
    header, *rows = LINES["sib200"]
    shot = rows[1].split("\t")[2]
    again = [f"98\tsports\t{shot}", f"99\tsports\t  {shot.upper()} "]
    (warning,) = [w for w in sib(tmp_path, header, *rows, *again).list_warnings() if "shot," in w]
    assert warning.startswith("2 scored items equal a shot")
    assert warning.endswith(": 98, 99")
    assert not [w for w in sib(tmp_path, header, *rows).list_warnings() if "equal a shot" in w]


def test_a_translation_given_away_by_a_shot_is_warned_of(tmp_path: Path) -> None:
    folder = tmp_path / "flores/devtest"
    folder.mkdir(parents=True)
    (folder / "x.txt").write_text("x1\nx2\nx3\nx4\nx5\n")
    (folder / "eng_Latn.txt").write_text("e1\ne2\ne3\nE2\ne5\n")
    for name in ("flores_xx_en", "flores_en_xx"):
        loaded = load_task(TASKS[name], "x", "X", BenchmarkData("local", tmp_path))
        assert any("1 scored items equal a shot" in warning for warning in loaded.list_warnings())


def test_every_fault_of_a_row_is_told(tmp_path: Path) -> None:
    raws = [Raw("f", "line 1", {"id": True, "text": "a\tb"})]
    with pytest.raises(DataMalformed, match=r"f, line 1: id is True.*, text holds a tab"):
        check(raws, (RowColumn("id", "key"), RowColumn("text", "line")), ("id",))


def test_files_that_were_joined_are_read_through_their_inner_marks(tmp_path: Path) -> None:
    """`cat a b` leaves b's byte order mark inside."""
    (tmp_path / "belebele").mkdir()
    joined = "".join(f"\ufeff{line}\n" for line in LINES["belebele"])
    (tmp_path / "belebele/swh_Latn.jsonl").write_text(joined, encoding="utf-8")
    loaded = load_task(TASKS["belebele"], "swh_Latn", "Swahili", BenchmarkData("local", tmp_path))
    ours = load_task(TASKS["belebele"], "swh_Latn", "Swahili", BenchmarkData("embedded", EMBEDDED))
    assert loaded.prompts_sha256 == ours.prompts_sha256
    header, *rows = LINES["sib200"]
    marked = [*rows[:9], "\ufeff" + rows[9], *rows[10:]]
    assert (
        sib(tmp_path, header, *marked).prompts_sha256 == sib(tmp_path, header, *rows).prompts_sha256
    )


def test_every_stray_quote_mark_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    header, *rows = LINES["sib200"]
    for place in (9, 13):
        number, category, text = rows[place].split("\t")
        rows[place] = f'{number}\t{category}\t"{text}'
    with pytest.raises(DataMalformed, match=r"line 11: a quote mark opens .*; line 15: a quote"):
        sib(tmp_path, header, *rows)


PLACES = {"sib200": "sib200/swh_Latn/test.tsv", "flores_en_xx": "flores/devtest/swh_Latn.txt"}


@pytest.mark.parametrize("task", PLACES)
@pytest.mark.parametrize(
    ("put", "words"),
    [
        (lambda path: path.mkdir(), "cannot be read: Is a directory"),
        (lambda path: path.symlink_to(path), "cannot be read: Too many levels of symbolic links"),
        (lambda path: path.parent.chmod(0), "cannot be read: Permission denied"),
        (lambda path: path.touch(0), "cannot be read: Permission denied"),
        (lambda path: os.mkfifo(path), "cannot be read: a pipe, not a file"),
        (lambda path: path.write_bytes(gzip.compress(b"x")), r"line 1: the file is compressed"),
        (lambda path: path.write_bytes(b"PK\x03\x04\n"), r"line 1: the file is a zip archive"),
        (
            lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\noid x\n"),
            "line 1: the file is a Git LFS pointer",
        ),
    ],
)
def test_what_cannot_be_read_as_a_file_is_malformed_by_name(
    tmp_path: Path, task: str, put: Callable[[Path], object], words: str
) -> None:
    shutil.copytree(EMBEDDED, tmp_path, dirs_exist_ok=True)
    path = tmp_path / PLACES[task]
    path.unlink()
    put(path)
    # As a user of whom permissions are asked, which root is not.
    loading = "import sys; from test_tasks_rows import say_load; say_load(*sys.argv[1:])"
    without = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*without, sys.executable, "-c", loading, str(tmp_path), task],
        env={**os.environ, "PYTHONPATH": ":".join(map(str, Path(__file__).parents[:3]))},
        capture_output=True,
        text=True,
        timeout=60,
    )
    path.parent.chmod(0o755)
    assert done.stdout.startswith(f"DataMalformed: {path}"), done.stdout + done.stderr
    assert words in done.stdout
    assert "Remedy: " in done.stdout


def say_load(root: str, task: str) -> None:
    """Prints how a task of a folder cannot be loaded."""
    try:
        load_task(TASKS[task], "swh_Latn", "Swahili", open_data(root))
    except Exception as error:
        print(f"{type(error).__name__}: {error}")


def test_an_archive_tells_in_a_line_why_it_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "flores200_dataset.tar.gz"
    for content, why in ((b"", "it is empty"), (b"no archive", "opened successfully")):
        path.write_bytes(content)
        with pytest.raises(
            DataMalformed, match=rf"not a whole tar.gz archive \(.*{why}\)"
        ) as found:
            load_task(TASKS["flores_en_xx"], "swh_Latn", "Swahili", open_data(str(tmp_path)))
        assert "\n" not in str(found.value)
    path.unlink()
    path.mkdir()
    with pytest.raises(DataMalformed, match="cannot be read: Is a directory"):
        load_task(TASKS["flores_en_xx"], "swh_Latn", "Swahili", open_data(str(tmp_path)))


@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_of_rows_is_told_how_to_become_lines(tmp_path: Path, indent: int | None) -> None:
    (tmp_path / "belebele").mkdir()
    (tmp_path / "belebele/swh_Latn.jsonl").write_text(json.dumps(ROWS, indent=indent))
    with pytest.raises(DataMalformed, match=r"line 1: .* Remedy: one JSON object a line"):
        load_task(TASKS["belebele"], "swh_Latn", "Swahili", BenchmarkData("local", tmp_path))
