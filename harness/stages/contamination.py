"""Looks for every benchmark's items in a mixture, in the language and in English."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.contract.facts import ContaminationFacts
from core.contract.manifest import About
from core.contract.names import CONTAMINATED, ROWS
from generation.mixture.contamination import BenchmarkText, look_for_items
from generation.mixture.settings import Contamination
from harness.config import MakingConfig
from harness.errors import Contaminated
from harness.keys import UNKEYED
from harness.stage import Artifact, Outcome, Stage, Work
from harness.stages.benchmarks import BenchmarkItems
from harness.stages.mixture import find_excluded
from harness.values import show_override
from tasks.data import BenchmarkData

NAME = "contamination"


@dataclass(frozen=True)
class ContaminationSettings:
    """The settings of the search. `items` are in the key by their hash; `unchecked` names the
    benchmarks that are not among them."""

    settings: Contamination
    items_sha256: str
    unchecked: tuple[str, ...]
    data: str
    items: Sequence[BenchmarkText] = field(metadata=UNKEYED)
    reasons: Mapping[str, str] = field(metadata=UNKEYED)  # of `unchecked`, in words
    known: Path | None = field(metadata=UNKEYED)  # what the mixture left out, by its own key


def make_contamination_stage(
    config: MakingConfig, mixture: Stage, found: BenchmarkItems, data: BenchmarkData
) -> Stage:
    """Returns the stage that looks for the benchmarks' texts, `found` in `data`."""
    return Stage(
        name=NAME,
        version=2,
        label=f"{config.language.name}: benchmark texts in {config.mix.name}",
        settings=ContaminationSettings(
            settings=config.contamination,
            items_sha256=found.sha256,
            unchecked=tuple(sorted(found.unchecked)),
            data=data.name,
            items=found.items,
            reasons=found.unchecked,
            known=find_excluded(config),
        ),
        inputs={"mixture": mixture},
        make=look,
        about=About(language=config.language.name, mix=config.mix.name),
    )


def look(settings: ContaminationSettings, work: Work) -> Outcome:
    """Looks for each item in each row."""
    rows = work.inputs["mixture"].path / ROWS
    facts = look_for_items(
        rows, settings.items, settings.settings, work.out, work.progress, known=settings.known
    )
    return Outcome(replace(facts, unchecked=settings.reasons))


def refuse_contaminated(artifact: Artifact, warn: Callable[[str], None]) -> None:
    """Raises `Contaminated` where anything was found, for those who ask for clean data. They must
    not take what nobody could look for as clean, and are warned of it."""
    facts = artifact.read_facts(ContaminationFacts)
    for what, why in facts.unchecked.items():
        warn(f"{what} was not looked for: {why}")
    if not facts.contaminated_rows:
        return
    found = "".join(f"  - {name}: {count} rows\n" for name, count in facts.contamination.items())
    exclude = show_override("mix.exclude", artifact.path / CONTAMINATED)
    raise Contaminated(
        f"{facts.contaminated_rows:,} of {facts.rows:,} training rows hold a benchmark's "
        f"text, and fail_on_contamination is set:\n{found}"
        f"Remedy: leave these rows out with {exclude}, or clean the "
        "sources."
    )
