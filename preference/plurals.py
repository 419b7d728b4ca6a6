"""Tell which of a language's plural forms a number takes, by the Unicode CLDR's rules (Babel)."""

from functools import cache

from babel import Locale, UnknownLocaleError

# Speakers of these languages read the words of a language close to theirs, which Babel knows.
NEAREST = {"arz": "ar", "ars": "ar"}
# The form that every language has; the others are one, two, few, many and zero.
OTHER = "other"
_ORDER = ("zero", "one", "two", "few", "many", OTHER)
# Counts of questions and minutes. Some languages have a form for millions, which nobody would see.
_LARGEST = 1000


@cache
def find_form(tag: str, count: int) -> str:
    """The name of the form that a count takes; `other` in a language without rules."""
    locale = _find_locale(tag)
    return str(locale.plural_form(count)) if locale else OTHER


@cache
def list_forms(tag: str) -> dict[str, tuple[int, ...]]:
    """The forms that counts of 1 to 1000 take in a language, `other` last, each with the first
    counts that take it."""
    found: dict[str, list[int]] = {OTHER: []}
    for count in range(1, _LARGEST + 1):
        found.setdefault(find_form(tag, count), []).append(count)
    return {form: tuple(found[form][:3]) for form in _ORDER if form in found}


@cache
def _find_locale(tag: str) -> Locale | None:
    try:
        return Locale.parse(NEAREST.get(tag, tag), sep="-")
    except (UnknownLocaleError, ValueError):
        return None
