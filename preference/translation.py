"""Warn a speaker of losses in a translation, and show how it differs from the machine's draft."""

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from markupsafe import Markup, escape

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_FENCE = re.compile(r"```.*?```", re.DOTALL)
_INLINE = re.compile(r"`[^`\n]+`")
_PLACEHOLDER = re.compile(
    r"\{[^{}\n]{0,40}\}|<[A-Za-z/][^<>\n]{0,40}>|%[sdif]\b|\$\{?[A-Z_]{2,}\}?"
)
_BRACKET = re.compile(r"\[[^\[\]\n]{1,60}\]")
_ADDRESS = re.compile(r"https?://\S+|\b[\w.+-]+@[\w-]+\.\w+")


def warn_of_translation(source: str, translation: str) -> list[str]:
    """Say what may have been lost between an English source and its translation, in English words.

    Numbers are compared in any script's digits, without their separators. Not covered: numbers
    that are written out, which a translation may well do; so these are warnings, not errors.
    """
    if not translation.strip():
        return ["The translation is empty."]
    found = []
    if translation.strip() == source.strip():
        found.append("The translation is the English text.")
    for what, one, other in (
        ("number", _count_numbers(source), _count_numbers(translation)),
        ("code", _count_matches(_FENCE, source), _count_matches(_FENCE, translation)),
        ("code", _count_matches(_INLINE, source), _count_matches(_INLINE, translation)),
        (
            "placeholder",
            _count_matches(_PLACEHOLDER, source),
            _count_matches(_PLACEHOLDER, translation),
        ),
        ("address", _count_matches(_ADDRESS, source), _count_matches(_ADDRESS, translation)),
    ):
        found += [
            f"This {what} of the English is missing: {text}" for text in _list_lost(one, other)
        ]
        found += [f"This {what} is not in the English: {text}" for text in _list_lost(other, one)]
    lost = len(_BRACKET.findall(source)) - len(_BRACKET.findall(translation))
    if lost:
        found.append(f"The English has {len(_BRACKET.findall(source))} texts in square brackets.")
    ratio = len(translation) / max(1, len(source))
    if len(source) > 60 and not 1 / 3 < ratio < 3:
        found.append(f"The translation is {ratio:.1f} times as long as the English.")
    return found


def mark_difference(before: str, after: str) -> Markup:
    """The changes from `before` to `after`, word by word, as <del> and <ins>; text escaped."""
    one, other = (re.findall(r"\s+|[^\s]+", text) for text in (before, after))
    out: list[str] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(a=one, b=other, autojunk=False).get_opcodes():
        if kind == "equal":
            out.append(str(escape("".join(one[a:b]))))
            continue
        if b > a:
            out.append(f"<del>{escape(''.join(one[a:b]))}</del>")
        if d > c:
            out.append(f"<ins>{escape(''.join(other[c:d]))}</ins>")
    return Markup("".join(out))


def _count_numbers(text: str) -> Counter[str]:
    digits = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in text)
    return Counter(re.sub(r"[.,]", "", number) for number in _NUMBER.findall(digits))


def _count_matches(pattern: re.Pattern[str], text: str) -> Counter[str]:
    return Counter(pattern.findall(text))


def _list_lost(one: Counter[str], other: Counter[str]) -> Iterable[str]:
    return (text if len(text) <= 60 else text[:57] + "..." for text in one - other)
