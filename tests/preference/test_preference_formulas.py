"""Formulas in answers and questions: found, drawn or shown as they stand, and never too wide."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from chromium import open_context
from hypothesis import given
from hypothesis import strategies as st

from preference.formulas import draw, put_back, take_out
from preference.normalise import normalise
from preference.rendering import render_answer
from preference.web import make_style_sheet


def show(text: str, direction: str = "ltr") -> str:
    return str(render_answer(text, direction=direction, code_label="Code", table_label="Table"))


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        (r"so \(x_1*y_1\) and \(z*2\)", ["x_1*y_1", "z*2"]),
        ("\\[\n- x\n= 3\n\\]", ["- x\n= 3"]),
        ("> \\[\n> x\n> = 1\n> \\]", ["x\n= 1"]),
        ("$$E=mc^2$$ $E = mc^2$ $x$", ["E=mc^2", "E = mc^2", "x"]),
        (r"\begin{align*}a&=b\\c&=d\end{align*}", [r"\begin{align*}a&=b\\c&=d\end{align*}"]),
        (r"a\\(x_1\\) b", ["x_1"]),
        ("$a_b$, $2+x=4$; $\\alpha$", ["a_b", "2+x=4", "\\alpha"]),
        # Code shows what was written.
        ("`\\(x\\)` \\(y\\)", ["y"]),
        ("```\n\\[x\\]\n```\n\\[y\\]", ["y"]),
        ("- ~~~\n  $x$\n  ~~~\n\n$y$", ["y"]),
        # Money, shells and escaped brackets.
        ("costs $5 and $10", []),
        ("from $5 to 10$ a day, US$5-$10, 5$, 10$", []),
        ("($$) or ($$$)", []),
        ("echo $HOME/bin:$PATH", []),
        (r"\(not a link\) \[ab cd\]", []),
        ("1\\) one\n2\\) two", []),
        # A blank line ends a paragraph, and so a formula.
        ("\\(a\n\nb\\)", []),
    ],
)
def test_what_is_a_formula(text: str, formulas: list[str]) -> None:
    plain, found = take_out(text)
    assert [formula.tex for formula in found] == formulas
    assert put_back(plain, found) == text


@given(st.text(alphabet=st.sampled_from("\\()[]$`~ab_^*{}|>- \n1=&"), max_size=60))
def test_taking_out_loses_nothing(text: str) -> None:
    assert put_back(*take_out(text)) == text


PIECES = [
    "\\(", "\\)", "\\[", "\\]", "$", "$$", "\\frac", "{", "}", "_", "^", "<b>", "&", "x", "\\text{",
    "1", "\\color{red}", "\\href{a}", "\\begin{cases}", "\\end{cases}", "\\\\", "س",
    "\\hspace{99em}", "#", "\\def\\a{\\a}", "\\class{a}", "'\"", " ", "\\left(", "\\boxed{",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_no_formula_makes_an_element_or_style_of_its_own(parts: list[str]) -> None:
    html = show("".join(parts))
    tags = {tag.lower() for tag in re.findall(r"</?([a-zA-Z0-9]+)", html)}
    assert tags <= {
        "p", "em", "strong", "code", "br", "hr", "span", "math", "mrow", "mi", "mo", "mn", "mtext",
        "mspace", "mfrac", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mtable",
        "mtr", "mtd", "mpadded", "menclose",
    }  # fmt: skip
    assert not re.search(r"<[^>]*\s(style|href|on\w+|class=\"(?!formula|left|right|heading))", html)


def test_formulas_are_drawn_and_markdown_eats_none_of_their_signs() -> None:
    html = show(r"**bold \(x_1*y_1\)** and *c* $a_b*c_d$ in | \(|x|\)")
    assert "<strong>bold <span" in html
    assert html.count("<msub>") == 4
    for source in (r"\(x_1*y_1\)", "$a_b*c_d$", r"\(|x|\)"):
        assert f'<code dir="ltr">{source}</code>' in html
    table = show("| a | b |\n|---|---|\n| \\(|x|\\) | 2 |")
    assert table.count("<td>") == 2


def test_what_cannot_be_drawn_stands_as_it_was_written() -> None:
    html = show(r"\(\ce{H2O}\) and \[\foo_a*b*{<b>\]")
    assert "<math" not in html
    assert r'<code dir="ltr">\(\ce{H2O}\)</code>' in html
    assert r'<code dir="ltr">\[\foo_a*b*{&lt;b&gt;\]</code>' in html
    for tex in (
        r"\hspace{9999em}x", r"\newcommand{\x}{yy}\x", r"\def\a{\a\a}\a", "{" * 50 + "}" * 50,
        "x" * 5000, r"\frac{1}{", " ",
    ):  # fmt: skip
        assert draw(tex, True) is None


def test_words_in_a_formula_keep_their_joins() -> None:
    assert "<mtext>القوة</mtext>" in (draw("القوة = الكتلة", False) or "")
    assert "<mtext>ሰላም</mtext>" in (draw(r"\frac{ሰላም}{2}", False) or "")
    assert "<mi>π</mi>" in (draw("2π", False) or "")
    assert "4" not in (draw("\\begin{aligned}a&=b\\\\[4pt]c&=d\\end{aligned}", True) or "4")


@pytest.mark.parametrize("levels", [3, 20, 28, 29, 30, 31, 100, 1000])
def test_nothing_is_lost_however_deep_a_text_is_nested(levels: int) -> None:
    nested = "\n".join("  " * level + "- x" for level in range(levels))
    for text in (nested, "> " * levels + "x", "- " * levels + "x", "*a **b " * levels):
        html = show(text + "\n\nEND")
        assert html.count("x") >= text.count("x")
        assert "END" in html


def real_answers(folder: Path, language: str) -> dict[int, str]:
    lines = (folder / "mt_bench" / "model_answer" / f"gpt-oss-120b-{language}.jsonl").read_text(
        "utf-8"
    )
    rows = map(json.loads, lines.strip().split("\n"))
    return {row["question_id"]: row["choices"][0]["turns"][0] for row in rows}


def test_nearly_all_real_formulas_are_drawn(real_data: Path) -> None:
    """Of 362 formulas in 160 real answers; the others are chemistry's, or broken."""
    drawn = total = 0
    for language in ("en", "fi"):
        for text in real_answers(real_data, language).values():
            plain, found = take_out(normalise(text).text)
            total += len(found)
            drawn += sum(draw(formula.tex, formula.display) is not None for formula in found)
            assert not re.search(r"(?<!\\)\$\$", plain)
    assert total > 300
    assert drawn >= 0.98 * total


TOWER = "Z" + "\u0300\u0301\u0302\u0303\u0304\u0316\u0317\u0318\u0319\u0334\u20dd" * 40
LETTERS = "+".join("abcdefghijklmnopqrstuvwxyz")
WIDE = "\n\n".join(
    [
        f"{TOWER} " * 6, "verylongword" * 20, "https://example.org/" + "a/" * 120,
        "\n".join("  " * n + "- x" for n in range(15)), "> " * 18 + "deep",
        "|a" * 30 + "|\n" + "|-" * 30 + "|\n" + "|b" * 30 + "|", "```\n" + "code " * 60 + "\n```",
        "`" + "x" * 200 + "`", rf"\({LETTERS}\) and \(\frac{{x}}{{2}}\)", rf"\[{LETTERS}\]",
        "$\\foo_{" + "y" * 100 + "}$",
    ]
)  # fmt: skip
ARABIC = (
    "معادلة \\(E = mc^2\\) في السطر مع `code` \u202eونص\u202c\n\n" + "كلمةطويلةجدا" * 20 + "\n\n"
)


def test_nothing_reaches_over_the_narrowest_page(browser: Any) -> None:
    """In a real browser, at once and twice the text size, in both directions."""
    page = open_context(browser, 360, 740).new_page()
    for text, direction in ((WIDE, "ltr"), (ARABIC + WIDE, "rtl")):
        shown = show(normalise(text).text, direction)
        page.set_content(
            f"<!doctype html><style>{make_style_sheet(None)}</style><main><section class=text>"
            f"<h2>A</h2><div class=words dir={direction}>{shown}</div></section></main>"
        )
        for size in ("100%", "200%"):
            page.evaluate("size => document.documentElement.style.fontSize = size", size)
            assert_fits(page)
    page.context.close()


def assert_fits(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    words = "const w = document.querySelector('.words');"
    assert page.evaluate(f"() => {{{words} return w.scrollWidth - w.clientWidth}}") <= 0
    # What is drawn instead of its source is drawn, and can be scrolled to with a keyboard.
    assert page.evaluate(
        "document.querySelector('.formula math').getBoundingClientRect().width > 9"
    )
    assert page.evaluate("document.querySelector('.formula math + code').offsetWidth") == 0
    lost = page.evaluate(
        "[...document.querySelectorAll('.formula')].filter((e) => e.tabIndex < 0"
        " && getComputedStyle(e).display != 'inline' && (e.scrollWidth > e.clientWidth + 1"
        " || e.scrollHeight > e.clientHeight + 1)).map((e) => e.textContent)"
    )
    assert lost == []
