"""Finds the script of a text: the share of its letters, by ISO 15924 code."""

import unicodedata
from collections import Counter
from functools import cache

# First word of a letter's Unicode name -> ISO 15924. Han, kana and hangul keep codes of their own.
_BY_NAME = {
    "ARABIC": "Arab",
    "ARMENIAN": "Armn",
    "BALINESE": "Bali",
    "BENGALI": "Beng",
    "BOPOMOFO": "Bopo",
    "CANADIAN": "Cans",
    "CHEROKEE": "Cher",
    "CJK": "Hani",
    "COPTIC": "Copt",
    "CYRILLIC": "Cyrl",
    "DEVANAGARI": "Deva",
    "ETHIOPIC": "Ethi",
    "GEORGIAN": "Geor",
    "GREEK": "Grek",
    "GUJARATI": "Gujr",
    "GURMUKHI": "Guru",
    "HANGUL": "Hang",
    "HEBREW": "Hebr",
    "HIRAGANA": "Hira",
    "JAVANESE": "Java",
    "KANNADA": "Knda",
    "KATAKANA": "Kana",
    "KHMER": "Khmr",
    "LAO": "Laoo",
    "LATIN": "Latn",
    "LIMBU": "Limb",
    "MALAYALAM": "Mlym",
    "MEETEI": "Mtei",
    "MONGOLIAN": "Mong",
    "MYANMAR": "Mymr",
    "NKO": "Nkoo",
    "OL": "Olck",
    "ORIYA": "Orya",
    "SINHALA": "Sinh",
    "SUNDANESE": "Sund",
    "SYRIAC": "Syrc",
    "TAMIL": "Taml",
    "TELUGU": "Telu",
    "THAANA": "Thaa",
    "THAI": "Thai",
    "TIBETAN": "Tibt",
    "TIFINAGH": "Tfng",
    "VAI": "Vaii",
    "YI": "Yiii",
}
# Codes of writing systems that use several scripts.
_SYSTEMS = {
    "Hans": ("Hani",),
    "Hant": ("Hani",),
    "Jpan": ("Hani", "Hira", "Kana"),
    "Kore": ("Hang", "Hani"),
}
_ENGLISH = {
    "Arabic": "Arab",
    "Armenian": "Armn",
    "Bengali": "Beng",
    "Cyrillic": "Cyrl",
    "Devanagari": "Deva",
    "Ethiopic": "Ethi",
    "Georgian": "Geor",
    "Greek": "Grek",
    "Gujarati": "Gujr",
    "Gurmukhi": "Guru",
    "Hangul": "Hang",
    "Hebrew": "Hebr",
    "Japanese": "Jpan",
    "Kannada": "Knda",
    "Khmer": "Khmr",
    "Lao": "Laoo",
    "Latin": "Latn",
    "Malayalam": "Mlym",
    "Meetei Mayek": "Mtei",
    "Myanmar": "Mymr",
    "N'Ko": "Nkoo",
    "Ol Chiki": "Olck",
    "Oriya": "Orya",
    "Simplified Han": "Hans",
    "Sinhala": "Sinh",
    "Tamil": "Taml",
    "Telugu": "Telu",
    "Thaana": "Thaa",
    "Thai": "Thai",
    "Tibetan": "Tibt",
    "Tifinagh": "Tfng",
    "Traditional Han": "Hant",
}


def find_script_code(name: str | None) -> str | None:
    """Returns the ISO 15924 code of a script given by its English name or by the code itself,
    else None."""
    if name in _SYSTEMS or name in _BY_NAME.values():
        return name
    return _ENGLISH.get(name or "")


def count_script_shares(text: str) -> dict[str, float]:
    """Returns the share of each script among the letters of the text, largest first; {} without
    letters.

    A script's own vowel signs count as letters; digits, punctuation and the marks that scripts
    share do not.
    """
    counts: Counter[str] = Counter()
    for character, count in Counter(text).items():
        if script := _find_script(character):
            counts[script] += count
    total = sum(counts.values())
    return {script: count / total for script, count in counts.most_common()}


def find_share(shares: dict[str, float], script: str) -> float:
    """Returns the share of a script, or of all scripts of a writing system such as Jpan."""
    return sum(shares.get(part, 0.0) for part in _SYSTEMS.get(script, (script,)))


@cache
def _find_script(character: str) -> str | None:
    """Returns the script of a letter; "Zyyy" for one whose script has no code here, None for no
    letter."""
    if unicodedata.category(character)[0] not in "LM":
        return None
    name = unicodedata.name(character, "")
    for width in ("FULLWIDTH ", "HALFWIDTH "):
        name = name.removeprefix(width)
    first = name.partition(" ")[0].partition("-")[0]
    if first in ("COMBINING", "MODIFIER", "FEMININE", "MASCULINE", "MICRO", "VARIATION"):
        return None
    return _BY_NAME.get(first, "Zyyy")
