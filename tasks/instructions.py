"""Checks whether an answer follows an instruction that a program can check, as SEA-IFEval does
(after IFEval, arXiv 2311.07911).

An instruction is a kind and its settings, such as ``keywords:existence {"keywords": ["joko"]}``. It
counts as followed where the answer is not in another language than it should be, too. SEA-HELM asks
a small fastText model for that, which calls 148 of 280 human Javanese passages Javanese; here it is
the identifier of the whole project, and an answer whose language cannot be told passes. Not
covered: sentences are what stands between three asterisks, as the prompts say, and no linguist's.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from string import punctuation
from typing import Any

from core.identify.text import is_in_language
from core.languages import find_language

Settings = Mapping[str, Any]

SPACELESS = frozenset({"th", "lo", "km", "my"})
"""SEA-HELM's codes of languages that write no space between words, whose words nobody counts."""
_BARE = SPACELESS | {"ta", "tl"}
"""Those whose keywords may stand within a word."""
FLORES = {
    "id": "ind_Latn", "jv": "jav_Latn", "su": "sun_Latn", "ta": "tam_Taml", "th": "tha_Thai",
    "vi": "vie_Latn", "tl": "tgl_Latn", "ms": "zsm_Latn", "my": "mya_Mymr", "lo": "lao_Laoo",
    "km": "khm_Khmr", "en": "eng_Latn", "zh": "zho_Hans",
}  # fmt: skip
OPTIONS = {
    "id": ("Jawaban saya adalah ya.", "Jawaban saya adalah tidak.", "Jawaban saya adalah mungkin."),
    "jv": ("Jawabanku ya.", "Jawabanku ora.", "Jawabanku mungkin."),
    "su": ("Jawapan abdi enya.", "Jawapan abdi henteu.", "Jawapan abdi meureun."),
    "th": ("คำตอบของฉันคือใช่", "คำตอบของฉันคือไม่", "คำตอบของฉันคืออาจจะ"),
    "tl": ("Ang sagot ko ay oo.", "Ang sagot ko ay hindi.", "Ang sagot ko ay siguro."),
    "vi": ("Câu trả lời của tôi là có.", "Câu trả lời của tôi là không.",
           "Câu trả lời của tôi là có thể."),
}  # fmt: skip
"""The sentences of which an answer must hold one."""


def write_instruction(kind: str, settings: Settings) -> str:
    """Writes an instruction in one line."""
    return f"{kind} {json.dumps(settings, ensure_ascii=False, sort_keys=True)}"


def check_instruction(said: str, instructions: Sequence[str], code: str) -> float:
    """Returns 1 where an answer follows the one instruction and is not in a wrong language, else 0.

    `code` is SEA-HELM's of the language that was asked in.
    """
    kind, _, written = instructions[0].partition(" ")
    settings = json.loads(written)
    wanted = settings.get("response_language", code) if kind == LANGUAGE else code
    if not said.strip() or _tell_language(said, wanted) is False:
        return 0.0
    return float(CHECKS[kind](said, settings, code))


LANGUAGE = "language:response_language"


def _tell_language(said: str, code: str) -> bool | None:
    known = find_language(FLORES[code])
    assert known, "the registry has all languages of SEA-HELM"
    return is_in_language(said, flores_code=known.flores_code, name=known.name, script=known.script)


def _compare(found: int, settings: Settings, number: str) -> bool:
    """Compares a count with the number that is asked for."""
    wanted = int(settings[number])
    relations = {"exactly": found == wanted, "at least": found >= wanted,
                 "less than": found < wanted}  # fmt: skip
    return relations[settings["relation"]]


def _count_filled(parts: Sequence[str], empty: str = "") -> int:
    """Counts the parts that hold more than space and the signs of `empty`."""
    return sum(bool(part.strip(empty).strip()) for part in parts)


def _count_words(said: str, settings: Settings, code: str) -> bool:
    return _compare(len(re.findall(r"\w+", said)), settings, "num_words")


def _count_sentences(said: str, settings: Settings, code: str) -> bool:
    return _compare(_count_filled(said.strip("*").split("***")), settings, "num_sentences")


def _count_paragraphs(said: str, settings: Settings, code: str) -> bool:
    return _count_filled(re.split(r"\s?\*\*\*\s?", said)) == int(settings["num_paragraphs"])


def _count_placeholders(said: str, settings: Settings, code: str) -> bool:
    found = _count_filled(re.findall(r"\[.*?\]", said), "[]")
    return found >= int(settings["num_placeholders"])


def _find_postscript(said: str, settings: Settings, code: str) -> bool:
    letters = [re.escape(part) for part in settings["postscript_marker"].lower().split(".") if part]
    return bool(re.search(r"\.\s?".join(letters) + r"\.", said.lower()))


def _find_title(said: str, settings: Settings, code: str) -> bool:
    found = re.findall(r"<<[^\n]+>>", said)
    return any(title.lstrip("<").rstrip(">").strip() for title in found)


def _count_bullets(said: str, settings: Settings, code: str) -> bool:
    found = re.findall(r"^\s*[*-] \*{0,2}[^*\n\s].*$", said, re.MULTILINE)
    return len(found) == int(settings["num_bullets"])


def _count_sections(said: str, settings: Settings, code: str) -> bool:
    found = re.findall(rf"\b{settings['section_title']}\s+[\w|]+\b", said)
    return len(found) == int(settings["num_sections"])


def _count_highlights(said: str, settings: Settings, code: str) -> bool:
    found = re.findall(r"\*[^\n*]*\*", said) + re.findall(r"\*\*[^\n*]*\*\*", said)
    return _count_filled(found, "*") >= int(settings["num_highlights"])


def _read_json(said: str, settings: Settings, code: str) -> bool:
    text = said.strip()
    for fence in ("```json", "```Json", "```JSON", "```"):
        if text.startswith(fence):
            text = text.removeprefix(fence).removesuffix("```").strip()
            break
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _find_option(said: str, settings: Settings, code: str) -> bool:
    return any(option in said for option in OPTIONS[code])


def _begin_with(said: str, settings: Settings, code: str) -> bool:
    return said.strip().lower().startswith(settings["first_word"].lower())


def _end_with(said: str, settings: Settings, code: str) -> bool:
    return said.strip().lower().endswith(settings["end_phrase"].lower())


def _find_quotation(said: str, settings: Settings, code: str) -> bool:
    text = said.strip()
    return text.startswith('"') and text.endswith('"') and bool(text.strip('"').strip())


def _has_word(said: str, word: str, code: str) -> bool:
    if code in _BARE:
        return bool(re.search(word, said))
    return bool(re.search(rf"\b{word}\b", said, re.IGNORECASE))


def _find_keywords(said: str, settings: Settings, code: str) -> bool:
    return all(_has_word(said, word, code) for word in settings["keywords"])


def _avoid_words(said: str, settings: Settings, code: str) -> bool:
    return not any(_has_word(said, word, code) for word in settings["forbidden_words"])


def _count_keyword(said: str, settings: Settings, code: str) -> bool:
    edge = "" if code in _BARE else r"\b"
    found = re.findall(f"{edge}{settings['keyword']}{edge}", said, re.IGNORECASE)
    return _compare(len(found), settings, "frequency")


def _count_number(said: str, settings: Settings, code: str) -> bool:
    return _compare(len(re.findall(settings["number"], said)), settings, "frequency")


def _repeat_prompt(said: str, settings: Settings, code: str) -> bool:
    prompt, text = settings["prompt_to_repeat"].strip().lower(), said.strip().lower()
    return text.startswith(prompt) and bool(text.removeprefix(prompt).strip())


def _give_two_answers(said: str, settings: Settings, code: str) -> bool:
    parts = said.strip().split("******")
    return sum(bool(part.strip().strip(punctuation)) for part in parts) == 2


def _answer_in_language(said: str, settings: Settings, code: str) -> bool:
    return _tell_language(said, settings["response_language"]) is True


CHECKS: Mapping[str, Callable[[str, Settings, str], bool]] = {
    "length_constraints:number_words": _count_words,
    "length_constraints:number_sentences": _count_sentences,
    "length_constraints:number_paragraphs": _count_paragraphs,
    "detectable_content:postscript": _find_postscript,
    "detectable_content:number_placeholders": _count_placeholders,
    "detectable_format:title": _find_title,
    "detectable_format:number_bullet_lists": _count_bullets,
    "detectable_format:multiple_sections": _count_sections,
    "detectable_format:number_highlighted_sections": _count_highlights,
    "detectable_format:json_format": _read_json,
    "detectable_format:constrained_response": _find_option,
    "startend:first_word": _begin_with,
    "startend:end_checker": _end_with,
    "startend:quotation": _find_quotation,
    "keywords:existence": _find_keywords,
    "keywords:forbidden_words": _avoid_words,
    "keywords:frequency": _count_keyword,
    "keywords:number_frequency": _count_number,
    "combination:repeat_prompt": _repeat_prompt,
    "combination:two_responses": _give_two_answers,
    LANGUAGE: _answer_in_language,
}
"""What checks each kind of instruction: (answer, settings, code of the language) -> is it
followed."""
