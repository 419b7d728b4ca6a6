"""Sends repositories to the Hub: one commit for each, private at first, and nothing twice."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.files import hash_file
from publishing.errors import HubError
from publishing.files import MARKER, build_files, write_marker
from publishing.hub import is_without_xet, open_hub, try_again
from publishing.looking import find_secret, list_own_secrets, measure_files
from publishing.pace import SendingPace
from publishing.plan import HubRepository, Kind, Publication
from publishing.registered import Registered, fetch_registered
from publishing.results import list_hub_scores
from reports.store.model import StoreView

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

Say = Callable[[str], None]
State = Literal["absent", "empty", "ours", "older", "other"]
COLLECTIONS: Mapping[Kind, str] = {"model": "Kakugo models", "dataset": "Kakugo data"}
UNCHANGED = "unchanged"
_NOT_OURS = {".gitattributes"}
"""The Hub writes it itself into a new repository."""


@dataclass(frozen=True)
class OnHub:
    """A repository as it is on the Hub: its files by their paths."""

    state: State
    files: Mapping[str, "RepoFile"]


def send_all(view: StoreView, plan: Publication, owner: str, *, replace: bool, say: Say) -> None:
    """Sends every repository of a plan, and puts each into one of two collections.

    All are looked up first, so that nothing is sent where one is refused. Raises HubError.
    """
    api = open_hub(owner)
    found = {one.name: find_remote(api, one) for one in plan.repositories}
    _refuse_others(plan, found, replace=replace)
    models = [one for one in plan.repositories if one.kind == "model"]
    scores = [s for one in models for s in list_hub_scores(view, one.artifacts[0].key)]
    registered = fetch_registered(api, (str(one.data.repository) for one in scores))
    pace = SendingPace({one.name: sum(measure_files(one)) for one in plan.repositories})
    for repository in plan.repositories:
        done = _send(api, view, repository, found[repository.name], registered)
        say(f"{repository.name}: {done} ({pace.note(repository.name, sent=done != UNCHANGED)})")
    for kind, title in COLLECTIONS.items():
        names = [one.name for one in plan.repositories if one.kind == kind]
        if names:
            _collect(api, owner, title, kind, names)
            say(f"{title}: a collection of {len(names)}")


def make_public(plan: Publication, owner: str, say: Say) -> int:
    """Makes the repositories of a plan public that were sent before, and their collections; returns
    the exit status. Raises HubError where one was not sent, and then changes none."""
    api = open_hub(owner)
    found = {one.name: find_remote(api, one) for one in plan.repositories}
    missing = [name for name, one in found.items() if one.state != "ours"]
    if missing or not found:
        raise HubError(
            f"Not on the Hub as this store has it: {', '.join(missing) or 'anything'}.\n"
            "Remedy: the same command without --public sends it."
        )
    for one in plan.repositories:
        try_again(
            partial(api.update_repo_settings, one.name, repo_type=one.kind, private=False),
            f"making {one.name} public",
        )
        say(f"{one.name}: public")
    for kind in {one.kind for one in plan.repositories}:
        slug = _create_collection(api, owner, COLLECTIONS[kind])
        try_again(
            partial(api.update_collection_metadata, slug, private=False),
            f"making {COLLECTIONS[kind]} public",
        )
    return 0


def find_remote(api: "HfApi", repository: HubRepository) -> OnHub:
    """Looks up what the Hub has under a repository's name."""
    from huggingface_hub.errors import RepositoryNotFoundError
    from huggingface_hub.hf_api import RepoFile

    def list_files() -> dict[str, RepoFile] | None:
        try:
            tree = api.list_repo_tree(repository.name, recursive=True, repo_type=repository.kind)
            return {entry.path: entry for entry in tree if isinstance(entry, RepoFile)}
        except RepositoryNotFoundError:
            return None

    files = try_again(list_files, f"looking up {repository.name}")
    if files is None:
        return OnHub("absent", {})
    if not files.keys() - _NOT_OURS:
        return OnHub("empty", files)
    if MARKER not in files:
        return OnHub("other", files)
    own = _hash_blob(write_marker(repository).encode("utf-8"))
    return OnHub("ours" if files[MARKER].blob_id == own else "older", files)


def _refuse_others(plan: Publication, found: Mapping[str, OnHub], *, replace: bool) -> None:
    others = [one.name for one in plan.repositories if found[one.name].state == "other"]
    if others:
        raise HubError(
            f"These exist on the Hub with other content: {', '.join(others)}. Nothing was sent.\n"
            "Remedy: rename or delete them there, or publish to another organisation with --to."
        )
    older = [one.name for one in plan.repositories if found[one.name].state == "older"]
    if older and not replace:
        raise HubError(
            f"These are on the Hub from other checkpoints or data: {', '.join(older)}. Nothing was "
            "sent.\nRemedy: --replace puts a new commit on top; the earlier one stays in their "
            "history."
        )


def _send(
    api: "HfApi",
    view: StoreView,
    repository: HubRepository,
    found: OnHub,
    registered: Registered,
) -> str:
    """Sends one repository in one commit, and says in words what was done."""
    if found.state == "absent":
        try_again(
            lambda: api.create_repo(
                repository.name, repo_type=repository.kind, private=True, exist_ok=True
            ),
            f"creating {repository.name}",
        )
    with tempfile.TemporaryDirectory(prefix="kakugo-publish-") as folder:
        files = build_files(view, repository, Path(folder), registered)
        _refuse_secrets(repository, files)

        def commit() -> int:
            # Looked up anew each time: a commit whose answer was lost is there.
            there = find_remote(api, repository).files
            changed = sorted(name for name in files if not _is_there(files[name], there.get(name)))
            gone = sorted(there.keys() - files.keys() - _NOT_OURS)
            if changed or gone:
                _commit(api, repository, {name: files[name] for name in changed}, gone)
            return len(changed)

        sent = try_again(commit, f"writing {repository.name}")
    if not sent:
        return UNCHANGED
    return f"{sent} of {len(files)} files sent" + (", private" if found.state == "absent" else "")


def _commit(
    api: "HfApi", repository: HubRepository, files: Mapping[str, Path], gone: Sequence[str]
) -> None:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    def create() -> None:
        additions = [CommitOperationAdd(name, path) for name, path in files.items()]
        api.create_commit(
            repository.name,
            [*additions, *(CommitOperationDelete(name) for name in gone)],
            commit_message=f"Publish {repository.tongue.name} ({repository.key[:24]})",
            repo_type=repository.kind,
        )

    try:
        create()
    except Exception as error:
        if not is_without_xet(error):
            raise
        with _avoid_xet():
            create()


@contextmanager
def _avoid_xet() -> Iterator[None]:
    """Sends files as a server without Xet storage takes them: the client does not do so itself."""
    from huggingface_hub import constants

    before = constants.HF_HUB_DISABLE_XET
    constants.HF_HUB_DISABLE_XET = True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_XET = before


def _is_there(path: Path, entry: "RepoFile | None") -> bool:
    if entry is None or entry.size != path.stat().st_size:
        return False
    if entry.lfs:
        return bool(entry.lfs.sha256 == hash_file(path))
    return bool(entry.blob_id == _hash_blob(path.read_bytes()))


def _hash_blob(content: bytes) -> str:
    """Computes the name that git gives to a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _refuse_secrets(repository: HubRepository, files: Mapping[str, Path]) -> None:
    for name, path in files.items():
        if path.suffix in (".md", ".json", ".yaml") and path.name != "tokenizer.json":
            secret = find_secret(path.read_text(encoding="utf-8"), list_own_secrets())
            if secret:
                raise HubError(
                    f"{name} of {repository.name} holds {secret}; it was not sent.\n"
                    "Remedy: revoke it, and take it out of the configuration that is shown there."
                )


def _create_collection(api: "HfApi", owner: str, title: str) -> str:
    """Creates a collection, private, or finds the one of that title; returns its slug."""
    made = try_again(
        lambda: api.create_collection(title, namespace=owner, private=True, exists_ok=True),
        f"making the collection {title}",
    )
    return str(made.slug)


def _collect(api: "HfApi", owner: str, title: str, kind: Kind, names: Sequence[str]) -> None:
    slug = _create_collection(api, owner, title)
    for name in names:
        try_again(
            partial(api.add_collection_item, slug, name, kind, exists_ok=True),
            f"putting {name} into {title}",
        )
