import json
from pathlib import Path
from typing import Any

import pytest

from generation.parse import read_conversation, read_list

CASES = json.loads(Path(__file__).with_name("parse_cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES["lists"], ids=lambda case: case["name"])
def test_lists(case: dict[str, Any]) -> None:
    assert read_list(case["text"], case["limit"]) == case["want"]


@pytest.mark.parametrize("case", CASES["conversations"], ids=lambda case: case["name"])
def test_conversations(case: dict[str, Any]) -> None:
    assert read_conversation(case["text"]) == case["want"]


def test_hostile_nesting_ends_quickly() -> None:
    assert read_list("[" * 20_000, 3) is None
    assert read_list('{"a":' * 20_000, 3) is None
    assert read_list('["' + "a" * 200_000, 3) is None
    assert read_list("1. a\n" * 5_000, 3) == ["a", "a", "a"]
