"""Lines end at newlines alone, everywhere in the repository."""

import ast
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lines import LineError, read_json_lines, read_lines, split_lines

ROOT = Path(__file__).parents[2]
ROOMS = ["core", "decoding", "generation", "harness", "preference", "publishing"]
ROOMS += ["reports", "tasks", "training"]
# All that str.splitlines() cuts at, besides newlines.
SEPARATORS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


def test_only_newlines_end_a_line() -> None:
    """One line with every other separator inside stays one line; \\r\\n ends one as \\n does."""
    inside = SEPARATORS.join("abcdefgh")
    assert split_lines(f"{inside}\r\nnext\n\nlast") == [inside, "next", "", "last"]
    assert split_lines("") == []
    assert split_lines("a\n") == ["a"]


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), min_size=1)))
def test_lines_come_back_as_they_were_written(texts: list[str]) -> None:
    """Whatever the lines hold: read from a file they are what was joined (a mark first aside)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.txt"
        path.write_bytes("".join(f"{text}\n" for text in texts).encode())
        read = [line.value for line in read_lines(path)]
    assert read[1:] == texts[1:]
    assert not texts or read[0] == texts[0].removeprefix("\ufeff")


def test_json_lines_may_hold_bare_separators(tmp_path: Path) -> None:
    """JSON allows them unescaped in strings, and json.dumps(ensure_ascii=False) writes them so."""
    rows = [{"text": f"one{mark}two"} for mark in SEPARATORS[4:]]
    path = tmp_path / "rows.jsonl"
    lines = "\r\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_bytes(b"\xef\xbb\xbf" + lines.encode())
    assert [(line.number, line.value) for line in read_json_lines(path)] == [
        (1 + 2 * place, row) for place, row in enumerate(rows)
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1}\n{"a": \xff}\n', "line 2: not UTF-8 (at its byte 7)"),
        ("{}\n".encode("utf-16"), "line 1: the file is UTF-16, not UTF-8"),
        (b"{}\n\n{a}\n", "line 3: not JSON"),
        (b"[" * 100_000, "line 1: not JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    """With the file, the line and the reason."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(LineError) as caught:
        list(read_json_lines(path))
    assert str(caught.value).startswith(f"{path}, {message}")


def test_nothing_cuts_data_at_other_characters() -> None:
    """`splitlines` is left for the words of other programs and of our own docstrings alone."""
    allowed = {
        # Logs and error messages of other programs, /proc/cpuinfo, SLURM's queue.
        "core/processes.py",
        "harness/cluster/slurm.py",
        "harness/export/converter.py",
        "harness/scoring/vllm_server.py",
        "harness/scoring/workers.py",
        "reports/store/samples.py",
        "training/finetune.py",
        "training/precision.py",
    }
    found = {
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "splitlines"
    }
    assert found <= allowed
