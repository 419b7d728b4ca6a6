"""What a page needs of a language: its tag, direction and font, and a block's direction."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import yaml

from core.lines import read_lines
from preference.errors import PreferenceError

HERE = Path(__file__).parent
REGISTRY = HERE.parent / "conf" / "language"
FONTS = HERE / "fonts"

# BCP 47 wants the two-letter code where there is one; FLORES codes have three letters. Languages
# that are missing here keep their three letters.
_TWO_LETTERS = {
    "amh": "am", "asm": "as", "bak": "ba", "ben": "bn", "bod": "bo", "chv": "cv", "cym": "cy",
    "eng": "en", "fao": "fo", "gla": "gd", "gle": "ga", "glg": "gl", "grn": "gn", "hat": "ht",
    "hau": "ha", "ibo": "ig", "jav": "jv", "khk": "mn", "kin": "rw", "kir": "ky", "kmr": "ku",
    "lao": "lo", "ltz": "lb", "mlt": "mt", "mri": "mi", "nya": "ny", "pbt": "ps", "plt": "mg",
    "run": "rn", "sin": "si", "smo": "sm", "sna": "sn", "snd": "sd", "sot": "st", "sun": "su",
    "swh": "sw", "tat": "tt", "tel": "te", "tgk": "tg", "tir": "ti", "tuk": "tk", "uig": "ug",
    "xho": "xh", "ydd": "yi", "yor": "yo", "zul": "zu", "fin": "fi",
}  # fmt: skip
# Scripts that phones may lack. Latin and Cyrillic letters every phone has.
_FONTS = {
    "Arabic": "arabic", "Bengali": "bengali", "Ethiopic": "ethiopic", "Hebrew": "hebrew",
    "Lao": "lao", "Sinhala": "sinhala", "Telugu": "telugu", "Tibetan": "tibetan",
}  # fmt: skip
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


@cache
def study_language(name: str) -> StudyLanguage:
    """From the registry's entry (`conf/language/NAME.yaml`). Raises PreferenceError with the
    nearest names for one that it lacks."""
    path = REGISTRY / f"{name}.yaml"
    if not re.fullmatch(r"[a-z_]+", name) or not path.is_file():
        import difflib

        known = sorted(p.stem for p in REGISTRY.glob("*.yaml"))
        near = difflib.get_close_matches(name, known, 3) or known[:3]
        raise PreferenceError(
            f"language {name!r} is not in conf/language; near it: {', '.join(near)}. "
            "Remedy: take one of them, or add a file there"
        )
    entry = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(entry.get("name"), str) or not entry["name"].strip("? "):
        raise PreferenceError(
            f"language {name!r} stands for any language without an entry, and a study needs its"
            " name, code, script and direction. Remedy: copy conf/language/swahili.yaml to a file"
            " named after the language, change what it says, and give that name"
        )
    code = (entry.get("flores_code") or "und").split("_")[0]
    return StudyLanguage(
        name=entry["name"],
        code=entry.get("flores_code"),
        autonym=entry.get("autonym") or entry["name"],
        tag=_TWO_LETTERS.get(code, code),
        direction=entry.get("direction", "ltr"),
        font=_FONTS.get(entry.get("script") or ""),
    )


def font_file(font: str, texts: Iterable[str]) -> bytes:
    """A font's file. Of Tibetan there is a small one as well, for texts without rare stacks: the
    whole one would be three quarters of a rater's first load."""
    if font == "tibetan":
        known = common_stacks()
        if all(stack in known for text in texts for stack in _STACK.findall(text)):
            font = "tibetan-common"
    return (FONTS / f"{font}.woff2").read_bytes()


@cache
def common_stacks() -> frozenset[str]:
    """What the small Tibetan font holds."""
    lines = [line.value for line in read_lines(FONTS / "tibetan-common.txt")]
    return frozenset(stack for line in lines if not line.startswith("#") for stack in line.split())


def direction_of(text: str, otherwise: str = "ltr") -> str:
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
