"""The stages that make a checkpoint of a mixture: its packed tokens, and the fine-tuned student."""

from dataclasses import asdict, replace

from harness.config import MakingConfig
from harness.keys import keyed
from harness.mixture_stages import ROWS
from harness.stage import Outcome, Stage, Work
from harness.store import clear
from harness.students import checkpoint_path
from training.precision import resolve_precision
from training.prepare import prepare


def packed_stage(config: MakingConfig, base: Stage, mixture: Stage) -> Stage:
    """The mixture as the trainer wants it: tokens, labels and packed rows."""
    data = config.train.data

    def make(work: Work) -> Outcome:
        clear(work.out)
        facts = prepare(
            base=checkpoint_path(work.inputs["base"]),
            rows=work.inputs["mixture"].path / ROWS,
            out=work.out,
            data=data,
            seed=config.seed,
            progress=work.progress,
        )
        return Outcome(asdict(facts))

    return Stage(
        name="packed",
        version=1,
        label=f"{config.language.name}: tokens of {config.mix.name}",
        fields={"data": keyed(data), "seed": config.seed},
        inputs={"base": base, "mixture": mixture},
        make=make,
        about={"language": config.language.name, "mix": config.mix.name},
    )


def train_stage(config: MakingConfig, base: Stage, mixture: Stage, packed: Stage) -> Stage:
    """The student, fine-tuned on the mixture."""
    precision = resolve_precision(config.train.precision)
    settings = replace(config.train, precision=precision)
    producer = f"trained:{config.mix.name}"
    title = f"{config.language.name}, {config.mix.name}, {config.train.name}"

    def make(work: Work) -> Outcome:
        from training.card import write_card
        from training.finetune import STATES
        from training.launch import LEFT, run

        made = run(
            base=checkpoint_path(work.inputs["base"]),
            packed=work.inputs["packed"].path,
            out=work.out,
            # By its name a tracker tells a run from any other.
            settings=replace(settings, name=f"{title}, {stage.key[:8]}"),
            precision=precision,
            seed=config.seed,
            progress=work.progress,
        )
        data = work.inputs["packed"].facts
        mixed = work.inputs["mixture"].facts
        kept = ("rows", "truncated", "packs", "fill", "validation_rows")
        facts = asdict(made) | {name: data[name] for name in kept}
        write_card(
            work.out / "checkpoint",
            language=config.language.name,
            flores_code=config.language.flores_code,
            student=config.student.name,
            repository=config.student.repository,
            mix=config.mix.name,
            mixture=mixed,
            thinking=config.mix.thinking_system_prompt if mixed["reasoning"] else None,
            plain=config.mix.plain_system_prompt if mixed["reasoning"] < mixed["rows"] else None,
            settings=settings,
            seed=config.seed,
            facts=facts,
        )
        records = ("log.jsonl", "speed.jsonl", "checkpoint/README.md")
        return Outcome(facts, scratch=(STATES, *LEFT), records=records)

    stage = Stage(
        name="train",
        version=2,
        label=f"{config.language.name}: train on {config.mix.name}",
        fields={"train": keyed(settings), "seed": config.seed},
        inputs={"base": base, "mixture": mixture, "packed": packed},
        make=make,
        about={"language": config.language.name, "producer": producer},
    )
    return stage
