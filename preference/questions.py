"""The questions: from MT-Bench or any JSONL, with translations, corrected, and frozen with a hash.

DIR/questions.json         the draft: English source and translation of each question
DIR/corrections.jsonl      what speakers corrected and approved, append-only
DIR/questions.frozen.json  the prompts that models answer and raters see, with their hash
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from core.shell import quote_for_shell
from preference.commitment import hash_canonical
from preference.errors import QuestionsError
from preference.files import read_json, read_rows, write_json
from preference.languages import find_study_language
from preference.normalise import clean_text

DRAFT, CORRECTIONS, FROZEN = "questions.json", "corrections.jsonl", "questions.frozen.json"


@dataclass(frozen=True)
class Question:
    """id and category as the file gives them; source: English; prompt: in the study's language."""

    id: str
    category: str
    source: str
    prompt: str


@dataclass(frozen=True)
class Questions:
    """All questions of a study and the name of its language in conf/language. origin: where they
    and their translations come from; said in the files, not part of the hash."""

    language: str
    questions: tuple[Question, ...]
    origin: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Hash of language and questions, in their order."""
        return hash_canonical(
            {"language": self.language, "questions": [asdict(q) for q in self.questions]}
        )


@dataclass(frozen=True)
class Correction:
    """A speaker's last word on one question. by, approved_by: pseudonyms the researcher chose."""

    prompt: str
    by: str
    approved_by: str | None = None


def read_prompts(path: Path) -> dict[str, tuple[str, str]]:
    """Question id -> (category, first turn) of a JSONL in MT-Bench's shape, or with `prompt`
    or `text`. Further turns are not used: the paper rates first turns."""
    rows: dict[str, tuple[str, str]] = {}
    for number, row in read_rows(path, QuestionsError):
        try:
            text = row.get("turns", row.get("prompt", row.get("text")))
            if isinstance(text, list):
                text = text[0]
            key = str(row.get("question_id", row.get("id", number)))
            if not isinstance(text, str) or not clean_text(text):
                raise ValueError("its prompt is empty or no text")
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise QuestionsError(
                f'{path}, line {number}: {error}. Each line is {{"question_id": ..., "category":'
                ' ..., "turns": [...]} or {"id": ..., "prompt": ...}'
            ) from None
        if key in rows:
            raise QuestionsError(f"{path}, line {number}: question {key} stands there twice")
        rows[key] = (str(row.get("category", "all")), text.strip())
    if not rows:
        raise QuestionsError(f"{path}: holds no questions")
    return rows


def make_draft(
    directory: Path,
    language: str,
    originals: Mapping[str, tuple[str, str]],
    translated: Mapping[str, str] | None = None,
    *,
    origin: Mapping[str, Any] | None = None,
) -> Questions:
    """Writes the draft.

    originals: id -> (category, prompt); translated: id -> prompt in the language, "" where there is
    none yet, or None if the originals are in the language already. Raises QuestionsError where the
    two differ in their questions, or where speakers have begun to correct another draft.
    """
    find_study_language(language)
    if (directory / FROZEN).exists():
        raise QuestionsError(
            f"{directory / FROZEN} exists: frozen questions are not replaced. Remedy: another"
            " directory"
        )
    if translated is None:
        translated = {key: text for key, (_, text) in originals.items()}
    missing = [key for key in originals if key not in translated]
    extra = [key for key in translated if key not in originals]
    if missing or extra:
        raise QuestionsError(
            "questions and translations are not the same: without a translation"
            f" {missing[:8] or 'none'}, without a question {extra[:8] or 'none'}"
        )
    questions = Questions(
        language,
        tuple(
            Question(key, category, clean_text(text), clean_text(translated[key]))
            for key, (category, text) in originals.items()
        ),
        dict(origin or {}),
    )
    if (directory / CORRECTIONS).exists() and read_draft(directory).sha256 != questions.sha256:
        raise QuestionsError(
            f"{directory / CORRECTIONS} holds a speaker's corrections of other questions."
            " Remedy: another directory"
        )
    write_json(directory / DRAFT, _as_json(questions))
    return questions


def read_draft(directory: Path) -> Questions:
    return _from_json(
        read_json(directory / DRAFT, QuestionsError, "draft of questions"), directory / DRAFT
    )


def read_corrections(directory: Path) -> dict[str, Correction]:
    """Question id -> its latest correction. A last line that a crash cut off is left out."""
    latest: dict[str, Correction] = {}
    path = directory / CORRECTIONS
    if path.exists():
        # What stands behind the last newline was cut off.
        for line in path.read_bytes().split(b"\n")[:-1]:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            latest[row["question"]] = Correction(row["prompt"], row["by"], row.get("approved_by"))
    return latest


def add_correction(directory: Path, question: str, correction: Correction) -> None:
    """Appends and syncs one correction; it is kept once this returns. Raises QuestionsError for one
    of which nothing can be seen."""
    correction = replace(correction, prompt=clean_text(correction.prompt))
    if not correction.prompt:
        raise QuestionsError("the corrected question has no text that can be seen")
    if (directory / FROZEN).exists():
        raise QuestionsError("the questions are frozen; nothing can be corrected any more")
    path = directory / CORRECTIONS
    lead = ""
    if path.exists() and path.stat().st_size:
        with path.open("rb") as handle:
            handle.seek(-1, os.SEEK_END)
            lead = "" if handle.read(1) == b"\n" else "\n"
    # A person's words: for the owner of the study alone.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out:
        row = json.dumps({"question": question} | asdict(correction), ensure_ascii=False)
        out.write(f"{lead}{row}\n".encode())
        out.flush()
        os.fsync(out.fileno())


def freeze(directory: Path, *, unreviewed: bool = False, approval: bool = False) -> Questions:
    """Applies the corrections and writes the frozen questions.

    unreviewed: allow questions that no speaker has confirmed; approval: want a second speaker's
    approval of each. Raises QuestionsError with those that lack it.
    """
    if (directory / FROZEN).exists():
        raise QuestionsError(f"{directory / FROZEN} exists: the questions are frozen already")
    draft, corrections = read_draft(directory), read_corrections(directory)
    open_ones = [q.id for q in draft.questions if q.id not in corrections]
    if open_ones and not unreviewed:
        more = f" and {len(open_ones) - 8} more" if len(open_ones) > 8 else ""
        raise QuestionsError(
            f"{len(open_ones)} of {len(draft.questions)} questions were not confirmed by a speaker:"
            f" {', '.join(open_ones[:8])}{more}. Remedy: kakugo-preference correct, or freeze"
            " --unreviewed"
        )
    unapproved = [key for key, c in corrections.items() if not c.approved_by]
    if approval and (unapproved or open_ones):
        raise QuestionsError(
            f"{len(unapproved) + len(open_ones)} questions lack a second speaker's approval:"
            f" {', '.join((unapproved + open_ones)[:8])}"
        )
    empty = [q.id for q in draft.questions if q.id not in corrections and not clean_text(q.prompt)]
    if empty:
        raise QuestionsError(
            f"questions without a translation: {', '.join(empty[:8])}. Remedy: a speaker writes"
            f" them (kakugo-preference correct {quote_for_shell(directory)}), or give another"
            " --translate seed=N"
        )
    frozen = Questions(
        draft.language,
        tuple(
            Question(
                q.id,
                q.category,
                q.source,
                clean_text(corrections[q.id].prompt if q.id in corrections else q.prompt),
            )
            for q in draft.questions
        ),
        draft.origin,
    )
    reviewed = {
        "confirmed": len(corrections),
        "approved": len(corrections) - len(unapproved),
        "open": len(open_ones),
    }
    write_json(directory / FROZEN, _as_json(frozen) | {"sha256": frozen.sha256, "review": reviewed})
    return frozen


def read_frozen(directory: Path) -> Questions:
    """The frozen questions. Raises QuestionsError if they are not frozen or were changed since."""
    path = directory / FROZEN
    if not path.exists() and (directory / DRAFT).exists():
        raise QuestionsError(
            f"the questions in {directory} are not frozen. Remedy: kakugo-preference freeze"
            f" {directory}"
        )
    value = read_json(path, QuestionsError, "file of frozen questions")
    questions = _from_json(value, path)
    if value.get("sha256") != questions.sha256:
        raise QuestionsError(
            f"{path} was changed after it was frozen. Remedy: restore it, or freeze anew in another"
            " directory"
        )
    return questions


def _as_json(questions: Questions) -> dict[str, Any]:
    return {
        "language": questions.language,
        "questions": [asdict(q) for q in questions.questions],
        "origin": dict(questions.origin),
    }


def _from_json(value: Mapping[str, Any], path: Path) -> Questions:
    try:
        rows = tuple(Question(**row) for row in value["questions"])
        return Questions(value["language"], rows, value.get("origin", {}))
    except (KeyError, TypeError) as error:
        raise QuestionsError(f"{path}: not a file of questions ({error})") from None
