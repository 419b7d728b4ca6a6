"""Gives a page a language's tag, direction and font, and a block of text its direction."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from core.languages import FORM, find_language, list_nearest
from core.lines import read_lines
from preference.errors import PreferenceError

HERE = Path(__file__).parent
FONTS = HERE / "fonts"

# A Tibetan letter with all that stands above and below it, which a font draws as one.
_STACK = re.compile("[\u0f40-\u0f6c\u0f88-\u0f8c][\u0f71-\u0f84\u0f8d-\u0fbc]*")
_RTL_CLASSES = {"R", "AL"}


@dataclass(frozen=True)
class StudyLanguage:
    """A language as pages name it. code: FLORES code; font: a vendored font's name, or
    None for the phone's own."""

    name: str
    code: str | None
    autonym: str
    tag: str
    direction: str
    font: str | None

    def as_dict(self) -> dict[str, str | None]:
        return asdict(self)


def find_study_language(name: str) -> StudyLanguage:
    """The registry's language with that name or code. Raises PreferenceError with the nearest
    names for one that it lacks."""
    if name == FORM:
        raise PreferenceError(
            f"language {name!r} stands for any language without an entry, and a study needs its"
            " name, code, script and direction. Remedy: copy conf/language/swahili.yaml to a file"
            " named after the language, change what it says, and give that name"
        )
    found = find_language(name)
    if found is None:
        raise PreferenceError(
            f"language {name!r} is not known; near it: {', '.join(list_nearest(name)) or 'none'}. "
            "Remedy: take one of them, or add a file in conf/language"
        )
    return StudyLanguage(
        name=found.name,
        code=found.flores_code,
        autonym=found.autonym or found.name,
        tag=found.tag,
        direction=found.direction,
        font=found.font,
    )


def find_font_file(font: str, texts: Iterable[str]) -> bytes:
    """A font's file. Of Tibetan there is a small one as well, for texts without rare stacks: the
    whole one would be three quarters of a rater's first load."""
    if font == "tibetan":
        known = read_common_stacks()
        if all(stack in known for text in texts for stack in _STACK.findall(text)):
            font = "tibetan-common"
    return (FONTS / f"{font}.woff2").read_bytes()


@cache
def read_common_stacks() -> frozenset[str]:
    """The stacks of letters that the small Tibetan font holds."""
    lines = [line.value for line in read_lines(FONTS / "tibetan-common.txt")]
    return frozenset(stack for line in lines if not line.startswith("#") for stack in line.split())


def find_direction(text: str, otherwise: str = "ltr") -> str:
    """`rtl` or `ltr` by the majority of a text's letters; `otherwise` where it has none.

    HTML's dir=auto goes by the first strong letter alone, and so sets an Arabic line that begins
    with a Latin name from left to right.
    """
    rtl = ltr = 0
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        rtl += kind in _RTL_CLASSES
        ltr += kind == "L"
    if rtl == ltr:
        return otherwise
    return "rtl" if rtl > ltr else "ltr"
