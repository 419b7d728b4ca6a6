"""Hashes that stand in for chance: the same seed and item give the same choice on any machine."""

import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


def write_canonical(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def hash_parts(*parts: object) -> str:
    """SHA-256 of the parts' canonical JSON, as hexadecimal digits."""
    return hashlib.sha256(write_canonical(parts).encode("utf-8", "surrogatepass")).hexdigest()


def draw_chance(*parts: object) -> float:
    """A number in [0, 1) that depends on the parts alone."""
    return int(hash_parts(*parts)[:13], 16) / 16**13


def derive_seed(*parts: object) -> int:
    """A seed that fits the 31 bits which every server accepts."""
    return int(hash_parts(*parts)[:8], 16) & 0x7FFF_FFFF


def fold_text(text: str) -> str:
    """The text as duplicates are compared: NFC, case folded, runs of white space as one space."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def keep_distinct(items: Iterable[T], text: Callable[[T], str]) -> list[T]:
    """The items without those whose folded text came before; the order stays."""
    seen: dict[str, T] = {}
    for item in items:
        seen.setdefault(fold_text(text(item)), item)
    return list(seen.values())


def rank_by_seed(items: Iterable[T], seed: int, what: str, identity: Callable[[T], Any]) -> list[T]:
    """The items in a seeded order in which every prefix is a random sample."""
    return sorted(items, key=lambda item: hash_parts(seed, what, identity(item)))
