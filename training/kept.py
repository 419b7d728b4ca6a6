"""Keep what was tokenised, in SQLite files of the shared cache, by all that it depends on.

    <folder>/<hash of the checkpoint's tokenizer, the libraries and the code>.sqlite

In the key are a text and what is made of it. So a file never has to be emptied; it may be deleted
at any time, and processes may share it (WAL). Where it cannot be read or written, all is made anew:
what is kept saves time and decides nothing. A million tokens take some 3 MB.
"""

import hashlib
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import core.checkpoints.chat
import core.checkpoints.tokens
import core.marks
import training.dataset

_CODE = (core.checkpoints.chat, core.checkpoints.tokens, core.marks, training.dataset)
_WEIGHTS = (".safetensors", ".bin", ".gguf", ".pt", ".pth", ".h5", ".msgpack", ".onnx")
_ASKED = 500  # keys at once
_BUSY_SECONDS = 60.0


class Kept:
    """Results by text, for one tokenizer."""

    def __init__(self, folder: Path, base: Path) -> None:
        self._file: sqlite3.Connection | None = None
        with suppress(sqlite3.Error, OSError):
            folder.mkdir(parents=True, exist_ok=True)
            file = sqlite3.connect(
                folder / f"{_hash_tokenizer(base)}.sqlite", timeout=_BUSY_SECONDS
            )
            file.execute("PRAGMA journal_mode = WAL")
            file.execute("PRAGMA synchronous = NORMAL")
            file.execute("CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, result BLOB)")
            self._file = file

    def find_or_make(
        self,
        kind: str,
        texts: Sequence[str],
        make: Callable[[Sequence[int]], Iterable[bytes]],
    ) -> list[bytes]:
        """The result of each text; `make` is given the places of those that are not kept."""
        keys = [_make_key(kind, text) for text in texts]
        found = self._find(keys)
        lacking = [place for place, key in enumerate(keys) if key not in found]
        if lacking:
            made = zip((keys[place] for place in lacking), make(lacking), strict=True)
            new = dict(made)
            self._keep(new)
            found |= new
        return [found[key] for key in keys]

    def _find(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        if self._file is None:
            return found
        try:
            for at in range(0, len(keys), _ASKED):
                some = keys[at : at + _ASKED]
                marks = ",".join("?" * len(some))
                rows = self._file.execute(
                    f"SELECT key, result FROM kept WHERE key IN ({marks})", some
                )
                found |= {key: zlib.decompress(result) for key, result in rows}
        except (sqlite3.Error, zlib.error):
            self._file = None
        return found

    def _keep(self, new: dict[bytes, bytes]) -> None:
        if self._file is None:
            return
        rows = ((key, zlib.compress(result, 1)) for key, result in new.items())
        try:
            with self._file:
                self._file.executemany("INSERT OR IGNORE INTO kept VALUES (?, ?)", rows)
        except sqlite3.Error:
            self._file = None


def _make_key(kind: str, text: str) -> bytes:
    whole = f"{kind}\0{text}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(whole, digest_size=16).digest()


def _hash_tokenizer(base: Path) -> str:
    """A hash of all that decides which tokens a checkpoint makes of a conversation."""
    digest = hashlib.sha256()
    for path in sorted(base.iterdir()):
        if path.is_file() and path.suffix not in _WEIGHTS:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.name} {content}\n".encode())
    form = Path(__file__).with_name("tokenised.py")  # in which results are kept
    for code in (*(Path(str(module.__file__)) for module in _CODE), form):
        digest.update(code.read_bytes())
    for package in ("transformers", "tokenizers", "jinja2"):
        digest.update(f"{package} {version(package)}\n".encode())
    return digest.hexdigest()[:32]
