"""chrF++ beside sacrebleu, and what the form of the characters does to it."""

import unicodedata
from pathlib import Path

import pytest
from sacrebleu.metrics import CHRF

from harness.scoring.chrf import compute_chrf
from harness.scoring.forms import Forms, compare_forms

YORUBA = [
    "Ọjọ́ kẹta ni wọ́n dé sí ìlú náà.",
    "Àwọn ọmọ ilé-ìwé ń kọ́ èdè Yorùbá.",
    "Ẹ kú àárọ̀, báwo ni ẹ ṣe wà?",
]
VIETNAMESE = ["Tiếng Việt được viết bằng chữ Quốc ngữ.", "Hôm nay trời đẹp quá."]


def form(name: str, texts: list[str]) -> list[str]:
    return [unicodedata.normalize(name, text) for text in texts]  # type: ignore[arg-type]


def of_sacrebleu(hypotheses: list[str], references: list[str]) -> float:
    return float(CHRF(word_order=2).corpus_score(hypotheses, [references]).score)


def looked_at(hypotheses: list[str], references: list[str]) -> Forms:
    score = compute_chrf(hypotheses, references).score
    assert score == of_sacrebleu(hypotheses, references)
    return compare_forms(score, hypotheses, references)


@pytest.mark.parametrize("texts", [YORUBA, VIETNAMESE])
@pytest.mark.parametrize("sides", [("NFD", "NFC"), ("NFC", "NFD")])
def test_the_same_text_in_another_form_keeps_its_score_and_is_warned_of(
    texts: list[str], sides: tuple[str, str]
) -> None:
    hypotheses, references = (form(side, texts) for side in sides)
    found = looked_at(hypotheses, references)
    assert found.score < 60
    assert found.nfc.score == found.visible.score == 100
    (warning,) = found.list_warnings()
    changed = {"NFD": "100%", "NFC": "0%"}
    assert warning.startswith(
        f"NFC changes {changed[sides[0]]} of the translations and {changed[sides[1]]} of the ref"
    )
    assert warning.endswith(f"chrF++ is 100.0, not {found.score:.1f}")
    assert found.list_measures() == {
        "nfc_changed_share": float(sides[0] == "NFD"),
        "reference_nfc_changed_share": float(sides[1] == "NFD"),
        "chrf_nfc": 100,
        "chrf_visible": 100,
    }


def test_the_score_in_nfc_is_sacrebleu_s_of_the_changed_texts() -> None:
    hypotheses = [*form("NFD", YORUBA[:1]), YORUBA[1][:-4], "Ẹ kú"]
    found = looked_at(hypotheses, YORUBA)
    assert found.nfc.hypotheses == pytest.approx(1 / 3)
    assert found.nfc.score == of_sacrebleu(form("NFC", hypotheses), form("NFC", YORUBA))
    assert "NFC changes 33% of the translations" in found.list_warnings()[0]


@pytest.mark.parametrize(
    ("hypothesis", "reference"),
    [
        ("Hal\u200bmas\u200bhauri ya jiji", "Halmashauri ya jiji"),
        ("Halmashauri ya jiji", "Hal\u00admas\u00adhauri ya ji\u00adji"),
        ("می\u200cروم و نمی\u200cدانم", "میروم و نمیدانم"),
        ("\ufeffHalmashauri", "Halmashauri"),
    ],
    ids=ascii,
)
def test_characters_that_nobody_sees_are_warned_of(hypothesis: str, reference: str) -> None:
    found = looked_at([hypothesis, "x"], [reference, "x"])
    assert found.visible.score == 100 > found.score == found.nfc.score
    (warning,) = found.list_warnings()
    assert "hold invisible characters" in warning
    assert warning.endswith(f"in NFC, chrF++ is 100.0, not {found.score:.1f}")


def test_a_mark_that_an_invisible_character_parted_from_its_letter_is_joined() -> None:
    found = looked_at(["e\u200b\u0301cole"], ["\u00e9cole"])
    assert found.visible.score == 100


@pytest.mark.parametrize("name", ["NFC", "NFD"])
def test_sides_of_one_form_need_no_warning(name: str) -> None:
    found = looked_at(form(name, YORUBA), form(name, YORUBA))
    assert found.score == found.nfc.score == found.visible.score == 100
    assert not found.list_warnings()


def test_a_difference_that_shows_in_no_decimal_needs_no_warning() -> None:
    texts = [f"sentence number {n} of a long text in English" for n in range(3000)]
    found = looked_at([*texts, *form("NFD", ["é"])], [*texts, "é"])
    assert 0 < abs(found.nfc.score - found.score) < 0.05
    assert not found.list_warnings()


@pytest.mark.parametrize("code", ["yor_Latn", "ibo_Latn"])
def test_published_references_of_mixed_forms(real_data: Path, code: str) -> None:
    """FLORES's own Yoruba and Igbo are not all in NFC: a model that writes NFC loses by it."""
    references = (real_data / f"flores/devtest/{code}.txt").read_text().strip().split("\n")
    found = looked_at(form("NFC", references), references)
    assert found.nfc.hypotheses == 0 < found.nfc.references
    assert found.score < found.nfc.score == 100
    assert len(found.list_warnings()) == 1
