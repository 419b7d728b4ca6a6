"""Which rows of which source make a mixture: seeded, nested, and never a row twice."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from generation.errors import MixtureError
from generation.ids import digest
from generation.mixture.settings import Mix

Sizes = Callable[[str, bool], Sequence[int]]
"""(source, with reasoning) -> the size of each of its rows, in the file's order."""


@dataclass(frozen=True)
class Place:
    """Where a row stands: the number of its line, and its offset in bytes."""

    source: str
    id: str
    number: int
    offset: int


def draw(
    places: Mapping[str, Sequence[Place]], settings: Mix, *, language: str, seed: int, sizes: Sizes
) -> tuple[list[Place], int | None]:
    """The rows of the mixture in the order of the mixture, and its budget (None: no limit).

    Each source's rows stand in a seeded order; they are merged so that after any number of rows the
    shares are as near to the weights as whole rows allow. A budget takes a beginning of that, so
    that a larger one contains the smaller; it is at least one row. Raises MixtureError where there
    are no rows, or fewer than the budget asks for.
    """
    found = ", ".join(f"{name} has {len(rows)} rows" for name, rows in places.items())
    merged = _merge({name: places[name] for name in settings.weighted}, settings, seed)
    if not merged:
        raise MixtureError(
            f"The mixture {settings.name!r} of {language} is empty: {found}. Remedy: give a weight "
            "above 0 to a source that has rows."
        )
    amount, unit = _amount(places, settings, sizes), settings.budget.unit
    if amount is None:
        chosen = merged
    else:
        chosen, left = [], amount
        counted = settings.reasoning and settings.budget.reasoning
        for place in merged:
            left -= 1 if unit == "examples" else sizes(place.source, counted)[place.number]
            if left < 0 and chosen:
                break
            chosen.append(place)
        if left > 0:
            raise MixtureError(
                f"The mixture {settings.name!r} of {language} cannot have {amount:,} {unit}: what "
                f"the weights allow without a row twice has {amount - left:,} ({found}). Remedy: a "
                "smaller mix.budget, other mix.weights, or more data."
            )
    return sorted(chosen, key=lambda place: digest(seed, "mixture.order", place.id)), amount


def _amount(places: Mapping[str, Sequence[Place]], settings: Mix, sizes: Sizes) -> int | None:
    budget = settings.budget
    if not budget.smallest_of:
        return budget.amount
    found = {
        name: len(places[name])
        if budget.unit == "examples"
        else sum(sizes(name, False)[place.number] for place in places[name])
        for name in budget.smallest_of
    }
    if empty := [name for name, size in found.items() if not size]:
        raise MixtureError(
            f"The budget of the mixture {settings.name!r} is the size of the smallest of "
            f"{', '.join(found)}, and {', '.join(empty)} has no rows. Remedy: make it, or leave it "
            "out of mix.budget.smallest_of."
        )
    return min(found.values())


def _merge(places: Mapping[str, Sequence[Place]], settings: Mix, seed: int) -> list[Place]:
    """Highest-quotient merge: row number r of a source comes at time (r + 1/2) / weight."""
    filled = {
        name: sorted(rows, key=lambda place: digest(seed, "mixture.sample", place.id))
        for name, rows in places.items()
        if rows
    }
    rates = {
        name: settings.weights[name] * (len(rows) if settings.shares == "rows" else 1)
        for name, rows in filled.items()
    }
    # As many rows as the weights allow without repeating one; the small term is for rounding.
    whole = min((len(rows) / rates[name] for name, rows in filled.items()), default=0.0)
    timed = [
        ((number + 0.5) / rates[name], name, number)
        for name, rows in filled.items()
        for number in range(len(rows))
    ]
    allowed = int(whole * sum(rates.values()) + 1e-9)
    return [filled[name][number] for _, name, number in sorted(timed)[:allowed]]
