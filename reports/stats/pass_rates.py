"""Line and word pass rate of answers, after the Language Confusion Benchmark (Marchisio et al.
2024, arXiv 2406.20052), with what cannot be told counted apart.

An answer passes by its lines where none of its longer ones is in another language, and by its words
where, in a language that is not written in Latin letters, no word of four small Latin letters or
more stands in it. Two things differ from the benchmark's program: a line whose language cannot be
told is no error here, since for many languages that is all of them; and any such word counts, not
only those of an English dictionary.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.lines import split_lines

FEWEST_WORDS = 5
"""Shorter lines tell nothing, as in the benchmark."""
FEWEST_LETTERS = 20
"""The same in scripts that put no spaces between words."""
UNSPACED = frozenset(("Hans", "Hant", "Hani", "Jpan", "Khmr", "Laoo", "Mymr", "Thai", "Tibt"))
_FOREIGN = re.compile("(?<![^\\W\\d_])[a-z]{4,}(?![^\\W\\d_])")


@dataclass(frozen=True)
class PassCounts:
    """Counts of answers. `short` have no line that is long enough; `undetermined` no line whose
    language can be told. Of the others `passed` have every such line in the language; of these
    `clean` have no foreign word, None where words cannot be told from the language's own."""

    answers: int
    short: int
    undetermined: int
    told: int
    passed: int
    clean: int | None

    @property
    def line_rate(self) -> float | None:
        """The share of answers that pass by their lines, of those that can be told; 0 to 1."""
        return self.passed / self.told if self.told else None

    @property
    def word_rate(self) -> float | None:
        """The share of answers without a foreign word, of those that pass by their lines."""
        return None if self.clean is None or not self.passed else self.clean / self.passed

    @property
    def undetermined_share(self) -> float | None:
        """The share of answers that cannot be told, of those that have a line long enough."""
        asked = self.answers - self.short
        return self.undetermined / asked if asked else None


def count_passes(
    answers: Iterable[str], script: str, is_right: Callable[[str], bool | None]
) -> PassCounts:
    """Count answers that should be in one language.

    `script` is its ISO 15924 code, "" where it is not known; `is_right` says of a line whether it
    is in the language, None where that cannot be told.
    """
    spaced, latin = script not in UNSPACED, script in ("Latn", "")
    total = short = undetermined = told = passed = clean = 0
    for answer in answers:
        total += 1
        lines = [line for line in split_lines(answer) if _is_long(line, spaced)]
        if not lines:
            short += 1
            continue
        found = [right for line in lines if (right := is_right(line)) is not None]
        if not found:
            undetermined += 1
            continue
        told += 1
        if all(found):
            passed += 1
            clean += not _FOREIGN.search(answer)
    return PassCounts(total, short, undetermined, told, passed, None if latin else clean)


def _is_long(line: str, spaced: bool) -> bool:
    if spaced:
        return len(line.split()) >= FEWEST_WORDS
    return sum(sign.isalnum() for sign in line) >= FEWEST_LETTERS
