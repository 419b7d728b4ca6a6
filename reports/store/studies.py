"""Reads the results of blind preference studies: STORE/preference/*/result.json.

`kakugo-preference unblind` writes them, with a manifest that lists every file's size and SHA-256;
the figures are counted again from `votes.csv`. Not covered: whether a study verifies against its
key and what was published of it, which `kakugo-preference verify` tells.
"""

from pathlib import Path

from core.contract.names import MANIFEST, PARTIAL, RESULT, STUDIES, VOTES
from core.contract.record import R, Unreadable, read_file
from core.contract.study import StudyManifest, StudyResult
from reports.store.files import verify
from reports.store.model import Problem, Study
from reports.store.recount import check_counts

_REDO = "kakugo-preference unblind again, from the closed pack and its key"


def read_studies(store: Path, problems: list[Problem]) -> list[Study]:
    """Every study that can be believed, by language and folder; the others become problems. What is
    hidden or still being written (`.partial`) is no study yet."""
    found = []
    for folder in sorted((store / STUDIES).glob("*/")):
        if folder.name.endswith(PARTIAL) or folder.name.startswith("."):
            continue
        try:
            found.append(_read(folder))
        except Unreadable as error:
            where = f"{STUDIES}/{folder.name}"
            problems.append(Problem(where, str(error), error.remedy or _REDO))
    return sorted(found, key=lambda study: (study.language, study.folder.name))


def _read(folder: Path) -> Study:
    manifest = _record(StudyManifest, folder, MANIFEST)
    for name in manifest.files:
        verify(folder, name, manifest.files)
    for name in (RESULT, VOTES):
        if name not in manifest.files:
            raise Unreadable(f"{name} is not listed in the manifest")
    result = _record(StudyResult, folder, RESULT)
    try:
        about = result.about
    except Unreadable as error:
        raise Unreadable(f"{RESULT} study.{error}", error.remedy) from None
    check_counts(folder, result)
    return Study(folder, result, about)


def _record(kind: type[R], folder: Path, name: str) -> R:
    try:
        return read_file(kind, folder / name)
    except Unreadable as error:
        raise Unreadable(f"{name} {error}", error.remedy) from None
