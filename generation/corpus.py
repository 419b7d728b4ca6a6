"""Texts and chats from a data set of the Hugging Face Hub, streamed, at one recorded commit.

A place is written `hub:owner/name`, `hub:owner/name@revision`, or `hub:` and the path of a folder
in a repository's layout. The first commit that a place is resolved to is written down beside the
ledgers and stays: what was paid for must not change because a data set did.
"""

import hashlib
import heapq
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from pathlib import Path
from random import Random
from tempfile import TemporaryFile
from typing import IO, Any

from core.files import hash_file, making, write_whole
from core.hub import explain_refusal
from core.places import HUB_MARK
from generation.errors import InputError

PINS = "hub.json"
_COMMIT = re.compile("[0-9a-f]{40}")
# The other columns of such data sets are most of their size.
_USED = ("id", "text", "messages", "conversations", "langdetect")
_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class PinnedCorpus:
    """A subset of a repository at one commit (for a folder, the hash of its files)."""

    repository: str
    commit: str
    subset: str | None
    folder: bool


def is_hub(location: str | None) -> bool:
    """Tell whether a location names a data set of the Hub."""
    return bool(location) and str(location).startswith(HUB_MARK)


def resolve(location: str, subset: str | None, pins: Path) -> PinnedCorpus:
    """Look up the commit of a place; `pins` is the file that remembers what was resolved before.

    Raises InputError when the Hub does not know it or cannot be reached.
    """
    name, _, revision = location.removeprefix(HUB_MARK).partition("@")
    folder = Path(name)
    if folder.is_dir():
        return PinnedCorpus(str(folder.resolve()), _hash_content(folder), subset, folder=True)
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{location}: neither a folder nor a repository's name. Remedy: hub:owner/name, "
            "hub:owner/name@revision, or hub:FOLDER."
        )
    if _COMMIT.fullmatch(revision):
        return PinnedCorpus(name, revision, subset, folder=False)
    known = json.loads(pins.read_text(encoding="utf-8")) if pins.is_file() else {}
    asked = f"{name}@{revision or 'main'}"
    if asked not in known:
        known[asked] = _commit(name, revision or None)
        write_whole(pins, json.dumps(known, indent=1, sort_keys=True) + "\n", shared=True)
    return PinnedCorpus(name, known[asked], subset, folder=False)


def fetch(
    place: PinnedCorpus,
    scan: int,
    out: Path,
    progress: Callable[[int, int, str], None],
    *,
    spread: bool = False,
) -> int:
    """Write `scan` rows of the train split to `out` as JSON lines, without columns that nothing
    uses: the first ones, or with `spread` a sample of all, for which every row is streamed once.

    The sample follows from the commit alone. Raises InputError when the subset is not there or the
    connection is lost.
    """
    with _explaining_refusals(place), making(out) as half, half.open("wb") as file:
        lines = _write_lines(place)
        if spread:
            written = _write_sample(lines, scan, file, place, progress)
        else:
            written = 0
            progress(0, scan, place.repository)
            for line in islice(lines, scan):
                file.write(line)
                written += 1
                if written % 100 == 0:
                    progress(written, scan, place.repository)
        if not written:
            raise InputError(f"{place.repository}, subset {place.subset}: it has no rows.")
    return written


def _write_sample(
    lines: Iterable[bytes],
    size: int,
    out: IO[bytes],
    place: PinnedCorpus,
    progress: Callable[[int, int, str], None],
) -> int:
    """Write `size` of the lines in their order, every sample of that size being as likely.

    The lines with the smallest of random numbers are the sample. How many lines there are shows at
    their end only; what may still be in the sample waits in a scratch file, so that memory holds
    three numbers a line of the sample.
    """
    draw = Random(f"{place.commit} {place.subset}").random
    kept: list[tuple[float, int, int]] = []  # the largest first: its negative, place and length
    note = f"{place.repository}: rows read, how many there are is not known"
    with TemporaryFile(dir=Path(out.name).parent) as scratch:
        for number, line in enumerate(lines, 1):
            entry = (-draw(), scratch.tell(), len(line))
            if len(kept) < size:
                heapq.heappush(kept, entry)
                scratch.write(line)
            elif entry > kept[0]:
                heapq.heapreplace(kept, entry)
                scratch.write(line)
            if number % 1000 == 0:
                progress(number, 0, note)
        for _, start, length in sorted(kept, key=itemgetter(1)):
            scratch.seek(start)
            out.write(scratch.read(length))
    return len(kept)


def _write_lines(place: PinnedCorpus) -> Iterator[bytes]:
    """Give each row as a line of JSON, with the columns that are used."""
    for row in _stream_rows(place):
        used = {name: row[name] for name in _USED if name in row}
        yield (json.dumps(used, ensure_ascii=False) + "\n").encode()


def read_first_row(place: PinnedCorpus) -> dict[str, Any]:
    """Read the first row of the train split, with all of its columns.

    It takes seconds and little of the network. Raises InputError as `fetch` does.
    """
    with _explaining_refusals(place):
        for row in _stream_rows(place):
            return row
        raise InputError(f"{place.repository}, subset {place.subset}: it has no rows.")


@contextmanager
def _explaining_refusals(place: PinnedCorpus) -> Iterator[None]:
    """Turn whatever a client of the Hub raises into an InputError with its remedy."""
    try:
        yield
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        where = f"{place.repository} at {place.commit[:12]}, subset {place.subset},"
        raise _report_refused(error, where, place.repository) from error


def _report_refused(error: Exception, where: str, repository: str) -> InputError:
    told = explain_refusal(
        error,
        repository,
        kind="datasets",
        setting="sources.context.texts, sources.translated.conversations and their subset",
        instead="or give local files",
    )
    return InputError(f"{where} {told}.")


def _stream_rows(place: PinnedCorpus) -> Iterator[dict[str, Any]]:
    import datasets

    options: dict[str, Any] = {} if place.folder else {"revision": place.commit}
    data = datasets.load_dataset(
        place.repository, place.subset, split="train", streaming=True, **options
    )
    yield from data


def _commit(name: str, revision: str | None) -> str:
    import httpx2
    from huggingface_hub import HfApi

    try:
        commit = HfApi().dataset_info(name, revision=revision, timeout=30).sha
    except (OSError, httpx2.HTTPError) as error:
        raise InputError(
            f"The Hub does not give the commit of {name} at {revision or 'main'}: "
            f"{' '.join(str(error).split())[:300]}. Remedy: check the name, the network and "
            f"HF_TOKEN, give hub:{name}@COMMIT, which needs no question, or local files."
        ) from error
    if not commit:
        raise InputError(f"The Hub gives no commit of {name}. Remedy: give hub:{name}@COMMIT.")
    return commit


def _hash_content(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()} {hash_file(path)}\n".encode())
    return digest.hexdigest()
