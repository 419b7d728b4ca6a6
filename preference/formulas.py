r"""Formulas as models write them in LaTeX, found before Markdown can garble them, and as MathML.

Found are `\( \)`, `\[ \]`, `$ $`, `$$ $$` and bare environments, outside of code. Sums of money and
escaped brackets around words are none. What is no LaTeX that can be drawn is shown as it stands.
Not covered: formulas over blank lines, which LaTeX forbids as well, and chemistry's `\ce`.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.etree import ElementTree

from markupsafe import escape

# Around a formula's number in a text whose formulas were taken out. Noncharacters: no text of a
# rater holds them, and Markdown takes them for letters.
_MARKS = "\ufdd0", "\ufdd1"
_PLACE = re.compile(f"{_MARKS[0]}([0-9]+){_MARKS[1]}")
_BODY = r"(?:(?!\n[ \t>]*\n).){1,2000}?"
_FOUND = re.compile(
    rf"""
    (?P<code> ^[ \t>]* (?:(?:[-*+]|\d+[.)])[ \t]+)? (?P<fence>`{{3,}}|~{{3,}}) [^\n]*
              (?:\n.*?)?? (?:\n[ \t>]*(?P=fence) | \Z)
            | (?<!`)(?P<ticks>`+)(?!`) {_BODY} (?<!`)(?P=ticks)(?!`) )
  | (?<!\\)(?P<slash>\\\\?) (?: \[ (?P<square>{_BODY}) (?<!\\)(?P=slash)\]
                              | \( (?P<round>{_BODY}) (?<!\\)(?P=slash)\) )
  | (?<![\\$])\$\$(?!\$) (?P<dollars>{_BODY}) (?<![\\$])\$\$(?!\$)
  | (?<![\\$\w])\$(?![\s$]) (?P<dollar>(?:\\.|[^$\n\\`])+?) (?<!\s)\$(?![\w$])
  | (?P<environment> \\begin\{{(?P<name>(?:equation|align|gather|multline|eqnarray|split|aligned
        |cases|[pbvVB]?matrix|array)\*?)\}} {_BODY} \\end\{{(?P=name)\}} )
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_TEX = re.compile(r"\\[a-zA-Z,;!{}|]|[\^_{}]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_DEFINES = re.compile(r"\\(?:[gex]?def|let|(?:re)?newcommand|providecommand|DeclareMathOperator)\b")
_EXPRESSION = re.compile(r"[\w\s+\-*/=<>≤≥≠±×÷·().,|!:'%\[\]−→]*")
_SYMBOL = re.compile(r"[A-Za-zα-ωΑ-Ω][0-9']?")
# Longer or deeper ones are shown as they stand: drawing them would take long, or overflow a stack.
_LONGEST, _DEEPEST = 2000, 40
# Up to so many signs fit the narrowest page at twice the text size.
_NARROW = 8
_ELEMENTS = {
    "math", "mrow", "mi", "mo", "mn", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub",
    "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts", "mtable",
    "mtr", "mtd", "mpadded", "mphantom", "menclose", "merror", "b", "i",
}  # fmt: skip
_ATTRIBUTES = {
    "display", "displaystyle", "scriptlevel", "stretchy", "symmetric", "fence", "separator",
    "form", "largeop", "movablelimits", "accent", "accentunder", "lspace", "rspace", "width",
    "height", "depth", "voffset", "minsize", "maxsize", "linethickness", "mathvariant",
    "notation",
}  # fmt: skip
_LENGTH = re.compile(r"-?[\d.]+(?:em|ex|px|pt|mu|rem|%)?")
_MOST_EM = 20


@dataclass(frozen=True)
class Formula:
    """source: as it stands in the text, its delimiters included; tex: what is between them;
    display: on a line of its own."""

    source: str
    tex: str
    display: bool


def take_out(text: str) -> tuple[str, list[Formula]]:
    """The text with a mark in the place of each formula, and the formulas."""
    for mark in _MARKS:
        text = text.replace(mark, "")
    kept: list[str] = []
    formulas: list[Formula] = []
    done = start = 0
    while found := _FOUND.search(text, start):
        formula = None if found["code"] else _make_formula(text, found)
        # What is none may still begin with one: go on behind its first sign.
        start = found.end() if found["code"] or formula else found.start() + 1
        if formula:
            kept += text[done : found.start()], f"{_MARKS[0]}{len(formulas)}{_MARKS[1]}"
            formulas.append(formula)
            done = start
    return "".join([*kept, text[done:]]), formulas


def put_back(text: str, formulas: list[Formula]) -> str:
    """The text with the source of each formula in its place again, as code wants it."""
    return "".join(p if isinstance(p, str) else p.source for p in split(text, formulas))


def split(text: str, formulas: list[Formula]) -> Iterator[str | Formula]:
    """The text's parts between the marks, and the formulas."""
    parts = _PLACE.split(text)
    for place, part in enumerate(parts):
        if place % 2:
            yield formulas[int(part)]
        elif part:
            yield part


def render_formula(formula: Formula) -> str:
    """HTML: MathML, beside its source for browsers that draw none (the style chooses); or only the
    source. One that may be wider than a phone can be scrolled."""
    code = f'<code dir="ltr">{escape(formula.source)}</code>'
    drawn = draw(formula.tex, formula.display)
    if drawn is None:
        return f'<span class="formula source" dir="ltr">{code}</span>'
    kind = "formula display" if formula.display else "formula"
    focus = ' tabindex="0"' if formula.display or len(formula.tex) > _NARROW else ""
    return f'<span class="{kind}" dir="ltr"{focus}>{drawn}{code}</span>'


@cache
def draw(tex: str, display: bool) -> str | None:
    """MathML of the elements and attributes of MathML Core alone; None where it cannot be drawn."""
    from math_core import LatexError

    if len(tex) > _LONGEST or _measure_depth(tex) > _DEEPEST or _DEFINES.search(tex):
        return None
    try:
        # Entity and name of no element can stand in it: all signs of the source are escaped.
        root = ElementTree.fromstring(
            _make_converter().convert_with_local_state(_mark_words(tex), displaystyle=display)
        )
        for element in root.iter():
            _make_safe(element)
    except (LatexError, ElementTree.ParseError, ValueError):
        return None
    if not "".join(root.itertext()).strip():
        return None
    return ElementTree.tostring(root, "unicode", short_empty_elements=False)


@cache
def _make_converter() -> Any:
    from math_core import LatexToMathML

    # A number at a formula's side is for books: here it stands behind the formula.
    return LatexToMathML(fancy_error=False, macros={"tag": r"\qquad(\text{#1})"})


def _make_formula(text: str, found: re.Match[str]) -> Formula | None:
    bracketed = found["square"] or found["round"]
    dollars = found["dollars"] or found["dollar"]
    tex = bracketed or dollars or found["environment"]
    if not tex.strip() or (bracketed and _is_prose(tex)) or (dollars and not _is_formula(dollars)):
        return None
    line = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
    if line.lstrip().startswith(">"):
        tex = re.sub(r"\n[ \t>]*", "\n", tex)
    display = not (found["round"] or found["dollar"])
    return Formula(found[0], tex.strip(), display)


def _is_prose(tex: str) -> bool:
    """Words in brackets that Markdown wants escaped."""
    return not re.search(r"[\\^_{}+*/=<>≤≥|]", tex) and len(_WORD.findall(tex)) > 1


def _is_formula(tex: str) -> bool:
    """Tell whether what stands between dollars is a formula: `$x$` is, "$5 and 10$" are sums."""
    if _TEX.search(tex) or _SYMBOL.fullmatch(tex.strip()):
        return True
    operators = re.search(r"[+\-*/=<>≤≥≠±×÷·−→]", tex)
    return bool(
        operators
        and _EXPRESSION.fullmatch(tex)
        and not re.search(r"[^\W\d_]{4,}|[^\W\d_]{2,}\s+[^\W\d_]{2,}", tex)
        and re.search(r"[A-Za-zα-ωΑ-Ω=]", tex)
    )


def _measure_depth(tex: str) -> int:
    deepest = depth = 0
    for sign in tex:
        depth += (sign == "{") - (sign == "}")
        deepest = max(deepest, depth)
    return max(deepest, tex.count(r"\begin") + tex.count(r"\left"))


def _mark_words(tex: str) -> str:
    r"""Words in other letters than Latin and Greek as text: letter by letter, Arabic would not join
    and Tibetan not stack. `#`, which LaTeX keeps for itself, as the sign."""

    def worded(found: re.Match[str]) -> str:
        letters = [c for c in found[0] if unicodedata.category(c)[0] in "LM" and not c.isascii()]
        strange = any(not unicodedata.name(c, "").startswith(("GREEK", "MATH")) for c in letters)
        return rf"\text{{{found[0]}}}" if strange and len(found[0]) > 1 else found[0]

    tex = re.sub(r"(?<!\\)#", r"\\#", tex)
    # Room below a line, which the converter would print.
    tex = re.sub(r"\\\\\*?\s*\[\s*-?[\d.]+\s*[a-z]{2}\s*\]", r"\\\\", tex)
    return re.sub(
        r"\\[A-Za-z]+|[A-Za-z]*[^\x00-\x7f]+(?:[ A-Za-z]?[^\x00-\x7f]+)*[A-Za-z]*", worded, tex
    )


def _make_safe(element: ElementTree.Element) -> None:
    """Raises ValueError for what no formula of an answer needs. The pages allow no styles: of
    them, the alignment stays as a class."""
    if element.tag not in _ELEMENTS:
        raise ValueError(f"the element {element.tag}")
    style = element.attrib.get("style", "")
    for name in list(element.attrib):
        value = element.attrib[name]
        if name not in _ATTRIBUTES:
            del element.attrib[name]
        elif _LENGTH.fullmatch(value) and abs(float(re.sub(r"[^\d.-]", "", value))) > _MOST_EM:
            raise ValueError(f"{name}={value}")
    for side in ("left", "right"):
        if f"text-align: {side}" in style:
            element.set("class", side)
