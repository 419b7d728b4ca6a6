"""Measures how good one answer that was read is, from 0 to 1.

Words are what white space and punctuation leave; Thai, which writes none between words, is cut into
them by PyThaiNLP's newmm, as SEA-HELM cuts it. Not covered: Burmese, Lao and Khmer, which want a
segmenter that no well-kept library has.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from string import punctuation
from typing import Any

from tasks.errors import SegmenterMissing
from tasks.instructions import check_instruction

SEGMENTED = frozenset({"th"})
"""SEA-HELM's codes of the languages whose words a library finds."""
_APOSTROPHES = "`\u00b4\u02b9\u02bb\u02bc\ua78c"
"""Signs that stand for an apostrophe and are no punctuation in Unicode."""


def match_exactly(said: str, references: Sequence[str], code: str) -> float:
    """Returns 1 where the answer is one of the references, but for case, space, punctuation of any
    script, apostrophes that are letters, and composed or decomposed signs."""
    plain = _keep_words(said)
    return float(bool(plain) and any(plain == _keep_words(one) for one in references))


def compute_token_f1(said: str, references: Sequence[str], code: str) -> float:
    """Computes SQuAD's F1 of the words that the answer shares with a reference, the best of all
    references (Rajpurkar et al. 2016), without English articles' removal. In a language that is
    segmented the first reference alone counts, as in SEA-HELM."""
    if code in SEGMENTED:
        references = references[:1]
        said, references = _join_words(said), [_join_words(one) for one in references]
    return max(
        _share_words(_strip_punctuation(said).split(), _strip_punctuation(one).split())
        for one in references
    )


def compute_rouge_l(said: str, references: Sequence[str], code: str) -> float:
    """Computes ROUGE-L's F1 (Lin 2004) of words in lower case, the best of all references.

    SEA-HELM tells the median of bootstrap means of these, which differs a little in each run; we
    tell their mean.
    """
    scorer = _open_rouge(code in SEGMENTED)
    return max(float(scorer.score(one, said)["rougeL"].fmeasure) for one in references)


RATES: dict[str, Callable[[str, Sequence[str], str], float]] = {
    "exact": match_exactly,
    "token_f1": compute_token_f1,
    "rouge_l": compute_rouge_l,
    "pass_rate": check_instruction,
}


def _strip_punctuation(text: str) -> str:
    kept = "".join(sign for sign in text.lower() if sign not in punctuation)
    return " ".join(kept.split())


def _keep_words(text: str) -> str:
    """Returns the words of a text in one form: composed, in small letters, without punctuation."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    kept = (
        sign
        for sign in folded
        if sign.isspace()
        or (unicodedata.category(sign)[0] not in "PC" and sign not in _APOSTROPHES)
    )
    return " ".join("".join(kept).split())


def _share_words(said: Sequence[str], wanted: Sequence[str]) -> float:
    shared = (Counter(said) & Counter(wanted)).total()
    return 2 * shared / (len(said) + len(wanted)) if shared else 0.0


def _join_words(text: str) -> str:
    return " ".join(_cut_thai(text))


def _cut_thai(text: str) -> list[str]:
    try:
        from pythainlp.tokenize import word_tokenize
    except ImportError:
        raise SegmenterMissing(
            "words of Thai are found by PyThaiNLP, which is not installed. Remedy: "
            "pip install 'kakugo-harness[thai]', or leave the task out of evaluate.tasks"
        ) from None
    return list(word_tokenize(text, engine="newmm"))


class _WordCutter:
    """Cuts text as rouge_score wants it."""

    def __init__(self, thai: bool) -> None:
        self.thai = thai

    def tokenize(self, text: str) -> list[str]:
        lowered = text.lower()
        return [word for word in _cut_thai(lowered) if word] if self.thai else find_words(lowered)


def find_words(text: str) -> list[str]:
    """Returns the words of a text as SEA-HELM's ROUGE has them: letters with their marks, or
    digits, in a row, and any other sign by itself; punctuation and what cannot be seen is none."""
    words: list[str] = []
    before = ""
    for sign in text:
        kind = unicodedata.category(sign)[0]
        if sign.isspace() or kind in "PZ" or sign in punctuation:
            before = ""
        elif kind != "C" and sign != "\ufffd":
            now = {"L": "letters", "M": "letters", "N": "digits"}.get(kind, "")
            if now and now == before:
                words[-1] += sign
            else:
                words.append(sign)
            before = now
    return words


@cache
def _open_rouge(thai: bool) -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], tokenizer=_WordCutter(thai))
