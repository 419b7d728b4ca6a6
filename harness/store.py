"""Finished results, each under the key of what it depends on.

    <store>/<stage>/<key>/           a finished artifact: its files and manifest.json, written last
    <store>/<stage>/<key>.partial/   one that is being made, or was when its process died
    <store>/.locks/                  who is making what; a lock dies with its process

Locks of network file systems may hold on one machine alone: jobs of a cluster exclude each other
besides, by `hold`.
"""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from core.contract.manifest import FileEntry, Input, Manifest, TokenCounts
from core.contract.names import LOCKS, MANIFEST, PARTIAL
from core.contract.record import Unreadable, as_json, read_file, to_text
from core.files import LOCKLESS, hash_file, write_whole
from harness.errors import ArtifactMissing, report_corrupt, report_no_locks, report_unreadable
from harness.provenance import read_git_state, read_package_versions
from harness.stage import Artifact, Progress, Stage, Work

# Files up to this size are hashed whenever an artifact is found; larger ones (weights) only when
# a stage is about to read them, since a finished sweep must not reread every checkpoint.
QUICK_HASH_BYTES = 16 * 2**20


class Watcher(Protocol):
    """An observer that is told about each step of the store."""

    def show_reused(self, stage: Stage, artifact: Artifact) -> None: ...
    def show_waiting(self, stage: Stage) -> None: ...
    def show_started(self, stage: Stage, resumed: bool, again: bool = False) -> Progress: ...
    def show_finished(self, stage: Stage, artifact: Artifact) -> None: ...
    def show_stopped(self, stage: Stage, as_asked: bool = False) -> None: ...


class Store:
    """Builds stages, each once, however many processes ask for it."""

    def __init__(
        self,
        root: Path,
        cache: Path,
        watcher: Watcher,
        may_make: Callable[[Stage], str | None] = lambda stage: None,
        hold: Callable[[Path, Callable[[], None]], AbstractContextManager[None]] | None = None,
    ) -> None:
        """`may_make` gives the reason why a missing stage must not be made, or None if it may.

        `hold` holds a file for this process among those on all machines, and calls what it is given
        where it waits for another one; without it, locks must do.
        """
        self.root = root
        self.cache = cache
        self.watcher = watcher
        self.may_make = may_make
        self._hold = hold
        self._seen: dict[str, Artifact] = {}

    def find_folder(self, stage: Stage) -> Path:
        """Returns the folder of the finished artifact of `stage`, whether it exists or not."""
        return (self.cache if stage.shared else self.root) / stage.name / stage.key

    def find(self, stage: Stage) -> Artifact | None:
        """Finds the finished artifact and checks it against its manifest; None without one.

        None too where an input was made again since and came out otherwise (training on a GPU is
        not repeatable): a score must not stand beside weights that it is not of.
        Raises `ArtifactCorrupt` when a file is missing, truncated or changed.
        """
        artifact = self._find_current(stage)
        if artifact is not None:
            check_files(artifact, QUICK_HASH_BYTES)
        return artifact

    def _find_current(self, stage: Stage) -> Artifact | None:
        """Returns the artifact, where all of its inputs that are there are those that it was
        made from."""
        folder = self.find_folder(stage)
        if not folder.exists():
            return None
        artifact = Artifact(stage.name, stage.key, folder, read_manifest(folder))
        made_from = {entry.name: entry.content for entry in artifact.manifest.inputs}
        for role, needed in stage.inputs.items():
            if not self.find_folder(needed).exists():
                continue  # no longer needed
            there = self._find_current(needed)
            if there is None or made_from[role] not in (None, there.manifest.content):
                return None
        return artifact

    def build(self, stage: Stage) -> Artifact:
        """Builds the artifact of `stage` if it is missing; first its missing inputs."""
        if stage.key in self._seen:
            return self._seen[stage.key]
        artifact = self.find(stage)
        if artifact is not None:
            self.watcher.show_reused(stage, artifact)
        else:
            artifact = self._make(stage)
        self._seen[stage.key] = artifact
        return artifact

    def build_all(self, targets: Sequence[Stage]) -> None:
        """Builds `targets`, after everything that any missing one of them needs.

        What can fail early then fails before the long work: all data and checkpoints come before
        the first score.
        """
        for stage in targets:
            missing = self.find(stage) is None
            for needed in stage.inputs.values():
                if missing:
                    self.build(needed)
                else:
                    self._look_over(needed)
        for stage in targets:
            self.build(stage)

    def _look_over(self, stage: Stage) -> None:
        """Reports what is there of the inputs of a finished stage, and finds damage in it.

        What is no longer there is not needed any more.
        """
        for needed in stage.inputs.values():
            self._look_over(needed)
        if stage.key not in self._seen and self.find(stage):
            self.build(stage)

    def _make(self, stage: Stage) -> Artifact:
        reason = self.may_make(stage)
        if reason:
            raise ArtifactMissing(f"{stage.label} is not done, and {reason}")
        inputs = {role: self.build(needed) for role, needed in stage.inputs.items()}
        folder = self.find_folder(stage)
        with self._holding_lock(stage):
            artifact = self.find(stage)
            if artifact is not None:  # another process made it while this one waited
                self.watcher.show_reused(stage, artifact)
                return artifact
            partial = folder.with_name(f"{stage.key}{PARTIAL}")
            interrupted = partial.exists()
            resumed = interrupted and stage.resumes(partial)
            partial.mkdir(parents=True, exist_ok=True)
            # Killed between its manifest and its new name, a stage is made again.
            for stale in (MANIFEST, f"{MANIFEST}.tmp"):
                (partial / stale).unlink(missing_ok=True)
            if not resumed:
                clear(partial)
            start = time.monotonic()
            progress = self.watcher.show_started(stage, resumed, again=interrupted and not resumed)
            try:
                progress(0, 0, "checking what it is made from")
                for needed in inputs.values():
                    check_files(needed, None)
                outcome = stage.make(stage.settings, Work(partial, inputs, progress, stage.key))
            except BaseException:
                self.watcher.show_stopped(stage)
                raise
            progress(0, 0, "hashing what was made")
            files = hash_folder(partial, outcome.scratch)
            manifest = Manifest(
                stage=stage.name,
                version=stage.version,
                key=stage.key,
                label=stage.label,
                about=stage.about,
                config=dict(stage.fields),
                inputs=tuple(
                    Input(role, needed.stage, needed.key, needed.manifest.content)
                    for role, needed in sorted(inputs.items())
                ),
                facts=as_json(outcome.facts),
                tokens=TokenCounts(outcome.tokens_input, outcome.tokens_output),
                cost_usd=outcome.cost_usd,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                seconds=round(time.monotonic() - start, 3),
                resumed=resumed,
                packages=read_package_versions(),
                git=read_git_state(),
                content=hash_content(files, outcome.records),
                files=files,
            )
            write_manifest(partial, manifest)
            remove(folder)  # made from an input that has changed
            partial.replace(folder)
            # Only now: until then, a kill must find what it needs to go on.
            for name in outcome.scratch:
                remove(folder / name)
        artifact = Artifact(stage.name, stage.key, folder, manifest)
        self.watcher.show_finished(stage, artifact)
        return artifact

    @contextmanager
    def _holding_lock(self, stage: Stage) -> Iterator[None]:
        """Holds the lock under which one process makes `stage`."""
        place = (self.cache if stage.shared else self.root) / LOCKS
        place.mkdir(parents=True, exist_ok=True)
        name = f"{stage.name}-{stage.key}"
        with ExitStack() as held:
            if self._hold is not None:
                held.enter_context(
                    self._hold(place / f"{name}.owner", lambda: self.watcher.show_waiting(stage))
                )
            # A lock file in place of a lock would outlive a crash.
            lock = FileLock(place / f"{name}.lock", fallback_to_soft=False)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                self.watcher.show_waiting(stage)
                lock.acquire(poll_interval=0.2)
            except OSError as error:
                if error.errno not in LOCKLESS:
                    raise
                if self._hold is None:
                    raise report_no_locks(place) from None
            held.callback(lock.release)
            yield


def read_manifest(folder: Path) -> Manifest:
    """Returns the manifest of the finished artifact in `folder`; `ArtifactCorrupt` if it is not
    one."""
    try:
        manifest = read_file(Manifest, folder / MANIFEST)
    except Unreadable as error:
        raise report_unreadable(folder, MANIFEST, error) from None
    if manifest.key != folder.name:
        raise report_corrupt(folder, MANIFEST, "belongs to another artifact")
    if manifest.content is None:  # Manifests had no such field at first.
        return replace(manifest, content=hash_content(manifest.files))
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes manifest.json, whole or not at all."""
    write_whole(folder / MANIFEST, to_text(manifest))


def hash_folder(folder: Path, without: Sequence[str] = ()) -> dict[str, FileEntry]:
    """Computes size and SHA-256 of every file below `folder`, by its path within it.

    `without` names files and folders directly below it that do not count.
    """
    return {
        path.relative_to(folder).as_posix(): FileEntry(path.stat().st_size, hash_file(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in without
    }


def hash_content(files: Mapping[str, FileEntry], records: Sequence[str] = ()) -> str:
    """Computes one SHA-256 for names and contents of an artifact's files, but for its `records`."""
    digest = hashlib.sha256()
    for name, entry in sorted(files.items()):
        if name not in records:
            digest.update(f"{name} {entry.sha256}\n".encode())
    return digest.hexdigest()


def check_files(artifact: Artifact, hash_up_to: int | None) -> None:
    """Compares an artifact's files with its manifest; `hash_up_to` bytes limits what is hashed."""
    for name, entry in artifact.manifest.files.items():
        path = artifact.path / name
        if not path.is_file():
            raise report_corrupt(artifact.path, name, "is missing")
        size = path.stat().st_size
        if size != entry.bytes:
            raise report_corrupt(artifact.path, name, f"has {size} bytes instead of {entry.bytes}")
        if (hash_up_to is None or size <= hash_up_to) and hash_file(path) != entry.sha256:
            raise report_corrupt(
                artifact.path, name, "was changed since it was made (SHA-256 differs)"
            )


def clear(folder: Path) -> None:
    """Empties a directory."""
    for path in folder.iterdir():
        remove(path)


def remove(path: Path) -> None:
    """Deletes a file or a whole directory, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
