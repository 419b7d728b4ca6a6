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

    A field whose metadata says ``"keyed": False`` (a place, a credential, a number of workers) is
    left out, at any depth. Tuples become lists.
    """
    if dataclasses.is_dataclass(settings) and not isinstance(settings, type):
        return {
            field.name: keyed(getattr(settings, field.name))
            for field in dataclasses.fields(settings)
            if field.metadata.get("keyed", True)
        }
    if isinstance(settings, Mapping):
        return {str(name): keyed(value) for name, value in settings.items()}
    if isinstance(settings, list | tuple):
        return [keyed(value) for value in settings]
    return settings


def stage_key(name: str, version: int, fields: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """The key of a stage: 24 hexadecimal digits (96 bits) of the SHA-256.

    `inputs` maps the role that an input plays to its key.
    """
    content = {"stage": name, "version": version, "fields": fields, "inputs": dict(inputs)}
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()[:24]
