"""Computes the key of an artifact, which names its folder.

A key is the SHA-256 of canonical JSON: the stage's name, its hand-bumped version, the keyed part of
its settings and the keys of its inputs. Whatever cannot change the result stays out.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

UNKEYED: Mapping[str, Any] = {"keyed": False}
"""Metadata of a field that cannot change a result."""
IF_GIVEN: Mapping[str, Any] = {"keyed": "if given"}
"""Metadata of a field that does not apply to every result, and is None where it does not."""
MERGED: Mapping[str, Any] = {"keyed": "merged"}
"""Metadata of a field whose own fields stand in the key among those of its owner."""


def write_canonical_json(value: Any) -> str:
    """Writes JSON with sorted keys and no spaces. NaN and infinities have no place in a key."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def take_keyed(settings: Any) -> Any:
    """Returns the part of a settings dataclass that can change a result, as plain JSON values.

    Left out at any depth are a field whose metadata says `UNKEYED` (a place, a credential, a number
    of workers), one that is `IF_GIVEN` while it is None, and one that was added later, ``{"since":
    VERSION, "before": VALUE}``, while it has the value under which the stage does what it did
    before there was the field: so a new setting makes nobody's finished results again. The fields
    of a `MERGED` one stand among the others. Tuples become lists.
    """
    if dataclasses.is_dataclass(settings) and not isinstance(settings, type):
        content: dict[str, Any] = {}
        for field in dataclasses.fields(settings):
            value, how = getattr(settings, field.name), field.metadata.get("keyed", True)
            if how is False or (how == "if given" and value is None) or _as_before(settings, field):
                continue
            part = take_keyed(value) if how == "merged" else {field.name: take_keyed(value)}
            if twice := part.keys() & content.keys():
                raise ValueError(f"{type(settings).__name__} has two fields {sorted(twice)[0]}")
            content |= part
        return content
    if isinstance(settings, Mapping):
        return {str(name): take_keyed(value) for name, value in settings.items()}
    if isinstance(settings, list | tuple):
        return [take_keyed(value) for value in settings]
    return settings


def _as_before(settings: Any, field: dataclasses.Field[Any]) -> bool:
    """Says whether a field that was added later changes nothing.

    `before` is a value of its own and not the field's default: a default may change one day, and
    results that were made without the field still are those of `before`.
    """
    if "since" not in field.metadata:
        return False
    # As JSON: 1, 1.0 and True are equal to Python, and three things in a key.
    value, before = getattr(settings, field.name), field.metadata["before"]
    return write_canonical_json(take_keyed(value)) == write_canonical_json(take_keyed(before))


def make_stage_key(
    name: str, version: int, fields: Mapping[str, Any], inputs: Mapping[str, str]
) -> str:
    """Computes the key of a stage: 24 hexadecimal digits (96 bits) of the SHA-256.

    `inputs` maps the role that an input plays to its key.
    """
    content = {"stage": name, "version": version, "fields": fields, "inputs": dict(inputs)}
    return hashlib.sha256(write_canonical_json(content).encode()).hexdigest()[:24]
