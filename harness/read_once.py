"""Keeps what the experiments of a sweep have in common while they are planned."""

from collections.abc import Callable
from typing import Any, TypeVar

V = TypeVar("V")


class ReadOnce:
    """Holds what was read for one experiment of a sweep and is the same for others, by what it
    depends on. For those who plan many in one go: what changes meanwhile is not read again."""

    def __init__(self) -> None:
        self._values: dict[Any, Any] = {}

    def get(self, key: tuple[Any, ...], make: Callable[[], V]) -> V:
        """Returns what was made under this key before, or makes it."""
        known = repr(key)
        if known not in self._values:
            self._values[known] = make()
        value: V = self._values[known]
        return value
