"""Reads and writes records: frozen dataclasses whose fields are the fields of a JSON object.

A class is all that there is to say of a record: the type of a field is what is read, checked and
written. Types are `str`, `int`, `float`, `bool`, `Any`, other dataclasses, `tuple[X, ...]`,
`Mapping[str, X]`, `Literal`, `X | Y | None`, and numbers within limits (`Count`, `Share`, ...).

Reading is tolerant of what an older version left out: a field that is absent or null takes its
default; without one it is None where it may be, empty where it is a list or a mapping, and else an
error. Fields that no one knows are passed over, or kept in a field that is marked `REST`. Writing
leaves out a field that is None by default, and no other.
"""

import dataclasses
import json
import math
import types
import typing
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast

R = TypeVar("R")
Reader = Callable[[Any], Any]

REST: Mapping[str, Any] = {"rest": True}
"""Metadata of the field that takes whatever else stands in the object."""


class Unreadable(Exception):
    """Says why a file or a field cannot be used, as the end of a sentence that names the file.

    `remedy` is there where it is another one than that of a damaged file.
    """

    def __init__(self, reason: str, remedy: str | None = None) -> None:
        super().__init__(reason)
        self.remedy = remedy


@dataclass(frozen=True)
class Limits:
    """The least and the greatest value of a number."""

    low: float = -math.inf
    high: float = math.inf


Count = Annotated[int, Limits(0)]
Positive = Annotated[int, Limits(1)]
Share = Annotated[float, Limits(0, 1)]
"""From 0 to 1."""
SignedShare = Annotated[float, Limits(-1, 1)]
Percent = Annotated[float, Limits(0, 100)]
NotNegative = Annotated[float, Limits(0)]


def make_schema_field(latest: int, oldest: int = 0) -> Any:
    """Returns the field that holds the version of a record's form; 0 stands for a record without
    one."""
    return dataclasses.field(default=latest, metadata={"oldest": oldest})


def read_record(kind: type[R], value: object) -> R:
    """Returns the record in a JSON value; Unreadable names the field that is wrong."""
    try:
        record: R = _find_reader(cast(Any, kind))(value)
    except _Wrong as error:
        where = ".".join(reversed(error.path))
        raise Unreadable(f"{where} {error}".lstrip(), error.remedy) from None
    return record


def read_file(kind: type[R], path: Path) -> R:
    """Returns the record in a JSON file; Unreadable says what is wrong, without the file's name."""
    return read_record(kind, read_object(path))


def read_object(path: Path) -> Mapping[str, Any]:
    """Returns the JSON object in a file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unreadable(f"cannot be opened ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"is not JSON ({error})") from None
    if not isinstance(value, dict):
        raise Unreadable("is not a JSON object")
    return value


def as_json(record: Any) -> Any:
    """Returns a record as plain JSON values; what is no dataclass, list or mapping stays as it
    is."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        content: dict[str, Any] = {}
        for field in dataclasses.fields(record):
            value = getattr(record, field.name)
            if field.metadata.get("rest"):
                content |= as_json(value)
            elif value is not None or field.default is not None:
                content[field.name] = as_json(value)
        return content
    if isinstance(record, Mapping):
        return {str(name): as_json(value) for name, value in record.items()}
    if isinstance(record, list | tuple):
        return [as_json(value) for value in record]
    return record


def to_text(record: Any) -> str:
    """Returns a record as the text of its file."""
    return json.dumps(as_json(record), indent=1, ensure_ascii=False) + "\n"


class _Wrong(Exception):
    """An error in a value; `path` names the fields that lead to it, the innermost first."""

    def __init__(self, reason: str, remedy: str | None = None) -> None:
        super().__init__(reason)
        self.path: list[str] = []
        self.remedy = remedy


def _read_within(name: str, reader: Reader, value: Any) -> Any:
    try:
        return reader(value)
    except _Wrong as error:
        error.path.append(name)
        raise


def _make_wrong(words: str, value: object) -> _Wrong:
    shown = "absent" if value is None else repr(value)[:60]
    return _Wrong(f"must be {words}, but is {shown}")


@cache
def _find_reader(kind: Any) -> Reader:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        return _make_limited_reader(*arguments)
    if origin in (typing.Union, types.UnionType):
        return _make_optional_reader(
            [argument for argument in arguments if argument is not type(None)]
        )
    if origin is Literal:
        return _make_choice_reader(arguments)
    if origin is tuple:
        return _make_list_reader(_find_reader(arguments[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _make_mapping_reader(_find_reader(arguments[1]))
    if dataclasses.is_dataclass(kind):
        return _make_record_reader(kind)
    return _PLAIN[kind]


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise _make_wrong("text", value)
    return value


def _read_whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _make_wrong("a whole number", value)
    return value


def _read_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _make_wrong("a finite number", value)
    return value


def _read_truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _make_wrong("true or false", value)
    return value


_PLAIN: Mapping[Any, Reader] = {
    str: _read_text,
    int: _read_whole,
    float: _read_number,
    bool: _read_truth,
    Any: lambda value: value,
}


def _make_limited_reader(kind: Any, limits: Limits) -> Reader:
    plain, low, high = _find_reader(kind), limits.low, limits.high
    bounds = f"in [{low:g}, {high:g}]" if math.isfinite(high) else f">= {low:g}"

    def read_whole(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _make_wrong(f"a whole number {bounds}", value)
        return value

    def read(value: Any) -> Any:
        if not low <= plain(value) <= high:
            raise _Wrong(f"must lie in [{low:g}, {high:g}], but is {value!r}")
        return value

    return read_whole if kind is int else read


def _make_choice_reader(values: tuple[Any, ...]) -> Reader:
    def read(value: Any) -> Any:
        if value not in values:
            raise _make_wrong(f"one of {', '.join(map(str, values))}", value)
        return value

    return read


def _make_optional_reader(kinds: list[Any]) -> Reader:
    """Reads None, or a value of the first kind that takes it."""
    *others, last = map(_find_reader, kinds)

    def read(value: Any) -> Any:
        if value is None:
            return None
        for reader in others:
            with suppress(_Wrong):
                return reader(value)
        return last(value)

    return read


def _make_list_reader(one: Reader) -> Reader:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple | types.NoneType):
            raise _make_wrong("a list", value)
        return tuple(_read_within(str(place), one, item) for place, item in enumerate(value or ()))

    return read


def _make_mapping_reader(one: Reader) -> Reader:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping | types.NoneType):
            raise _make_wrong("an object", value)
        return {
            str(name): _read_within(str(name), one, item) for name, item in (value or {}).items()
        }

    return read


def _make_record_reader(kind: Any) -> Reader:
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = [field for field in dataclasses.fields(kind) if field.init]
    rest = [field for field in fields if field.metadata.get("rest")]
    # A record of another schema may mean something else by every other field.
    fields.sort(key=lambda field: "oldest" not in field.metadata)
    readers = [(field.name, _make_field_reader(field, hints[field.name])) for field in fields]
    known = {field.name for field in fields}

    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise _make_wrong("an object", value)
        found = {}
        name = ""
        try:
            for name, reader in readers:
                found[name] = reader(value.get(name))
        except _Wrong as error:
            error.path.append(name)
            raise
        for field in rest:
            others = {name: item for name, item in value.items() if name not in known}
            found[field.name] = _find_reader(hints[field.name])(others)
        return kind(**found)

    return read


def _make_field_reader(field: "dataclasses.Field[Any]", kind: Any) -> Reader:
    plain = _find_reader(kind)
    if "oldest" in field.metadata:
        return _make_schema_reader(field.metadata["oldest"], cast(int, field.default))
    if field.default is not dataclasses.MISSING:
        return lambda value: field.default if value is None else plain(value)
    if field.default_factory is not dataclasses.MISSING:
        make = field.default_factory
        return lambda value: make() if value is None else plain(value)
    return plain


def _make_schema_reader(oldest: int, latest: int) -> Reader:
    def read(value: Any) -> int:
        number = 0 if value is None else _read_whole(value)
        if number > latest:
            raise _Wrong(
                f"is {number}: a newer version of kakugo wrote it, and this one reads up to "
                f"{latest}",
                "install the version of kakugo that wrote it, or a newer one",
            )
        if number < oldest:
            raise _Wrong(f"is {number}, and this version of kakugo reads {oldest} to {latest}")
        return number

    return read
