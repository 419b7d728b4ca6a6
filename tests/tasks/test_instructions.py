"""Each instruction is followed by one answer, not by another, and in a wrong language by none."""

import pytest

from tasks.instructions import CHECKS, LANGUAGE, OPTIONS, check_instruction, write_instruction
from tasks.quality import RATES

COUNT = {"relation": "at least"}
CASES = [
    ("length_constraints:number_words", {"num_words": 4, **COUNT}, "siji loro-telu papat", "siji."),
    ("length_constraints:number_words", {"num_words": 2, "relation": "less than"}, "siji", "a b"),
    ("length_constraints:number_sentences", {"num_sentences": 2, "relation": "exactly"},
     "***Siji.***Loro.***", "Siji. Loro."),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a *** b", "a *** *** b *** c"),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S."}, "x\np. P.s. y", "P.S. y"),
    ("detectable_content:postscript", {"postscript_marker": "ป.ล."}, "ก ป.ล. ข", "ก ป ล ข"),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[a] [b] [c]", "[a] [ ]"),
    ("detectable_format:title", {}, "<<Irah-irah>>\nteks", "<< >> <Irah>"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2},
     "* a\n- **b**", "* a\n-b\n* c\n* d"),
    ("detectable_format:multiple_sections", {"section_title": "BAGEAN", "num_sections": 2},
     "BAGEAN 1 x\nBAGEAN loro y", "BAGEAN1 x BAGEAN 2"),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* *b*", "*a* ** *"),
    ("detectable_format:json_format", {}, '```json\n{"a": [1]}\n```', 'Iki: {"a": 1}'),
    ("detectable_format:constrained_response", {}, "Mmm. Jawabanku ora.", "jawabanku ora"),
    ("startend:first_word", {"first_word": "Mobil"}, " mobil iku", "iku mobil"),
    ("startend:end_checker", {"end_phrase": "Pungkasan."}, "x pungkasan.\n", "pungkasan. x"),
    ("startend:quotation", {}, '"teks"', '""'),
    ("keywords:existence", {"keywords": ["joko", "ekonom"]}, "Joko: ekonom", "joko ekonomi"),
    ("keywords:forbidden_words", {"forbidden_words": ["gas"]}, "gasik", "GAS"),
    ("keywords:frequency", {"keyword": "esuk", "frequency": 2, **COUNT}, "Esuk esuk", "esuk"),
    ("keywords:number_frequency", {"number": "3", "frequency": 2, **COUNT}, "33", "3"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Apa?"}, "apa? Iki omah.", "Apa?"),
    ("combination:two_responses", {}, "a\n******\nb", "a****** ***"),
]  # fmt: skip
JAVANESE = (
    "Manungsa kabeh lair kanthi mardika lan darbe drajat lan hak kang padha. Kabeh pinaringan akal "
    "lan kalbu sarta kaajab anggone pasrawungan tansah kaya dene sadulur."
)
ENGLISH = "All of us were at the market yesterday, and nobody there had seen the two lost goats."


@pytest.mark.parametrize(("kind", "settings", "followed", "missed"), CASES)
def test_an_answer_follows_it_and_another_does_not(
    kind: str, settings: dict[str, object], followed: str, missed: str
) -> None:
    assert CHECKS[kind](followed, settings, "jv") is True
    assert CHECKS[kind](missed, settings, "jv") is False


def test_every_kind_has_a_case() -> None:
    assert {kind for kind, *_ in CASES} | {LANGUAGE} == CHECKS.keys()
    assert len(CHECKS) == 21
    assert all(len(set(options)) == 3 for options in OPTIONS.values())


def test_an_answer_in_a_wrong_language_follows_nothing() -> None:
    title = (write_instruction("detectable_format:title", {}),)
    assert check_instruction(f"<<Hak>>\n{JAVANESE}", title, "jv") == 1
    assert check_instruction(f"<<Rights>>\n{ENGLISH}", title, "jv") == 0
    # Too short to tell: it is not known to be wrong. Nothing at all follows nothing.
    assert check_instruction("<<1 2 3>>", title, "jv") == 1
    no_words = (write_instruction("keywords:forbidden_words", {"forbidden_words": ["x"]}),)
    assert check_instruction(" \n", no_words, "jv") == 0
    assert RATES["pass_rate"](JAVANESE, no_words, "jv") == 1


def test_an_answer_may_be_asked_for_in_another_language() -> None:
    asked = (write_instruction(LANGUAGE, {"response_language": "en"}),)
    assert check_instruction(ENGLISH, asked, "jv") == 1
    assert check_instruction(JAVANESE, asked, "jv") == 0
    assert check_instruction("1 2 3", asked, "jv") == 0


def test_words_are_found_within_others_where_no_space_stands_between() -> None:
    asked = {"keywords": ["รถ"]}
    assert CHECKS["keywords:existence"]("ขับรถยนต์", asked, "th") is True
    assert CHECKS["keywords:existence"]("mobilku", {"keywords": ["mobil"]}, "jv") is False
