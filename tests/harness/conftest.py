"""What tests of keys share: inputs that are the same on every machine and on every day."""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import hub_repositories
import pytest
from planned import least_checkpoint

from tasks import hub

COMMITS = {"HuggingFaceFW/fineweb-2@main": "2" * 40, "BAAI/Infinity-Instruct@main": "3" * 40}
# By the last part of a repository's name on the Hub.
BENCHMARKS = {
    "sib200": "sib200",
    "belebele": "belebele",
    "Global-MMLU": "global_mmlu",
    "flores_plus": "flores",
}


@pytest.fixture(scope="session")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The benchmarks' repositories in the Hub's layout."""
    root = tmp_path_factory.mktemp("repositories")
    for name, write in hub_repositories.WRITERS.items():
        (root / name).mkdir()
        write(root / name)
    return root


@pytest.fixture
def fixed(repositories: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Takes out of the keys what differs from machine to machine: versions of packages, the
    precision, and what the Hub has; returns a folder of ledgers in which commits are written down.
    """
    weights = tmp_path / "student.gguf"
    weights.write_bytes(b"the weights of the embedded student")
    for name in (
        "training.students.find_embedded_gguf",
        "harness.stages.sources.find_embedded_gguf",
    ):
        monkeypatch.setattr(name, lambda: weights)
    monkeypatch.setattr("harness.stages.scoring.read_package_version", lambda name: "as installed")
    monkeypatch.setattr("harness.scoring.choice.has_nvidia_gpu", lambda: False)
    monkeypatch.setattr(
        "harness.stages.training.resolve_precision", lambda asked: asked.replace("auto", "fp32")
    )

    def resolve(name: str) -> hub.Repository:
        folder = repositories / BENCHMARKS[name.rpartition("/")[2]]
        return hub.Repository(name, "1" * 40, folder)

    monkeypatch.setattr(hub, "resolve", resolve)
    monkeypatch.setattr(hub, "read_rows", _remembering(hub.read_rows))

    def snapshot(repository: str, revision: str | None) -> str:
        commit = hashlib.sha1(f"{repository} {revision}".encode()).hexdigest()
        return str(least_checkpoint(tmp_path / "snapshots" / commit))

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    ledgers = tmp_path / "ledgers"
    ledgers.mkdir()
    (ledgers / "hub.json").write_text(json.dumps(COMMITS))
    return ledgers


def _remembering(rows: Callable[..., Any]) -> Callable[..., Any]:
    """`hub.rows`, which reads each set once."""

    @cache
    def read(repository: hub.Repository, config: str, split: str, *columns: tuple[str, ...]) -> Any:
        return rows(hub.Repository("", None, repository.folder), config, split, *columns)

    return lambda repository, config, split, *columns: read(
        repository, config, split, *map(tuple, columns)
    )
