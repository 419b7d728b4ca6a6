"""Faults of one text that can be told without another model: pure functions.

Thresholds are meant to be exceeded by what is broken, not by what is unusual. Not covered: whether
an answer is right, and refusals in other languages than English, which is the language in which
teachers refuse.
"""

import re
import unicodedata
import zlib
from collections.abc import Iterable

_REFUSAL = re.compile(
    r"\b(?:i(?:['’]m| am) (?:very )?sorry,? (?:but )?i (?:can(?:['’]t|not)|am unable)"
    r"|i (?:can(?:['’]t|not)|am (?:not able|unable) to) (?:help|assist|comply|fulfil|provide)"
    r"|as an ai(?: language)? model"
    r"|i (?:don['’]t|do not) (?:speak|understand|know) (?:this|that|the)? ?language)",
    re.IGNORECASE,
)
# Refusals stand at the beginning; further on the words are more often a topic.
_REFUSAL_CHARACTERS = 300

_LOOP_UNIT = 80  # characters of what is said again and again, at most
_LOOP_TIMES = 5
_LOOP_CHARACTERS = 60
_TAIL_CHARACTERS = 600
_COMPRESSION_FROM_BYTES = 400
# 200 FLORES sentences in a row compress 2.3 times (English) to 4.4 times (Lao), none better.
_COMPRESSION = 8.0

# UTF-8 that was read as Latin-1 or Windows-1252, such as "Ã©" or "â€™".
_MOJIBAKE = re.compile("(?:[ÃÂ][\u0080-\u00bf]|â€[\u0080-\u00bf\u2018-\u2122œ])")
_WORD = re.compile(r"\w+")
# So many words of our own instructions in a row are no chance.
_LEAKED_WORDS = 9
_FORMAT_MARKS = ("<|im_start|>", "<|im_end|>", "<|channel|>", "<|start|>", "[INST]", "<<SYS>>")


def is_refusal(text: str) -> bool:
    """Tell whether the text begins with one of the usual English refusals."""
    return bool(_REFUSAL.search(text[:_REFUSAL_CHARACTERS]))


def repeats_itself(text: str) -> bool:
    """Tell whether the text ends in a loop (five times the same), or says the same over and
    over.
    """
    tail = text[-_TAIL_CHARACTERS:]
    start, unit = _find_loop(tail)
    # A row of dots or dashes at the end is a habit, no loop.
    if len(tail) - start >= _LOOP_CHARACTERS and any(map(str.isalnum, unit)):
        return True
    data = text.encode("utf-8", "replace")
    size = len(data)
    return size >= _COMPRESSION_FROM_BYTES and size > _COMPRESSION * len(zlib.compress(data, 6))


def _find_loop(tail: str) -> tuple[int, str]:
    """Find where the longest loop begins that ends the text, white space aside, and its shortest
    unit.

    Without a loop, or where white space is all that comes again: the end, and no unit. (It is the
    first match of `(.{1,80}?)\\1{4,}\\s*\\Z`; but a regular expression tries each unit anywhere.)
    """
    best = (len(tail), 0)
    said = len(tail.rstrip())
    # A unit may end in some of the white space, but holds the last character before it.
    for end in range(said, min(len(tail), said + _LOOP_UNIT - 1) + 1):
        for length in range(end - said + 1, min(_LOOP_UNIT, end // _LOOP_TIMES) + 1):
            unit = tail[end - length : end]
            if not tail.endswith(unit * _LOOP_TIMES, 0, end):
                continue
            start = end - _LOOP_TIMES * length
            while start >= length and tail.startswith(unit, start - length):
                start -= length
            best = min(best, (start, length))
    start, length = best
    return start, tail[start : start + length]


def has_broken_unicode(text: str) -> bool:
    """Tell whether characters were lost: replacement marks, controls, private use, mis-decoded
    UTF-8.
    """
    if "\ufffd" in text or _MOJIBAKE.search(text):
        return True
    return any(
        unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs")
        for character in set(text)
        if character not in "\n\t\r"
    )


class Instructions:
    """The wording of our requests, to find it again where it does not belong."""

    def __init__(self, wordings: Iterable[str]) -> None:
        self._runs: set[tuple[str, ...]] = set()
        for wording in wordings:
            self._runs.update(_list_runs(wording))

    def leaks_into(self, text: str) -> bool:
        """Tell whether nine words of an instruction in a row, or marks of a chat format, are in
        it.
        """
        if any(mark in text for mark in _FORMAT_MARKS):
            return True
        if not self._runs:  # a source of the user's own has no instructions
            return False
        return any(run in self._runs for run in _list_runs(text))


def _list_runs(text: str) -> Iterable[tuple[str, ...]]:
    words = [word.casefold() for word in _WORD.findall(text)]
    return zip(*(words[start:] for start in range(_LEAKED_WORDS)), strict=False)
