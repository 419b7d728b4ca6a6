"""The manifest of a finished artifact: what it is, what it was made of and with, and its files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.contract.record import Count, NotNegative, make_schema_field

SCHEMA = 1


@dataclass(frozen=True)
class About:
    """The subject of an artifact, in words; a field is None where it does not apply to the
    stage."""

    language: str | None = None
    student: str | None = None
    teacher: str | None = None
    source: str | None = None
    mix: str | None = None
    producer: str | None = None
    role: str | None = None
    """Of a checkpoint: see `core.contract.producers.find_role`, which knows older ones, too."""
    task: str | None = None
    repository: str | None = None
    subset: str | None = None


@dataclass(frozen=True)
class Input:
    """An artifact that went in: its role, its stage and key, and the hash of its content.

    `content` is None in manifests that are older than that field.
    """

    name: str
    stage: str
    key: str
    content: str | None


@dataclass(frozen=True)
class TokenCounts:
    """The teacher's tokens."""

    input: Count = 0
    output: Count = 0


@dataclass(frozen=True)
class Git:
    """The commit of the harness and whether it had uncommitted changes; None outside of git."""

    commit: str | None = None
    dirty: bool | None = None


@dataclass(frozen=True)
class FileEntry:
    """A file of the artifact."""

    bytes: Count
    sha256: str


@dataclass(frozen=True)
class Name:
    """The stage and key of the artifact that a manifest describes. They are checked before all
    other fields."""

    stage: str | None
    key: str | None
    schema: int = make_schema_field(SCHEMA)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """All that is known of a finished artifact.

    `version` is the stage's own, bumped by hand. `facts` are the stage's (see `facts`). `cost_usd`
    is None where no price is known. `seconds` are those of the process that finished it, and
    `resumed` says that it went on from what an earlier one had done. `content` is one SHA-256 of
    its files.
    """

    stage: str
    version: int | None
    key: str
    label: str | None
    about: About = field(default_factory=About)
    config: Mapping[str, Any]
    inputs: tuple[Input, ...]
    facts: Mapping[str, Any]
    tokens: TokenCounts = field(default_factory=TokenCounts)
    cost_usd: NotNegative | None
    created: str | None
    seconds: NotNegative
    resumed: bool = False
    packages: Mapping[str, str]
    git: Git = field(default_factory=Git)
    content: str | None
    files: Mapping[str, FileEntry]
    schema: int = make_schema_field(SCHEMA)

    @property
    def checkpoint(self) -> str:
        """The key of the checkpoint that a score is of; "" where it is of none."""
        return next((found.key for found in self.inputs if found.name == "checkpoint"), "")

    def find_key(self, stage: str) -> str:
        """Returns the key of the input of a stage; "" where there is none."""
        return next((found.key for found in self.inputs if found.stage == stage), "")
