"""Writes stages to files, so that a job can make them without composing a configuration again.

A stage and its inputs, the benchmarks' items and other long lists stand in a file each, named after
its own SHA-256: what many jobs share is written once, and a damaged file is noticed. The files are
Python's own pickles, and are only read from the store that they were written to.
"""

import hashlib
import io
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.contract.names import JOBS
from core.files import write_whole
from core.versions import VERSION
from harness.errors import ClusterError
from harness.provenance import read_git_state
from harness.stage import Stage
from tasks.loading import Loaded
from tasks.texts import Text

_APART = (Stage, Loaded, Text)
# A list of so many items, such as the texts that are looked for in mixtures, has a file of its own.
_LONG = 500


@dataclass(frozen=True)
class JobRequest:
    """The stages that one job is to make, one after the other, whose inputs are there by then.

    `clean`: a mixture that holds a benchmark's text is refused. `version` and `commit` are of the
    harness that wrote it: another one might make another thing under the same key.
    """

    stages: tuple[Stage, ...]
    store: Path
    cache: Path
    clean: bool = False
    version: str = VERSION
    commit: str | None = field(default_factory=lambda: read_git_state().commit)


class JobWriter:
    """Writes requests below a store. What it has written once, it knows by the object."""

    def __init__(self, store: Path) -> None:
        self.folder = store / JOBS / "requests"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._known: dict[int, tuple[Any, str]] = {}

    def write(self, request: JobRequest) -> Path:
        """Writes a request with all that it refers to, and returns its file."""
        return self.folder / self._put(request)

    def _put(self, value: Any) -> str:
        """Writes a value to a file of its own, unless it is there, and returns the file's name."""
        if id(value) in self._known:
            return self._known[id(value)][1]
        buffer = io.BytesIO()
        _Pickler(buffer, value, self._put).dump(value)
        content = buffer.getvalue()
        name = f"{hashlib.sha256(content).hexdigest()[:32]}.pickle"
        if not (self.folder / name).exists():
            write_whole(self.folder / name, content)
        self._known[id(value)] = (value, name)  # held, so that nothing else gets its id
        return name


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, top: Any, put: Any) -> None:
        super().__init__(file, protocol=5)
        self.top, self.put = top, put

    def persistent_id(self, obj: Any) -> str | None:
        apart = isinstance(obj, _APART) or (isinstance(obj, list | tuple) and len(obj) > _LONG)
        return str(self.put(obj)) if apart and obj is not self.top else None


def read_request(path: Path) -> JobRequest:
    """Reads a request; raises `ClusterError` where it is not there, damaged, or of another
    version of the harness."""
    request = _JobReader(path.parent).read(path.name)
    if not isinstance(request, JobRequest):
        raise ClusterError(f"{path} is no request. Remedy: kakugo submit writes them")
    commit = read_git_state().commit
    if (request.version, request.commit) != (VERSION, commit):
        raise ClusterError(
            f"this job was submitted by version {request.version} (commit {request.commit}), and "
            f"now there is {VERSION} ({commit}), which might make another thing under the same "
            "key. Remedy: submit again; what is done is kept"
        )
    return request


class _JobReader:
    """Reads the files that a request refers to, each once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, Any] = {}

    def read(self, name: str) -> Any:
        if name not in self._read:
            path = self.folder / name
            try:
                content = path.read_bytes()
            except OSError as error:
                raise ClusterError(
                    f"{path} cannot be read: {error.strerror}. Remedy: a store on a file system "
                    "that this machine sees under the same path, too"
                ) from None
            if hashlib.sha256(content).hexdigest()[:32] != Path(name).stem:
                raise ClusterError(f"{path} is damaged. Remedy: delete it, and submit again")
            unpickler = pickle.Unpickler(io.BytesIO(content))
            unpickler.persistent_load = self.read  # type: ignore[method-assign]
            self._read[name] = unpickler.load()
        return self._read[name]
