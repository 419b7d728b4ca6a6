"""An answer as safe HTML: Markdown without HTML, links or images, a direction on each block.

Answers are untrusted, and the two arms must go through the same rules. markdown-it escapes all
text; `html`, links, images and automatic links are switched off, so that the page can hold no
element, address or script that the text chose. Headings become bold paragraphs: an answer must not
change the outline of the page. Code and tables scroll inside their own block. Formulas are taken
out first, since Markdown would eat their backslashes, underscores and stars.
"""

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from functools import partial
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape

from preference.formulas import Formula, put_back, render_formula, split, take_out
from preference.languages import find_direction

# Beyond this depth markdown-it leaves out the rest of a text.
_DEEPEST = 60
# On a phone of 360 by 740 points.
_LETTERS_A_LINE, _LINES_A_SCREEN = 40, 26
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_DIRECTED = {
    "paragraph_open",
    "bullet_list_open",
    "ordered_list_open",
    "blockquote_open",
    "table_open",
    "heading_open",
}


def render_answer(text: str, *, direction: str, code_label: str, table_label: str) -> Markup:
    """HTML of one text. direction: of a block without letters; labels: names of the scroll
    regions for screen readers, in the rater's language."""
    markdown = MarkdownIt(
        "commonmark", {"html": False, "linkify": False, "breaks": True, "maxNesting": _DEEPEST}
    ).enable("table")
    markdown.disable(["link", "image", "autolink", "html_inline", "html_block", "reference"])
    for name in ("fence", "code_block"):
        markdown.add_render_rule(name, _make_rule(partial(_render_code, label=code_label)))
    markdown.add_render_rule("table_open", _make_rule(partial(_open_table, label=table_label)))
    markdown.add_render_rule("table_close", _make_rule(_close_table))
    markdown.add_render_rule("formula", _make_rule(_render_formula))
    plain, formulas = take_out(text)
    tokens = markdown.parse(plain)
    if any(token.level >= _DEEPEST - 2 for token in tokens):
        side = find_direction(text, direction)
        return Markup('<p class="plain" dir="{}">{}</p>\n').format(side, text)
    for token in tokens:
        if token.type in ("fence", "code_block"):
            token.content = put_back(token.content, formulas)
        elif token.children:
            token.children = list(_break_lines(_insert_formulas(token.children, formulas)))
    _set_directions(tokens, direction)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "p"
            if token.nesting == 1:
                token.attrSet("class", "heading")
    return Markup(markdown.renderer.render(tokens, markdown.options, {}))


def is_long(text: str) -> bool:
    """Tell whether a text fills more than two screens of a phone, by its lines of some 40 letters;
    the pages fold it then. One rule for both arms."""
    return sum(1 + len(line) // _LETTERS_A_LINE for line in text.split("\n")) > 2 * _LINES_A_SCREEN


def _insert_formulas(children: Iterable[Token], formulas: list[Formula]) -> Iterator[Token]:
    """Each formula as a token of its own; inside code, what was written."""
    for child in children:
        if child.type != "text":
            yield child.copy(content=put_back(child.content, formulas))
            continue
        for part in split(child.content, formulas):
            if isinstance(part, str):
                yield child.copy(content=part)
            else:
                yield Token("formula", "span", 0, content=part.source, meta={"formula": part})


def _break_lines(children: Iterable[Token]) -> Iterator[Token]:
    """`<br>`, with which models break lines in tables, as a line break: the only HTML that counts,
    since it carries nothing. Inside code it stays as it is."""
    for child in children:
        lines = _BREAK.split(child.content) if child.type == "text" else [child.content]
        for number, line in enumerate(lines):
            if number:
                yield Token("hardbreak", "br", 0)
            yield child.copy(content=line)


def _set_directions(tokens: Sequence[Token], otherwise: str) -> None:
    """Sets `dir` on every block by the majority of the letters inside it."""
    for index, token in enumerate(tokens):
        if token.type in _DIRECTED:
            depth = 0
            words: list[str] = []
            for inner in tokens[index:]:
                depth += inner.nesting
                if inner.type == "inline":
                    words.append(_take_letters(inner))
                if depth == 0:
                    break
            token.attrSet("dir", find_direction(" ".join(words), otherwise))


def _take_letters(inline: Token) -> str:
    """The text of a block without its inline code, whose letters are not the language's."""
    return " ".join(child.content for child in inline.children or [] if child.type == "text")


def _make_rule(write: Callable[[Token], str]) -> Any:
    """A rule of markdown-it that needs the token alone."""

    def render(
        self: RendererHTML,
        tokens: Sequence[Token],
        index: int,
        options: Any,
        env: MutableMapping[str, Any],
    ) -> str:
        return write(tokens[index])

    return render


def _render_formula(token: Token) -> str:
    return render_formula(token.meta["formula"])


def _render_code(token: Token, label: str) -> str:
    return (
        f'<pre dir="ltr" tabindex="0" role="region" aria-label="{escape(label)}">'
        f"<code>{escape(token.content)}</code></pre>\n"
    )


def _open_table(token: Token, label: str) -> str:
    side = "rtl" if token.attrGet("dir") == "rtl" else "ltr"
    return (
        f'<div class="scroll" dir="{side}" tabindex="0" role="region"'
        f' aria-label="{escape(label)}"><table>\n'
    )


def _close_table(token: Token) -> str:
    return "</table></div>\n"
