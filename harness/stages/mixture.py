"""The rows that the student is trained on, drawn from the sources."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from core.contract.manifest import About
from core.contract.names import ROWS
from core.files import hash_file
from generation.errors import InputError
from generation.mixture.make import ChatTokens, make_mixture
from generation.mixture.settings import Budget, Mix, Unit
from harness.config import MakingConfig
from harness.keys import IF_GIVEN, UNKEYED
from harness.stage import Outcome, Stage, Work
from harness.students import find_checkpoint_path, find_kept_tokens
from training.prepare import make_token_counter
from training.settings import DataSettings
from training.tokenised import Tokeniser


@dataclass(frozen=True)
class BudgetSettings:
    """A mixture's budget; `reasoning` is None where it would change nothing."""

    unit: Unit
    amount: int | None
    smallest_of: tuple[str, ...]
    part: float | None = field(metadata=IF_GIVEN)
    reasoning: bool | None = field(metadata=IF_GIVEN)


@dataclass(frozen=True)
class MixSettings:
    """A mixture's settings, less those that cannot change this one.

    Mixtures that differ in no more than these share their rows: a single source has no weight and
    no shares, rows without reasoning are told nothing of thinking, and all rows need no unit.
    """

    weights: Mapping[str, float] | tuple[str, ...]
    reasoning: bool
    plain_system_prompt: str
    shares: Literal["weights", "rows"] | None = field(metadata=IF_GIVEN)
    thinking_system_prompt: str | None = field(metadata=IF_GIVEN)
    budget: BudgetSettings | None = field(metadata=IF_GIVEN)

    @classmethod
    def from_mix(cls, mix: Mix) -> "MixSettings":
        """Returns the part of `mix` that matters."""
        weights, given = mix.weighted, mix.budget
        counts = given.unit == "tokens" and mix.reasoning
        amount = None if given.amount is None else given.cut(given.amount)
        budget = BudgetSettings(
            given.unit,
            amount,
            given.smallest_of,
            given.part if given.part < 1 and given.smallest_of else None,
            given.reasoning if counts else None,
        )
        return cls(
            weights=weights if len(weights) > 1 else tuple(weights),
            reasoning=mix.reasoning,
            plain_system_prompt=mix.plain_system_prompt,
            shares=mix.shares if len(weights) > 1 else None,
            thinking_system_prompt=mix.thinking_system_prompt if mix.reasoning else None,
            budget=budget if given.amount is not None or given.smallest_of else None,
        )

    def as_mix(self, name: str, exclude: Path | None) -> Mix:
        """Returns the settings as `make_mixture` takes them, with a default for what does not
        matter."""
        budget = Budget()
        if given := self.budget:
            reasoning = given.reasoning is None or given.reasoning
            part = 1.0 if given.part is None else given.part
            budget = Budget(given.unit, given.amount, given.smallest_of, part, reasoning)
        return Mix(
            name,
            dict(self.weights) if isinstance(self.weights, Mapping) else {self.weights[0]: 1.0},
            shares=self.shares or "weights",
            budget=budget,
            reasoning=self.reasoning,
            thinking_system_prompt=self.thinking_system_prompt or "",
            plain_system_prompt=self.plain_system_prompt,
            exclude=str(exclude) if exclude else None,
        )


@dataclass(frozen=True)
class MixtureSettings:
    """The settings of a mixture, beside its sources and the student by whose tokens it is counted.

    Conversations that are longer than the training takes are not drawn, so that budgets hold there.
    """

    mix: MixSettings
    max_length: int
    overlong: Literal["drop", "truncate"]
    seed: int
    exclude: str | None  # SHA-256 of the file
    exclude_file: Path | None = field(metadata=UNKEYED)
    # What was tokenised before, under all that it depends on: no input, since it decides nothing.
    kept_tokens: Path = field(metadata=UNKEYED)
    # Words for messages.
    name: str = field(metadata=UNKEYED)
    language: str = field(metadata=UNKEYED)

    @property
    def data(self) -> DataSettings:
        """The settings that decide which conversations can be trained on; packing and the rest
        do not."""
        return DataSettings(
            self.max_length, True, self.overlong, train_newline=False, validation=0.0
        )


def make_mixture_stage(config: MakingConfig, base: Stage, sources: Mapping[str, Stage]) -> Stage:
    """Returns the stage that draws the mixture."""
    data, exclude = config.train.data, find_excluded(config)
    if exclude and not exclude.is_file():
        raise InputError(f"mix.exclude: there is no file {exclude}. Remedy: check the path.")
    return Stage(
        name="mixture",
        version=4,
        label=f"{config.language.name}: mixture {config.mix.name}",
        settings=MixtureSettings(
            mix=MixSettings.from_mix(config.mix),
            max_length=data.max_length,
            overlong=data.overlong,
            seed=config.seed,
            exclude=hash_file(exclude) if exclude else None,
            exclude_file=exclude,
            kept_tokens=find_kept_tokens(config),
            name=config.mix.name,
            language=config.language.name,
        ),
        # What is wrong with the user's files is said before a student is loaded.
        inputs={**sources, "base": base},
        make=mix_rows,
        about=About(language=config.language.name, mix=config.mix.name),
    )


def mix_rows(settings: MixtureSettings, work: Work) -> Outcome:
    """Draws the rows; those that cannot be trained on are left out before."""
    work.progress(0, 0, "loading the tokenizer")
    base = find_checkpoint_path(work.inputs["base"])
    kept = settings.kept_tokens
    facts = make_mixture(
        {role: made.path / ROWS for role, made in work.inputs.items() if role != "base"},
        settings.mix.as_mix(settings.name, settings.exclude_file),
        language=settings.language,
        seed=settings.seed,
        out=work.out,
        tokens=ChatTokens(
            of_chats=make_token_counter(base, settings.data, kept),
            of_texts=Tokeniser(base, kept=kept).count,
        ),
        progress=work.progress,
    )
    return Outcome(facts)


def find_excluded(config: MakingConfig) -> Path | None:
    """Returns the file of rows to leave out, where one is given."""
    return Path(config.mix.exclude) if config.mix.exclude else None
