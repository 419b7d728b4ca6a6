"""Reads what several stores share: students that were converted, and fetched data sets.

They lie in a cache beside the stores; a publication needs their records to tell the licences.
"""

from dataclasses import replace
from pathlib import Path

from core.contract.facts import Facts, extract_any_facts
from core.contract.manifest import Manifest
from core.contract.names import MANIFEST
from core.contract.record import Unreadable, read_file
from publishing.errors import PlanError
from reports.store.model import StoredArtifact, StoreView


def add_shared(view: StoreView, cache: Path) -> StoreView:
    """Returns a view that has the artifacts of the cache, too, that the store's were made from.

    What is not there stays away, and is refused where a licence hangs on it. Raises PlanError for a
    manifest that cannot be read.
    """
    artifacts = {stage: dict(made) for stage, made in view.artifacts.items()}
    needed = {
        (one.stage, one.key)
        for made in view.artifacts.values()
        for artifact in made.values()
        for one in artifact.manifest.inputs
    }
    for stage, key in sorted(needed):
        folder = cache / stage / key
        if key not in artifacts.get(stage, {}) and (folder / MANIFEST).is_file():
            artifacts.setdefault(stage, {})[key] = _read_artifact(folder)
    return replace(view, artifacts=artifacts)


def _read_artifact(folder: Path) -> StoredArtifact[Facts]:
    try:
        manifest = read_file(Manifest, folder / MANIFEST)
        return StoredArtifact(folder, manifest, extract_any_facts(manifest))
    except Unreadable as error:
        raise PlanError(
            f"{folder / MANIFEST} {error}.\n"
            f"Remedy: {error.remedy or 'delete that folder and run the same experiment again'}."
        ) from None
