"""Translations in a language that the identifier takes for its neighbour."""

from dataclasses import dataclass
from typing import Any

from harness.scoring.measures import detect_language, warn_of_neighbours

RUNDI = [
    "Abana bariko barakina umupira kw'ishure kandi abigisha barabaraba.",
    "Abana benshi bariko barakina kandi abigisha barabaraba kw'ishure.",
]
SWAHILI = "Watoto wanacheza mpira shuleni na walimu wanawatazama kila siku."
WANTED = {"flores_code": "run_Latn", "name": "Rundi", "script": "Latin"}


@dataclass(frozen=True)
class Called:
    language: str | None


def test_they_are_undetermined_and_the_score_says_so() -> None:
    found = [detect_language(text, WANTED) for text in (*RUNDI, SWAHILI)]
    assert [inside for _, inside in found] == [None, True, False]
    rows: Any = [Called(language) for language, _ in found]
    assert warn_of_neighbours(rows, WANTED) == [
        "1 of 3 translations are called Kinyarwanda, which the language identifier cannot tell "
        "from Rundi: whether they are in it is not known"
    ]
    assert warn_of_neighbours(rows, {"flores_code": "swh_Latn", "name": "Swahili"}) == []
