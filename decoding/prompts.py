"""A prompt to continue, in tokens, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass

Tokens = tuple[int, ...]


@dataclass(frozen=True)
class TokenPrompt:
    """A prompt to continue, in tokens: at most `limit` more, up to the first of the `stops`.

    `penalty` divides the positive and multiplies the negative logits of every token that the
    prompt or the answer holds (Keskar et al. 2019, arXiv 1909.05858); 1.0 changes nothing.
    `blank_first`: white space before the answer is no part of it, and does not stop it. After a
    thought that was closed in its place, a model often begins a new line. `after`: only stop texts
    behind the first such text stop it ("": all do).
    """

    context: Tokens
    limit: int
    stops: tuple[str, ...] = ()
    penalty: float = 1.0
    blank_first: bool = False
    after: str = ""

    def take_answer(self, text: str) -> str:
        """Returns the answer in the tokens decoded so far, up to the first of the stop texts."""
        before, behind = self._split(text)
        for stop in self.stops:
            behind = behind.split(stop)[0]
        return before + behind

    def has_stopped(self, text: str) -> bool:
        """Says whether the tokens decoded so far hold a stop text."""
        _, behind = self._split(text)
        return any(stop in behind for stop in self.stops)

    def _split(self, text: str) -> tuple[str, str]:
        """Returns the part in which nothing stops the answer, and the rest."""
        text = text.lstrip() if self.blank_first else text
        if not self.after:
            return "", text
        before, found, behind = text.partition(self.after)
        return before + found, behind


@dataclass(frozen=True)
class Continuation:
    """A decoded answer: its text before the stop text, and the tokens that it took. `finished`
    says whether it ended by itself, not by its limit."""

    text: str
    tokens: int
    finished: bool


def find_common_prefix(sequences: Sequence[Tokens]) -> Tokens:
    """Returns the longest common beginning, leaving at least one token of each sequence outside.

    The last token must be run again, since it is its output that is wanted.
    """
    if len(sequences) < 2:
        return ()  # nothing is shared, and a single sequence is cheapest in one piece
    first, last = min(sequences), max(sequences)
    limit = min(len(sequence) for sequence in sequences) - 1
    length = 0
    while length < limit and first[length] == last[length]:
        length += 1
    return first[:length]
