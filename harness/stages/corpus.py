"""The rows of a data set of the Hub that a source starts from."""

from dataclasses import dataclass, field
from pathlib import Path

from core.contract.facts import CorpusFacts
from core.contract.manifest import About
from core.contract.names import ROWS
from core.places import HUB_MARK
from generation.corpus import PINS, PinnedCorpus, fetch, is_hub, resolve
from generation.source import Source
from harness.config import MakingConfig
from harness.keys import UNKEYED
from harness.stage import Artifact, Outcome, Stage, Work

NAME = "corpus"


@dataclass(frozen=True)
class CorpusSettings:
    """Some rows of a subset of a repository at a commit: the first `scan`, or with `spread` as many
    of all.

    Of a folder the content counts, which is its commit, and not where it lies.
    """

    repository: str | None  # None: a folder
    commit: str
    subset: str | None
    folder: bool
    scan: int
    spread: bool = field(default=False, kw_only=True, metadata={"since": "0.2", "before": False})
    path: str = field(metadata=UNKEYED)  # the repository's name, or where the folder lies

    @property
    def place(self) -> PinnedCorpus:
        """The place as `generation.corpus` takes it."""
        return PinnedCorpus(self.path, self.commit, self.subset, self.folder)


def make_corpus_stage(config: MakingConfig, source: Source, ledgers: Path) -> Stage | None:
    """Returns the stage that fetches what a source starts from; None where that is local files."""
    context, translated, spread = config.sources.context, config.sources.translated, False
    if source == "context":
        location, subset, scan = context.texts, context.subset, context.scan
        subset = subset or (
            location and config.language.find_subset(location.removeprefix(HUB_MARK))
        )
    elif source == "translated":
        location, subset, scan = translated.conversations, translated.subset, translated.scan
        spread = translated.spread
    else:
        return None
    if location is None or not is_hub(location):
        return None
    place = resolve(location, subset, ledgers / PINS)
    return Stage(
        name=NAME,
        version=1,
        label=f"{place.repository}, {subset or 'default'}: "
        + (f"{scan:,} rows out of all" if spread else f"the first {scan:,} rows"),
        settings=CorpusSettings(
            repository=None if place.folder else place.repository,
            commit=place.commit,
            subset=place.subset,
            folder=place.folder,
            scan=scan,
            spread=spread,
            path=place.repository,
        ),
        make=fetch_rows,
        about=About(repository=place.repository, subset=subset),
        shared=True,
    )


def fetch_rows(settings: CorpusSettings, work: Work) -> Outcome:
    """Streams the rows into the artifact."""
    out = work.out / ROWS
    rows = fetch(settings.place, settings.scan, out, work.progress, spread=settings.spread)
    place = settings.place
    return Outcome(
        CorpusFacts(
            rows, place.repository, place.commit, place.subset, place.folder, settings.spread
        )
    )


def name_origin(corpus: Artifact) -> str:
    """Names the place that a corpus is from, for the card of a source."""
    facts = corpus.read_facts(CorpusFacts)
    place = f"{facts.repository}, {facts.subset}, at {facts.commit}"
    return f"{place}, " + (
        f"{facts.rows:,} of its rows" if facts.spread else f"first {facts.rows:,} rows"
    )
