"""A checkpoint as a GGUF file, and the file's score on a task."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from core.contract.facts import Facts
from core.contract.manifest import About
from harness.errors import ExportError
from harness.keys import UNKEYED
from harness.scoring.choice import EngineChoice
from harness.stage import Artifact, Outcome, Stage, Work
from harness.stages.scoring import EngineSettings, ScoreSettings, has_batches, score_checkpoint
from harness.students import find_checkpoint_path

NAME, SCORE_NAME, LOSS_NAME = "gguf", "gguf_score", "gguf_loss"
MODELFILE = "Modelfile"


@dataclass(frozen=True)
class ExportSettings:
    """The settings of a GGUF file: `kind` is the type of its weights, `file` its name, `system` the
    system prompt that goes into the Modelfile, and `converter` the package that makes it.
    `script` is where that lies."""

    kind: str
    file: str
    system: str
    converter: str
    script: Path = field(metadata=UNKEYED)


@dataclass(frozen=True)
class Loss:
    """A file's score beside its checkpoint's, in points of a score from 0 to 100: `points` is
    after minus before, with its 95% interval and its test (None: not computed, for the reason
    `why`) on the `n` items of both."""

    before: float
    after: float
    points: float
    low: float | None
    high: float | None
    p: float | None
    n: int | None
    test: str
    why: str


def make_export_stage(checkpoint: Stage, settings: ExportSettings) -> Stage:
    """Plans a checkpoint's GGUF file."""
    about = checkpoint.about
    return Stage(
        name=NAME,
        version=1,
        label=f"{checkpoint.label}, as GGUF ({settings.kind})",
        settings=settings,
        make=export_checkpoint,
        inputs={"checkpoint": checkpoint},
        about=About(language=about.language, producer=about.producer, student=about.student),
    )


def export_checkpoint(settings: ExportSettings, work: Work) -> Outcome:
    """Converts, checks the file by talking to it, and writes the Modelfile for Ollama."""
    from core.checkpoints.chat import build_prompt, render
    from core.checkpoints.opening import open_tokenizer
    from harness.export.converter import convert_checkpoint
    from harness.export.modelfile import probe_template, write_modelfile
    from harness.export.talking import ask_file

    checkpoint = find_checkpoint_path(work.inputs["checkpoint"])
    file = work.out / settings.file
    work.progress(0, 0, "converting")
    convert_checkpoint(settings.script, checkpoint, settings.kind, file)
    work.progress(0, 0, "talking to it")
    talk = ask_file(file, checkpoint)
    tokenizer = open_tokenizer(checkpoint)
    turns, why = None, ""
    if tokenizer.chat_template:
        try:
            turns = probe_template(
                lambda told, asks: (
                    build_prompt(tokenizer, told).text if asks else render(tokenizer, told)
                )
            )
        except ExportError as error:
            why = str(error)
    stops = [tokenizer.eos_token] if tokenizer.eos_token else []
    text = write_modelfile(settings.file, turns, stops, settings.system)
    (work.out / MODELFILE).write_text(text, encoding="utf-8")
    facts = {"bytes": file.stat().st_size, "talk": asdict(talk), "no_template": why}
    return Outcome(facts, records=(MODELFILE,))


def make_export_score(score: Stage, exported: Stage) -> Stage:
    """Plans the score of a GGUF file on the very items on which its checkpoint is scored."""
    kind = exported.settings.kind
    choice = EngineChoice("llama.cpp", kind)
    return replace(
        score,
        name=SCORE_NAME,
        label=f"{score.label}, as GGUF ({kind})",
        settings=replace(
            score.settings,
            engine=EngineSettings(score.settings.engine.version, choice),
            processes=1,
        ),
        inputs={**score.inputs, "gguf": exported},
        make=score_export,
        resumes=has_batches,
    )


@dataclass(frozen=True)
class LossSettings:
    """The loss of a file is told by its two scores alone."""


def make_loss_stage(score: Stage, exported: Stage) -> Stage:
    """Plans the paired difference of a file's score and its checkpoint's."""
    return Stage(
        name=LOSS_NAME,
        version=1,
        label=f"{exported.label}, beside the checkpoint",
        settings=LossSettings(),
        make=compute_loss,
        inputs={"before": score, "after": exported},
        about=exported.about,
    )


def compute_loss(settings: LossSettings, work: Work) -> Outcome:
    """Compares the two scores on the items that both have."""
    from reports.store.model import StoredArtifact
    from reports.store.scores import read_score
    from reports.tables.gain import compute_gain

    before, after = (
        read_score(StoredArtifact(one.path, one.manifest, Facts()))
        for one in (work.inputs["before"], work.inputs["after"])
    )
    found = compute_gain(before, after)
    facts = Loss(
        before.score, after.score, found.points, found.low, found.high, found.p, found.n,
        found.test, found.why,
    )  # fmt: skip
    return Outcome(asdict(facts))


def find_file(artifact: Artifact) -> Path:
    """Returns the GGUF file of an exported checkpoint."""
    return artifact.path / str(artifact.manifest.config["file"])


def score_export(settings: ScoreSettings, work: Work) -> Outcome:
    """Asks the GGUF file every item."""
    choice = replace(settings.engine.choice, file=str(find_file(work.inputs["gguf"])))
    engine = replace(settings.engine, choice=choice)
    return score_checkpoint(replace(settings, engine=engine), work)
