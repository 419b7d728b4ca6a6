"""Writes files that appear whole or not at all, whatever ends the program meanwhile; hashes them.

What is written goes beside its place, onto the disk, and is then renamed. A crash leaves the file
of before, or none, and perhaps a half one under another name, which the next try overwrites.
"""

import errno
import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

LOCKLESS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
"""Error numbers with which a file system says that it has no locks, such as Lustre without
``-o flock``."""


@contextmanager
def making(path: Path, *, shared: bool = False, private: bool = False) -> Iterator[Path]:
    """Gives the name to write to; it becomes `path` when the block ends without an error.

    shared: several processes may make the same file at once; the last to finish wins. private: only
    its owner may read the file, from the start. Raises OSError.
    """
    name = f".{path.name}.{uuid.uuid4().hex}.tmp" if shared else f"{path.name}.tmp"
    half = path.with_name(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if private:
            half.unlink(missing_ok=True)
            os.close(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield half
        with half.open("rb") as file:
            os.fsync(file.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def write_whole(
    path: Path, content: str | bytes, *, shared: bool = False, private: bool = False
) -> None:
    """Writes a file at once; text in UTF-8, its line ends as they are. See `making`."""
    with making(path, shared=shared, private=private) as half:
        half.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))


def hash_file(path: Path) -> str:
    """Computes the SHA-256 of a file's content. A process rereads a file only when it has
    changed. Raises OSError."""
    state = path.stat()
    return _hash_unchanged(path, state.st_size, state.st_mtime_ns, state.st_ino)


@cache
def _hash_unchanged(path: Path, size: int, changed_ns: int, inode: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
