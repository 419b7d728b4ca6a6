"""Reads what a model wrote: finds the answer in it, as a benchmark's own program does or strictly.

Two readings, of which `evaluate.protocol.extraction` chooses the one that is scored; the other is
recorded beside it.

- `seahelm`: as SEA-HELM's own program at 6844e6c reads, its oddities included. "Jawaban: Bacalah"
  is A, since letters of labels in a row are read as the last of them; "Jawaban: (A)" is no answer.
- `strict`: an answer that says one label, or one line after the tag, and nothing else.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import punctuation
from typing import Literal

Extraction = Literal["seahelm", "strict"]
EXTRACTIONS: tuple[Extraction, ...] = ("seahelm", "strict")
BLANK_LINE = "\n\n"


@dataclass(frozen=True)
class Wording:
    """The words by which an answer in a language is known.

    tag: stands before the answer.
    labels: the answers to choose from, each with the names under which rows have it; none where
        the answer is a text.
    max_tokens: the answer's longest.
    """

    tag: str
    max_tokens: int
    labels: Mapping[str, tuple[str, ...]] | None = None


def cut_answer(said: str, tag: str) -> str:
    """Returns what belongs to one answer of a base model: up to the first blank line behind the
    first tag, or all of it where it has no tag."""
    before, found, after = said.partition(tag)
    return before + found + after.partition(BLANK_LINE)[0]


def read_label(said: str, tag: str, labels: Sequence[str], *, lenient: bool = True) -> str:
    """Returns the label that SEA-HELM reads, "" where it reads none.

    Labels in a row behind the tag are one match, and its last is read; without a match the whole
    answer is taken, which must be a label but for case and outer punctuation. `lenient` ignores
    case, and looks at each tag until one has a label behind it (its F1AccMetric); else the case
    counts, and only the first tag is looked at (its MinimalPairsMetric and
    PragmaticReasoningMetric).
    """
    one = "|".join(map(re.escape, labels))
    pattern = rf"{re.escape(tag)}[\s\*]*({one}){'+' if lenient else '*'}"
    found = re.search(pattern, said, re.IGNORECASE if lenient else 0)
    behind = found[1] if found else None
    plain = (said if behind is None else behind).strip().lower().strip(f"{punctuation} \n")
    return {label.lower(): label for label in labels}.get(" ".join(plain.split()), "")


def read_text(said: str, tag: str) -> str:
    """Returns the text that SEA-HELM reads: the first line that has something behind the first
    tag, whose case counts; all of the answer where it has no tag."""
    found = re.search(rf"{re.escape(tag)}[\s`*]*(.*)", said)
    return (found[1] if found else said).strip()


def read_label_strictly(said: str, tag: str, labels: Sequence[str]) -> str:
    """Returns the label that stands alone in the first line behind the first tag, or in the whole
    answer where it has no tag; "" where none does. Case, marks and punctuation around it do not
    count."""
    plain = _strip_marks(_find_line(said, tag) if _has_tag(said, tag) else said).casefold()
    return next((label for label in labels if label.casefold() == plain), "")


def read_text_strictly(said: str, tag: str) -> str:
    """Returns the first line behind the first tag; "" where there is no tag."""
    return _find_line(said, tag).strip("`* \t") if _has_tag(said, tag) else ""


def _has_tag(said: str, tag: str) -> bool:
    return tag.casefold() in said.casefold()


def _find_line(said: str, tag: str) -> str:
    behind = re.split(re.escape(tag), said, maxsplit=1, flags=re.IGNORECASE)[-1].strip()
    return behind.split("\n", 1)[0]


def _strip_marks(text: str) -> str:
    """Takes white space, punctuation and symbols from both ends."""
    kept = [n for n, sign in enumerate(text) if unicodedata.category(sign)[0] not in "PSZC"]
    return text[kept[0] : kept[-1] + 1] if kept else ""
