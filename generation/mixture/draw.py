"""Choose the rows of each source that make a mixture: seeded, nested, and never a row twice."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from statistics import quantiles

from generation.errors import MixtureError
from generation.ids import hash_parts
from generation.mixture.settings import Mix

Sizes = Callable[[str, bool], Sequence[int]]
"""(source, with reasoning) -> the tokens that the trainer takes of each of its rows, in the file's
order: 0 of a row that it leaves out."""

_MISSED = 0.01  # of a budget in tokens


@dataclass(frozen=True)
class RowPlace:
    """Locates a row in its file: the number of its line, and its offset in bytes."""

    source: str
    id: str
    number: int
    offset: int


def draw(
    places: Mapping[str, Sequence[RowPlace]],
    settings: Mix,
    *,
    language: str,
    seed: int,
    sizes: Sizes,
) -> tuple[list[RowPlace], int | None]:
    """Draw the rows of the mixture. Returns them in its order, and its budget (None: no limit).

    Of each source the rows that the trainer takes stand in a seeded order; they are merged so that
    after any number of rows the shares are as near to the weights as whole rows allow. A budget
    takes a beginning of that, so that a larger one contains the smaller; see `Budget` for its end.
    Raises MixtureError where there are no rows, fewer than the budget asks for, or so long a row
    at its end that it is missed.
    """
    name = f"The mixture {settings.name!r} of {language}"
    amount = _compute_amount(places, settings, sizes)
    taken = {
        source: _take_places(source, places, settings.reasoning, sizes)
        for source in settings.weighted
    }
    found = ", ".join(
        f"{source} has {len(rows):,} rows"
        + (f" and {left:,} untrainable" if (left := len(places[source]) - len(rows)) else "")
        for source, rows in taken.items()
    )
    chosen = merged = _merge(taken, settings, seed)
    if not merged:
        raise MixtureError(
            f"{name} is empty: {found}. Remedy: give a weight above 0 to a source that has rows, "
            "or raise train.max_length where they are too long."
        )
    if amount is not None:
        unit, limit = settings.budget.unit, amount
        if settings.counts_plain:
            plain = replace(settings, reasoning=False)
            alike, _ = draw(places, plain, language=language, seed=seed, sizes=sizes)
            unit, limit = "examples", len(alike)
        counts = [
            1 if unit == "examples" else sizes(place.source, settings.reasoning)[place.number]
            for place in merged
        ]
        if (has := sum(counts)) < limit:
            raise MixtureError(
                f"{name} cannot have {limit:,} {unit}: what the weights allow without a row twice "
                f"has {has:,} ({found}). Remedy: a smaller mix.budget, other mix.weights, or more "
                "data."
            )
        totals = [0, *accumulate(counts)]
        over = bisect_right(totals, limit)
        # With the row that would go over, where that is nearer.
        with_it = over < len(totals) and totals[over] - limit < limit - totals[over - 1]
        end = over if with_it else over - 1
        chosen = merged[:end]
        # Whole rows come no nearer than one of a usual length.
        usual = quantiles(counts, n=10)[-1] if len(counts) > 1 else counts[0]
        if not chosen or abs(totals[end] - limit) > max(_MISSED * limit, usual):
            row = merged[over - 1]
            raise MixtureError(
                f"{name} can have {totals[over - 1]:,} tokens or {totals[over]:,}, not its budget "
                f"of {limit:,}: the row between, {row.id}, has {counts[over - 1]:,}. Remedy: "
                "another seed, a larger mix.budget, a smaller train.max_length, or that row's id "
                "in mix.exclude."
            )
    return sorted(chosen, key=lambda place: hash_parts(seed, "mixture.order", place.id)), amount


def _take_places(
    name: str, places: Mapping[str, Sequence[RowPlace]], reasoning: bool, sizes: Sizes
) -> list[RowPlace]:
    return [place for place in places[name] if sizes(name, reasoning)[place.number]]


def _compute_amount(
    places: Mapping[str, Sequence[RowPlace]], settings: Mix, sizes: Sizes
) -> int | None:
    budget = settings.budget
    if not budget.smallest_of:
        return None if budget.amount is None else budget.cut(budget.amount)
    found = {
        name: len(_take_places(name, places, False, sizes))
        if budget.unit == "examples"
        else sum(sizes(name, False)[place.number] for place in places[name])
        for name in budget.smallest_of
    }
    if empty := [name for name, size in found.items() if not size]:
        raise MixtureError(
            f"The budget of the mixture {settings.name!r} is the size of the smallest of "
            f"{', '.join(found)}, and {', '.join(empty)} has no rows that the trainer takes. "
            "Remedy: make it, raise train.max_length, or leave it out of mix.budget.smallest_of."
        )
    return budget.cut(min(found.values()))


def _merge(places: Mapping[str, Sequence[RowPlace]], settings: Mix, seed: int) -> list[RowPlace]:
    """Highest-quotient merge: row number r of a source comes at time (r + 1/2) / weight."""
    filled = {
        name: sorted(rows, key=lambda place: hash_parts(seed, "mixture.sample", place.id))
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
