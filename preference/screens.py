"""Lay out one rater's screens: the pack's items in the rater's order, with their sides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from preference.design import order_items, turn_sides

CHOICES = ("a", "b", "equal")


@dataclass(frozen=True)
class Screen:
    """One item as shown: ids of the prompt and of the texts on sides A and B. place is from 1."""

    item: str
    place: int
    prompt: str
    a: str
    b: str


def lay_out_screens(
    pack: Mapping[str, Any], slot: int, nonce: str, pair_nonce: str
) -> list[Screen]:
    """The session of the rater in a slot. A pure function of the pack and the two nonces."""
    items = {item["id"]: item for item in pack["slots"][slot]}
    # Sides are balanced over the prompts that the rater gets.
    own = {item["prompt"] for item in items.values()}
    blocks = {block: [p for p in of if p in own] for block, of in pack["blocks"].items()}
    turn = turn_sides(pair_nonce, {block: of for block, of in blocks.items() if of})
    out = []
    order = order_items(nonce, list(items), pack["twins"][slot], pack.get("stretches"))
    for place, key in enumerate(order, 1):
        item = items[key]
        a, b = item["first"], item["second"]
        if turn[item["prompt"]]:
            a, b = b, a
        out.append(Screen(key, place, item["prompt"], a, b))
    return out


def choose_final_screens(sheet: Sequence[Screen], voted: Sequence[str], count: int) -> list[Screen]:
    """The screens on which a rater guesses: of the latest votes (item ids, oldest first), which are
    best remembered, `count` with different prompts; in the order of the session."""
    by_item = {screen.item: screen for screen in sheet}
    chosen: dict[str, Screen] = {}
    for item in reversed(voted):
        if len(chosen) < count:
            chosen.setdefault(by_item[item].prompt, by_item[item])
    return sorted(chosen.values(), key=lambda screen: screen.place)


class Sittings:
    """Screens of all raters, kept: a page needs one of them, and order costs a hash an item."""

    def __init__(self, pack: Mapping[str, Any]) -> None:
        self._get = lru_cache(maxsize=1024)(
            lambda slot, nonce, pair_nonce: lay_out_screens(pack, slot, nonce, pair_nonce)
        )

    def __call__(self, slot: int, nonce: str, pair_nonce: str) -> list[Screen]:
        return self._get(slot, nonce, pair_nonce)
