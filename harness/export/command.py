"""`kakugo export`: the command line."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import MendableError
from harness.cluster.points import PlannedPoint, plan_points
from harness.cluster.submit import LEDGERS
from harness.errors import ExportError
from harness.export.converter import PACKAGE, TYPES, VERSION, find_converter
from harness.progress import Display
from harness.stage import Stage
from harness.stages.base import NAME as BASE
from harness.stages.exporting import (
    LOSS_NAME,
    MODELFILE,
    NAME,
    SCORE_NAME,
    ExportSettings,
    find_file,
    make_export_score,
    make_export_stage,
    make_loss_stage,
)
from harness.stages.scoring import NAME as SCORED
from harness.store import Store

if TYPE_CHECKING:
    from rich.console import Console

HELP = """kakugo export [-m] [OVERRIDES] [types=f16,q8_0] [score=true]

Writes the checkpoints that `kakugo OVERRIDES` has trained as GGUF files, for llama.cpp and Ollama.
Each file is checked by talking to it, and scored on the same items as its checkpoint: the loss is
printed, and kept in the store. The same command again makes only what is missing.

  kakugo export language=yoruba mix=topic              f16 and q8_0 of what this command trained
  kakugo export 'producers=[base]' types=q8_0          the student before training
  kakugo export -m language=yoruba,swahili score=false files alone
  ollama create NAME -f artifacts/gguf/KEY/Modelfile   the path is printed

types   f16, q8_0, bf16, f32. K-quants (q4_k_m, ...) are made of the f16 file by llama.cpp's own
        llama-quantize; how much they lose is then measured with evaluate.engine=completions.
"""
_DEFAULT = ("f16", "q8_0")
_SCORES = {"true": True, "false": False}


@dataclass(frozen=True)
class AskedFile:
    """A file that is asked for, and the stages that tell what it loses, by task."""

    checkpoint: Stage
    file: Stage
    losses: dict[str, Stage]


def main(arguments: Sequence[str]) -> None:
    """Runs the command `kakugo export`."""
    from rich.console import Console

    if {"-h", "--help"} & set(arguments):
        print(HELP)
        return
    try:
        if not export_points(arguments, Console()):
            sys.exit(1)
    except MendableError as error:
        sys.exit(f"kakugo: {error}")
    except KeyboardInterrupt:
        print("\nStopped. Finished files and scores are kept.", file=sys.stderr)
        sys.exit(130)


def export_points(arguments: Sequence[str], console: "Console") -> bool:
    """Exports the checkpoints of an experiment or a sweep; returns whether all that was asked for
    is there."""
    types, scores, overrides = take_words(arguments)
    whole = True
    display = Display(console, "")
    for point in plan_points(overrides, LEDGERS):
        if point.config is None or point.plan is None:
            raise ExportError(f"{point.label}: {point.problem}")
        store = Store(
            Path(point.config.store),
            Path(point.config.cache),
            display,
            lambda stage: _explain_missing(stage, overrides),
        )
        script = find_converter(Path(point.config.cache))
        for wanted in list_wanted(point, types, scores, script):
            whole = _make(wanted, store, console) and whole
    return whole


def take_words(arguments: Sequence[str]) -> tuple[tuple[str, ...], bool, list[str]]:
    """Takes this command's own words out of the arguments: (types, whether to score, the rest).

    Raises `ExportError` for a type that is not written here.
    """
    types: tuple[str, ...] = _DEFAULT
    scores, rest = True, []
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key == "types":
            types = tuple(dict.fromkeys(value.lower().strip("[]").replace(" ", "").split(",")))
        elif key == "score":
            if value.lower() not in _SCORES:
                raise ExportError(f"score={value}: true or false. Remedy: one of them.")
            scores = _SCORES[value.lower()]
        else:
            rest.append(argument)
    if unknown := [one for one in types if one not in TYPES]:
        raise ExportError(
            f"types={','.join(unknown)}: no library here writes that. Remedy: types of "
            f"{', '.join(TYPES)}; for others run llama.cpp's llama-quantize on the f16 file."
        )
    return types, scores, rest


def list_wanted(
    point: PlannedPoint, types: Sequence[str], scores: bool, script: Path
) -> Iterator[AskedFile]:
    """Lists the files of an experiment: of all checkpoints but the base, unless it is the only
    one."""
    assert point.plan is not None
    assert point.config is not None
    plan, language = point.plan, point.config.language.name
    ways = [way for way in plan.ways if way.producer.role != "base"] or list(plan.ways)
    for way in ways:
        system = getattr(getattr(way.checkpoint.settings, "card", None), "plain", "") or ""
        stem = f"{language} {way.producer.name}".lower()
        stem = "-".join("".join(c if c.isalnum() else " " for c in stem).split())
        for kind in types:
            settings = ExportSettings(
                kind, f"{stem}-{kind}.gguf", system, f"{PACKAGE} {VERSION}", script
            )
            file = make_export_stage(way.checkpoint, settings)
            losses = {
                cell.task: make_loss_stage(cell.score, make_export_score(cell.score, file))
                for cell in plan.cells
                if scores and cell.score and cell.checkpoint.key == way.checkpoint.key
            }
            yield AskedFile(way.checkpoint, file, losses)


def _make(wanted: AskedFile, store: Store, console: "Console") -> bool:
    """Makes a file and its losses, and prints them; returns whether all are there."""
    from core.text import make_safe

    artifact = store.build(wanted.file)
    file = find_file(artifact)
    talk = artifact.manifest.facts["talk"]
    console.print(f"{file}  ({file.stat().st_size / 1e6:,.0f} MB)", soft_wrap=True, markup=False)
    console.print(f"  ollama create NAME -f {file.with_name(MODELFILE)}", soft_wrap=True,
                  markup=False)  # fmt: skip
    end = "ended by itself" if talk["finished"] else "cut at 64 tokens"
    said = " ".join(make_safe(talk["said"]).split())
    console.print(f"  it said, greedily: {said} ({end})", soft_wrap=True, markup=False)
    if why := artifact.manifest.facts["no_template"]:
        console.print(f"  Modelfile without a template: {why}", soft_wrap=True, markup=False)
    whole = True
    for task, stage in wanted.losses.items():
        try:
            line = _describe_loss(store.build(stage).manifest.facts)
        except MendableError as error:
            whole, line = False, f"no score: {error}"
        console.print(f"  {task}: {line}", soft_wrap=True, markup=False)
    return whole


def _describe_loss(loss: object) -> str:
    """Puts a loss into a line: both scores, their difference, its interval and test."""
    from core.contract.record import read_record
    from harness.stages.exporting import Loss

    found = read_record(Loss, loss)
    text = f"checkpoint {found.before:.2f}, file {found.after:.2f}, difference {found.points:+.2f}"
    if found.low is not None and found.high is not None:
        text += f" [{found.low:+.2f}, {found.high:+.2f}]"
    p = "" if found.p is None else f", p = {found.p:.2g} ({found.test})"
    return f"{text}{p}, n = {found.n}" + (f"; {found.why}" if found.why else "")


def _explain_missing(stage: Stage, overrides: Sequence[str]) -> str | None:
    """Says why a stage must not be made by this command; None where it may."""
    # A base is only converted or pointed at, and a checkpoint's own scores are compared with.
    if stage.name in (NAME, SCORE_NAME, LOSS_NAME, SCORED, BASE):
        return None
    words = " ".join(["kakugo", *overrides])
    return f"an export makes no checkpoint. Remedy: run `{words}` first."
