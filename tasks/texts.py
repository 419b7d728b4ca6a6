"""Reads a text of whole documents, on which bits per byte are measured: a file of the user's own,
or the sentences of a benchmark in one language, put together to its documents.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from core.text import has_visible_text
from tasks.benchmark import Benchmark
from tasks.catalogue import BENCHMARKS, Task
from tasks.data import BenchmarkData
from tasks.errors import DataMalformed, FileMissing
from tasks.files import is_there, read_jsonl, read_lines
from tasks.loading import load_task
from tasks.rows import RowColumn, check, number_rows

READY = tuple(name for name, benchmark in BENCHMARKS.items() if benchmark.texts)
"""The benchmarks whose sentences are such a text, in every language that they have."""
_SUFFIXES = (".txt", ".jsonl")
_TEXT = (RowColumn("id", "key"), RowColumn("text"))


@dataclass(frozen=True)
class Document:
    """One document. `id` is its line or its file, or the benchmark's own name of it."""

    id: str
    text: str


@dataclass(frozen=True)
class Text:
    """The documents of a text, in their order, and where they are from.

    `sha256` is over all of them. `repository` and `revision` are of what the Hub gave, else None.
    """

    name: str
    documents: tuple[Document, ...]
    repository: str | None = None
    revision: str | None = None

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 over the documents in their order, without their ids: the same texts are
        the same, wherever they lay."""
        digest = hashlib.sha256()
        for document in self.documents:
            digest.update(json.dumps(document.text, ensure_ascii=False).encode() + b"\n")
        return digest.hexdigest()

    @property
    def facts(self) -> dict[str, Any]:
        """The facts of the data that a measure of it records."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "repository": self.repository,
            "revision": self.revision,
        }


def read_file(path: Path) -> Text:
    """Reads a text of the user's own: a ``.jsonl`` file with a document a line in `text`, a
    ``.txt`` file in which empty lines stand between documents, or a folder of ``.txt`` files, a
    document each.

    Raises `DataMissing` or `DataMalformed`, with the remedy.
    """
    if not is_there(path):
        raise FileMissing(
            f"there is no text {path}. Remedy: give a {' or '.join(_SUFFIXES)} file, a folder of "
            f".txt files, or the name of a benchmark ({', '.join(READY)})"
        )
    if path.is_dir():
        files = sorted(path.glob("*.txt"))
        found = [Document(file.name, "\n".join(read_lines(file))) for file in files]
    elif path.suffix == ".jsonl":
        rows = check(number_rows(read_jsonl(path)), _TEXT, ("id",))
        found = [Document(row["id"], row["text"]) for row in rows]
    elif path.suffix == ".txt":
        found = list(_split_documents(read_lines(path)))
    else:
        raise DataMalformed(
            f"{path}: a file that ends in {' or '.join(_SUFFIXES)}, or a folder of .txt files, is "
            f"needed. Remedy: give one, or the name of a benchmark ({', '.join(READY)})"
        )
    return Text(path.name, _keep_seen(found, str(path)))


def read_benchmark(
    name: str,
    data: BenchmarkData,
    code: str,
    language: str,
    hub_codes: Mapping[str, str] | None = None,
) -> Text:
    """Reads the sentences of a benchmark in the language that it calls `code`, and puts those of a
    document together, a line each. FLORES knows of no documents: each sentence is one.

    Raises what `tasks.loading.load_task` raises.
    """
    sentences = BENCHMARKS[name].texts
    assert isinstance(sentences, Benchmark), f"one of {READY}"
    loaded = load_task(Task(name, name, sentences), code, language, data, hub_codes=hub_codes)
    items = (*loaded.shots, *loaded.items)
    found = [
        Document(cluster, "\n".join(item.text for item in members))
        for cluster, members in groupby(items, key=lambda item: item.cluster)
    ]
    return Text(name, tuple(found), loaded.data.repository, loaded.data.revision)


def list_documents(text: str, code: str = "", language: str = "", data_dir: str | None = None,
                   **_: Any) -> dict[str, Any]:  # fmt: skip
    """Returns the data set that ``tasks/lm_eval/text.yaml`` asks for.

    The arguments are given to stock ``lm_eval`` by ``--metadata``: `text` is a file, or the name of
    a benchmark with the `code` that it has of a language and the language's English name.
    """
    from datasets import Dataset

    from tasks.data import open_data

    found = (
        read_benchmark(text, open_data(data_dir), code, language)
        if text in READY
        else read_file(Path(text))
    )
    rows = [{"id": document.id, "text": document.text} for document in found.documents]
    return {"scored": Dataset.from_list(rows)}


def _split_documents(lines: Iterable[str]) -> Iterator[Document]:
    for seen, group in groupby(enumerate(lines, 1), key=lambda line: has_visible_text(line[1])):
        if seen:
            members = list(group)
            yield Document(f"line {members[0][0]}", "\n".join(line for _, line in members))


def _keep_seen(found: Iterable[Document], where: str) -> tuple[Document, ...]:
    """Leaves out documents without anything that can be seen; refuses a text of none."""
    documents = tuple(one for one in found if has_visible_text(one.text))
    if not documents:
        raise DataMalformed(f"{where} holds no text. Remedy: give a file with documents in it")
    return documents
