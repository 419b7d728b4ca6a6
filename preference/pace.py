"""Estimate how long a rater reads, and correct it by how long they took so far.

Words are counted at spaces; where a text has none (Lao, Tibetan), a long run of letters counts as
a word for every five of them. People read 184 words a minute on average over 17 languages (IReST:
Trauzettel-Klosinski and Dietz 2012, aloud). Choosing is taken to cost 15 seconds.

Not covered: how well a rater reads, or that they read a text twice. From the fifth choice on, the
rater's own times take the place of these figures.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from preference.screens import Screen
from preference.standing import Sitting

WORDS_A_MINUTE = 184
SECONDS_TO_CHOOSE = 15
# A longer time between two choices was a break.
_BREAK = 600.0
_LEAST_CHOICES = 5
# Choices that were made offline arrive all at once, and say little of the time that they took.
_LEAST_RATIO, _MOST_RATIO = 0.2, 5.0
_LETTERS_A_WORD, _LONGEST_WORD = 5, 15


def count_words(text: str) -> int:
    """Count the words of a text, at its spaces; see above for texts without."""
    words = 0
    for run in text.split():
        letters = sum(letter.isalpha() for letter in run)
        words += max(1, letters // _LETTERS_A_WORD) if letters > _LONGEST_WORD else 1
    return words


class ReadingPace:
    """Seconds that the screens of one pack take to read and to choose on."""

    def __init__(self, pack: Mapping[str, Any]) -> None:
        self._prompts = {key: count_words(text) for key, text in pack["prompts"].items()}
        self._texts = {key: count_words(text) for key, text in pack["texts"].items()}
        self._beforehand = [
            sum(self._estimate(i["prompt"], i["first"], i["second"]) for i in items)
            for items in pack["slots"]
        ]
        # All that a rater reads, in words, their own consent left out.
        self.words = [
            sum(
                self._prompts[i["prompt"]] + self._texts[i["first"]] + self._texts[i["second"]]
                for i in items
            )
            for items in pack["slots"]
        ]

    def estimate_minutes(self, slot: int) -> int:
        """Minutes for all of a slot's items, before the rater has begun."""
        return round_minutes(self._beforehand[slot])

    def estimate_minutes_left(self, screens: Sequence[Screen], sitting: Sitting) -> int:
        """Minutes for the items that are left, at the rater's own pace where it is known."""
        left = [s for s in screens if s.item not in sitting.votes or s.item in sitting.held]
        seconds = sum(self._estimate(s.prompt, s.a, s.b) for s in left)
        return round_minutes(seconds * self._compute_ratio(screens, sitting))

    def _estimate(self, prompt: str, one: str, two: str) -> float:
        words = self._prompts[prompt] + self._texts[one] + self._texts[two]
        return words * 60 / WORDS_A_MINUTE + SECONDS_TO_CHOOSE

    def _compute_ratio(self, screens: Sequence[Screen], sitting: Sitting) -> float:
        """Compute how much longer the rater takes than was estimated; 1 before it is known."""
        expected = {s.item: self._estimate(s.prompt, s.a, s.b) for s in screens}
        made = sorted((event.at, item) for item, event in sitting.votes.items())
        times = [(datetime.fromisoformat(at), item) for at, item in made]
        taken = awaited = 0.0
        count = 0
        for (before, _), (after, item) in pairwise(times):
            seconds = (after - before).total_seconds()
            if seconds <= _BREAK:
                taken, awaited, count = taken + seconds, awaited + expected[item], count + 1
        if count < _LEAST_CHOICES - 1 or not awaited:
            return 1.0
        return min(max(taken / awaited, _LEAST_RATIO), _MOST_RATIO)


def round_minutes(seconds: float) -> int:
    """Minutes as one says them: at least one, and above twenty in steps of five."""
    minutes = max(1, round(seconds / 60))
    return minutes if minutes <= 20 else 5 * round(minutes / 5)
