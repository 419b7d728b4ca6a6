"""Settings of a mixture and of the look at its contamination."""

from dataclasses import dataclass, field
from typing import Literal

from core.arguments import check_at_least, check_between, check_one_of
from core.places import TypedPath

_UNKEYED = {"keyed": False}
Unit = Literal["tokens", "examples"]


@dataclass(frozen=True)
class Budget:
    """Sets how large a mixture is, in examples, or in tokens of the rendered chats, as they are
    trained.

    The size is `amount`, or that of the smallest of the sources named in `smallest_of` (whole, and
    without reasoning), which makes mixtures of one size; with neither, all that the weights allow.
    `part` makes it that part of the size, so that one choice of sizes serves every language.
    With `reasoning: false` a mixture with reasoning has as many rows as the one without has in so
    many tokens: the very same ones, unless their reasoning makes some too long. A mixture in tokens
    ends with the row that comes nearest to its budget, within 1%; where the budget is of fewer
    than a hundred rows, within one of usual length (nine in ten are shorter).
    """

    unit: Unit = "tokens"
    amount: int | None = None
    smallest_of: tuple[str, ...] = ()
    part: float = 1.0
    reasoning: bool = True

    def __post_init__(self) -> None:
        check_one_of(self, "unit", ("tokens", "examples"))
        check_at_least(self, 1, "amount")
        if self.amount is not None and self.smallest_of:
            raise ValueError(
                "Budget: amount or smallest_of, received both. Remedy: smallest_of=[] beside the "
                "amount (with sweep=subsets, matched.smallest_of=[])"
            )
        if not 0 < self.part <= 1:
            raise ValueError(f"Budget.part: above 0 to 1, received {self.part!r}")
        if self.part < 1 and self.amount is None and not self.smallest_of:
            raise ValueError(
                f"Budget.part: {self.part!r} of which size? Remedy: give matched.amount or "
                "matched.smallest_of, too"
            )

    def cut(self, size: int) -> int:
        """Cut a size to the part of it that is taken, one at least."""
        return max(1, round(self.part * size))


@dataclass(frozen=True)
class Mix:
    """Sets how sources become one mixture.

    `weights` are relative; a source with weight 0, or none, is not needed. With `shares="weights"`
    they are the sources' shares of the rows; with `shares="rows"` a source's share is its weight
    times its number of rows, so that equal weights take everything, which is the paper's mixture.
    No row is repeated: the mixture ends where the first source runs out, or at the `budget`. An
    empty system prompt adds no system message, and a row's own system message stays. `exclude` is
    a JSONL file of {"id": ...}: rows that are left out, such as `contaminated.jsonl` of an earlier
    run.
    """

    name: str = field(metadata=_UNKEYED)
    weights: dict[str, float]
    shares: Literal["weights", "rows"] = "weights"
    budget: Budget = field(default_factory=Budget)
    reasoning: bool = True
    thinking_system_prompt: str = (
        "You are a helpful assistant. First think about the question between <think> and "
        "</think>, then give your answer."
    )
    plain_system_prompt: str = "You are a helpful assistant."
    exclude: TypedPath | None = field(
        default=None, metadata=_UNKEYED
    )  # its content is part of the key

    def __post_init__(self) -> None:
        check_one_of(self, "shares", ("weights", "rows"))
        for source, weight in self.weights.items():
            if weight != 0 and not 1e-9 <= weight <= 1e9:
                raise ValueError(
                    f"Mix.weights.{source}: 0, or a number from 1e-9 to 1e9; received {weight!r}"
                )
        if not any(self.weights.values()):
            raise ValueError(f"Mix.weights: at least one weight above 0, received {self.weights!r}")

    @property
    def weighted(self) -> dict[str, float]:
        """The weights above 0."""
        return {source: weight for source, weight in self.weights.items() if weight > 0}

    @property
    def counts_plain(self) -> bool:
        """Tell whether the budget counts the tokens of a mixture with reasoning as if it had
        none.
        """
        return self.reasoning and self.budget.unit == "tokens" and not self.budget.reasoning

    @property
    def needed(self) -> list[str]:
        """The sources with a weight, and those that only the budget is measured by."""
        return list(dict.fromkeys([*self.weighted, *self.budget.smallest_of]))


@dataclass(frozen=True)
class Contamination:
    """Sets when a row counts as holding a benchmark's text; see `generation.mixture.contamination`.

    `run` is the length, in `letters` of that module, of the shortest text in common that counts.
    `overlap` is the share of an item's n-grams, each `ngram` letters long, from which a row counts
    as a near duplicate of it.
    """

    run: int = 50
    overlap: float = 0.6
    ngram: int = 13

    def __post_init__(self) -> None:
        check_between(self, "ngram", 1, self.run)
        if not 0 < self.overlap <= 1:
            raise ValueError(f"Contamination.overlap: above 0 to 1, received {self.overlap!r}")
