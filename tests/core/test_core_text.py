"""What counts as text, and how a file becomes it."""

import pytest

from core.delimited import split_cells
from core.text import (
    NotText,
    decode,
    find_lone_surrogate,
    fold,
    has_visible_text,
    remove_invisible,
)

# Zero-width space, word joiner, byte order mark, soft hyphen, fillers, empty Braille, a mark alone,
# direction controls, white space, a selector, a tag, a NUL.
NOTHING = (
    *("", " ", "\u00a0\t\n", "\u3000", "\u200b", "\u2060", "\ufeff", "\u00ad", "\u3164", "\u115f"),
    *("\u1160", "\uffa0", "\u2800", "\u0301", "\u093f", "\u202e\u202c", "\u2066\u2069", "\u061c"),
    *("\u200e", "\ufe0f", "\U000e0041", "\0", "\u034f", "\u180e", " \u200b\u0301\u00ad "),
)
# A letter of every kind, a digit, a sign, an emoji, a letter newer than this Python, half of a word
# that a zero-width joiner ends, Arabic's number sign.
SOMETHING = ("a", "ꯀ", "ߒ", "ሀ", "7", "?", "。", "🙂", "\U00016d40", "ක්\u200d", "\u0600", "e\u0301")


@pytest.mark.parametrize("text", NOTHING, ids=ascii)
def test_what_nobody_sees_is_no_text(text: str) -> None:
    assert not has_visible_text(text)


@pytest.mark.parametrize("text", SOMETHING, ids=ascii)
def test_what_is_seen_is_text_also_amid_what_is_not(text: str) -> None:
    assert has_visible_text(text)
    assert has_visible_text(f"\u200b{text}\u2060 ")


def test_only_what_has_no_width_is_taken_out() -> None:
    assert remove_invisible("a\u200bb\u00adc\ufeff d\u0301\ufe0f") == "abc d\u0301"
    assert remove_invisible("\u0627\u200c\u0600") == "\u0627\u0600"


def test_spellings_that_look_alike_fold_to_one() -> None:
    spellings = ("Yorùbá", "  yoru\u0300ba\u0301 ", "YORÙBÁ", "Yor\u200bùbá", "Ｙorùbá")
    assert {fold(one) for one in spellings} == {"yorùbá"}
    assert fold("Northern  Sotho") == fold("northern\u00a0sotho") != fold("Sotho")
    assert fold("Yoruba") != fold("Yorùbá")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\xef\xbb\xbfa\nb\n", "a\nb\n"),
        (b"a\r\nb\r\n", "a\nb\n"),
        (b"a\rb\r", "a\nb\n"),
        ("a\u2028b\u0085c\n".encode(), "a\u2028b\u0085c\n"),
        (b"", ""),
    ],
)
def test_bytes_become_text_with_plain_lines(content: bytes, text: str) -> None:
    assert decode(content) == text


@pytest.mark.parametrize(
    ("content", "line", "why"),
    [
        ("a\nb".encode("utf-16"), 1, "the file is UTF-16, not UTF-8"),
        ("a\nb".encode("utf-32"), 1, "the file is UTF-32, not UTF-8"),
        ("a\nb".encode("utf-16-le"), 1, "a NUL byte"),
        (b"a\nb\0", 2, "a NUL byte"),
        ("a\nbé".encode("latin-1"), 2, "not UTF-8"),
        (b"\xef\xbb\xbfa\nb\n\xff", 3, "not UTF-8"),
        (b"a\nb\rc\n", 2, "a carriage return that ends no line"),
        (b"a\r\r\nb\r\r\n", 1, "a carriage return that ends no line"),
    ],
)
def test_bytes_that_are_no_text_say_why_and_where(content: bytes, line: int, why: str) -> None:
    with pytest.raises(NotText, match=why) as caught:
        decode(content)
    assert caught.value.line == line


def test_half_a_character_is_found() -> None:
    assert find_lone_surrogate("whole 🙂") is None
    assert find_lone_surrogate("half \ud83d") == "\\ud83d"


def test_a_line_is_split_into_its_cells() -> None:
    assert split_cells("a\tb\t", "\t") == ["a", "b", ""]
    assert split_cells('a\t"She said ""no""."', "\t") == ["a", 'She said "no".']
    assert split_cells('a;"b;c";she said "no"', ";") == ["a", "b;c", 'she said "no"']


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('1\t"opened', "opens a cell and is not closed in the line"),
        ('1\t"opened ""twice""', "opens a cell and is not closed in the line"),
        ('"No" he said\tx', "closes before the end of its cell"),
        ('1\t"' + "x" * 200_000, "a cell is too long"),
    ],
)
def test_a_stray_quote_mark_is_no_cell(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        split_cells(line, "\t")
