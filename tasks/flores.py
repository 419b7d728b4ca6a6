"""FLORES-200: professional translations of Wikimedia sentences (arXiv 2207.04672,
`openlanguagedata/flores_plus`), scored as translation in both directions with chrF++.

A row here: source, target (one sentence each), from_language="Swahili", to_language="English"

Split: devtest (1,012 sentences; 1,009 are scored). Traps: Belebele's passages and SIB-200's texts
are FLORES sentences, so FLORES in a training mixture contaminates three benchmarks.
"""

from pathlib import Path
from typing import Any, Literal

from tasks.data import Row, content_hash, data_root, read_lines
from tasks.errors import DataMalformed
from tasks.protocol import SHOTS

ENGLISH = "eng_Latn"
Direction = Literal["xx_en", "en_xx"]

DESCRIPTION = "Translate each sentence from {{from_language}} to {{to_language}}.\n\n"


def path(root: Path, code: str) -> Path:
    """The devtest file of the language with FLORES code `code`, a sentence a line."""
    return root / "flores" / "devtest" / f"{code}.txt"


def read(root: Path, code: str, direction: Direction, language: str) -> list[Row]:
    """All sentence pairs, shots included. `DataMissing` or `DataMalformed` when impossible.

    `language` is the name that the prompt calls it by.
    """
    there, english = read_lines(path(root, code)), read_lines(path(root, ENGLISH))
    if len(there) != len(english):
        raise DataMalformed(
            f"{path(root, code)} has {len(there)} lines, {path(root, ENGLISH)} {len(english)}; "
            "they must be parallel"
        )
    if len(there) <= SHOTS or not all(line.strip() for line in [*there, *english]):
        raise DataMalformed(
            f"{path(root, code)}: {len(there)} lines, some empty or too few; the first {SHOTS} "
            "are the shots"
        )
    names = {"from_language": language, "to_language": "English"}
    if direction == "xx_en":
        return [{"source": s, "target": t, **names} for s, t in zip(there, english, strict=True)]
    names = {"from_language": "English", "to_language": language}
    return [{"source": s, "target": t, **names} for s, t in zip(english, there, strict=True)]


def fingerprint(root: Path, code: str) -> str:
    """SHA-256 of the data that `read` would give, for either direction; raises what it raises."""
    read(root, code, "xx_en", code)
    return content_hash([path(root, code), path(root, ENGLISH)])


def load(
    code: str, direction: Direction, language: str, data_dir: str | None = None, **_: object
) -> dict[str, Any]:
    """What lm-eval asks for: the splits as `datasets.Dataset`."""
    from datasets import Dataset

    return {"devtest": Dataset.from_list(read(data_root(data_dir), code, direction, language))}


def doc_to_text(doc: Row) -> str:
    return f"{doc['from_language']}: {doc['source']}\n{doc['to_language']}:"


def doc_to_target(doc: Row) -> str:
    return str(doc["target"])
