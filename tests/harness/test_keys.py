"""Keys are stable: a change here makes every finished artifact unfindable."""

from dataclasses import dataclass, field

import pytest

from harness.keys import make_stage_key, take_keyed, write_canonical_json


@dataclass(frozen=True)
class Inner:
    rate: float = 0.5
    workers: int = field(default=4, metadata={"keyed": False})


@dataclass(frozen=True)
class Settings:
    name: str = "é"
    inner: Inner = field(default_factory=Inner)
    tasks: tuple[str, ...] = ("a", "b")
    by_name: dict[str, Inner] = field(default_factory=lambda: {"x": Inner()})


def test_golden_key() -> None:
    # Computed once; if this fails, finished artifacts of users are recomputed.
    key = make_stage_key(
        "train", 1, take_keyed(Settings()), {"base": "0" * 24, "mixture": "1" * 24}
    )
    assert key == "d1169450f3615bce1533c672"


def test_unkeyed_fields_stay_out_at_any_depth() -> None:
    there = {
        "name": "é",
        "inner": {"rate": 0.5},
        "tasks": ["a", "b"],
        "by_name": {"x": {"rate": 0.5}},
    }
    assert take_keyed(Settings()) == there
    assert take_keyed(Settings(inner=Inner(workers=9))) == there


@dataclass(frozen=True)
class Grown(Settings):
    """The same settings in a later version of the program, whose default is another by now."""

    share: float = field(default=0.5, metadata={"since": "0.2", "before": 0.0})
    nested: Inner = field(default_factory=Inner, metadata={"since": "0.3", "before": Inner()})


def test_a_field_added_later_leaves_the_key_while_it_changes_nothing() -> None:
    assert take_keyed(Grown(share=0.0)) == take_keyed(Settings())
    assert take_keyed(Grown()) == take_keyed(Settings()) | {"share": 0.5}
    assert take_keyed(Grown(share=0.0, nested=Inner(rate=0.1)))["nested"] == {"rate": 0.1}
    assert take_keyed(Grown(share=0.0, nested=Inner(workers=9))) == take_keyed(Settings())
    assert "share" in take_keyed(Grown(share=False))


@pytest.mark.parametrize(
    "other",
    [
        ("train", 2, {"x": 1}, {"base": "0"}),
        ("score", 1, {"x": 1}, {"base": "0"}),
        ("train", 1, {"x": 1.0}, {"base": "0"}),
        ("train", 1, {"x": 1}, {"base": "1"}),
        ("train", 1, {"x": 1}, {"other": "0"}),
        ("train", 1, {"x": 1, "y": None}, {"base": "0"}),
    ],
)
def test_whatever_changes_changes_the_key(other: tuple[str, int, dict, dict]) -> None:  # type: ignore[type-arg]
    assert make_stage_key(*other) != make_stage_key("train", 1, {"x": 1}, {"base": "0"})


def test_order_does_not_count() -> None:
    assert make_stage_key("a", 1, {"x": 1, "y": 2}, {}) == make_stage_key(
        "a", 1, {"y": 2, "x": 1}, {}
    )
    assert write_canonical_json({"b": "ሀ", "a": 1}) == '{"a":1,"b":"ሀ"}'


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        write_canonical_json({"x": float("nan")})
