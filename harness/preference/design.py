"""Who sees what on which side, in which order: pure functions of the secret and raters' nonces.

- Sides are counterbalanced exactly, not by coin flips: in each category of an even number of
  prompts, half of them show arm 0 on the left; over all prompts, half (within one) do. A coin
  flip would give 8 to 2 or worse in some category of MT-Bench 60% of the time.
- Raters come in mirrored pairs: slots 0 and 1 see every prompt with opposite sides, as do 2 and 3.
- A nonce that is drawn when the first rater of a pair starts, after the commitment was published,
  turns whole categories over. So nobody could try secrets until one suited them.
- The order of items is a shuffle of each rater's own, from a nonce drawn when they start.
- A hidden repeat shows a prompt again with its sides swapped, in the other half of the session; a
  check shows an answer to another prompt beside the right one.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.preference.commitment import bit, canonical, keyed, opaque_id

Kind = Literal["main", "repeat", "check"]


@dataclass(frozen=True)
class Prompt:
    """What the design needs to know of a question."""

    question: str
    category: str


@dataclass(frozen=True)
class Item:
    """One screen of one rater, as the key knows it.

    arm_first: the arm (0 or 1) whose text is `first` in the pack. For a check, the side on which
    the wrong answer lies is given by `wrong_first`, and both texts come from arm `arm_first`.
    """

    id: str
    slot: int
    question: str
    category: str
    kind: Kind
    arm_first: int
    wrong_question: str | None = None
    wrong_first: bool | None = None


def sides(secret: bytes, manifest: str, pair: int, prompts: Sequence[Prompt]) -> dict[str, int]:
    """Question -> the arm that is first, for the even slot of a pair; exactly counterbalanced.

    Within a category, prompts are ranked by HMAC(secret, manifest, pair, question) and the upper
    half gets arm 0. Categories of odd size give their odd prompt to either arm in turn, in an
    order that the secret decides.
    """
    first: dict[str, int] = {}
    odd: list[str] = []
    blocks = _blocks(prompts)
    for category, questions in blocks.items():
        ranked = sorted(questions, key=lambda q: keyed(secret, "side", manifest, pair, q))
        half = len(ranked) // 2
        for place, question in enumerate(ranked):
            first[question] = 0 if place < half else 1
        if len(ranked) % 2:
            odd.append(category)
            first[ranked[-1]] = -1
    odd.sort(key=lambda category: keyed(secret, "odd", manifest, pair, category))
    start = int(bit(secret, "odd-start", manifest, pair))
    for place, category in enumerate(odd):
        for question in blocks[category]:
            if first[question] == -1:
                first[question] = (start + place) % 2
    return first


def assign(
    secret: bytes,
    manifest: str,
    prompts: Sequence[Prompt],
    *,
    slots: int,
    repeats: int,
    checks: int,
) -> list[list[Item]]:
    """Every slot's items, in the order of the questions. Raises ValueError if more repeats or
    checks are asked for than the prompts allow."""
    if repeats > len(prompts):
        raise ValueError(f"{repeats} repeats of {len(prompts)} prompts; at most one each")
    if checks > max(0, len(prompts) - 1):
        raise ValueError(
            f"{checks} checks of {len(prompts)} prompts; they need a prompt each and another's"
        )
    out = []
    for slot in range(slots):
        pair, mirrored = divmod(slot, 2)
        first = {q: arm ^ mirrored for q, arm in sides(secret, manifest, pair, prompts).items()}
        items = [
            Item(
                opaque_id(secret, slot, "main", p.question),
                slot,
                p.question,
                p.category,
                "main",
                first[p.question],
            )
            for p in prompts
        ]
        category = {p.question: p.category for p in prompts}
        items += [
            Item(opaque_id(secret, slot, "repeat", q), slot, q, category[q], "repeat", 1 - first[q])
            for q in _chosen(secret, manifest, slot, "repeat", prompts, repeats)
        ]
        chosen = _chosen(secret, manifest, slot, "check", prompts, checks)
        for place, question in enumerate(chosen):
            # Another category where there is one: the wrong answer should be plainly wrong.
            others = [p.question for p in prompts if p.category != category[question]]
            others = others or [p.question for p in prompts if p.question != question]
            wrong = min(others, key=lambda q: keyed(secret, "wrong", manifest, slot, question, q))
            items.append(
                Item(
                    opaque_id(secret, slot, "check", question),
                    slot,
                    question,
                    category[question],
                    "check",
                    int(bit(secret, "check-arm", manifest, slot, question)),
                    wrong,
                    bool((place + int(bit(secret, "check-side", manifest, slot))) % 2),
                )
            )
        out.append(items)
    return out


def turned(pair_nonce: str, categories: Mapping[str, int]) -> dict[str, bool]:
    """Category -> whether the pair sees it with sides turned over.

    Each category of even size has its own bit; those of odd size share one, which keeps the
    balance over all prompts. `categories` gives the number of main prompts of each.
    """
    return {
        category: _nonce_bit(pair_nonce, "odd" if size % 2 else f"even:{category}")
        for category, size in categories.items()
    }


def order(rater_nonce: str, items: Sequence[str], twins: Mapping[str, str]) -> list[str]:
    """The ids of a rater's items in the order of their session.

    twins: id of a repeat -> id of the item that it repeats. The two stand in different halves of
    the session, and which of them comes first is part of the shuffle.
    """
    ranked = sorted(
        items, key=lambda item: hashlib.sha256(canonical([rater_nonce, "order", item])).digest()
    )
    half = len(ranked) // 2
    place = {item: index for index, item in enumerate(ranked)}
    partners = {*twins, *twins.values()}
    for repeat, original in twins.items():
        if (place[repeat] < half) == (place[original] < half):
            # Exchange the repeat with the nearest free item of the other half.
            low, high = (half, len(ranked)) if place[repeat] < half else (0, half)
            want = (place[repeat] + half) % len(ranked)
            free = [index for index in range(low, high) if ranked[index] not in partners]
            if free:
                at = min(free, key=lambda index: (abs(index - want), index))
                here = place[repeat]
                ranked[here], ranked[at] = ranked[at], ranked[here]
                place[ranked[here]], place[ranked[at]] = here, at
    return ranked


def _blocks(prompts: Sequence[Prompt]) -> dict[str, list[str]]:
    blocks: dict[str, list[str]] = defaultdict(list)
    for prompt in prompts:
        blocks[prompt.category].append(prompt.question)
    return dict(blocks)


def _chosen(
    secret: bytes, manifest: str, slot: int, what: str, prompts: Sequence[Prompt], count: int
) -> list[str]:
    ranked = sorted(prompts, key=lambda p: keyed(secret, what, manifest, slot, p.question))
    return [prompt.question for prompt in ranked[:count]]


def _nonce_bit(nonce: str, label: str) -> bool:
    return bool(hashlib.sha256(canonical([nonce, "turn", label])).digest()[0] & 1)
