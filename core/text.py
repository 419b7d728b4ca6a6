"""Decodes bytes that are text, and finds the characters that a reader sees."""

import codecs
import re
import unicodedata

# Letters and signs to Unicode, and nothing to the eye: Hangul fillers, the empty Braille cell and
# the note without a head.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\U0001d159")
# Marks that change nothing or only which glyph the letter before them takes.
_SELECTORS = frozenset(
    "\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
# Controls, direction overrides and lone surrogates. The joiners that scripts need stay.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_DRAWN = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
_NO_TEXT = {
    codecs.BOM_UTF32_LE: "UTF-32, not UTF-8",
    codecs.BOM_UTF32_BE: "UTF-32, not UTF-8",
    codecs.BOM_UTF16_LE: "UTF-16, not UTF-8",
    codecs.BOM_UTF16_BE: "UTF-16, not UTF-8",
    b"\x1f\x8b": "compressed (gzip), not text",
    b"PK\x03\x04": "a zip archive, as an Excel workbook is, not text",
    b"PAR1": "Parquet, not text",
    b"version https://git-lfs": "a Git LFS pointer in place of the file; `git lfs pull` fetches it",
}


class NotText(ValueError):
    """Raised for bytes that are not plain UTF-8 text: why, and on which line (from 1)."""

    def __init__(self, why: str, line: int) -> None:
        super().__init__(f"line {line}: {why}")
        self.why, self.line = why, line


def decode(content: bytes) -> str:
    """Returns the text of a UTF-8 file, without a byte order mark, its lines ended by ``\\n``
    alone.

    Windows' ``\\r\\n`` and, where it is the only one, old Macs' ``\\r`` end a line too. Raises
    `NotText` for another encoding, a NUL byte, or a ``\\r`` amid other line ends.
    """
    if other := find_other_format(content):
        raise NotText(f"the file is {other}", 1)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # `error.start` counts from behind the mark.
        body = content.removeprefix(codecs.BOM_UTF8)
        raise NotText("not UTF-8", 1 + body.count(b"\n", 0, error.start)) from None
    if "\0" in text:
        raise NotText("a NUL byte, as in UTF-16 or a damaged file", _count_line(text, "\0"))
    text = text.replace("\r\n", "\n")
    if "\r" not in text:
        return text
    if "\n" not in text:
        return text.replace("\r", "\n")
    raise NotText("a carriage return that ends no line", _count_line(text, "\r"))


def find_other_format(content: bytes) -> str | None:
    """Names the format of a file whose bytes begin as no UTF-8 text does, in words that follow
    "the file is".

    By what it begins with: the byte order mark of another encoding, an archive's or Parquet's
    mark, a Git LFS pointer.
    """
    return next((name for mark, name in _NO_TEXT.items() if content.startswith(mark)), None)


def has_visible_text(text: str) -> bool:
    """Says whether a reader sees anything of a text: a letter, digit, sign or symbol.

    White space, format and control characters (zero-width spaces, soft hyphens, marks of
    direction), fillers and combining marks without a letter are nothing. Characters that are newer
    than this Python's tables count as visible.
    """
    return any(
        unicodedata.category(character)[0] not in "ZM"
        and unicodedata.category(character) not in ("Cc", "Cs")
        and not is_invisible(character)
        for character in text
    )


def is_invisible(character: str) -> bool:
    """Says whether a character takes no room and says nothing by itself (U+200B, U+00AD,
    joiners, selectors).

    Some scripts need joiners: without one the text differs, though it has no width of its own.
    """
    if character in _SELECTORS or character in _BLANK:
        return True
    # Signs of Arabic, Syriac and Kaithi numbers are drawn, though they are format characters.
    return unicodedata.category(character) == "Cf" and character not in _DRAWN


def remove_invisible(text: str) -> str:
    """Returns the text less every character that `is_invisible`."""
    if text.isascii():
        return text
    return "".join(character for character in text if not is_invisible(character))


def find_lone_surrogate(text: str) -> str | None:
    """Returns the first half of a character without its other half, as ``\\ud83d``; None in
    whole text."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"\\u{ord(text[error.start]):04x}"
    return None


def fold(text: str) -> str:
    """Returns the form that all spellings of one text share: Unicode form, case, width, white
    space and invisible characters aside. It is for comparing, not for showing."""
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", remove_invisible(text)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def _count_line(text: str, character: str) -> int:
    return 1 + text.count("\n", 0, text.index(character))


def make_safe(text: str) -> str:
    """Makes the control characters of untrusted text visible; line breaks and tabs stay."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text)
