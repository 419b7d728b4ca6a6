"""From a checkpoint and a teacher's probabilities to a distilled one: its data, and the run."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from core.contract.facts import DistilledFacts, GuidedFacts, MixtureFacts, PackedFacts, TuningFacts
from core.contract.journal import LogLine
from core.contract.manifest import About
from core.contract.names import CARD, CHECKPOINT, LOG, ROWS, SPEED
from core.contract.record import as_json, read_record
from core.files import hash_file
from core.lines import read_json_lines
from harness.config import MakingConfig
from harness.keys import IF_GIVEN, MERGED, UNKEYED
from harness.stage import Outcome, Stage, Work
from harness.stages.training import (
    PackedSettings,
    TrainSettings,
    check_packages,
    has_state,
    make_train_settings,
    read_card_facts,
)
from harness.students import find_checkpoint_path, find_kept_tokens
from training.distillation.settings import Distillation
from training.distillation.verbalizer import OURS, read_wording
from training.settings import Precision, Train

SIGNALS = ("supervised", "off_policy", "on_policy", "sequence")


@dataclass(frozen=True)
class GuidedSettings(PackedSettings):
    """The settings of packed rows with the teacher's texts beside them.

    `views` has what the teacher is shown for each of its signals, and `wording` the words around
    that. English is that of the chats that were translated: of a file, whose content counts, or of
    a corpus, which is an input.
    """

    views: Mapping[str, str]
    wording: Mapping[str, str]
    language: str | None = field(metadata=IF_GIVEN)
    english: str | None = field(metadata=IF_GIVEN)
    english_file: str | None = field(metadata=UNKEYED)


@dataclass(frozen=True)
class DistillSettings:
    """The settings of a distilled checkpoint: those of its optimizer steps, and of its signals."""

    steps: TrainSettings = field(metadata=MERGED)
    distillation: Distillation
    teacher: str | None = field(metadata=UNKEYED)  # its name, for the card

    @property
    def train(self) -> Train:
        """The settings of the optimizer steps."""
        return self.steps.train


def make_guided_stage(
    config: MakingConfig,
    distillation: Distillation,
    base: Stage,
    teacher: Stage,
    mixture: Stage,
    sources: Mapping[str, Stage],
) -> Stage:
    """Makes the stage that packs the mixture, with the teacher's texts beside it."""
    verbalizer, language = distillation.verbalizer, config.language.name
    views = {"off_policy": verbalizer.off_policy, "on_policy": verbalizer.on_policy}
    words = read_wording(Path(verbalizer.wording) if verbalizer.wording else OURS)
    inputs = {"base": base, "teacher": teacher, "mixture": mixture}
    translated, file = sources.get("translated"), None
    if translated and {"english", "both"} & set(views.values()):
        inputs["translated"] = translated
        if corpus := translated.inputs.get("corpus"):
            inputs["corpus"] = corpus
        else:
            file = config.sources.translated.conversations
    # Rows without English have another view than was asked for.
    shown = words if {*views.values()} - {"plain"} else {}
    return Stage(
        name="guided",
        version=1,
        label=f"{language}: tokens of {config.mix.name}, with the teacher's",
        settings=GuidedSettings(
            data=config.train.data,
            seed=config.seed,
            kept_tokens=find_kept_tokens(config),
            views=views,
            wording=shown,
            language=language if shown else None,
            english=hash_file(Path(file)) if file else None,
            english_file=file,
        ),
        inputs=inputs,
        make=guide_rows,
        about=About(language=language, mix=config.mix.name),
    )


def guide_rows(settings: GuidedSettings, work: Work) -> Outcome:
    """Writes the mixture's tokens, and the teacher's texts."""
    from generation.english import find_english
    from training.distillation.guides import Guidance, prepare_guided

    inputs, file = work.inputs, settings.english_file
    if "corpus" in inputs:
        file = str(inputs["corpus"].path / ROWS)
    work.progress(0, 0, "finding the rows' English")
    english = find_english(inputs["translated"].path / ROWS, file) if file else {}
    facts = prepare_guided(
        base=find_checkpoint_path(inputs["base"]),
        teacher=find_checkpoint_path(inputs["teacher"]),
        rows=inputs["mixture"].path / ROWS,
        english=english,
        out=work.out,
        data=settings.data,
        guidance=Guidance(cast(Any, settings.views), settings.wording, settings.language or ""),
        seed=settings.seed,
        kept=settings.kept_tokens,
        progress=work.progress,
    )
    return Outcome(facts)


def make_distill_stage(
    config: MakingConfig,
    distillation: Distillation,
    name: str,
    *,
    start: Stage,
    data: Stage,
    mixture: Stage,
    teacher: Stage | None,
) -> Stage:
    """Makes the stage that distils the checkpoint of `start` on `data`, which is packed, or packed
    with the teacher's texts. `name` is the producer's."""
    inputs = {"start": start, "data": data, "mixture": mixture}
    if teacher:
        inputs["teacher"] = teacher
    settled = replace(config, train=distillation.settle(config.train))
    return Stage(
        name="distill",
        version=1,
        label=f"{config.language.name}: {name}",
        settings=DistillSettings(
            make_train_settings(settled), distillation, teacher.about.student if teacher else None
        ),
        inputs=inputs,
        make=distill,
        resumes=has_state,
        about=About(language=config.language.name, producer=name, role="trained"),
        check=check_packages,
    )


def distill(settings: DistillSettings, work: Work) -> Outcome:
    """Distils, goes on from where an interrupted run was, and writes the card."""
    from training.card import write_card
    from training.distillation.settings import Lesson
    from training.finetune import STATES
    from training.launch import LEFT, run_training

    card, asked, inputs = settings.steps.card, settings.train, work.inputs
    title = f"{card.language}, {card.mix}, {settings.distillation.name}"
    teacher = find_checkpoint_path(inputs["teacher"]) if "teacher" in inputs else None
    made = run_training(
        base=find_checkpoint_path(inputs["start"]),
        packed=inputs["data"].path,
        out=work.out,
        settings=replace(asked, name=f"{title}, {work.key[:8]}"),
        precision=cast(Precision, asked.precision),
        seed=settings.steps.seed,
        progress=work.progress,
        lesson=Lesson(settings.distillation, teacher),
    )
    guided = inputs["data"].read_facts(GuidedFacts) if teacher else None
    packed = guided.packed if guided else inputs["data"].read_facts(PackedFacts)
    facts = _gather_facts(made, packed, guided, work.out / LOG)
    write_card(
        work.out / CHECKPOINT,
        **read_card_facts(card, inputs["mixture"].read_facts(MixtureFacts)),
        settings=asked,
        seed=settings.steps.seed,
        packed=packed,
        facts=made,
        distillation=settings.distillation,
        distilled=facts,
        teacher=settings.teacher,
    )
    return Outcome(facts, scratch=(STATES, *LEFT), records=(LOG, SPEED, CARD))


def _gather_facts(
    made: TuningFacts, packed: PackedFacts, guided: GuidedFacts | None, log: Path
) -> DistilledFacts:
    lines = [read_record(LogLine, line) for _, line in read_json_lines(log)]
    signals = {
        name: value
        for line in lines
        for name in SIGNALS
        if (value := getattr(line, name)) is not None
    }
    drawn = [line for line in lines if line.rollouts]
    return DistilledFacts(
        **as_json(made),
        rows=packed.rows,
        truncated=packed.truncated,
        packs=packed.packs,
        fill=packed.fill,
        validation_rows=packed.validation_rows,
        signals=signals,
        rollouts=sum(line.rollouts or 0 for line in drawn),
        rollouts_ended=sum(line.rollouts_ended or 0 for line in drawn),
        rollout_tokens=sum(line.rollout_tokens or 0 for line in drawn) if drawn else None,
        guided=guided,
    )
