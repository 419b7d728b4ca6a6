"""From a mixture to a checkpoint: its packed tokens, and the fine-tuned student."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from core.contract.facts import MixtureFacts, PackedFacts, TrainFacts
from core.contract.manifest import About
from core.contract.names import CARD, CHECKPOINT, LOG, ROWS, SPEED
from core.contract.record import as_json
from harness.config import MakingConfig
from harness.keys import UNKEYED
from harness.stage import Outcome, Stage, Work
from harness.students import find_checkpoint_path, find_kept_tokens
from training.precision import resolve_precision
from training.prepare import prepare
from training.settings import DataSettings, Precision, Train


@dataclass(frozen=True)
class PackedSettings:
    """The settings of tokens, labels and packed rows, beside the mixture and the student."""

    data: DataSettings
    seed: int
    # As a mixture's: what was tokenised before decides nothing.
    kept_tokens: Path = field(metadata=UNKEYED)


@dataclass(frozen=True)
class CardSettings:
    """The names on the checkpoint's card, beside facts and settings. The two system prompts are
    those of rows with and without reasoning."""

    language: str
    flores_code: str | None
    student: str
    repository: str | None
    mix: str
    thinking: str
    plain: str


@dataclass(frozen=True)
class TrainSettings:
    """The settings of a checkpoint. The precision in `train` is what "auto" comes to here.

    A card tells of the work; nothing is made from it.
    """

    train: Train
    seed: int
    card: CardSettings = field(metadata=UNKEYED)


def make_packed_stage(config: MakingConfig, base: Stage, mixture: Stage) -> Stage:
    """Makes the stage that packs the mixture as the trainer wants it: tokens, labels and packed
    rows."""
    return Stage(
        name="packed",
        version=1,
        label=f"{config.language.name}: tokens of {config.mix.name}",
        settings=PackedSettings(config.train.data, config.seed, find_kept_tokens(config)),
        inputs={"base": base, "mixture": mixture},
        make=pack_mixture,
        about=About(language=config.language.name, mix=config.mix.name),
    )


def pack_mixture(settings: PackedSettings, work: Work) -> Outcome:
    """Writes the mixture's tokens."""
    facts = prepare(
        base=find_checkpoint_path(work.inputs["base"]),
        rows=work.inputs["mixture"].path / ROWS,
        out=work.out,
        data=settings.data,
        seed=settings.seed,
        kept=settings.kept_tokens,
        progress=work.progress,
    )
    return Outcome(facts)


def train_stage(config: MakingConfig, base: Stage, mixture: Stage, packed: Stage) -> Stage:
    """Makes the stage that fine-tunes the student on the mixture."""
    language, mix = config.language, config.mix
    return Stage(
        name="train",
        version=2,
        label=f"{language.name}: train on {mix.name}",
        settings=make_train_settings(config),
        inputs={"base": base, "mixture": mixture, "packed": packed},
        make=train,
        resumes=has_state,
        about=About(language=language.name, producer=f"trained:{mix.name}", role="trained"),
        check=check_packages,
    )


def make_train_settings(config: MakingConfig) -> TrainSettings:
    """Returns the settings of a training as a configuration has them."""
    language, mix, student = config.language, config.mix, config.student
    return TrainSettings(
        train=replace(config.train, precision=resolve_precision(config.train.precision)),
        seed=config.seed if config.train.seed is None else config.train.seed,
        card=CardSettings(
            language=language.name,
            flores_code=language.flores_code,
            student=student.name,
            repository=student.repository,
            mix=mix.name,
            thinking=mix.thinking_system_prompt,
            plain=mix.plain_system_prompt,
        ),
    )


def check_packages(settings: TrainSettings) -> None:
    """Raises TrainingError where the training asks for a package that is not installed."""
    from training.launch import require_packages

    require_packages(settings.train)


def has_state(partial: Path) -> bool:
    """Says whether an interrupted training has left a state to go on from."""
    from training.checkpoints import find_last_whole
    from training.finetune import STATES

    return find_last_whole(partial / STATES) is not None


def train(settings: TrainSettings, work: Work) -> Outcome:
    """Trains, goes on from where an interrupted run was, and writes the card."""
    from training.card import write_card
    from training.finetune import STATES
    from training.launch import LEFT, run_training

    card, asked = settings.card, settings.train
    title = f"{card.language}, {card.mix}, {asked.name}"
    made = run_training(
        base=find_checkpoint_path(work.inputs["base"]),
        packed=work.inputs["packed"].path,
        out=work.out,
        # By its name a tracker tells a run from any other.
        settings=replace(asked, name=f"{title}, {work.key[:8]}"),
        precision=cast(Precision, asked.precision),
        seed=settings.seed,
        progress=work.progress,
    )
    data = work.inputs["packed"].read_facts(PackedFacts)
    mixed = work.inputs["mixture"].read_facts(MixtureFacts)
    facts = TrainFacts(
        **as_json(made),
        rows=data.rows,
        truncated=data.truncated,
        packs=data.packs,
        fill=data.fill,
        validation_rows=data.validation_rows,
    )
    write_card(
        work.out / CHECKPOINT,
        **read_card_facts(card, mixed),
        settings=asked,
        seed=settings.seed,
        packed=data,
        facts=made,
    )
    records = (LOG, SPEED, CARD)
    return Outcome(facts, scratch=(STATES, *LEFT), records=records)


def read_card_facts(card: CardSettings, mixed: MixtureFacts) -> dict[str, Any]:
    """Returns what a card says of a mixture: of its system prompts, only those that rows have."""
    reasoning = mixed.reasoning or 0
    return {
        "language": card.language,
        "flores_code": card.flores_code,
        "student": card.student,
        "repository": card.repository,
        "mix": card.mix,
        "mixture": mixed,
        "thinking": card.thinking if reasoning else None,
        "plain": card.plain if reasoning < mixed.rows else None,
    }
