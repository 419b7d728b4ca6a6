"""A source: one kind of data in one language, written by the teacher or read from own files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import yaml

from core.contract.facts import SourceFacts
from core.contract.manifest import About
from core.contract.names import ROWS
from core.files import hash_file
from generation.errors import InputError
from generation.own import make_own
from generation.own_files import find_own_files
from generation.settings import (
    Context,
    Own,
    Quality,
    Scenario,
    Sources,
    Teacher,
    Topic,
    Translated,
)
from generation.source import Order, Source, TokenMeasure, hash_inputs, make_source
from harness.config import Config, MakingConfig
from harness.keys import IF_GIVEN, MERGED, UNKEYED
from harness.overrides import CONF
from harness.stage import Outcome, Stage, Work
from harness.stages.corpus import make_corpus_stage, name_origin
from harness.students import StudentTokens
from harness.teacher import running_teacher
from training.students import find_embedded_gguf

NAME, VERSION = "source", 3
Kind = Topic | Scenario | Context | Translated


@dataclass(frozen=True)
class KindSettings:
    """The part of `sources` that concerns one kind of source, and nothing of the others."""

    kind: Kind = field(metadata=MERGED)
    quality: Quality
    revised_share: float | None = field(metadata=IF_GIVEN)  # translations are not revised

    def as_sources(self, source: Source) -> Sources:
        """Returns the settings as an `Order` has them, of which the other kinds are the
        defaults."""
        kind = Sources(**{source: self.kind}, quality=self.quality)  # type: ignore[arg-type]
        return (
            kind if self.revised_share is None else replace(kind, revised_share=self.revised_share)
        )


@dataclass(frozen=True)
class SourceSettings:
    """The settings of the teacher's rows of one source.

    The FLORES code and the script decide which answers count as in the language. Files are in the
    key by their content: those of the source by their roles, the teacher's weights where a server
    of our own runs them, and a model that identifies languages where one is given.
    """

    source: Source
    language: str
    flores_code: str | None
    script: str | None
    seed: int
    settings: KindSettings
    teacher: Teacher
    teacher_weights: str | None
    files: Mapping[str, str]
    identifier: str | None = field(metadata=IF_GIVEN)
    weights_file: Path | None = field(metadata=UNKEYED)
    prompts_file: Path = field(metadata=UNKEYED)
    ledger: Path = field(metadata=UNKEYED)  # answers of before, each under all that was asked


@dataclass(frozen=True)
class OwnSettings:
    """The settings of a source of the user's own; the files' content is in the key."""

    own: str
    language: str
    flores_code: str | None
    script: str | None
    seed: int
    settings: Own
    quality: Quality
    files: Mapping[str, str]
    identifier: str | None = field(metadata=IF_GIVEN)


def make_any_source_stage(
    config: MakingConfig, name: str, student: Callable[[], Stage], ledgers: Path
) -> Stage:
    """Makes the stage of a source of the user's own, or of one that the teacher writes."""
    if name in config.sources.own:
        return make_own_stage(config, name)
    return make_source_stage(config, cast(Source, name), student, ledgers)


def make_source_stage(
    config: MakingConfig, source: Source, student: Callable[[], Stage], ledgers: Path
) -> Stage:
    """Makes the stage of one kind of data in one language, written by the teacher."""
    language, teacher, sources = config.language, config.teacher, config.sources
    weights = find_embedded_gguf() if teacher.kind == "embedded" else None
    settings = SourceSettings(
        source=source,
        language=language.name,
        flores_code=language.flores_code,
        script=language.script,
        seed=config.seed,
        settings=KindSettings(
            getattr(sources, source),
            sources.quality,
            None if source == "translated" else sources.revised_share,
        ),
        teacher=teacher,
        teacher_weights=hash_file(weights) if weights else None,
        files=_hash_files(config, source),
        identifier=_hash_identifier(sources.quality),
        weights_file=weights,
        prompts_file=Path(config.prompts_file),
        ledger=find_ledger(config, ledgers),
    )
    corpus = make_corpus_stage(config, source, ledgers)
    # Contexts are cut, and translations filtered, by the student's tokens.
    inputs = {"base": student()} if source in ("context", "translated") else {}
    if corpus:
        inputs["corpus"] = corpus
    return Stage(
        name=NAME,
        version=VERSION,
        label=f"{language.name}: {source}",
        settings=settings,
        inputs=inputs,
        make=write_source,
        resumes=asks_no_answer_twice,
        about=About(language=language.name, source=source, teacher=teacher.name),
    )


def asks_no_answer_twice(partial: Path) -> bool:
    """Says that an interrupted run goes on: each answer was in the ledger as soon as it came."""
    return True


def write_source(settings: SourceSettings, work: Work) -> Outcome:
    """Asks the teacher for what the ledger lacks and writes the rows."""
    facts = ask_teacher(settings, work)
    return Outcome(
        facts,
        facts.tokens_input,
        facts.tokens_output,
        facts.cost_usd,
        records=("README.md",),
    )


def ask_teacher(settings: SourceSettings, work: Work, pilot: int | None = None) -> SourceFacts:
    """Makes a source, or asks a pilot of it, with the teacher running."""
    source, kind, origins = settings.source, settings.settings, {}
    if corpus := work.inputs.get("corpus"):
        role = "texts" if source == "context" else "conversations"
        origins[role] = name_origin(corpus)
        kind = replace(kind, kind=_start_from(kind.kind, str(corpus.path / ROWS)))
    tokens = StudentTokens(work.inputs.get("base"))
    with running_teacher(settings.teacher, settings.weights_file) as ready:
        order = Order(
            source,
            language=settings.language,
            flores_code=settings.flores_code,
            settings=kind.as_sources(source),
            prompts_file=settings.prompts_file,
            seed=settings.seed,
            script=settings.script,
        )
        return make_source(
            order,
            ready,
            ledger=settings.ledger,
            out=work.out,
            tokens=TokenMeasure(tokens.count, tokens.cut),
            progress=work.progress,
            pilot=pilot,
            origins=origins,
        )


def make_own_stage(config: MakingConfig, name: str) -> Stage:
    """Makes the stage of a source of the user's own; no teacher is asked."""
    own, language, quality = config.sources.own[name], config.language, config.sources.quality
    return Stage(
        name=NAME,
        version=VERSION,
        label=f"{language.name}: {name} (own)",
        settings=OwnSettings(
            own=name,
            language=language.name,
            flores_code=language.flores_code,
            script=language.script,
            seed=config.seed,
            settings=own,
            quality=quality,
            files={role: hash_file(path) for role, path in find_own_files(name, own).items()},
            identifier=_hash_identifier(quality),
        ),
        make=read_own,
        about=About(language=language.name, source=name),
    )


def read_own(settings: OwnSettings, work: Work) -> Outcome:
    """Reads the user's files into rows as any source has them."""
    facts = make_own(
        settings.own,
        settings.settings,
        language=settings.language,
        flores_code=settings.flores_code,
        script=settings.script,
        quality=settings.quality,
        hashes=dict(settings.files),
        seed=settings.seed,
        out=work.out,
        progress=work.progress,
    )
    return Outcome(facts, records=("README.md",))


def find_ledger(config: Config, ledgers: Path) -> Path:
    """Names the file of the ledger of the experiment's language."""
    slug = "".join(c if c.isalnum() else "_" for c in config.language.name.lower())
    return ledgers / f"{slug}.sqlite"


def _start_from(kind: Kind, rows: str) -> Kind:
    """Returns the settings with the file of a corpus in place of the data set that it is of."""
    if isinstance(kind, Context):
        return replace(kind, texts=rows)
    if isinstance(kind, Translated):
        return replace(kind, conversations=rows)
    return kind


def _hash_files(config: MakingConfig, source: Source) -> Mapping[str, str]:
    """Computes the SHA-256 of each file of a source; the error for a missing one names mixtures
    without it."""
    try:
        return hash_inputs(
            Order(
                source,
                language=config.language.name,
                flores_code=config.language.flores_code,
                settings=config.sources,
                prompts_file=Path(config.prompts_file),
                seed=config.seed,
            )
        )
    except InputError as error:
        without = " or ".join(f"mix={name}" for name in list_mixtures_without(source))
        raise InputError(f"{error} Without the source {source}: {without}.") from None


def list_mixtures_without(source: str) -> list[str]:
    """Lists the shipped mixtures that take some sources, but not this one."""
    found = []
    for path in sorted((CONF / "mix").glob("*.yaml")):
        weights = yaml.safe_load(path.read_text(encoding="utf-8")).get("weights")
        if weights and source not in weights:
            found.append(path.stem)
    return found


def _hash_identifier(quality: Quality) -> str | None:
    """Computes the SHA-256 of the model that identifies languages, where that is a file.

    Without it, another model under the same path would find the rows of the one before.
    """
    path = Path(quality.identifier)
    return hash_file(path) if path.is_file() else None
