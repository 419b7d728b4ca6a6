"""Numbers as people read them."""

import pytest

from reports.signs import set_minus
from reports.tables.sheet import Column


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("-0.0", "0.0"),
        ("-0", "0"),
        ("-0.00 to +1.20", "0.00 to +1.20"),
        ("[-0.0, 0.8]", "[0.0, 0.8]"),
        ("-0.0%", "0.0%"),
        ("-0.04", "−0.04"),
        ("-0.5 to -0.0", "−0.5 to 0.0"),
        ("-10.0", "−10.0"),
        ("5.0e-05", "5.0e−05"),
        ("mix-0: +1.0", "mix−0: +1.0"),
    ],
)
def test_what_is_rounded_to_nothing_is_no_loss(text: str, shown: str) -> None:
    assert set_minus(text) == shown


def test_a_column_shows_it_so() -> None:
    assert Column("gain", "Gain", "+.1f").show(-0.04) == "0.0"
    assert Column("gain", "Gain", "+.1f").show(-0.06) == "−0.1"
