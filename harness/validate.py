"""Builds the typed configuration from plain values, or says all that is wrong with them.

Hydra composes; this module decides what is valid. Every problem is reported at once, and an
unknown key, also one that was added with `+`, names the nearest known key.
"""

import dataclasses
import difflib
import typing
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

import cattrs

from core.places import TypedPath, expand
from harness.config import Config, Served
from harness.errors import ConfigError
from harness.producers.registry import KINDS, find_kinds, find_stops, make_config_class


def build_config(values: Mapping[str, Any]) -> Config:
    """Builds the typed configuration from composed plain values; `ConfigError` lists every problem.

    It has what the producers need that are asked for. The values of what none of them needs, such
    as a teacher where checkpoints are only scored, are not looked at, beyond their keys' names.
    """
    kind = make_config_class(find_kinds(values))
    unused = _list_all_fields() - {f.name for f in dataclasses.fields(kind)}
    used = {name: value for name, value in values.items() if name not in unused}
    problems = [f"{path}: a value is needed" for path in _find_missing(used)]
    problems += _find_misshapen(used, kind)
    if not problems:
        problems = _find_unknown_keys({n: v for n, v in values.items() if n in unused})
        problems += _find_unknown_names(values)
        try:
            config = _make_converter(_list_kinds()).structure(used, kind)
        except cattrs.ClassValidationError as error:
            problems += _list_problems(error, "")
        else:
            if not problems:
                return config
    raise ConfigError(
        "The configuration has "
        + ("a problem:" if len(problems) == 1 else f"{len(problems)} problems:")
        + "".join(f"\n  - {problem}" for problem in problems)
        + "\n`kakugo --cfg job` shows the whole configuration."
    )


def _make_whole_config() -> type[Config]:
    """Returns the configuration with what every kind of producer needs."""
    return make_config_class(KINDS)


def _list_all_fields() -> set[str]:
    return {f.name for f in dataclasses.fields(_make_whole_config())}


def _find_unknown_keys(values: Mapping[str, Any]) -> list[str]:
    """Returns a problem for each mistyped key of groups whose values do not matter."""
    hints = typing.get_type_hints(_make_whole_config())
    found: list[str] = []
    for name, value in values.items():
        try:
            _make_converter(_list_kinds()).structure(value, hints[name])
        except cattrs.BaseValidationError as error:
            found += _list_problems(error, name, unknown_only=True)
        except (TypeError, ValueError):
            continue
    return found


def _find_unknown_names(values: Mapping[str, Any]) -> list[str]:
    """Returns a problem for each name of a kind of producer or of a step that there is not, and
    one where none is named."""
    kinds, stop = [kind.kind for kind in KINDS if kind.key == "producers"], values.get("stop_after")
    found = [
        f"producers.{number}: {_list_choices(kinds, value)}"
        for number, value in enumerate(values.get("producers", ()))
        if value not in kinds
    ]
    if stop is not None and stop not in find_stops():
        found.append(f"stop_after: {_list_choices(find_stops(), stop)}")
    if not (found or find_kinds(values)):
        keys = [kind.key for kind in KINDS if kind.key != "producers"]
        found.append(
            f"producers: nothing to score; name {' or '.join(kinds)}, or checkpoints in "
            f"{' or '.join(keys)}"
        )
    return found


def _list_kinds() -> tuple[str, ...]:
    return tuple(kind.kind for kind in KINDS)


@cache
def _make_converter(kinds: tuple[str, ...]) -> cattrs.Converter:
    """Returns a converter that forbids unknown keys and does not bend a value into another type.
    It is the same one for all experiments of a sweep, since it compiles what it converts."""
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)

    def strict(kind: type) -> Any:
        def hook(value: Any, _: Any) -> Any:
            if kind is float and type(value) is int:
                return float(value)
            if type(value) is not kind:
                raise TypeError(
                    f"{_name_kind(kind)} is needed, received {value!r}{_hint_at_sweep(value)}"
                )
            return value

        return hook

    for kind in (bool, int, float, str):
        converter.register_structure_hook(kind, strict(kind))

    converter.register_structure_hook_func(
        lambda t: t == TypedPath, lambda value, _: expand(strict(str)(value, str))
    )

    def choice(value: Any, allowed: Any) -> Any:
        values = typing.get_args(allowed)
        if value not in values:
            raise ValueError(_list_choices(values, value))
        return value

    literal: Any = Literal
    converter.register_structure_hook_func(lambda t: typing.get_origin(t) is literal, choice)

    # Each kind of producer has an endpoint, whose name is checked as that of any other key.
    by_kind = dataclasses.make_dataclass(
        "Endpoints",
        [(kind, Served, dataclasses.field(default_factory=Served)) for kind in kinds],
    )

    def endpoints(value: Any, _: Any) -> dict[str, Served]:
        return dict(vars(converter.structure(value, by_kind)))

    converter.register_structure_hook_func(lambda t: t == dict[str, Served], endpoints)
    return converter


def _list_choices(allowed: Sequence[Any], value: Any) -> str:
    options = ", ".join(map(str, allowed))
    return f"one of {options} is needed, received {value!r}{_hint_at_sweep(value)}"


def _hint_at_sweep(value: Any) -> str:
    """In a single run a comma is text; who wrote one for a sweep forgot to say so."""
    is_several = isinstance(value, str) and "," in value
    return "; several values are a sweep: kakugo -m ..." if is_several else ""


def _name_kind(kind: type) -> str:
    return {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}[kind]


def _find_missing(values: Mapping[str, Any], path: str = "") -> list[str]:
    """Returns keys whose value is still OmegaConf's mark for "must be given"."""
    found: list[str] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += _find_missing(value, f"{path}{name}.")
        elif value == "???":
            found.append(f"{path}{name}")
    return found


def _is_no_list(kind: Any, value: Any) -> bool:
    """Says whether a value of a type should be a list and is none; null may stand for one where
    the type has it."""
    kinds = typing.get_args(kind)
    if type(None) in kinds and len(kinds) == 2:
        (own,) = (one for one in kinds if one is not type(None))
        return value is not None and _is_no_list(own, value)
    return typing.get_origin(kind) is tuple and not isinstance(value, list)


def _find_misshapen(values: Mapping[str, Any], owner: type, path: str = "") -> list[str]:
    """Returns keys with a single value where a list or a group belongs, or the other way round."""
    found = []
    hints = typing.get_type_hints(owner)
    for name, value in values.items():
        kind = hints.get(name)
        is_group = dataclasses.is_dataclass(kind)
        if is_group or typing.get_origin(kind) is dict:
            if not isinstance(value, Mapping):
                found.append(f"{path}{name}: a group of keys is needed, received {value!r}")
            elif is_group:
                found += _find_misshapen(value, typing.cast(type, kind), f"{path}{name}.")
        elif _is_no_list(kind, value):
            found.append(f"{path}{name}: a list is needed, e.g. [{value}], received {value!r}")
    return found


def _list_problems(error: Exception, path: str, unknown_only: bool = False) -> typing.Iterator[str]:
    """Returns the leaves of cattrs' tree of exceptions, each as one line with the key's full path.

    With `unknown_only`, those alone that name a key which there is not.
    """
    if isinstance(error, cattrs.BaseValidationError):
        for inner in error.exceptions:
            notes = getattr(inner, "__notes__", [])
            steps = [
                str(getattr(note, "name", getattr(note, "index", None)))
                for note in notes
                if hasattr(note, "name") or hasattr(note, "index")
            ]
            yield from _list_problems(inner, ".".join([path, *steps]).strip("."), unknown_only)
    elif isinstance(error, cattrs.ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields):
            where = f"{path}.{key}".strip(".")
            yield f"{where}: there is no such key. {_hint_at_nearest(key, error.cl)}"
    elif unknown_only:
        return
    elif isinstance(error, KeyError):
        yield f"{path}: a value is needed"
    else:
        yield f"{path}: {error}" if path else str(error)


def _hint_at_nearest(key: str, owner: type) -> str:
    """Returns a hint at the key that was meant: near in spelling here, or of that name
    elsewhere."""
    here = [f.name for f in dataclasses.fields(owner)]
    close = difflib.get_close_matches(key, here, n=1, cutoff=0.6)
    if close:
        return f"Nearest: {close[0]}"
    everywhere = list(_list_all_keys(_make_whole_config()))
    elsewhere = difflib.get_close_matches(key, [name for name, _ in everywhere], n=1, cutoff=0.8)
    if elsewhere:
        # Several groups may have a key of that name: which one was meant is for the user to say.
        return f"Nearest: {', '.join(path for name, path in everywhere if name in elsewhere)}"
    return f"Known here: {', '.join(here)}"


def _list_all_keys(owner: type, path: str = "") -> typing.Iterator[tuple[str, str]]:
    """Returns (last name, full path) of every key below a dataclass."""
    hints = typing.get_type_hints(owner)
    for entry in dataclasses.fields(owner):
        yield entry.name, f"{path}{entry.name}"
        if dataclasses.is_dataclass(hints[entry.name]):
            yield from _list_all_keys(hints[entry.name], f"{path}{entry.name}.")
