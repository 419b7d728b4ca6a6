"""The words of the prompts, from the editable table ``tasks/words.yaml``."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import yaml

from tasks.errors import WordsMalformed, WordsMissing

TABLE = Path(__file__).parent / "words.yaml"
TOPICS = (
    "entertainment",
    "geography",
    "health",
    "politics",
    "science/technology",
    "sports",
    "travel",
)

_REMEDY = "Remedy: mend it; the entry of Swahili shows all that one holds"


@dataclass(frozen=True)
class Words:
    """The words of one language; what each is for stands in the table.

    `reviewed_by` names the native speaker who has checked them, None for a draft.
    """

    passage: str
    question: str
    answer: str
    text: str
    topic: str
    which_topic: str
    topics: Mapping[str, str]
    this_language: str
    english: str
    to_english: str
    from_english: str
    reviewed_by: str | None = None


def find_words(language: str | None = None, table: Path = TABLE) -> Words:
    """Returns the words of the language with that English name, None for the paper's English
    prompts.

    Raises `WordsMissing` or `WordsMalformed`, which name the file to edit.
    """
    entries = _read(table)
    entry = entries.get(language or "English")
    if entry is None:
        raise WordsMissing(
            f"the instructions are not written in {language} yet (there are: "
            f"{', '.join(sorted(entries))}). Remedy: add an entry '{language}' to {table}, or "
            "evaluate.protocol.instructions=english"
        )
    return entry


@cache
def _read(table: Path) -> dict[str, Words]:
    """Reads all entries of the table, each with every word."""
    try:
        entries = yaml.safe_load(table.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WordsMalformed(f"{table} cannot be read: {error}. {_REMEDY}") from None
    if not isinstance(entries, dict):
        raise WordsMalformed(f"{table}: it holds no languages with their words. {_REMEDY}")
    return {
        str(language): _read_entry(table, language, entry) for language, entry in entries.items()
    }


def _read_entry(table: Path, language: str, entry: object) -> Words:
    known = [field.name for field in fields(Words)]
    given = entry if isinstance(entry, dict) else {}
    topics = given.get("topics")
    lacking = [name for name in known if name != "reviewed_by" and not given.get(name)]
    lacking += [
        f"topics.{topic}" for topic in TOPICS if isinstance(topics, dict) and not topics.get(topic)
    ]
    unknown = [str(name) for name in given if name not in known]
    if lacking or unknown:
        raise WordsMalformed(
            f"{table}, {language}: "
            + "; ".join(
                f"{fault} {', '.join(names)}"
                for fault, names in (("there is no", lacking), ("not known:", unknown))
                if names
            )
            + f". {_REMEDY}"
        )
    not_text = [
        name
        for name in known
        if name not in ("topics", "reviewed_by") and not isinstance(given[name], str)
    ]
    if not_text or not isinstance(topics, dict):
        raise WordsMalformed(
            f"{table}, {language}: must be text: {', '.join(not_text)}. {_REMEDY}"
            if not_text
            else f"{table}, {language}: topics must be a table of the seven topics. {_REMEDY}"
        )
    return Words(**{**given, "topics": {topic: str(topics[topic]) for topic in TOPICS}})
