"""An answer ends at a stop text, and where it is told so at one behind another text alone."""

import pytest

from decoding.prompts import TokenPrompt

PLAIN = TokenPrompt((1,), 8, ("\n\n", "END"))
BEHIND = TokenPrompt((1,), 8, ("\n\n",), after="Jawaban:")


@pytest.mark.parametrize(
    ("prompt", "said", "answer", "stopped"),
    [
        (PLAIN, "a\n\nb", "a", True),
        (PLAIN, "aENDb\n\n", "a", True),
        (PLAIN, "a\n", "a\n", False),
        (BEHIND, "a\n\nb", "a\n\nb", False),
        (BEHIND, "a\n\nJawaban: b", "a\n\nJawaban: b", False),
        (BEHIND, "a\n\nJawaban: b\n\nJawaban: c\n\n", "a\n\nJawaban: b", True),
        (BEHIND, "Jawaban:\n\nb", "Jawaban:", True),
    ],
)
def test_an_answer_ends_at_its_stop_text(
    prompt: TokenPrompt, said: str, answer: str, stopped: bool
) -> None:
    assert prompt.take_answer(said) == answer
    assert prompt.has_stopped(said) is stopped
