"""What an artifact's name is made of.

A key is the SHA-256 of canonical JSON: the stage's name, its hand-bumped version, its resolved
fields and the keys of its inputs. Whatever cannot change the result stays out.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces. NaN and infinities have no place in a key."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def keyed(settings: Any) -> Any:
    """The part of a settings dataclass that can change a result, as plain JSON values.

    Left out at any depth are a field whose metadata says ``"keyed": False`` (a place, a credential,
    a number of workers), and one that was added later, ``{"since": VERSION, "before": VALUE}``,
    while it has the value under which the stage does what it did before there was the field: so a
    new setting makes nobody's finished results again. Tuples become lists.
    """
    if dataclasses.is_dataclass(settings) and not isinstance(settings, type):
        return {
            field.name: keyed(getattr(settings, field.name))
            for field in dataclasses.fields(settings)
            if field.metadata.get("keyed", True) and not _as_before(settings, field)
        }
    if isinstance(settings, Mapping):
        return {str(name): keyed(value) for name, value in settings.items()}
    if isinstance(settings, list | tuple):
        return [keyed(value) for value in settings]
    return settings


def _as_before(settings: Any, field: dataclasses.Field[Any]) -> bool:
    """Whether a field that was added later changes nothing.

    `before` is a value of its own and not the field's default: a default may change one day, and
    results that were made without the field still are those of `before`.
    """
    if "since" not in field.metadata:
        return False
    # As JSON: 1, 1.0 and True are equal to Python, and three things in a key.
    value, before = getattr(settings, field.name), field.metadata["before"]
    return canonical_json(keyed(value)) == canonical_json(keyed(before))


def stage_key(name: str, version: int, fields: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """The key of a stage: 24 hexadecimal digits (96 bits) of the SHA-256.

    `inputs` maps the role that an input plays to its key.
    """
    content = {"stage": name, "version": version, "fields": fields, "inputs": dict(inputs)}
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()[:24]
