"""A stage: one step of an experiment, what its result depends on, and the function that makes it.

Stages form the experiment's graph through `inputs`. A stage's key follows from its settings and its
inputs' keys alone, so that the whole plan of a run is known before any work is done. Its function
is given those very settings and nothing else of the configuration, so that it cannot read what its
key does not hold.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from core.contract.facts import F, extract_facts
from core.contract.manifest import About, Manifest
from core.contract.names import MANIFEST
from core.contract.record import Unreadable
from harness.errors import report_unreadable
from harness.keys import make_stage_key, take_keyed

Progress = Callable[[int, int, str], None]
"""Called as (done, total, note) while a stage works."""


@dataclass(frozen=True)
class Outcome:
    """The facts that a stage gives of its result, beside the files it wrote.

    `facts` are for reports: those of `core.contract.facts`, or plain JSON. Tokens are the
    teacher's; `cost_usd` is None where the price is not known, and 0.0 where the work was free.
    `scratch` names what an interrupted stage goes on from and a finished one does not need: it is
    no part of the artifact. `records` names the files that tell of the work (logs, cards): they
    differ from one making to the next, and nothing is made from them.
    """

    facts: object = field(default_factory=dict)
    tokens_input: int = 0
    tokens_output: int = 0
    cost_usd: float | None = 0.0
    scratch: tuple[str, ...] = ()
    records: tuple[str, ...] = ()


@dataclass(frozen=True)
class Artifact:
    """The finished result of a stage: a directory with a manifest."""

    stage: str
    key: str
    path: Path
    manifest: Manifest

    def read_facts(self, kind: type[F]) -> F:
        """Reads the facts of the stage about its result. Raises `ArtifactCorrupt` where they
        cannot be read."""
        try:
            return extract_facts(self.manifest, kind)
        except Unreadable as error:
            raise report_unreadable(self.path, MANIFEST, error) from None


@dataclass(frozen=True)
class Work:
    """The arguments of a stage's function.

    `out` is where it writes. It is empty, but where the stage `resumes` from what an interrupted
    run left there. `inputs` are the finished artifacts of the stage's inputs, by role, and `key` is
    the stage's own.
    """

    out: Path
    inputs: Mapping[str, Artifact]
    progress: Progress
    key: str = ""


def begins_anew(partial: Path) -> bool:
    """Says of a stage that nothing which an interrupted run has left of it is of use."""
    return False


@dataclass(frozen=True)
class Stage:
    """One step. `settings` and the inputs' keys make its key; `label` and `about` are for people.

    `settings` is a frozen dataclass of the stage's own (see `harness.keys.take_keyed` for what of
    it is in the key), and `make` a function of a module, which closes over nothing.
    """

    name: str
    version: int
    label: str
    settings: Any
    make: Callable[[Any, Work], Outcome]
    inputs: Mapping[str, "Stage"] = field(default_factory=dict)
    about: About = field(default_factory=About)
    check: Callable[[Any], None] | None = None
    """Raises an error that a person can mend where these settings cannot be made here. It is asked
    before anything is made or paid."""
    shared: bool = False
    """Kept in the cache that all stores share: for what is costly to make and the same for all."""
    resumes: Callable[[Path], bool] = begins_anew
    """Whether `make` goes on from what an interrupted run has left in a folder."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """The part of the settings that can change the result, as plain JSON values."""
        fields: Mapping[str, Any] = take_keyed(self.settings)
        return fields

    @cached_property
    def key(self) -> str:
        """The key of the stage; see `harness.keys.make_stage_key`."""
        return make_stage_key(
            self.name, self.version, self.fields, {role: s.key for role, s in self.inputs.items()}
        )


def list_with_inputs(stages: Iterable[Stage]) -> Iterator[Stage]:
    """Lists the stages and all that they are made from, each once and behind its inputs."""
    seen: set[str] = set()

    def walk(stage: Stage) -> Iterator[Stage]:
        if stage.key not in seen:
            seen.add(stage.key)
            for needed in stage.inputs.values():
                yield from walk(needed)
            yield stage

    for stage in stages:
        yield from walk(stage)
