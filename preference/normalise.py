"""One normaliser for all that raters read, and what of an answer is a template's and not its words.

`clean_text` is for questions, translations, corrections and answers alike. `normalise` is for
answers: it also takes out thinking and template tokens at the end, of both arms by the same rules
(those of `core.reasoning`, which teachers' answers pass through, too).
Whatever is left of a template afterwards is named and refused rather than guessed at. The raw text
stays in the answers file.
"""

import re
import unicodedata
from dataclasses import dataclass

from core.reasoning import UNCLOSED, find_marks, find_template_tokens, split_reasoning
from core.text import has_visible_text

# All that some writer or reader takes for the end of a line.
_LINE_END = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# Embeddings, overrides and isolates of direction can reorder the page around them, a byte order
# mark is none inside a text, and noncharacters are no text. Marks of direction, joiners and the
# space without width stay: Arabic, Indic and Khmer text needs them.
_TAKEN_OUT = dict.fromkeys(
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF, *range(0xFDD0, 0xFDF0)]
    + [plane + last for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)]
)
# How many marks one letter may carry. Tibetan stacks its letters as marks, up to eight in what is
# written. Marks of one class are drawn on top of each other; no orthography needs more than three.
_MARKS_ON_A_LETTER, _MARKS_OF_A_CLASS, _SAME_MARKS = 10, 3, 2


@dataclass(frozen=True)
class Normalised:
    """Holds what a rater sees (`text`, possibly empty), the thinking that was split off, and
    whether thinking was begun and never ended (`cut_in_thinking`; then nothing was said at all).
    """

    text: str
    thinking: str
    cut_in_thinking: bool


def clean_text(text: str) -> str:
    """A text as raters see it: NFC, one kind of line end, no controls, nothing that reorders or
    covers what stands around it; "" if nothing of it can be seen. Idempotent."""
    text = _LINE_END.sub("\n", text).translate(_TAKEN_OUT)
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    text = unicodedata.normalize("NFC", _limit_marks(unicodedata.normalize("NFD", text)))
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    # Only the first line may lose its indentation if all of it is blank before the text.
    text = re.sub(r"\n{3,}", "\n\n", text).strip("\n")
    return text if has_visible_text(text) else ""


def normalise(raw: str) -> Normalised:
    """Splits off the thinking and cleans what is left. Idempotent on its own `text`."""
    # Cleaned first as well: an invisible control inside a tag must not hide it.
    said = split_reasoning(clean_text(raw))
    if said.problem == UNCLOSED:
        return Normalised("", said.answer, True)
    return Normalised(clean_text(said.answer), said.reasoning, False)


def find_template_traces(text: str) -> list[str]:
    """Marks of thinking and template tokens that are left in a normalised text, each once."""
    problem = split_reasoning(text).problem
    return sorted({*find_marks(text), *find_template_tokens(text)}) or (
        [problem] if problem else []
    )


def _limit_marks(decomposed: str) -> str:
    """The text without those marks that no orthography stacks so high on one letter."""
    kept: list[str] = []
    run: list[str] = []
    for c in decomposed:
        if unicodedata.category(c) not in ("Mn", "Me"):
            run = []
        else:
            kind = unicodedata.combining(c)
            alike = sum(unicodedata.combining(mark) == kind for mark in run) if kind else 0
            if (
                len(run) >= _MARKS_ON_A_LETTER
                or alike >= _MARKS_OF_A_CLASS
                or run.count(c) >= _SAME_MARKS
            ):
                continue
            run.append(c)
        kept.append(c)
    return "".join(kept)
