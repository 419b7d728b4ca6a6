"""The checkpoint's README.md: what it is, what it was made of, and how to talk to it."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.contract.facts import DistilledFacts, MixtureFacts, PackedFacts, TuningFacts
from core.files import write_whole
from core.languages import tag_language
from core.markdown import fence, write_table
from training.distillation.settings import Distillation
from training.settings import Train


def write_card(
    folder: Path,
    *,
    language: str,
    flores_code: str | None,
    student: str,
    repository: str | None,
    mix: str,
    mixture: MixtureFacts,
    thinking: str | None,
    plain: str | None,
    settings: Train,
    seed: int,
    packed: PackedFacts,
    facts: TuningFacts,
    distillation: Distillation | None = None,
    distilled: DistilledFacts | None = None,
    teacher: str | None = None,
) -> None:
    """Write the model card into the checkpoint directory.

    `mixture`, `packed` and `facts` are of the mixture, its tokens and the training; `thinking` and
    `plain` are the system prompts of rows with and without reasoning (None: no such rows). The
    scores are not in it, since they are made of the checkpoint: `kakugo-report card` adds them.
    """
    head: dict[str, Any] = {
        "language": tag_language(language, flores_code).partition("-")[0] or "und",
        "pipeline_tag": "text-generation",
        "library_name": "transformers",
        "tags": ["kakugo", "low-resource", mix],
    }
    if repository:
        head["base_model"] = repository
    trained_on = packed.rows - packed.validation_rows
    untrainable = sum(line.untrainable or 0 for line in mixture.table)
    parts = [
        "---\n" + "".join(f"{key}: {json.dumps(value)}\n" for key, value in head.items()) + "---",
        f"# {student} for {language} ({mix})\n\n{student}, "
        f"{'with merged low-rank adapters' if settings.lora.rank else 'all weights'} fine-tuned "
        f"on {trained_on:,} conversations ({facts.tokens:,} tokens computed, "
        f"{facts.supervised_tokens:,} of them trained). No speaker of {language} has judged it "
        "unless its report says so.",
        "## How to use it\n\n" + _write_usage(thinking, plain),
        "## Data\n\n"
        + write_table(
            ["source", "weight", "rows", "share", "tokens"],
            [
                [
                    line.source,
                    line.weight,
                    line.rows,
                    f"{line.share:.1%}",
                    line.tokens,
                ]
                for line in mixture.table
            ],
        )
        + f"\n\n{untrainable:,} rows of the sources were too long, or held special tokens as text, "
        f"and could not be drawn; {packed.truncated:,} of those drawn were cut, "
        f"{packed.validation_rows:,} kept for validation.",
        "## Training\n\n"
        + write_table(
            ["setting", "value"],
            [
                [name, _write_value(value)]
                for name, value in asdict(settings).items()
                if name != "name"
            ]
            + [["seed", seed]],
        ),
        "## What it did\n\n"
        + write_table(
            ["measure", "value"],
            [
                ["steps", facts.steps],
                [
                    "loss, first and last step",
                    f"{facts.loss_first:.3f}, {facts.loss_last:.3f}",
                ],
                ["validation loss", _write_value(facts.eval_loss)],
                ["fill of packed rows", f"{packed.fill:.1%}"],
                ["precision", facts.precision],
                ["attention", _write_value(facts.attention)],
                ["processes", _write_value(facts.processes)],
            ],
        ),
        *_write_distillation(distillation, distilled, teacher),
        "## Scores\n\nThey stand in the report of the store in which this checkpoint lies, beside "
        "those of the base; `kakugo-report card --store DIR` gives this card with them.",
    ]
    write_whole(folder / "README.md", "\n\n".join(parts) + "\n")


def _write_distillation(
    how: Distillation | None, found: DistilledFacts | None, teacher: str | None
) -> Iterator[str]:
    """Write what was distilled, and whose method it is; nothing for a checkpoint that was not."""
    if how is None or found is None:
        return
    start = "the fine-tuned student" if how.start == "trained" else "the student before training"
    taught = f", with the token probabilities of {teacher}" if teacher else ""
    yield (
        f"## Distillation\n\nDistilled ({how.name}) from {start}{taught}. The signals are those "
        "that the abstract of DuDi (arXiv 2606.04694) names; their formulas and settings are this "
        "project's own (DuDi-style), since those of the paper could not be had.\n\n"
        + write_table(
            ["setting", "value"],
            [[name, _write_value(value)] for name, value in asdict(how).items() if name != "name"],
        )
    )
    rows = [[f"loss of {name}, last", f"{value:.3f}"] for name, value in found.signals.items()]
    if found.rollouts:
        rows += [
            ["responses drawn", f"{found.rollouts:,}"],
            ["of them ended by themselves", f"{found.rollouts_ended / found.rollouts:.1%}"],
            ["tokens a response", f"{(found.rollout_tokens or 0) / found.rollouts:.1f}"],
        ]
    if found.guided:
        for name, views in found.guided.views.items():
            told = ", ".join(f"{count:,} {view}" for view, count in sorted(views.items()))
            rows.append([f"rows by what the teacher saw, {name}", told])
        lost = found.guided.unaligned + found.guided.too_long
        rows.append(["rows that the teacher could not take", f"{lost:,}"])
    yield write_table(["measure", "value"], rows)


def _write_usage(thinking: str | None, plain: str | None) -> str:
    """Say which system prompt to use: that of rows with reasoning, and that of rows without."""
    if thinking is None:
        return "It was trained with this system prompt:\n\n" + _write_prompt(plain)
    words = "between `<think>` and `</think>`:\n\n" + _write_prompt(thinking)
    if plain is None:
        return "It thinks before it answers, " + words
    return (
        "The system prompt says whether it thinks before it answers.\n\n"
        f"To think, {words}\n\nTo answer at once:\n\n{_write_prompt(plain)}"
    )


def _write_prompt(text: str | None) -> str:
    return fence(text) if text else "no system prompt"


def _write_value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_write_value(inner)}" for name, inner in value.items())
    return "none" if value is None or value == () else f"{value}"
