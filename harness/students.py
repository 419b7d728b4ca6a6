"""The base producer: the student before any training, as a checkpoint directory."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from core.checkpoints.files import check_files
from core.checkpoints.held import held_fast
from core.checkpoints.opening import open_tokenizer
from harness.config import Student
from harness.stage import Artifact, Outcome, Stage, Work
from harness.store import MANIFEST, clear, content_sha256, corrupt, file_hashes, file_sha256
from training.errors import StudentError

NAME, CHECKPOINT = "base", "checkpoint"


def base_stage(student: Student) -> Stage:
    """The stage that makes a student loadable.

    A GGUF is turned into a transformers checkpoint once, in the shared cache. A directory or Hub
    model is used in place; its content or its commit is in the key, so that a changed checkpoint
    under the same path never shows an old score.
    """
    if student.kind == "gguf":
        return _gguf_stage(student)
    if student.kind == "directory":
        path = Path(student.path or "").expanduser().absolute()
        check_files(path)
        # The path is in the key beside the content: the artifact points at it, and another
        # directory with the same content must not lead to one that has changed since.
        fields = {"kind": "directory", "path": str(path), "content": _content(path)}
        return _pointer_stage(student, fields, path)
    return _hub_stage(student)


def checkpoint_path(artifact: Artifact) -> Path:
    """The checkpoint directory of a base or trained artifact."""
    inside = artifact.path / CHECKPOINT
    if inside.is_dir():
        return inside
    path = Path(artifact.facts["path"])
    if not path.is_dir():
        raise corrupt(artifact.path, MANIFEST, f"names {path}, which is no longer there")
    return path


class StudentTokens:
    """Counts and cuts text by the student's tokens; the tokenizer is loaded at first use."""

    def __init__(self, base: Artifact | None) -> None:
        self._base = base

    @cached_property
    def _tokenizer(self) -> Any:
        if self._base is None:
            raise RuntimeError("a stage that counts tokens must have the base as an input")
        return open_tokenizer(checkpoint_path(self._base))

    def count(self, text: str) -> int:
        """Number of tokens, without special ones."""
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def of_texts(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens of each text, without special ones."""
        if not texts:
            return []
        encoded = self._tokenizer(list(texts), add_special_tokens=False)
        return [len(ids) for ids in encoded["input_ids"]]

    def cut(self, text: str, tokens: int) -> str:
        """The beginning of `text` that its first `tokens` tokens cover, never half a character."""
        encoded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        offsets = encoded["offset_mapping"]
        if len(offsets) <= tokens:
            return text
        end = offsets[tokens - 1][1]
        # A character of several byte tokens spans them all; one that is cut off is left out.
        if offsets[tokens][0] < end:
            end = offsets[tokens][0]
        return text[:end]


def _gguf_stage(student: Student) -> Stage:
    from training.students import embedded_gguf

    gguf = Path(student.path).expanduser() if student.path else embedded_gguf()
    if not gguf.is_file():
        raise StudentError(f"student.path: there is no file {gguf}")

    def make(work: Work) -> Outcome:
        from training.students import materialise_gguf

        clear(work.out)
        materialise_gguf(gguf, work.out / CHECKPOINT)
        return Outcome()

    return Stage(
        name=NAME,
        version=1,
        label=f"{student.name}: base checkpoint",
        fields={"kind": "gguf", "sha256": file_sha256(gguf)},
        make=make,
        about={"student": student.name, "producer": "base"},
        shared=True,
    )


def _hub_stage(student: Student) -> Stage:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    assert student.repository is not None
    try:
        path = Path(snapshot_download(student.repository, revision=student.revision))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise StudentError(
            f"{student.repository} at {student.revision or 'main'} cannot be had from the Hub: "
            f"{error}. Remedy: check the name, the network and HF_TOKEN, or use student=directory."
        ) from None
    # A snapshot's directory is named by the commit it was resolved to.
    check_files(path)
    fields = {"kind": "hub", "repository": student.repository, "commit": path.name}
    return _pointer_stage(student, fields, path)


def _pointer_stage(student: Student, fields: dict[str, Any], path: Path) -> Stage:
    """A checkpoint that stays where it is."""
    if held := held_fast(path):
        fields = {**fields, "held_fast": held}
    return Stage(
        name=NAME,
        version=1,
        label=f"{student.name}: base checkpoint",
        fields=fields,
        make=lambda work: Outcome({"path": str(path)}),
        about={"student": student.name, "producer": "base"},
    )


def _content(path: Path) -> str:
    """One SHA-256 for the names and contents of a checkpoint's files."""
    return content_sha256(file_hashes(path))
