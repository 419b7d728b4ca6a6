"""What text is in which language: told where it can be told, and never guessed."""

import importlib.util
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import regex

from core.identify.errors import IdentifierError
from core.identify.labels import CLD2
from core.identify.scripts import count_script_shares, find_script_code
from core.identify.text import (
    Identification,
    identify,
    identify_against,
    is_in_language,
    list_neighbours,
)
from core.languages import list_languages

SWAHILI = "Habari za asubuhi, rafiki yangu. Watoto wanakwenda shuleni kila siku."
ENGLISH = "The children walk to school every morning and come home in the afternoon."
AMHARIC = "ልጆቹ በየቀኑ ጠዋት ወደ ትምህርት ቤት ይሄዳሉ።"
LAO = "ເດັກນ້ອຍໄປໂຮງຮຽນທຸກໆເຊົ້າ"
YORUBA = "Àwọn ọmọdé máa ń lọ sí ilé ẹ̀kọ́ ní gbogbo òwúrọ̀, wọ́n sì máa ń padà sílé ní ọ̀sán."
ARABIC = "يذهب الأطفال إلى المدرسة كل صباح ويعودون إلى البيت بعد الظهر."
TIBETAN = "བོད་ཀྱི་སྐད་ཡིག་ནི་ང་ཚོའི་རྩ་བ་ཡིན།"
FASTTEXT = Path(__file__).parent / "data" / "swahili_english.bin"


def test_language_script_and_confidence() -> None:
    found = identify(SWAHILI)
    assert (found.language, found.script) == ("swa", "Latn")
    assert 0.9 < found.confidence <= 1
    assert identify(AMHARIC).language == "amh"
    assert identify(AMHARIC).script == "Ethi"
    for empty in ("", "  \n", "12 + 34 = 46 !", "😀"):
        assert identify(empty) == Identification(None, None, 0.0)


@pytest.mark.parametrize(
    ("text", "code", "answer"),
    [
        (SWAHILI, "swh_Latn", True),
        (ENGLISH, "swh_Latn", False),
        (SWAHILI, "eng_Latn", False),
        (AMHARIC, "amh_Ethi", True),
        (AMHARIC, "tir_Ethi", False),  # one script, two languages
        (ENGLISH, "amh_Ethi", False),
        (LAO, "lao_Laoo", True),
        (f"{LAO} Great Deeds by Swedish Kings", "lao_Laoo", True),  # names in Latin letters
        (TIBETAN, "bod_Tibt", True),
        (ARABIC, "arb_Arab", True),
        (ARABIC, "arz_Arab", None),  # Arabic, but no model here tells which
        (SWAHILI, "arz_Arab", False),
        (ARABIC, "azb_Arab", None),  # not known to CLD2
        (SWAHILI, "ast_Latn", None),
        (AMHARIC, "ast_Latn", False),
        ("Bon dia.", "oci_Latn_aran1260", None),
        ("ok", "swh_Latn", None),
        ("1, 2, 3", "swh_Latn", None),
    ],
)
def test_whether_a_text_is_in_a_language(text: str, code: str, answer: bool | None) -> None:
    assert is_in_language(text, flores_code=code) is answer
    assert identify_against(text, flores_code=code) == (identify(text), answer)


def test_a_language_without_a_code_is_known_by_name_or_not_at_all() -> None:
    assert is_in_language(SWAHILI, flores_code=None, name="Swahili") is True
    assert is_in_language(SWAHILI, flores_code=None, name="Tok Pisin") is None
    assert is_in_language(SWAHILI, flores_code=None, name="Tok Pisin", script="Lao") is False


def test_decomposed_letters_are_composed_first() -> None:
    assert is_in_language(unicodedata.normalize("NFD", YORUBA), flores_code="yor_Latn") is True


def test_broken_text_is_read_all_the_same() -> None:
    assert is_in_language(f"\x00\x1b[31m{SWAHILI}\ud800\uffff", flores_code="swh_Latn") is True


def test_threads_may_share_it() -> None:
    texts = [SWAHILI, ENGLISH, AMHARIC, LAO, YORUBA] * 200
    alone = [identify(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(identify, texts)) == alone


def test_scripts_agree_with_the_unicode_database() -> None:
    disagreeing = []
    # CJK and Hangul alone are most of Unicode; every third of their letters will do.
    for number in [*range(0x3400), *range(0x3400, sys.maxunicode, 3)]:
        character = chr(number)
        shares = count_script_shares(character)
        if not shares or "Zyyy" in shares or unicodedata.category(character)[0] == "M":
            continue
        if not regex.match(rf"[\p{{Script={next(iter(shares))}}}\p{{Script=Common}}]", character):
            disagreeing.append(character)
    assert disagreeing == []


RUNDI = "Abana bariko barakina umupira kw'ishure kandi abigisha barabaraba."
INDONESIAN = "Anak-anak bermain bola di sekolah dan guru melihat mereka."


def test_a_neighbour_that_cannot_be_told_is_not_another_language() -> None:
    assert identify(RUNDI).language == "kin"
    assert is_in_language(RUNDI, flores_code="run_Latn") is None
    assert is_in_language(RUNDI, flores_code="swh_Latn") is False
    # Kinyarwanda itself is hardly ever called Rundi.
    assert is_in_language(RUNDI, flores_code="kin_Latn") is True
    assert identify(INDONESIAN).language == "msa"
    assert is_in_language(INDONESIAN, flores_code="ind_Latn") is None
    assert is_in_language(INDONESIAN, flores_code="zsm_Latn") is True
    assert is_in_language(SWAHILI, flores_code="run_Latn") is False
    assert list_neighbours("run_Latn") == ("kin",)
    assert list_neighbours("mag_Deva") == ("hin",)
    assert list_neighbours("swh_Latn") == list_neighbours(None, "Klingon") == ()


def test_every_shipped_language_has_a_script_that_is_known() -> None:
    for language in list_languages().values():
        assert find_script_code(language.script), language.id


def test_labels_are_those_of_the_library() -> None:
    import pycld2

    known = {code for name, code in pycld2.LANGUAGES if name in pycld2.DETECTED_LANGUAGES}
    left_out = {"xx-Bugi", "xx-Goth", "tlh", "zzp"}
    assert known - left_out == set(CLD2)


@pytest.mark.skipif(not importlib.util.find_spec("fasttext"), reason="extra fasttext")
def test_a_fasttext_model_by_path() -> None:
    model = str(FASTTEXT)
    assert identify("Watoto wanacheza mpira shuleni leo", model).language == "swa"
    assert is_in_language(SWAHILI, flores_code="swh_Latn", model=model) is True
    assert is_in_language(ENGLISH, flores_code="swh_Latn", model=model) is False
    assert is_in_language(SWAHILI, flores_code="yor_Latn", model=model) is None
    with pytest.raises(IdentifierError, match="cannot be loaded"):
        identify(SWAHILI, "/nowhere.bin")
    with pytest.raises(IdentifierError, match="cannot be loaded"):
        identify(SWAHILI, __file__)


@pytest.mark.skipif(not importlib.util.find_spec("heliport"), reason="extra heliport")
def test_heliport() -> None:
    assert is_in_language(SWAHILI, flores_code="swh_Latn", model="heliport") is True
    assert is_in_language(ENGLISH, flores_code="swh_Latn", model="heliport") is False
    assert is_in_language(ARABIC, flores_code="arz_Arab", model="heliport") is None
    assert identify("", "heliport").language is None


def test_published_text_of_eleven_languages(real_data: Path) -> None:
    """Of FLORES sentences at least 92% are told and right, and at most 2% wrong.

    Sorani is the exception: a third is undetermined, since CLD2 is unsure of it.
    """
    for path in sorted((real_data / "flores" / "devtest").glob("*.txt")):
        sentences = path.read_text(encoding="utf-8").splitlines()
        found = [is_in_language(text, flores_code=path.stem) for text in sentences]
        assert found.count(True) >= (0.6 if path.stem == "ckb_Arab" else 0.92) * len(found)
        assert found.count(False) <= 0.02 * len(found), path.stem
