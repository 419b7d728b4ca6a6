"""Measures beside a score: how well the tokenizer fits the language, and what a translation's
text is like, whatever its score. A measure that cannot be taken is None."""

import math
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from core.contract.samples import Choice, Sample, Translation
from core.languages import find_language
from tasks.written import ReadAnswer

_FEWEST = 3


def measure_prompts(
    rows: Sequence[Sample], texts: Sequence[str], tokens: Sequence[int]
) -> dict[str, float | None]:
    """Measures prompt lengths, truncation and how well the tokenizer fits the language.

    `texts` are the items' own texts in the language, `tokens` their lengths.

    Fertility is tokens per word between white space (Rust et al. 2021, arXiv 2012.15613); it says
    little where a script does not put spaces between words (Lao, Tibetan), hence tokens per
    character (code points other than white space) beside it.
    """
    words = sum(len(text.split()) for text in texts)
    characters = sum(not character.isspace() for text in texts for character in text)
    return {
        "items_truncated": sum(row.truncated for row in rows),
        "prompt_tokens_mean": _compute_mean([row.prompt_tokens for row in rows]),
        "fertility": sum(tokens) / words if words else None,
        "tokens_per_character": sum(tokens) / characters if characters else None,
    }


def compute_accuracy_per_byte(rows: Sequence[Choice]) -> float:
    """Computes the accuracy in percent of the answer whose log-probability per byte of UTF-8 is
    the highest, the first of equals (lm-eval's acc_bytes); a log-probability that is not known is
    the lowest."""
    right = 0
    for row in rows:
        known = [-math.inf if value is None else value for value in row.logprobs]
        sizes = [len(choice.encode()) for choice in row.choices]
        per_byte = [value / size for value, size in zip(known, sizes, strict=True)]
        right += row.choices[per_byte.index(max(per_byte))] == row.answer
    return 100 * right / len(rows)


def measure_translations(rows: Sequence[Translation]) -> dict[str, float | None]:
    """Measures shares (0 to 1) over all translations; that in the wanted language is over those
    whose language can be told."""
    told = [row.in_language for row in rows if row.in_language is not None]
    return {
        "output_language_share": _compute_mean(told),
        "output_language_undetermined_share": 1 - len(told) / len(rows),
        "copied_source_share": _compute_mean([row.copied_source for row in rows]),
        "unfinished_share": _compute_mean([not row.finished for row in rows]),
        "empty_share": _compute_mean([row.hypothesis == "" for row in rows]),
        "hypothesis_tokens_mean": _compute_mean([row.hypothesis_tokens for row in rows]),
    }


def measure_readings(reads: Sequence[ReadAnswer], strict_score: float) -> dict[str, float | None]:
    """Measures the shares of answers in which a reading found nothing, and names the score that the
    strict one gives."""
    return {
        "unread_share": _compute_mean([read.scored.text == "" for read in reads]),
        "strict_unread_share": _compute_mean([read.strict.text == "" for read in reads]),
        "strict_score": strict_score,
    }


def warn_of_language(texts: Sequence[str], spoken: Mapping[str, Any]) -> list[str]:
    """Warns where most of the items' own texts are in another language than `spoken`, which is
    as `wanted` of `detect_language`: the file of another language, or of another column.

    Of real sentences of the paper's languages at most one in eighteen is taken for another
    language; where less than `_FEWEST` can be told, nothing is said.
    """
    found = [detect_language(text, spoken) for text in texts]
    told = [(language, right) for language, right in found if right is not None]
    wrong = Counter(language or "an unknown language" for language, right in told if not right)
    if len(told) < _FEWEST or 2 * wrong.total() <= len(told):
        return []
    most = wrong.most_common(1)[0][0]
    known = find_language(most)
    name = known.name if known else most
    return [
        f"{wrong.total()} of {len(texts)} items look like another language than {spoken['name']} "
        f"(most of them like {name}): check that the data are of this language"
    ]


def warn_of_neighbours(rows: Sequence[Translation], wanted: Mapping[str, Any]) -> list[str]:
    """Warns of translations that are called by the name of a language that the identifier cannot
    tell from the `wanted` one, as that of `detect_language`: they are undetermined, not wrong."""
    from core.identify.text import list_neighbours

    codes = list_neighbours(wanted["flores_code"], wanted.get("name"))
    called = Counter(row.language for row in rows if row.language in codes)
    if not called:
        return []
    names = {code: found.name if (found := find_language(str(code))) else code for code in called}
    own = wanted.get("name") or wanted["flores_code"]
    return [
        f"{called.total()} of {len(rows)} translations are called "
        f"{' or '.join(str(names[code]) for code, _ in called.most_common())}, which the language "
        f"identifier cannot tell from {own}: whether they are in it is not known"
    ]


def is_copied(hypothesis: str, source: str) -> bool:
    """Says whether a translation is its source again, but for case, punctuation and white space."""
    return bool(_keep_letters(hypothesis)) and _keep_letters(hypothesis) == _keep_letters(source)


def detect_language(text: str, wanted: Mapping[str, Any]) -> tuple[str | None, bool | None]:
    """Returns (language of a text, whether it is the wanted one); None where that cannot be told.

    `wanted` has the flores_code, name and script that `core.identify.text.is_in_language` takes.
    """
    from core.identify.text import identify_against

    identified, inside = identify_against(text, **wanted)
    return identified.language, inside


def _keep_letters(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def _compute_mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
