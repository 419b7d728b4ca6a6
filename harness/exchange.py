"""Copies finished artifacts between a store and a bucket, or any place that fsspec can reach.

The manifest decides: it is sent last, and what has one there is whole and is not sent again. What
is fetched is checked against its manifest before it gets its name. So `kakugo send` and `kakugo
fetch` may be killed and called again, by several machines at once; no lock is needed.
"""

import shutil
import sys
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from core.contract.manifest import Manifest
from core.contract.names import MANIFEST, RUNS
from core.contract.record import read_file
from core.errors import MendableError
from core.files import write_whole
from harness.errors import ExchangeError, report_corrupt
from harness.stage import Artifact
from harness.store import check_files, read_manifest

HELP = """kakugo send ADDRESS [store=DIR]     copies what is finished to a bucket or any other place
kakugo fetch ADDRESS [store=DIR]    copies what is finished there, and not here, into the store

ADDRESS is one of fsspec, such as s3://BUCKET/FOLDER, gs://BUCKET/FOLDER or a folder's path; the
package that reaches it (s3fs, gcsfs, adlfs) is installed apart, and its keys come from the
environment. Artifacts and the records of runs are copied, the teacher's ledgers are not.
"""


@dataclass(frozen=True)
class Exchanged:
    """Counts of what was copied, and of what was there already."""

    artifacts: int
    bytes: int
    present: int
    records: int


class Bucket:
    """A folder that fsspec reaches, in a bucket or elsewhere."""

    def __init__(self, address: str) -> None:
        """Raises `ExchangeError` where it cannot be reached by any package that is installed, or
        holds a password."""
        if "@" in urlsplit(address).netloc:
            raise ExchangeError(
                "an address holds no user name or key (user:key@). Remedy: keys come from the "
                "environment variables that the place's own tools read"
            )
        import fsspec

        try:
            self.files, root = fsspec.core.url_to_fs(address)
        except (ImportError, ValueError) as error:
            raise ExchangeError(
                f"{address} cannot be reached: {error}. Remedy: correct the address, or install "
                "the package that reaches it, such as s3fs or gcsfs"
            ) from None
        self.root = PurePosixPath(root)

    def list_finished(self) -> set[str]:
        """Lists the artifacts that are whole: STAGE/KEY."""
        return {str(path.parent) for path in self._list_below("*/*/" + MANIFEST)}

    def list_files(self, folder: str) -> list[PurePosixPath]:
        """Lists all files below a folder, from the place's root."""
        return sorted(self._list_below(f"{folder}/**"))

    def read(self, path: PurePosixPath) -> bytes:
        content: bytes = self.files.cat_file(str(self.root / path))
        return content

    def get(self, path: PurePosixPath, to: Path) -> None:
        """Copies a file from there."""
        to.parent.mkdir(parents=True, exist_ok=True)
        self.files.get_file(str(self.root / path), str(to))

    def put(self, path: Path, to: PurePosixPath, whole: bool = False) -> None:
        """Copies a file to there; `whole`: in a place that writes in parts, it gets its name when
        all of it is there."""
        end = str(self.root / to)
        self.files.makedirs(str((self.root / to).parent), exist_ok=True)
        half = f"{end}.{uuid.uuid4().hex}.tmp" if whole else end
        self.files.put_file(str(path), half)
        if whole:
            self.files.mv(half, end)

    def _list_below(self, pattern: str) -> Iterator[PurePosixPath]:
        for found in self.files.glob(str(self.root / pattern)):
            path = PurePosixPath(found)
            if path.suffix != ".tmp" and self.files.isfile(found):
                yield path.relative_to(self.root)


def send_store(store: Path, place: Bucket) -> Exchanged:
    """Copies the finished artifacts of a store to a place, and its runs' records.

    Raises `ArtifactCorrupt` for one that is damaged, before anything of it is sent.
    """
    there = place.list_finished()
    here = list_finished(store)
    missing = [name for name in here if name not in there]
    size = 0
    for name in _show_progress(missing, "sent"):
        folder = store / name
        artifact = Artifact(folder.parent.name, folder.name, folder, read_manifest(folder))
        check_files(artifact, None)
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path != folder / MANIFEST:
                place.put(path, PurePosixPath(path.relative_to(store).as_posix()))
                size += path.stat().st_size
        place.put(folder / MANIFEST, PurePosixPath(name, MANIFEST), whole=True)
    records = _send_records(store, place)
    return Exchanged(len(missing), size, len(here) - len(missing), records)


def fetch_store(store: Path, place: Bucket) -> Exchanged:
    """Copies the finished artifacts of a place into a store, and the records of runs.

    Raises `ArtifactCorrupt` for one that is not as its manifest says; nothing of it stays.
    """
    there, here = sorted(place.list_finished()), set(list_finished(store))
    missing = [name for name in there if name not in here]
    size = 0
    for name in _show_progress(missing, "fetched"):
        size += _fetch(store, place, name)
    records = 0
    for path in place.list_files(RUNS):
        if not (store / path).exists():
            write_whole(store / path, place.read(path))
            records += 1
    return Exchanged(len(missing), size, len(there) - len(missing), records)


def list_finished(store: Path) -> list[str]:
    """Lists the finished artifacts of a store: STAGE/KEY."""
    return sorted(
        path.parent.relative_to(store).as_posix()
        for path in store.glob(f"*/*/{MANIFEST}")
        if not path.parent.name.endswith(".partial") and not path.parent.name.startswith(".")
    )


def _fetch(store: Path, place: Bucket, name: str) -> int:
    """Copies an artifact into a folder beside its own, checks it, and gives it its name."""
    folder = store / name
    half = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.fetched")
    size = 0
    try:
        for path in place.list_files(name):
            to = half / path.relative_to(name)
            place.get(path, to)
            size += to.stat().st_size
        manifest = read_file(Manifest, half / MANIFEST)
        if manifest.key != folder.name:
            raise report_corrupt(half, MANIFEST, "belongs to another artifact")
        check_files(Artifact(folder.parent.name, folder.name, half, manifest), None)
        if not folder.exists():
            half.rename(folder)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return size


def _send_records(store: Path, place: Bucket) -> int:
    """Copies what is not there of the runs' records: plans, configurations, errors."""
    there = set(place.list_files(RUNS))
    sent = 0
    for path in sorted((store / RUNS).rglob("*")):
        to = PurePosixPath(path.relative_to(store).as_posix())
        if path.is_file() and to not in there and path.suffix != ".tmp":
            place.put(path, to, whole=True)
            sent += 1
    return sent


def _show_progress(names: Sequence[str], done: str) -> Iterable[str]:
    """Yields the names, and shows a bar of them on a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(names, f"artifacts {done}", console=console, disable=not console.is_terminal)


def read_arguments(arguments: Sequence[str]) -> tuple[Path, str] | None:
    """Reads the store and the address; None where they are not as `HELP` says."""
    given = [one.partition("=")[2] for one in arguments if one.startswith("store=")]
    others = [one for one in arguments if not one.startswith("store=")]
    if len(others) != 1 or others[0].startswith("-"):
        return None
    return Path(given[-1] if given else "artifacts"), others[0]


def main(command: str, arguments: Sequence[str]) -> None:
    """Runs the command `kakugo send` or `kakugo fetch`."""
    if {"-h", "--help"} & set(arguments):
        print(HELP)
        return
    found = read_arguments(arguments)
    if found is None:
        sys.exit(HELP)
    store, address = found
    try:
        if command == "send" and not store.is_dir():
            raise ExchangeError(f"there is no store {store}. Remedy: store=DIR, with the store")
        copied = (send_store if command == "send" else fetch_store)(store, Bucket(address))
    except MendableError as error:
        sys.exit(f"kakugo: {error}")
    except OSError as error:
        sys.exit(
            f"kakugo: {address}: {error}. Remedy: check the address, its keys in the "
            "environment and the network; what was copied is kept, and the same command goes on"
        )
    print(
        f"{copied.artifacts:,} artifacts copied ({copied.bytes / 1e6:,.1f} MB), {copied.present:,} "
        f"were there; {copied.records:,} records of runs"
    )
