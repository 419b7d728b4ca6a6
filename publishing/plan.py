"""Plans which repositories a store gives, from its manifests alone, and says what is refused.

A language gives one model, its trained checkpoint, and one data set, whose configurations are the
sources that this checkpoint was made from (all sources of the language where none was trained).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils._validators import validate_repo_id

from core.contract.facts import CorpusFacts, Facts
from core.languages import find_language, list_languages, tag_language
from publishing.errors import PlanError
from publishing.licences import OURS, TEXTS, WEIGHTS, Origin, find_corpus, find_model
from publishing.votes import has_consent, read_ballot
from reports.store.model import StoredArtifact, StoreView, Study

Kind = Literal["model", "dataset"]
Artifact = StoredArtifact[Facts]
# As huggingface_hub lays out its cache: models--OWNER--NAME/snapshots/COMMIT.
_CACHED = re.compile(r"/models--([^/]+?)--([^/]+)/snapshots/[0-9a-f]{40}/?$")
MADE = ("train", "distill")
"""The stages whose checkpoints are published unless another is named: the ends of trainings."""


@dataclass(frozen=True)
class Tongue:
    """A language as the Hub and its readers name it; `autonym` is "" where it is not known, and
    `code` is what its repositories are called by."""

    name: str
    autonym: str
    tag: str
    code: str
    flores_code: str


@dataclass(frozen=True)
class Objection:
    """Something that may not be published, why, and what a person can do."""

    what: str
    why: str
    remedy: str


@dataclass(frozen=True)
class HubRepository:
    """A repository to be: `artifacts` are the checkpoint, or the sources, and `key` is what tells
    it from one with other content. `partner` is the other repository of the same language. The
    votes of a blind study have `study` in place of artifacts."""

    name: str
    kind: Kind
    tongue: Tongue
    artifacts: Sequence[Artifact]
    origins: Sequence[Origin]
    partner: str | None = None
    study: Study | None = None

    @property
    def key(self) -> str:
        if self.study:
            return f"{self.study.folder.name}-{self.study.about.head}"
        return "-".join(artifact.key for artifact in self.artifacts)


@dataclass(frozen=True)
class Publication:
    """The repositories that a store gives, and what is refused."""

    repositories: Sequence[HubRepository]
    refusals: Sequence[Objection]


@dataclass(frozen=True)
class Wanted:
    """The choices of a person: to which organisation, which languages and which checkpoint (all and
    the only one where nothing is named), and what is stated by name: licences, and the repositories
    that students are (`bases`). `votes`: those of blind studies, too; `consents`: studies whose
    raters agreed to that in words of their own."""

    organisation: str
    languages: Sequence[str] = ()
    producer: str | None = None
    licences: Mapping[str, str] = field(default_factory=dict)
    bases: Mapping[str, str] = field(default_factory=dict)
    votes: bool = False
    consents: Sequence[str] = ()


def plan_publication(view: StoreView, wanted: Wanted) -> Publication:
    """Plans the repositories of all languages that the store has something of.

    Raises PlanError where there is nothing at all, or a language is asked for that is not there.
    """
    made = {a.language for a in [*view.trained, *view.list_stage("source")] if a.language}
    names = sorted(made | {one.language for one in view.studies if wanted.votes})
    if missing := [one for one in wanted.languages if _fold(one) not in map(_fold, names)]:
        raise PlanError(
            f"The store has no checkpoint and no data of {', '.join(missing)}.\n"
            f"Remedy: name one of these: {', '.join(names) or 'none is there'}."
        )
    if wanted.languages:
        names = [name for name in names if _fold(name) in map(_fold, wanted.languages)]
    if not names:
        raise PlanError(
            "The store holds neither a trained checkpoint nor data of a language.\n"
            "Remedy: run an experiment first (`kakugo`), or name its store."
        )
    repositories: list[HubRepository] = []
    refusals: list[Objection] = []
    for name in names:
        try:
            if name in made:
                repositories += _plan_language(view, name, wanted)
            if wanted.votes:
                repositories += _plan_votes(view, name, wanted)
        except _Refused as error:
            refusals.append(error.refusal)
    for repository in repositories:
        refusals += _refuse_licences(repository)
        refusals += _refuse_name(repository)
        refusals += _refuse_votes(repository, wanted)
    return Publication(repositories, refusals)


def list_ancestors(view: StoreView, artifact: Artifact) -> list[Artifact]:
    """Lists everything that an artifact was made of, each once, inputs first; itself is the last.
    What the store no longer holds is left out."""
    found: dict[tuple[str, str], Artifact] = {}

    def visit(one: Artifact) -> None:
        for needed in one.manifest.inputs:
            made = view.artifacts.get(needed.stage, {}).get(needed.key)
            if made and (needed.stage, needed.key) not in found:
                visit(made)
        found[one.stage, one.key] = one

    visit(artifact)
    return list(found.values())


def find_tongue(view: StoreView, name: str) -> Tongue | None:
    """Finds a language by the registry, or by the plan of a run that gave it a code; None where
    nobody gave one."""
    shown = {run.language.name: run.language for run in view.runs}.get(name)
    known = find_language((shown and shown.flores_code) or name)
    code = known.flores_code if known else shown.flores_code if shown else ""
    tag = tag_language(name, code)
    if not code or not tag:
        return None
    autonym = (known and known.autonym) or (shown and shown.autonym) or ""
    return Tongue(name, autonym, tag.partition("-")[0], shorten_code(code), code)


def shorten_code(code: str) -> str:
    """Shortens a FLORES code to its three letters; where the registry has the language in several
    scripts or dialects, the others stay."""
    start = code.partition("_")[0]
    others = [
        one.flores_code
        for one in list_languages().values()
        if one.flores_code.partition("_")[0] == start
    ]
    return start if len(others) < 2 else code.lower().replace("_", "-")


class _Refused(Exception):
    """Ends the plan of a language."""

    def __init__(self, what: str, why: str, remedy: str) -> None:
        super().__init__(why)
        self.refusal = Objection(what, why, remedy)


def _fold(name: str) -> str:
    found = find_language(name)
    return found.id if found else name.casefold()


def _plan_language(view: StoreView, name: str, wanted: Wanted) -> Iterator[HubRepository]:
    tongue = find_tongue(view, name)
    if tongue is None:
        raise _refuse_tongue(name)
    checkpoint = _choose_checkpoint(view, name, wanted.producer)
    ancestors = list_ancestors(view, checkpoint) if checkpoint else view.list_stage("source")
    sources = [a for a in ancestors if a.stage == "source" and a.language == name]
    _check_sources(name, sources)
    owner = wanted.organisation
    data = f"{owner}/kakugo-{tongue.code}" if sources else None
    model = None
    origins = {s.key: list(_find_origins_of_source(view, s, wanted.licences)) for s in sources}
    if checkpoint:
        models = list(_find_models(ancestors, wanted))
        student = models[0].name.rpartition("/")[2] if models else "model"
        model = f"{owner}/kakugo-{_make_slug(student)}-{tongue.code}"
        every = [*models, *(one for found in origins.values() for one in found)]
        yield HubRepository(model, "model", tongue, (checkpoint,), _list_once(every), data)
    if data:
        every = [one for found in origins.values() for one in found]
        yield HubRepository(data, "dataset", tongue, sources, _list_once(every), model)


def _plan_votes(view: StoreView, name: str, wanted: Wanted) -> Iterator[HubRepository]:
    """Plans a data set for each blind study of a language."""
    studies = [one for one in view.studies if one.language == name]
    tongue = find_tongue(view, name)
    if studies and tongue is None:
        raise _refuse_tongue(name)
    for study in studies:
        assert tongue is not None
        place = study.folder.name
        suffix = f"-{_make_slug(place)[:12]}" if len(studies) > 1 else ""
        repository = f"{wanted.organisation}/kakugo-votes-{tongue.code}{suffix}"
        origin = Origin(f"study {place}", wanted.licences.get(f"study {place}"), "texts")
        yield HubRepository(repository, "dataset", tongue, (), (origin,), study=study)


def _refuse_votes(repository: HubRepository, wanted: Wanted) -> Iterator[Objection]:
    study = repository.study
    if study is None:
        return
    try:
        agreed = has_consent(read_ballot(study)) or study.folder.name in wanted.consents
    except (OSError, ValueError, LookupError) as error:
        yield Objection(
            repository.name,
            f"the study's files cannot be read ({type(error).__name__}: {error})",
            "kakugo-preference unblind again, from the closed pack and its key",
        )
        return
    if not agreed:
        yield Objection(
            repository.name,
            "the words to which its raters agreed are none that are known to say that choices "
            "are published",
            f"where they do: --consent {study.folder.name}",
        )


def _refuse_tongue(name: str) -> _Refused:
    return _Refused(
        name,
        "no language code is known of it, which the Hub asks for",
        "run with language.flores_code=CODE, or leave it out with --language",
    )


def _list_once(origins: Sequence[Origin]) -> list[Origin]:
    return list(dict.fromkeys(origins))


def _make_slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "model"


def _choose_checkpoint(view: StoreView, language: str, producer: str | None) -> Artifact | None:
    """Chooses the checkpoint of a language; None where none was trained."""
    every = [a for a in view.trained if a.language == language]
    if producer:
        found = [a for a in every if a.about.producer == producer or a.key.startswith(producer)]
    else:
        found = [a for a in every if a.stage in MADE]
    if len(found) == 1:
        return found[0]
    if not every and not producer:
        return None
    listed = ", ".join(f"{a.about.producer} ({a.key[:12]})" for a in found or every) or "none"
    raise _Refused(
        language,
        f"{len(found)} of its checkpoints are meant, and a language has one model",
        f"name one with --producer, by its name or its key: {listed}",
    )


def _check_sources(language: str, sources: Sequence[Artifact]) -> None:
    names = [source.about.source for source in sources]
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise _Refused(
            language,
            f"the store has {', '.join(twice)} more than once, and no checkpoint tells which",
            "train on one of them, or publish from a store that has each once",
        )


def find_repository(base: Artifact, bases: Mapping[str, str]) -> str | None:
    """Finds where on the Hub a model is from: by its record, its weights, what a person says of its
    name, or its place in the Hub's own cache; None where none of them tells."""
    config, student = base.manifest.config, base.about.student or ""
    known = config.get("repository") or WEIGHTS.get(str(config.get("sha256")))
    if known or student in bases:
        return str(known or bases[student])
    cached = _CACHED.search(str(config.get("path") or ""))
    return f"{cached[1]}/{cached[2]}" if cached else None


def _find_models(ancestors: Sequence[Artifact], wanted: Wanted) -> Iterator[Origin]:
    """Finds the models whose weights went into a checkpoint, the student first."""
    there = {artifact.key for artifact in ancestors}
    needed = {i.key for a in ancestors for i in a.manifest.inputs if i.stage == "base"}
    for key in sorted(needed - there):
        yield Origin(f"the base {key}, whose record is gone", None, "base")
    for base in (artifact for artifact in ancestors if artifact.stage == "base"):
        name = find_repository(base, wanted.bases)
        found = name or base.about.student or base.key
        yield find_model(found, wanted.licences, "base", on_hub=bool(name))


def _find_origins_of_source(
    view: StoreView, source: Artifact, stated: Mapping[str, str]
) -> Iterator[Origin]:
    """Finds what the rows of a source are derived from: the teacher, and the texts it was given."""
    config, name = source.manifest.config, source.about.source or source.key
    if source.about.teacher:
        weights = WEIGHTS.get(str(config.get("teacher_weights")))
        teacher = weights or source.about.teacher
        yield find_model(teacher, stated, "teacher", on_hub="/" in teacher)
    else:
        yield Origin(name, stated.get(name), "texts")
    for role, sha256 in (config.get("files") or {}).items():
        if source.about.teacher and role != "prompts":
            own, given = TEXTS.get(str(sha256)), f"{name} {role}"
            licence = OURS if own else stated.get(given)
            yield Origin(own or given, licence, "texts")
    for needed in source.manifest.inputs:
        if needed.stage == "corpus":
            corpus = view.find(CorpusFacts, needed.key)
            place = corpus.facts.repository if corpus else f"{name} corpus"
            yield find_corpus(place, stated)


def _refuse_licences(repository: HubRepository) -> Iterator[Objection]:
    for origin in repository.origins:
        if origin.obstacle:
            yield Objection(
                repository.name,
                f"is made from {origin.name}, and {origin.obstacle}",
                f"where you know that it allows it: --licence '{origin.name}=IDENTIFIER'",
            )


def _refuse_name(repository: HubRepository) -> Iterator[Objection]:
    try:
        validate_repo_id(repository.name)
    except HFValidationError as error:
        yield Objection(
            repository.name,
            f"is no name that the Hub takes ({error})",
            "another organisation with --to: letters, digits, -, _ and . only",
        )
