"""Looks for damage, contamination and secrets before anything is sent."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from core.contract.facts import ContaminationFacts, Facts
from core.contract.names import CHECKPOINT, CONTAMINATED, ROWS, STUDIES, VOTES
from core.contract.record import Unreadable
from core.lines import read_json_lines
from publishing.plan import HubRepository, Objection, Publication, list_ancestors
from publishing.votes import KEY
from reports.store.files import verify
from reports.store.model import StoredArtifact, StoreView

_SECRETS = re.compile(
    r"""\b(?:hf_[A-Za-z0-9]{30,}
    |sk-[A-Za-z0-9_-]{20,}
    |(?:ghp|gho|ghs)_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}
    |AKIA[0-9A-Z]{16}
    |AIza[0-9A-Za-z_-]{35}
    |xox[abpr]-[0-9A-Za-z-]{20,})
    |-----BEGIN[ ](?:[A-Z]+[ ])?PRIVATE[ ]KEY-----""",
    re.VERBOSE,
)
_OF_SECRETS = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD)\Z")
_REDO = "delete its folder and run the same command again; only this stage is redone"


def look_over(view: StoreView, plan: Publication) -> Iterator[Objection]:
    """Reads every file that would be sent, and yields what stands against sending it."""
    for repository in plan.repositories:
        if repository.study:  # whose files were looked over as the store was read
            path = repository.study.folder / KEY
            yield from _find_secrets_of_file(repository, path, f"{STUDIES}/{path.parent.name}")
            continue
        yield from _find_damage(repository)
        yield from _find_contamination(view, repository)
        yield from _find_secrets(repository)


def list_files(artifact: StoredArtifact[Facts]) -> list[str]:
    """Lists the files of an artifact that are published: a checkpoint's, or a source's rows."""
    start = f"{CHECKPOINT}/"
    listed = sorted(artifact.manifest.files)
    return [name for name in listed if name.startswith(start) or name == ROWS]


def measure_files(repository: HubRepository) -> list[int]:
    """Measures the files of a repository in the store, in bytes; its page and Parquet files differ
    a little from them."""
    if study := repository.study:
        return [(study.folder / name).stat().st_size for name in (VOTES, KEY)]
    return [
        artifact.manifest.files[name].bytes
        for artifact in repository.artifacts
        for name in list_files(artifact)
    ]


def read_contamination(
    view: StoreView, repository: HubRepository
) -> list[StoredArtifact[ContaminationFacts]]:
    """Reads what was looked for in the mixtures that a model was trained on; of a data set, in the
    mixtures of its language that took rows of it."""
    found = view.list_with_facts(ContaminationFacts)
    keys = {artifact.key for artifact in repository.artifacts}
    if repository.kind == "model":
        (checkpoint,) = repository.artifacts
        mixtures = {a.key for a in list_ancestors(view, checkpoint) if a.stage == "mixture"}
        return [one for one in found if one.manifest.find_key("mixture") in mixtures]
    taken = []
    for one in found:
        mixture = view.find(Facts, one.manifest.find_key("mixture"))
        if mixture and keys & {needed.key for needed in mixture.manifest.inputs}:
            taken.append(one)
    return taken


def read_contaminated_ids(view: StoreView, repository: HubRepository) -> set[str]:
    """Reads the ids of the rows that hold a benchmark's text, which a data set leaves out."""
    ids: set[str] = set()
    for one in read_contamination(view, repository):
        verify(one.folder, CONTAMINATED, one.manifest.files)
        for _, row in read_json_lines(one.folder / CONTAMINATED):
            if isinstance(row, dict):
                ids.add(str(row.get("id")))
    return ids


def list_own_secrets() -> dict[str, str]:
    """Lists the values of environment variables that are secrets by their names."""
    return {
        name: value
        for name, value in os.environ.items()
        if len(value) >= 12 and _OF_SECRETS.search(name)
    }


def find_secret(text: str, own: Mapping[str, str]) -> str | None:
    """Says what kind of secret stands in a text, and never the secret; None where none does.

    Found are the usual forms of access tokens and private keys, and `own`: the values of
    environment variables whose names end in KEY, TOKEN, SECRET or PASSWORD, by these names. Not
    covered: a password in words.
    """
    if found := _SECRETS.search(text):
        return f"an access token or key that begins with {found[0][:4]!r}"
    for name, value in own.items():
        if value in text:
            return f"the value of the environment variable {name}"
    return None


def _find_damage(repository: HubRepository) -> Iterator[Objection]:
    for artifact in repository.artifacts:
        where = f"{artifact.stage}/{artifact.key}"
        names = list_files(artifact)
        if not names:
            yield Objection(repository.name, f"{where} has no files to publish", _REDO)
        for name in names:
            try:
                verify(artifact.folder, name, artifact.manifest.files)
            except Unreadable as error:
                yield Objection(repository.name, f"{where} is damaged: {error}", _REDO)


def _find_contamination(view: StoreView, repository: HubRepository) -> Iterator[Objection]:
    found = read_contamination(view, repository)
    for one in found:
        try:
            verify(one.folder, CONTAMINATED, one.manifest.files)
        except Unreadable as error:
            where = f"{one.stage}/{one.key}"
            yield Objection(repository.name, f"{where} is damaged: {error}", _REDO)
    if repository.kind == "dataset":
        return  # the rows in question are left out of it
    if not found:
        yield Objection(
            repository.name,
            "nobody has looked for the benchmarks' texts in what it was trained on",
            "run its experiment again; only the search for them is added",
        )
    for one in found:
        if one.facts.contaminated_rows:
            exclude = f"mix.exclude={one.folder / CONTAMINATED}"
            yield Objection(
                repository.name,
                f"{one.facts.contaminated_rows:,} of the rows that it was trained on hold a "
                "benchmark's text, so that its scores say nothing",
                f"train without them: {exclude}",
            )


def _find_secrets(repository: HubRepository) -> Iterator[Objection]:
    for artifact in repository.artifacts:
        for name in list_files(artifact):
            path = artifact.folder / name
            if path.suffix in (".json", ".jsonl", ".md", ".jinja", ".txt"):
                yield from _find_secrets_of_file(repository, path, f"{artifact.stage}/{name}")


def _find_secrets_of_file(repository: HubRepository, path: Path, shown: str) -> Iterator[Objection]:
    own = list_own_secrets()
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                if secret := find_secret(line, own):
                    yield Objection(
                        repository.name,
                        f"line {number} of {shown} holds {secret}",
                        "revoke it, and make the rows again without it",
                    )
                    return
    except OSError:
        return  # said as damage
