"""Get a study's questions and their translations from files, the Hub, the teacher."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import MendableError
from preference.errors import QuestionsError
from preference.languages import StudyLanguage
from preference.questions import read_prompts

# MT-Bench with its own question ids; the rows of the data set itself are numbered otherwise.
HUB_REPOSITORY, HUB_FILE = "HuggingFaceH4/mt_bench_prompts", "raw/question.jsonl"
LEDGER = "teacher.sqlite"


@dataclass(frozen=True)
class FoundQuestions:
    """Questions as they were found: id -> (category, first turn), and what to record of them."""

    rows: Mapping[str, tuple[str, str]]
    origin: Mapping[str, str]


@dataclass(frozen=True)
class TranslatedQuestions:
    """id -> text, "" where the teacher gave none (texts is None where nothing was translated);
    and those with the reason."""

    texts: Mapping[str, str] | None
    lost: Mapping[str, str]
    origin: Mapping[str, Any]


def find_questions(source: str) -> FoundQuestions:
    """Questions of a JSONL file; or, for `hub` and `hub:REPOSITORY`, of MT-Bench on the Hugging
    Face Hub (or of a data set in its layout) at the commit that it is at, which is recorded."""
    if source != "hub" and not source.startswith("hub:"):
        return _from_file(Path(source), {"file": Path(source).name})
    from harness.study.hub_files import fetch_file

    try:
        found = fetch_file(source.partition(":")[2] or HUB_REPOSITORY, HUB_FILE)
    except MendableError as error:
        raise _report_not_had(str(error).partition(" Remedy:")[0]) from None
    revision = {"revision": found.revision} if found.revision else {}
    return _from_file(found.path, {"repository": found.repository, **revision})


def _report_not_had(what: str) -> QuestionsError:
    return QuestionsError(
        f"{what} Remedy: check the network, the name and HF_TOKEN, or give MT-Bench's"
        " question.jsonl as a file"
    )


def _from_file(path: Path, where: Mapping[str, str]) -> FoundQuestions:
    rows = read_prompts(path)
    return FoundQuestions(rows, {**where, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})


def translate(
    taken: FoundQuestions,
    language: StudyLanguage,
    *,
    overrides: Sequence[str],
    ledger: Path,
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> TranslatedQuestions:
    """Each question as the teacher translates it, asked as for the `translated` source.

    overrides: as `kakugo` takes them, such as `teacher=gpt_oss_120b`. Every answer is in the ledger
    as soon as it arrives and is never asked for twice. Raises a GenerationError where the teacher
    does not answer; what it answers unreadably is named in `lost`.
    """
    from harness.study.translations import translate_texts

    done = translate_texts(
        {key: text for key, (_, text) in taken.rows.items()},
        language.name,
        overrides=overrides,
        ledger=ledger,
        progress=progress,
    )
    return TranslatedQuestions(
        done.texts, done.lost, {"translated_by": done.teacher, "seed": done.seed}
    )
