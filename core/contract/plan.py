"""The plan of a run: what it intended, from which reports name what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.contract.record import make_schema_field


@dataclass(frozen=True)
class PlannedLanguage:
    """A language, by its names and its script; `direction` is "ltr", "rtl" or "" (unknown)."""

    name: str
    autonym: str | None = None
    flores_code: str | None = None
    script: str | None = None
    direction: str = ""
    tag: str | None = None
    """Its BCP 47 tag; plans of before have none."""
    gaps: Mapping[str, str] = field(default_factory=dict)
    """Why a benchmark lacks it, by the benchmark's name."""


@dataclass(frozen=True)
class PlannedStage:
    """A step that the run builds or finds; `inputs` are the keys of those that it needs."""

    stage: str
    key: str
    label: str | None
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checkpoint:
    """The artifact that holds a checkpoint."""

    stage: str = ""
    key: str = ""


@dataclass(frozen=True)
class PlannedCell:
    """One score that a run planned. Either `key` is set, or `gap` says why it cannot exist."""

    language: str
    producer: str
    checkpoint: Checkpoint
    task: str
    key: str | None
    gap: str | None
    role: str | None = None
    """Of the producer: see `core.contract.producers.find_role`, which knows older ones, too."""


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """A run's experiment in one language. `command` is what a person typed."""

    run: str | None
    experiment: str = ""
    command: str = ""
    language: PlannedLanguage
    student: str = ""
    teacher: str = ""
    mix: str = ""
    stages: tuple[PlannedStage, ...]
    cells: tuple[PlannedCell, ...]
    texts: tuple[PlannedCell, ...] = ()
    """What it planned of bits per byte, with the text's name as the task."""
    schema: int = make_schema_field(1)
