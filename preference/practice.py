"""Two examples before the first question: one with a right answer, and one without a difference.

They stand in the catalogue, so that the speaker who corrects the raters' words corrects them, too.
Nothing of them is kept, neither a choice nor that they were seen.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class PracticeItem:
    """An example: keys of the messages that are its question, its answers and the reason, and the
    choice that most people would make."""

    question: str
    a: str
    b: str
    why: str
    expected: str


PRACTICE = (
    PracticeItem("practice_question_1", "practice_bad_1", "practice_good_1", "practice_why_1", "b"),
    PracticeItem(
        "practice_question_2", "practice_one_2", "practice_two_2", "practice_why_2", "equal"
    ),
)
