"""Decide who sees what on which side, in which order, from the secret and raters' nonces alone.

Nothing here knows an arm. A question has a text 0 and a text 1, in an order that the texts and the
secret give (`pack.first_arm`), so that whoever holds a pack learns nothing of arms from any layout:
exchanging the arms' texts of any questions leaves every item where it was.

- Sides are counterbalanced exactly against that order, not by coin flips: in each category of an
  even number of prompts, half of them show text 0 on the left; over all prompts, half (within one)
  do. They are drawn from a nonce when the first rater of a pair starts, after the commitment was
  published. So nobody could try secrets until one suited them.
- Raters come in mirrored pairs: slots 0 and 1 see every prompt with opposite sides, as do 2 and 3.
  So over a pair each arm stands on each side once a prompt. For one rater alone the arms' sides are
  independent coin flips, since the order of a question's texts is.
- The order of items is a shuffle of each rater's own, from a nonce drawn when they start.
- A hidden repeat shows a prompt again with its sides swapped, in the other half of the session; a
  check shows an answer to another prompt beside a right one, each drawn from the two of its prompt.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from preference.commitment import derive_bytes, flip_coin, make_opaque_id, write_canonical

Kind = Literal["main", "repeat", "check"]
STRETCH = 10
"""Prompts in a stretch of a session, where it has stretches; fewer where prompts are few."""


@dataclass(frozen=True)
class StudyPrompt:
    """Holds what the design needs to know of a question."""

    question: str
    category: str


class AnswerText(NamedTuple):
    """One of the two texts of a question, number 0 or 1."""

    question: str
    number: int


@dataclass(frozen=True)
class RaterItem:
    """One screen of one rater. first, second: its texts, before the pair's nonce turns them over.
    In a check, one of the two answers another question."""

    id: str
    slot: int
    question: str
    category: str
    kind: Kind
    first: AnswerText
    second: AnswerText


def assign(
    secret: bytes,
    manifest: str,
    prompts: Sequence[StudyPrompt],
    *,
    slots: int,
    repeats: int,
    checks: int,
    part: int = 0,
) -> list[list[RaterItem]]:
    """Every slot's items, in the order of the questions. part: how many prompts each pair of raters
    gets, 0 for all. Raises ValueError if more repeats or checks are asked for than the prompts
    allow, or a part that is larger than the whole."""
    if not 0 <= part <= len(prompts):
        raise ValueError(f"a part of {part} of {len(prompts)} prompts")
    each = part or len(prompts)
    if repeats > each:
        raise ValueError(f"{repeats} repeats of {each} prompts; at most one each")
    if checks > max(0, min(each, len(prompts) - 1)):
        raise ValueError(
            f"{checks} checks of {each} prompts; they need a prompt each and another's"
        )
    category = {p.question: p.category for p in prompts}
    parts = share_parts(secret, manifest, prompts, pairs=(slots + 1) // 2, part=each)
    out = []
    for slot in range(slots):
        own = parts[slot // 2]

        def item(
            kind: Kind, question: str, first: AnswerText, second: AnswerText, slot: int = slot
        ) -> RaterItem:
            name = make_opaque_id(secret, slot, kind, question)
            return RaterItem(name, slot, question, category[question], kind, first, second)

        # The two raters of a pair see opposite sides, and a repeat swaps the rater's own.
        one, two = slot % 2, 1 - slot % 2
        items = [
            item("main", q, AnswerText(q, one), AnswerText(q, two)) for q in map(_get_question, own)
        ]
        items += [
            item("repeat", q, AnswerText(q, two), AnswerText(q, one))
            for q in _choose_questions(secret, manifest, slot, "repeat", own, repeats)
        ]
        swapped = flip_coin(secret, "check-side", manifest, slot)
        for q in _choose_questions(secret, manifest, slot, "check", own, checks):
            texts = [
                AnswerText(of, int(flip_coin(secret, "check-text", manifest, slot, q, of)))
                for of in (q, _choose_other(secret, manifest, slot, q, category))
            ]
            items.append(item("check", q, *(reversed(texts) if swapped else texts)))
            swapped = not swapped
        out.append(items)
    return out


def share_parts(
    secret: bytes, manifest: str, prompts: Sequence[StudyPrompt], *, pairs: int, part: int
) -> list[list[StudyPrompt]]:
    """Each pair of raters' prompts, in the order of the questions.

    Every prompt is dealt as often as any other, within one, and so is each category within a part.
    The prompts are dealt in rounds, each shuffled anew, so that no two pairs get the same part by
    design; what a round has left over goes first in the next.
    """
    if part == len(prompts):
        return [list(prompts) for _ in range(pairs)]
    dealt: list[list[StudyPrompt]] = []
    waiting: list[StudyPrompt] = []
    turn = 0
    while len(dealt) < pairs:
        if len(waiting) >= part:
            dealt.append(waiting[:part])
            waiting = waiting[part:]
            continue
        # Those left over come first, and are not dealt again to the same pair.
        over = {prompt.question for prompt in waiting}
        fresh = _order_by_category(secret, manifest, turn, prompts)
        waiting += [p for p in fresh if p.question not in over]
        waiting += [p for p in fresh if p.question in over]
        turn += 1
    place = {prompt.question: number for number, prompt in enumerate(prompts)}
    return [sorted(one, key=lambda prompt: place[prompt.question]) for one in dealt]


def _order_by_category(
    secret: bytes, manifest: str, turn: int, prompts: Sequence[StudyPrompt]
) -> list[StudyPrompt]:
    """All prompts in an order in which any run of them holds the categories in their shares."""

    def draw(*labels: str) -> bytes:
        return derive_bytes(secret, "part", manifest, turn, *labels)

    spread: list[tuple[float, bytes, StudyPrompt]] = []
    for category in dict.fromkeys(prompt.category for prompt in prompts):
        of = [prompt for prompt in prompts if prompt.category == category]
        of.sort(key=lambda prompt: draw("prompt", prompt.question))
        start = int.from_bytes(draw("category", category)[:4]) / 2**32
        for number, prompt in enumerate(of):
            spread.append(((number + start) / len(of), draw("tie", prompt.question), prompt))
    spread.sort(key=lambda row: row[:2])
    return [prompt for *_, prompt in spread]


def _get_question(prompt: StudyPrompt) -> str:
    return prompt.question


def assign_stretches(secret: bytes, items: Sequence[Sequence[RaterItem]]) -> dict[str, int]:
    """Id of an item -> the stretch of the session in which its rater sees it, from 0.

    Every rater sees the same prompts in the same stretch, so that a prompt which waits for the
    votes of all of them need not wait for long. A repeat stands a quarter of the stretches after
    its prompt, with one stretch between them at least (or before it, at the end), a check anywhere.
    """
    prompts = list(dict.fromkeys(item.question for row in items for item in row))
    prompts.sort(key=lambda question: derive_bytes(secret, "stretch", question))
    size = min(STRETCH, max(1, len(prompts) // 4))
    of = {question: place // size for place, question in enumerate(prompts)}
    count = max(of.values(), default=0) + 1
    apart = {"main": 0, "repeat": max(min(2, count // 2), count // 4)}

    def find_stretch(item: RaterItem) -> int:
        if item.kind == "check":
            return derive_bytes(secret, "check-stretch", item.slot, item.question)[0] % count
        return (of[item.question] + apart[item.kind]) % count

    return {item.id: find_stretch(item) for row in items for item in row}


def turn_sides(pair_nonce: str, blocks: Mapping[str, Sequence[str]]) -> dict[str, bool]:
    """Prompt -> whether the pair sees it with sides turned over.

    blocks: category -> its prompts. Half of each category's prompts are turned; the odd one of a
    category of odd size is turned in every other such category, which keeps the balance over all.
    """
    turn: dict[str, bool] = {}
    odd: list[str] = []
    for block in sorted(blocks):
        ranked = sorted(blocks[block], key=lambda prompt: _draw_bytes(pair_nonce, "turn", prompt))
        half = len(ranked) // 2
        turn |= {prompt: place < half for place, prompt in enumerate(ranked[: 2 * half])}
        odd += ranked[2 * half :]
    odd.sort(key=lambda prompt: _draw_bytes(pair_nonce, "odd", prompt))
    start = _draw_bytes(pair_nonce, "odd-start", "")[0] & 1
    return turn | {prompt: bool((start + place) % 2) for place, prompt in enumerate(odd)}


def order_items(
    rater_nonce: str,
    items: Sequence[str],
    twins: Mapping[str, str],
    stretches: Mapping[str, int] | None = None,
) -> list[str]:
    """The ids of a rater's items in the order of their session.

    twins: id of a repeat -> id of the item that it repeats. The two stand in different halves of
    the session, and which of them comes first is part of the shuffle. stretches: id -> that of the
    session in which it stands, where there is more than one: only within it are items shuffled.
    """
    ranked = sorted(items, key=lambda item: _draw_bytes(rater_nonce, "order", item))
    if stretches and len(set(stretches.values())) > 1:
        return sorted(ranked, key=lambda item: stretches[item])
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


def _choose_questions(
    secret: bytes, manifest: str, slot: int, what: str, prompts: Sequence[StudyPrompt], count: int
) -> list[str]:
    ranked = sorted(prompts, key=lambda p: derive_bytes(secret, what, manifest, slot, p.question))
    return [prompt.question for prompt in ranked[:count]]


def _choose_other(
    secret: bytes, manifest: str, slot: int, question: str, category: Mapping[str, str]
) -> str:
    """The question whose answer is the wrong one in a check: of another category where there is
    one, so that it is plainly wrong."""
    others = [q for q in category if category[q] != category[question]]
    others = others or [q for q in category if q != question]
    return min(others, key=lambda q: derive_bytes(secret, "wrong", manifest, slot, question, q))


def _draw_bytes(nonce: str, label: str, name: str) -> bytes:
    """32 bytes that look like chance, which a nonce decides for a name."""
    return hashlib.sha256(write_canonical([nonce, label, name])).digest()
