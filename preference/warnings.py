"""Say what a reader has to know before they believe a p-value: data, shown beside it everywhere.

Each threshold is chosen so that a study of attentive raters gets any warning in about one of
twenty cases or fewer, and one with a rater who clicks at random gets one in four of five or more;
`tests/preference/test_preference_warnings.py` simulates both (`simulation.py`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.contract.study import StudyWarning
from core.statistics import LEVEL
from preference.statistics import (
    Agreement,
    compute_two_sided,
    compute_upper_tail,
    find_needed_share,
)
from preference.votes import Guess, Vote

LEAST_ALPHA = 0.2
"""Below it agreement is called slight (Landis and Koch 1977). Raters of real pairs of answers reach
0.2 to 0.5; clicking at random gives 0, within 0.1 at 80 prompts."""
LEAST_CHECKS = 2 / 3
"""Of a rater's checks. Whoever reads passes nearly all; random clicks pass one of three."""
STEADY = 0.85
"""The share of repeats that attentive raters answer alike (here: `simulation.py`)."""
REPEATS_P = 0.05
"""A rater is warned of whose repeats could be chance and could not be a steady rater's, both by an
exact test, the second shared among the raters. With 8 repeats and one or two raters that is 4 alike
or fewer, where chance gives 2.7. The first alone would want 6 of 8, which steady raters miss one
time in ten, and more often where one answer is so common that chance alone repeats it."""
POSITION_P = 0.01
"""Over all raters, since every one is tested."""
BLINDING_P = 0.02
"""A rater's guesses hang together, so the usual 0.05 would warn too often."""
LEAST_RATERS, LEAST_PROMPTS = 2, 30
"""With 30 prompts and 30% ties, one rater's study finds four of five decisive votes for an arm, and
nothing less, with 80% power."""


def find_warnings(
    votes: Sequence[Vote],
    guesses: Sequence[Guess],
    agreed: Agreement | None,
    study: Mapping[str, Any],
) -> list[StudyWarning]:
    """The warnings of a study, those that weigh most first."""
    main = [vote for vote in votes if vote.kind == "main"]
    if not main:
        return []
    found = [
        _warn_of_agreement(agreed),
        _warn_of_checks(votes),
        _warn_of_repeats(votes),
        _warn_of_position(main),
        _warn_of_blinding(guesses),
        _warn_of_unchecked(votes),
        _warn_of_few_raters(main),
        _warn_of_few_prompts(main),
        _warn_of_left(study),
        _warn_of_undecided(study),
    ]
    return [warning for warning in found if warning]


def list_rater_warnings(warnings: Sequence[StudyWarning], rater: str) -> list[str]:
    """The names of the warnings that are of one rater."""
    return [warning.name for warning in warnings if rater in warning.figures.get("raters", ())]


def _warn_of_agreement(agreed: Agreement | None) -> StudyWarning | None:
    if agreed is None:
        return None
    low = None if agreed.interval is None else agreed.interval.low
    if agreed.alpha >= LEAST_ALPHA and (low is None or low > 0):
        return None
    high = None if agreed.interval is None else agreed.interval.high
    shown = "" if low is None or high is None else f", {LEVEL:.0%} interval {low:.2f} to {high:.2f}"
    return StudyWarning(
        "agreement",
        f"Raters hardly agree with each other: alpha is {agreed.alpha:.2f}{shown}; random clicks"
        " give 0.",
        {"alpha": agreed.alpha, "low": low, "high": high, "least": LEAST_ALPHA},
    )


def _warn_of_checks(votes: Sequence[Vote]) -> StudyWarning | None:
    by_rater = _group_by_rater(v for v in votes if v.kind == "check")
    passed = {r: (sum(bool(v.passed) for v in vs), len(vs)) for r, vs in by_rater.items()}
    failed = {r: counts for r, counts in passed.items() if counts[0] / counts[1] < LEAST_CHECKS}
    if not failed:
        return None
    named = _list(f"{rater} passed {part} of {whole}" for rater, (part, whole) in failed.items())
    return StudyWarning(
        "checks",
        f"Checks were failed, in which one answer is to another question: {named}.",
        {"raters": {rater: list(counts) for rater, counts in failed.items()}},
    )


def _warn_of_repeats(votes: Sequence[Vote]) -> StudyWarning | None:
    """Exact: as many alike as a rater with these shares of choices would have by chance."""
    main = _group_by_rater(v for v in votes if v.kind == "main")
    again_by_rater = _group_by_rater(v for v in votes if v.kind == "repeat")
    flagged: dict[str, dict[str, Any]] = {}
    for rater, again in again_by_rater.items():
        first = {v.question: v.choice for v in main.get(rater, [])}
        pairs = [(first[v.question], v.choice) for v in again if v.question in first]
        if not pairs:
            continue
        counts = Counter(first.values())
        chance = sum((count / counts.total()) ** 2 for count in counts.values())
        same = sum(one == two for one, two in pairs)
        p = compute_upper_tail(same, len(pairs), chance)
        # So few or fewer of a steady rater's.
        unsteady = compute_upper_tail(len(pairs) - same, len(pairs), 1 - STEADY)
        if p > REPEATS_P and unsteady < REPEATS_P / len(again_by_rater):
            flagged[rater] = {"same": same, "pairs": len(pairs), "chance": chance, "p": p}
    if not flagged:
        return None
    named = _list(
        f"{rater} {row['same']} of {row['pairs']} (chance gives {row['chance'] * row['pairs']:.1f})"
        for rater, row in flagged.items()
    )
    return StudyWarning(
        "repeats",
        f"Prompts shown twice were answered alike hardly more often than by chance: {named}.",
        {"raters": flagged},
    )


def _warn_of_position(main: Sequence[Vote]) -> StudyWarning | None:
    """Each rater, and all of them: two who always take one side, but not the same, hide it."""
    sides = {
        rater: Counter(v.chosen_side for v in votes if v.chosen_side)
        for rater, votes in _group_by_rater(main).items()
    }
    sides = {rater: counts for rater, counts in sides.items() if counts}
    every = {"all raters": sum(sides.values(), Counter()), **sides} if len(sides) > 1 else sides
    level = POSITION_P / max(1, len(every))
    flagged = {
        who: {"chose_a": counts["a"], "decisive": counts.total(), "p": p}
        for who, counts in every.items()
        if (p := compute_two_sided(counts["a"], counts.total())) < level
    }
    if not flagged:
        return None
    named = _list(
        f"{who} chose A in {row['chose_a']} of {row['decisive']} decisive votes"
        for who, row in flagged.items()
    )
    return StudyWarning("position", f"A side was preferred: {named}.", {"raters": flagged})


def _warn_of_blinding(guesses: Sequence[Guess]) -> StudyWarning | None:
    told = [g for g in guesses if g.guess != "unknown"]
    right = sum(g.guess == g.trained_side for g in told)
    p = compute_two_sided(right, len(told))
    if not told or p >= BLINDING_P:
        return None
    return StudyWarning(
        "blinding",
        f"Raters could tell which system wrote what: {right} of {len(told)} guesses were right."
        " Either the answers gave it away, or one system is so much better.",
        {"right": right, "told": len(told), "guesses": len(guesses), "p": p},
    )


def _warn_of_unchecked(votes: Sequence[Vote]) -> StudyWarning | None:
    if any(vote.kind != "main" for vote in votes):
        return None
    return StudyWarning(
        "unchecked",
        "No repeats and no checks were rated: whether raters read the answers was not measured.",
        {},
    )


def _warn_of_few_raters(main: Sequence[Vote]) -> StudyWarning | None:
    raters = len({vote.rater for vote in main})
    if raters >= LEAST_RATERS:
        return None
    return StudyWarning(
        "raters",
        "One rater: the result is one person's taste, and nobody was there to agree.",
        {"count": raters, "least": LEAST_RATERS},
    )


def _warn_of_few_prompts(main: Sequence[Vote]) -> StudyWarning | None:
    prompts = len({vote.question for vote in main})
    if prompts >= LEAST_PROMPTS:
        return None
    ties = sum(vote.choice == "equal" for vote in main) / len(main)
    share = find_needed_share(prompts, ties=ties)
    finds = "nothing" if share is None else f"only {share:.0%} of decisive votes for one arm"
    return StudyWarning(
        "prompts",
        f"{prompts} prompts: one rater's study of this size finds {finds} with 80% power.",
        {"prompts": prompts, "least": LEAST_PROMPTS, "needed_share_of_decisive": share},
    )


def _warn_of_left(study: Mapping[str, Any]) -> StudyWarning | None:
    """Votes that are missing may not be missing by chance."""
    enrolled, withdrawn, finished = (
        int(study.get(name, 0)) for name in ("enrolled", "withdrawn", "finished")
    )
    unfinished = enrolled - withdrawn - finished
    if withdrawn <= 0 and unfinished <= 0:
        return None
    parts = [f"{withdrawn} withdrew, whose votes are deleted"] if withdrawn > 0 else []
    parts += [f"{unfinished} did not finish"] if unfinished > 0 else []
    return StudyWarning(
        "left",
        f"Of {enrolled} raters who began, {_list(parts)}.",
        {"enrolled": enrolled, "withdrawn": withdrawn, "unfinished": unfinished},
    )


def _warn_of_undecided(study: Mapping[str, Any]) -> StudyWarning | None:
    count = int(study.get("undecided", 0))
    if not count:
        return None
    return StudyWarning(
        "undecided",
        f"On {count} of what they were asked, raters chose differently on two pages or devices and"
        " never said which holds; the first choice counts.",
        {"count": count},
    )


def _group_by_rater(votes: Iterable[Vote]) -> dict[str, list[Vote]]:
    found: dict[str, list[Vote]] = {}
    for vote in votes:
        found.setdefault(vote.rater, []).append(vote)
    return dict(sorted(found.items()))


def _list(parts: Iterable[str]) -> str:
    return "; ".join(parts)
