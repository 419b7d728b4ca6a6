"""Checks the values that a person gives, at the door.

A message has the value's name, what is allowed and what was given. The owner is the dataclass of
which fields are checked, in its `__post_init__`. All raise ValueError, which the configuration
gathers and shows together.
"""

from collections.abc import Sequence


def require(name: str, allowed: object, received: object, holds: bool) -> None:
    """Raises where a condition does not hold that the other checks do not know."""
    if not holds:
        raise ValueError(f"{name} must be {allowed}; received {received!r}")


def check_at_least(owner: object, minimum: float, *names: str) -> None:
    """Raises where a field is below a minimum, or no number; None is no value."""
    for name in names:
        value = getattr(owner, name)
        if value is not None and not value >= minimum:
            raise ValueError(
                f"{type(owner).__name__}.{name}: at least {minimum}, received {value!r}"
            )


def check_between(owner: object, name: str, low: float, high: float) -> None:
    """Raises where a field is not between two bounds, both allowed."""
    value = getattr(owner, name)
    if not low <= value <= high:
        raise ValueError(f"{type(owner).__name__}.{name}: from {low} to {high}, received {value!r}")


def check_one_of(owner: object, name: str, allowed: Sequence[str]) -> None:
    """Raises where a field is none of some words."""
    value = getattr(owner, name)
    if value not in allowed:
        raise ValueError(
            f"{type(owner).__name__}.{name}: one of {', '.join(allowed)}; received {value!r}"
        )
