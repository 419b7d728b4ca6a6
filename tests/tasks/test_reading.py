"""Answers are read as SEA-HELM reads them, which an implementation of its own repeats, and strictly
beside it."""

import random
import re
import string

import pytest
from sklearn.metrics import recall_score

from core.statistics import draw_within_strata, score_strata
from tasks.quality import find_words
from tasks.reading import (
    cut_answer,
    read_label,
    read_label_strictly,
    read_text,
    read_text_strictly,
)

TAG = "Jawaban:"
MOODS = ("Positif", "Negatif", "Netral")
AB = ("A", "B")


def read_as_published(said: str, tag: str, labels: tuple[str, ...], lenient: bool) -> str:
    """What SEA-HELM's metric of labels does, told again step by step from the facts known of it."""
    known = {label.lower(): label for label in labels}
    alternatives = "|".join(labels)
    if lenient:
        match = re.compile(f"{tag}[\\s\\*]*({alternatives})+", re.IGNORECASE).search(said)
    else:
        match = re.compile(f"{tag}[\\s\\*]*({alternatives})*").search(said)
    taken = said
    if match is not None and match.group(1) is not None:
        taken = match.group(1)
    taken = taken.strip().lower()
    while taken and taken[0] in string.punctuation + " \n":
        taken = taken[1:]
    while taken and taken[-1] in string.punctuation + " \n":
        taken = taken[:-1]
    return known.get(" ".join(taken.split()), "")


def write_answers(labels: tuple[str, ...], seed: int, number: int) -> list[str]:
    """Writes answers as models do, many of them malformed."""
    rng = random.Random(seed)
    marks = [" ", "\n", "\n\n", "**", "`", "(", ")", ".", "$", "\t", "\u00a0", "!"]
    words = ["Bacalah", "Andi", "AB", "ya", "Jawaban", *labels, *map(str.upper, labels)]
    parts = [TAG, TAG.lower(), *marks, *words]
    return ["".join(rng.choices(parts, k=rng.randint(0, 7))) for _ in range(number)]


@pytest.mark.parametrize("labels", [AB, MOODS])
@pytest.mark.parametrize("lenient", [True, False])
def test_labels_are_read_as_seahelm_reads_them(labels: tuple[str, ...], lenient: bool) -> None:
    answers = write_answers(labels, seed=7, number=4_000)
    ours = [read_label(said, TAG, labels, lenient=lenient) for said in answers]
    assert ours == [read_as_published(said, TAG, labels, lenient) for said in answers]
    assert {*labels, ""} == set(ours)


@pytest.mark.parametrize(
    ("said", "labels", "lenient", "first_tag", "strict"),
    [
        ("Jawaban: A", AB, "A", "A", "A"),
        ("jawaban: b", AB, "B", "", "B"),
        ("Jawaban: Bacalah", AB, "A", "B", ""),
        ("Jawaban: AB", AB, "B", "B", ""),
        ("Jawaban: Andi", AB, "A", "A", ""),
        ("Jawaban: (A)", AB, "", "", "A"),
        ("Jawaban: `Positif`", MOODS, "", "", "Positif"),
        ("Jawaban: **Positif**", MOODS, "Positif", "Positif", "Positif"),
        ("positif.", MOODS, "Positif", "Positif", "Positif"),
        ("Jawaban: ora ngerti. Jawaban: A", AB, "A", "", ""),
        ("Jawaban: A\nAmarga ...", AB, "A", "A", "A"),
        ("", AB, "", "", ""),
    ],
)
def test_readings_of_one_answer(
    said: str, labels: tuple[str, ...], lenient: str, first_tag: str, strict: str
) -> None:
    assert read_label(said, TAG, labels) == lenient
    assert read_label(said, TAG, labels, lenient=False) == first_tag
    assert read_label_strictly(said, TAG, labels) == strict


@pytest.mark.parametrize(
    ("said", "text", "strict"),
    [
        ("Terjemahan: Sugeng enjing\nCathetan", "Sugeng enjing", "Sugeng enjing"),
        ("Terjemahan:\n\n`Sugeng` enjing", "Sugeng` enjing", "Sugeng` enjing"),
        ("terjemahan: Sugeng", "terjemahan: Sugeng", "Sugeng"),
        ("Sugeng enjing\nkabeh", "Sugeng enjing\nkabeh", ""),
        ("Terjemahan:", "", ""),
    ],
)
def test_texts_are_read_to_the_end_of_their_line(said: str, text: str, strict: str) -> None:
    assert read_text(said, "Terjemahan:") == text
    assert read_text_strictly(said, "Terjemahan:") == strict


def test_an_answer_of_a_base_model_ends_at_a_blank_line_behind_its_tag() -> None:
    assert cut_answer("Coba\n\nJawaban: A\n\nUkara: lan", TAG) == "Coba\n\nJawaban: A"
    assert cut_answer("Coba\n\nlan", TAG) == "Coba\n\nlan"


def test_balanced_accuracy_is_sklearns_with_the_number_of_labels_fixed() -> None:
    rng = random.Random(3)
    for _ in range(50):
        right = rng.choices(MOODS, weights=(6, 3, 1), k=40)
        said = [one if rng.random() < 0.6 else rng.choice([*MOODS, ""]) for one in right]
        if len(set(right)) < len(MOODS):
            continue
        qualities = [float(a == b) for a, b in zip(right, said, strict=True)]
        numbers = {name: n for n, name in enumerate([*MOODS, ""])}
        balanced = recall_score(
            [numbers[one] for one in right],
            [numbers[one] for one in said],
            labels=[numbers[one] for one in MOODS],
            average="macro",
        )
        ours = score_strata(qualities, right, 1 / 3)
        assert ours == pytest.approx(100 * max((balanced - 1 / 3) / (1 - 1 / 3), 0), abs=1e-9)
    # All of one class and all right: 100, and not 0 as where labels are counted among the rows.
    assert score_strata([1.0] * 3, ["A"] * 3, 1 / 2) == 100
    assert score_strata([0.0] * 3, ["A"] * 3, 1 / 2) == 0


def test_words_of_summaries_are_letters_or_digits_in_a_row() -> None:
    assert find_words("covid19, di-tepi 1.5") == ["covid", "19", "di", "tepi", "1", "5"]
    assert find_words("தமிழ் மொழி\u200b 3€") == ["தமிழ்", "மொழி", "3", "€"]
    assert find_words(" ...\n") == []


def test_resamples_keep_the_items_of_each_class() -> None:
    import numpy as np

    strata = np.array([0, 1, 1, 2, 1, 0])
    weights = draw_within_strata(strata, 200, seed=1)
    for stratum in range(3):
        at = strata == stratum
        assert (weights[:, at].sum(axis=1) == at.sum()).all()
    assert (weights == draw_within_strata(strata, 200, seed=1)).all()
    assert len(np.unique(weights[:, 1])) > 2
