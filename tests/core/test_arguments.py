"""A value that is not allowed is told with its name, what is allowed and what was received."""

from dataclasses import dataclass

import pytest

from core.arguments import check_at_least, check_between, check_one_of, require


@dataclass(frozen=True)
class Dose:
    grams: float | None = 1.0
    share: float = 0.5
    unit: str = "mg"

    def __post_init__(self) -> None:
        check_at_least(self, 0, "grams")
        check_between(self, "share", 0, 1)
        check_one_of(self, "unit", ("mg", "g"))
        require("dose.grams", "below 9", self.grams, self.grams is None or self.grams < 9)


def test_what_is_allowed_passes() -> None:
    for dose in (Dose(), Dose(0.0, 0.0), Dose(None, 1.0, "g")):
        assert dose.unit in ("mg", "g")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"grams": -1.0}, "Dose.grams: at least 0, received -1.0"),
        ({"grams": float("nan")}, "Dose.grams: at least 0, received nan"),
        ({"share": 1.5}, "Dose.share: from 0 to 1, received 1.5"),
        ({"share": float("nan")}, "Dose.share: from 0 to 1, received nan"),
        ({"unit": "kg"}, "Dose.unit: one of mg, g; received 'kg'"),
        ({"grams": 9.0}, "dose.grams must be below 9; received 9.0"),
    ],
)
def test_what_is_not_is_told(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError) as told:  # noqa: PT011
        Dose(**given)  # type: ignore[arg-type]
    assert str(told.value) == said
