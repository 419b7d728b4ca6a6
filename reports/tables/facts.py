"""Reads the facts of a manifest, in which anything may be missing."""

from collections.abc import Mapping
from typing import Any

from reports.store.model import Artifact


def get_about(artifact: Artifact, name: str) -> str:
    return str(artifact.about.get(name, ""))


def get_number(row: Mapping[str, Any], name: str) -> int | float | None:
    value = row.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def get_lines(value: object) -> list[Mapping[str, Any]]:
    return [line for line in value if isinstance(line, dict)] if isinstance(value, list) else []
