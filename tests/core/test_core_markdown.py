"""Markdown of texts that others wrote, read by an independent reader of Markdown."""

from markdown_it import MarkdownIt

from core.markdown import fence, write_table
from core.text import make_safe


def test_a_text_leaves_its_fence_nowhere_and_keeps_what_scripts_need() -> None:
    # Persian and Sinhala need the joiners; nobody needs an escape sequence or an override.
    text = "می\u200cخواهم ශ්\u200dරී\n````\n<script>\x1b[2J\u202e`"
    (token,) = MarkdownIt().parse(fence(text))
    assert token.type == "fence"
    assert token.content == text.replace("\x1b", "\ufffd").replace("\u202e", "\ufffd") + "\n"
    assert make_safe("a\tb\n") == "a\tb\n"


def test_a_cell_shows_what_was_given() -> None:
    given = ["a|b", "*x* _y_ `z` [l](u) <b>", "two\nlines", 12345, True, None, "\\"]
    page = MarkdownIt().enable("table").parse(write_table(["n"], [[value] for value in given]))
    cells = [
        "".join(child.content for child in token.children or [])
        for token in page
        if token.type == "inline"
    ]
    shown = ["a|b", "*x* _y_ `z` [l](u) <b>", "two lines", "12,345", "True", "–", "\\"]
    assert cells == ["n", *shown]
    assert write_table(["n"], []) == "None."
