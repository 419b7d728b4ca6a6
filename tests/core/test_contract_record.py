"""How records are read and written, on small records; the golden stores test the real ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from core.contract import record
from core.contract.producers import find_role
from core.contract.record import (
    REST,
    Count,
    Share,
    Unreadable,
    as_json,
    make_schema_field,
    read_record,
)


@dataclass(frozen=True)
class Inner:
    share: Share
    flag: bool
    rest: Mapping[str, Any] = field(default_factory=dict, metadata=REST)


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: str
    count: Count
    side: Literal["left", "right"] = "left"
    version: str | int | None
    words: tuple[str, ...]
    inner: Inner | None
    numbers: Mapping[str, float | None]
    later: str | None = None
    schema: int = make_schema_field(2)


FULL = {
    "name": "a",
    "count": 3,
    "side": "right",
    "version": 2,
    "words": ["x", "y"],
    "inner": {"share": 0.5, "flag": True, "more": [1]},
    "numbers": {"one": 1.5, "none": None},
    "later": "said",
    "schema": 2,
}


def test_what_is_written_reads_the_same() -> None:
    outer = read_record(Outer, FULL)
    assert as_json(outer) == FULL
    assert outer.inner == Inner(0.5, True, {"more": [1]})


def test_an_older_record_lacks_what_came_later() -> None:
    outer = read_record(Outer, {"name": "a", "count": 0, "version": "1", "unknown": 1})
    assert outer == Outer(
        name="a", count=0, version="1", words=(), inner=None, numbers={}, schema=0
    )
    # A field that is None because the record is old is written as such, one of today's is not.
    assert as_json(outer).keys() == FULL.keys() - {"later"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": None}, "name must be text, but is absent"),
        ({"name": 3}, "name must be text, but is 3"),
        ({"count": True}, "count must be a whole number >= 0, but is True"),
        ({"count": -1}, "count must be a whole number >= 0, but is -1"),
        ({"count": 1.5}, "count must be a whole number >= 0, but is 1.5"),
        ({"side": "up"}, "side must be one of left, right, but is 'up'"),
        ({"version": [1]}, r"version must be a whole number, but is \[1\]"),
        ({"words": "xy"}, "words must be a list, but is 'xy'"),
        ({"words": ["x", 1]}, "words.1 must be text, but is 1"),
        ({"inner": []}, r"inner must be an object, but is \[\]"),
        ({"inner": {"share": 2, "flag": True}}, r"inner.share must lie in \[0, 1\], but is 2"),
        ({"inner": {"share": 1}}, "inner.flag must be true or false, but is absent"),
        ({"numbers": {"one": float("nan")}}, "numbers.one must be a finite number, but is nan"),
        ({"schema": "2"}, "schema must be a whole number, but is '2'"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Unreadable, match=f"^{message}") as caught:
        read_record(Outer, FULL | change)
    assert caught.value.remedy is None


def test_a_newer_record_is_refused_with_its_own_remedy() -> None:
    with pytest.raises(Unreadable, match="schema is 3: a newer version") as caught:
        # Whatever else it holds may mean something else.
        read_record(Outer, {"schema": 3, "name": ["changed"]})
    assert "install" in (caught.value.remedy or "")


def test_a_record_that_is_too_old_is_refused() -> None:
    @dataclass(frozen=True)
    class Recent:
        schema: int = make_schema_field(2, oldest=1)

    assert read_record(Recent, {"schema": 1}).schema == 1
    with pytest.raises(Unreadable, match="schema is 0, and this version of kakugo reads 1 to 2"):
        read_record(Recent, {})


def test_files_that_hold_no_record(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    for content, message in (
        (None, "cannot be opened"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is not a JSON object"),
    ):
        if content is not None:
            path.write_text(content)
        with pytest.raises(Unreadable, match=message):
            record.read_file(Outer, path)


def test_the_role_of_older_producers_stands_in_their_names() -> None:
    assert [find_role(name) for name in ("base", "trained:gen", "published:x:y")] == [
        "base",
        "trained",
        "published",
    ]
    assert find_role("anything", "trained") == "trained"
