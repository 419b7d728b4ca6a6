"""Compares a published folder with what it should hold, byte for byte, and says what differs."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_SHOWN = 3


def compare_names(directory: Path, expected: Mapping[str, object]) -> list[str]:
    """List the files that are missing, and what else lies there, folders and links included."""
    found = {path.name: path for path in directory.iterdir()}
    missing = [f"{name} is missing" for name in expected if name not in found]
    strange = [f"{name} should not be there" for name in sorted(found.keys() - expected.keys())]
    odd = [
        f"{name} is not a plain file"
        for name in sorted(found.keys() & expected.keys())
        if found[name].is_symlink() or not found[name].is_file()
    ]
    return missing + strange + odd


def compare_contents(directory: Path, expected: Mapping[str, str]) -> list[str]:
    """List the files that hold other bytes than expected, and where."""
    problems = []
    for name, text in expected.items():
        path = directory / name
        if path.is_file() and (found := path.read_bytes()) != text.encode("utf-8"):
            where = _find_first_difference(found, text)
            problems.append(f"{name} is not what the key and the votes give: {where}")
    return problems


def _find_first_difference(found: bytes, text: str) -> str:
    try:
        differences = list(_list_differences(json.loads(found), json.loads(text), ""))
    except ValueError:
        differences = []
    if differences:
        more = f" and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        return "; ".join(differences[:_SHOWN]) + more
    here, there = found.decode("utf-8", "replace").split("\n"), text.split("\n")
    for number, (one, other) in enumerate(zip(here, there, strict=False), 1):
        if one != other:
            return f"line {number} is {_shorten(one)}, derived is {_shorten(other)}"
    return f"it has {len(here)} lines, derived are {len(there)}"


def _list_differences(found: Any, derived: Any, path: str) -> Iterator[str]:
    if isinstance(found, dict) and isinstance(derived, dict):
        for name in sorted(found.keys() | derived.keys()):
            where = f"{path}.{name}" if path else name
            if name not in derived:
                yield f"{where} should not be there"
            elif name not in found:
                yield f"{where} is missing"
            else:
                yield from _list_differences(found[name], derived[name], where)
    elif isinstance(found, list) and isinstance(derived, list) and len(found) == len(derived):
        for number, (one, other) in enumerate(zip(found, derived, strict=True)):
            yield from _list_differences(one, other, f"{path}[{number}]")
    elif found != derived or type(found) is not type(derived):
        yield f"{path} is {_shorten(found)}, derived is {_shorten(derived)}"


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
