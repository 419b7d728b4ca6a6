"""Holds the messages of the core, the harness and the tasks to saying what a person can do."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import MendableError

ROOT = Path(__file__).parent.parent
PACKAGES = ["core", "harness", "publishing", "tasks"]
MODULES = [
    *("core.checkpoints.errors", "core.identify.text", "generation.errors", "harness.errors"),
    *("tasks.errors", "training.errors"),
]
# Texts that hold a remedy, or are given one.
REMEDIES = ("Remedy", "_SAVED", "_GET_AGAIN", "_REMEDY")
# Where the remedy stands elsewhere.
ELSEWHERE = {
    "DataMissing": "is a gap of the report with its reason, not an error",
    "The configuration has": "each of its problems says what is allowed",
    "and nothing was paid": "each of its lines has its own remedy",
    "is not done, and": "the reason goes on with it",
    "Without the source": "follows upon a message that has one",
    "cannot be had": "whoever asks for the file adds it",
}
FEW = 3
"""Words. A message with fewer of its own passes on what another says."""


def name_mendable(kind: type[MendableError] = MendableError) -> set[str]:
    """Names all errors whose message is printed without a traceback."""
    return {kind.__name__}.union(*map(name_mendable, kind.__subclasses__()))


def find_without_remedy(source: str, errors: set[str]) -> Iterator[str]:
    """Yields the line and the own words of each message that says nothing of what to do."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id not in errors or not node.args:
            continue
        whole = ast.unparse(node)
        own = " ".join(
            part.value
            for part in ast.walk(node)
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
        )
        known = [*REMEDIES, *ELSEWHERE]
        if len(own.split()) >= FEW and not any(word in whole for word in known):
            yield f"{node.lineno}: {' '.join(own.split())}"


@pytest.mark.parametrize("package", PACKAGES)
def test_an_error_says_what_to_do(package: str) -> None:
    for module in MODULES:
        importlib.import_module(module)
    errors = name_mendable()
    assert {"CheckpointError", "ScoringError", "HubUnavailable"} <= errors
    silent = {
        str(file.relative_to(ROOT)): found
        for file in sorted((ROOT / package).rglob("*.py"))
        if (found := list(find_without_remedy(file.read_text(encoding="utf-8"), errors)))
    }
    assert not silent


def test_a_message_without_a_remedy_is_found() -> None:
    source = """
raise ScoringError(f"{place} gives no answer at all")
raise ScoringError(f"{place} gives no answer. Remedy: start it")
raise ScoringError(f"{place}: {error}")
"""
    assert list(find_without_remedy(source, {"ScoringError"})) == ["2: gives no answer at all"]
