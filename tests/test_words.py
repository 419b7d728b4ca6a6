"""Holds the docstrings of the packages to sentences that a stranger understands."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A docstring that opens with one of these is the end of a sentence whose beginning is the code.
RIDDLES = {"How", "Of", "That", "What", "When", "Where", "Whether", "Which", "Who", "Whose", "Why"}

PACKAGES = [
    "core",
    "decoding",
    "generation",
    "harness",
    "preference",
    "publishing",
    "reports",
    "tasks",
    "training",
]


def list_riddles(package: str) -> list[str]:
    """Lists the riddles of all files of a package, each with its place."""
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    return [
        f"{file.relative_to(ROOT)}:{riddle}"
        for file in files
        for riddle in find_riddles(file.read_text(encoding="utf-8"))
    ]


def find_riddles(source: str) -> Iterator[str]:
    """Yields line, name and first line of each docstring that opens with such a word."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        words = (ast.get_docstring(node) or "").split()
        if words and words[0].strip(",.:;`*") in RIDDLES:
            name = getattr(node, "name", "the module")
            yield f"{getattr(node, 'lineno', 1)} ({name}): {' '.join(words[:8])}"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_docstring_opens_as_a_riddle(package: str) -> None:
    assert list_riddles(package) == []


def test_a_riddle_is_found_wherever_it_stands() -> None:
    source = '''"""What a module holds."""
class Answer:
    """Of any task."""
    def stopped(self):
        """Whether it
        stopped."""
def measure():
    """Measures what a prompt holds."""
'''
    assert [riddle.split()[0] for riddle in find_riddles(source)] == ["1", "2", "4"]


def test_every_package_is_covered() -> None:
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")} - {"tests", "scripts"}
    assert packages == set(PACKAGES)


# The name of a function may begin with one of these, too: a yes or no ("is_whole"), a conversion
# ("as_json"), a context ("with making(path)"), or what another library looks for by its name.
NO_VERBS = {
    *("as", "from", "has", "is", "may", "to"),
    *("asks", "beats", "begins", "compares", "counts", "fits", "matches", "names", "opens"),
    *("allows", "leaks", "prints", "repeats", "says", "speaks", "starts", "takes"),
    *(
        "collecting",
        "explaining",
        "holding",
        "limiting",
        "lowering",
        "making",
        "naming",
        "packing",
        "parsed",
    ),
    *("replacing", "running", "served", "showing", "tracking", "writing"),
    *("main", "dataset"),
}
VERBS = set((ROOT / "tests" / "verbs.txt").read_text(encoding="utf-8").split())


# Methods that lm-eval, transformers, gguf, TRL and uvicorn look for by these names.
HOOKS = {
    *("apply_chat_template", "data", "loglikelihood", "loglikelihood_rolling", "tok_encode"),
    *("_loglikelihood_tokens", "log", "evaluate", "forward", "persistent_id", "handle_exit"),
}


def list_nouns(source: str) -> list[str]:
    """Lists the functions and methods of a module, private ones too, whose names begin with no
    verb. A property is none of them: it reads as a field, and is named as one."""
    tree = ast.parse(source)
    owners = [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]
    return [
        node.name
        for owner in owners
        for node in owner.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not any("property" in ast.unparse(one) for one in node.decorator_list)
        and not node.name.startswith("__")
        and node.name not in HOOKS
        and not node.name.startswith("on_")
        and node.name.strip("_").partition("_")[0] not in VERBS | NO_VERBS
    ]


@pytest.mark.parametrize("package", [*PACKAGES, "scripts"])
def test_functions_begin_with_a_verb(package: str) -> None:
    """One that is new stands in tests/verbs.txt, a word a line."""
    nouns = {
        str(file.relative_to(ROOT)): found
        for file in sorted((ROOT / package).rglob("*.py"))
        if (found := list_nouns(file.read_text(encoding="utf-8")))
    }
    assert not nouns


def test_a_noun_is_found() -> None:
    source = """
def read_rows(): ...
def _rows(): ...
class Store:
    @property
    def size(self): ...
    def __len__(self): ...
    def open(self): ...
    def folder(self): ...
"""
    assert list_nouns(source) == ["_rows", "folder"]


def test_one_word_names_one_class() -> None:
    places: dict[str, list[str]] = {}
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    places.setdefault(node.name.strip("_"), []).append(str(file.relative_to(ROOT)))
    twice = {name: files for name, files in places.items() if len(files) > 1}
    assert not twice
