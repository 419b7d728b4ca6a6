"""Holds the packages to code that something runs."""

import ast
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ["core", "decoding", "generation", "harness", "preference", "publishing", "reports"]
PACKAGES += ["tasks", "training"]
# Other libraries look for these by name.
HOOKS = {
    # transformers' Trainer
    *("_get_train_sampler", "compute_loss", "create_model_card"),
    # lm-eval
    *("_loglikelihood_tokens", "eot_token_id", "loglikelihood_rolling", "tokenizer_name"),
    "persistent_id",  # pickle
}
KEPT = {
    "draw_votes",  # made-up studies, with which the warnings of a study are checked
}


def count_words() -> Counter[str]:
    """Counts the words of all that runs or describes the product, its tests left out."""
    files = [
        path
        for folder in [*PACKAGES, "conf", "scripts"]
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".yaml", ".j2", ".js") and path.is_file()
    ]
    words: Counter[str] = Counter()
    for path in [*files, ROOT / "pyproject.toml"]:
        words.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    return words


def list_unused(sources: dict[str, str], words: Counter[str]) -> list[str]:
    """Lists the functions and classes whose name stands nowhere but in their definition."""
    return [
        f"{place}: {node.name}"
        for place, source in sources.items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and words[node.name] == 1
        and not node.name.startswith(("__", "on_"))
        and node.name not in HOOKS | KEPT
    ]


def test_what_is_defined_is_used() -> None:
    sources = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }
    assert list_unused(sources, count_words()) == []


def test_what_nothing_names_is_found() -> None:
    source = "def read(): ...\ndef write(): ...\nread()\n"
    assert list_unused({"a.py": source}, Counter(re.findall(r"\w+", source))) == ["a.py: write"]
