"""What someone can work out of a pack who has nothing else, and the layout on which it worked.

A layout that balances sides against arms is a system of equations over unknown signs: within each
category and rater, as many of one arm's texts stand first as of the other's. A check whose two
texts come from one arm ties two signs together. `recover` solves that system as well as it can.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from preference.commitment import derive_bytes, flip_coin
from preference.design import StudyPrompt

Shown = tuple[str, str, str]
"""Prompt, and the ids of the first and second text of one screen."""


@dataclass(frozen=True)
class View:
    """What the layout shows: each rater's screens without repeats, and each category's prompts."""

    raters: Sequence[Sequence[Shown]]
    blocks: Sequence[Sequence[str]]


def recover(view: View, *, seed: int, restarts: int = 60, kept: int = 256) -> dict[str, str]:
    """Prompt -> the text that is said to be arm 0's, up to exchanging the arms everywhere.

    In each category all 2^n assignments are weighed against the equations of all raters; the best
    of them are then combined over the categories, so that most of the checks' texts agree.
    """
    texts, owner = _texts(view)
    choices: list[np.ndarray] = []
    place: dict[str, tuple[int, int]] = {}
    for number, block in enumerate(view.blocks):
        rows = []
        for screens in view.raters:
            first = {p: a for p, a, b in screens if owner[a] == owner[b] == p}
            rows.append([1 if first[p] == texts[p][0] else -1 for p in block])
        every = np.array(np.meshgrid(*[[-1, 1]] * len(block))).reshape(len(block), -1).T
        cost = (np.abs(every @ np.array(rows).T) - len(block) % 2).clip(0).sum(axis=1)
        best = np.argsort(cost, kind="stable")[:kept]
        best = best[cost[best] == cost[best[0]]]
        choices.append(every[best])
        place |= {p: (number, at) for at, p in enumerate(block)}
    ties = [
        (place[owner[a]], place[owner[b]], _sign(texts, owner, a) * _sign(texts, owner, b))
        for screens in view.raters
        for _, a, b in screens
        if owner[a] != owner[b]
    ]
    signs = _combined(choices, ties, np.random.default_rng(seed), restarts)
    return {p: texts[p][0 if signs[n][at] > 0 else 1] for p, (n, at) in place.items()}


def agreement(said: dict[str, str], truth: dict[str, str]) -> int:
    """How many prompts are right, up to exchanging the arms everywhere."""
    right = sum(said[prompt] == truth[prompt] for prompt in truth)
    return max(right, len(truth) - right)


def by_chance(prompts: int) -> tuple[float, float]:
    """Mean and deviation of `agreement` where every prompt is guessed by a coin flip."""
    from scipy import stats

    right = np.arange(prompts + 1)
    weights = stats.binom.pmf(right, prompts, 0.5)
    best = np.maximum(right, prompts - right)
    mean = float(weights @ best)
    return mean, float(np.sqrt(weights @ (best - mean) ** 2))


def arm_balanced_layout(
    secret: bytes, prompts: Sequence[StudyPrompt], *, raters: int, checks: int = 3
) -> tuple[View, dict[str, str]]:
    """The layout of packs of version 1, for comparison, and the truth: prompt -> arm 0's text.

    Half of each category shows arm 0 first, raters are mirrored in pairs, and both texts of a check
    come from one arm.
    """
    blocks: dict[str, list[str]] = defaultdict(list)
    for prompt in prompts:
        blocks[prompt.category].append(prompt.question)
    category = {p.question: p.category for p in prompts}

    def text(question: str, arm: int) -> str:
        return derive_bytes(secret, "text", question, arm).hex()[:16]

    views: list[list[Shown]] = []
    for slot in range(raters):
        pair, mirrored = divmod(slot, 2)
        screens: list[Shown] = []
        for questions in blocks.values():
            ranked = sorted(
                questions, key=lambda q, pair=pair: derive_bytes(secret, "side", pair, q)
            )
            for at, q in enumerate(ranked):
                arm = int(at >= len(ranked) // 2) ^ mirrored
                screens.append((q, text(q, arm), text(q, 1 - arm)))
        checked = sorted(category, key=lambda q, slot=slot: derive_bytes(secret, "check", slot, q))
        for q in checked[:checks]:
            wrong = min(
                (o for o in category if category[o] != category[q]),
                key=lambda o, q=q, slot=slot: derive_bytes(secret, "wrong", slot, q, o),
            )
            arm = int(flip_coin(secret, "check-arm", slot, q))
            screens.append((q, text(q, arm), text(wrong, arm)))
        views.append(screens)
    return View(views, list(blocks.values())), {q: text(q, 0) for q in category}


def _texts(view: View) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Prompt -> its two texts, sorted, and text -> its prompt. A prompt has a main screen in every
    session, which shows its two; the texts that appear only once beside it belong to checks."""
    seen: dict[str, dict[frozenset[str], int]] = defaultdict(lambda: defaultdict(int))
    for screens in view.raters:
        for prompt, a, b in screens:
            seen[prompt][frozenset((a, b))] += 1
    texts = {p: sorted(max(pairs, key=lambda k: pairs[k])) for p, pairs in seen.items()}
    return texts, {text: p for p, pair in texts.items() for text in pair}


def _sign(texts: dict[str, list[str]], owner: dict[str, str], text: str) -> int:
    return 1 if texts[owner[text]][0] == text else -1


def _combined(
    choices: list[np.ndarray],
    ties: list[tuple[tuple[int, int], tuple[int, int], int]],
    rng: np.random.Generator,
    restarts: int,
) -> list[np.ndarray]:
    """One assignment a category, with which most ties hold: coordinate ascent from many starts."""
    # Category -> its place, the other category and place, and whether the two signs are alike.
    ends: list[list[tuple[int, int, int, int]]] = [[] for _ in choices]
    for (n, i), (m, j), sign in ties:
        ends[n].append((i, m, j, sign))
        ends[m].append((j, n, i, sign))
    best: tuple[float, list[int]] = (-1.0, [])
    for _ in range(restarts):
        at = [int(rng.integers(len(c))) for c in choices]
        before = None
        while before != at:
            before = list(at)
            held = 0.0
            for number in rng.permutation(len(choices)):
                own = choices[number]
                gain = np.zeros(len(own))
                for i, m, j, sign in ends[number]:
                    other = own[:, j] if m == number else choices[m][at[m]][j]
                    gain += own[:, i] * other * sign > 0
                if gain.max() > gain[at[number]]:
                    at[number] = int(rng.choice(np.flatnonzero(gain == gain.max())))
                held += float(gain[at[number]])
        if held > best[0]:
            best = (held, list(at))
    return [c[a] for c, a in zip(choices, best[1], strict=True)]
