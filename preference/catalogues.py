"""Read and keep a study's own catalogue of the raters' words, while a speaker corrects it.

STUDY/messages.yaml says of each message whether a speaker has confirmed it, until all are.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import yaml

from preference.files import write_text
from preference.languages import StudyLanguage
from preference.messages import (
    MESSAGES,
    Catalogue,
    find_catalogue,
    find_english,
    list_differences,
    list_keys,
    read_catalogue,
    write_messages,
)


def read_own_catalogue(study: Path, language: StudyLanguage) -> Catalogue:
    """The catalogue that a study's speakers correct: its own, whole, else the shipped one. What is
    missing in it, since an earlier version wrote it, is English and not confirmed."""
    path = study / MESSAGES
    found = read_catalogue(path, check=False) if path.exists() else find_catalogue(language.tag)
    keys = list_keys(language.tag)
    texts = {key: found.messages.get(key) or _find_other(found.messages, key) for key in keys}
    confirmed = found.confirmed
    if not found.draft and path.exists():
        confirmed = tuple(key for key in keys if found.messages.get(key))
    return replace(
        found,
        language=language.name,
        tag=language.tag,
        direction=language.direction,
        messages=texts,
        confirmed=tuple(key for key in confirmed if key in texts),
        draft=len(set(confirmed) & set(keys)) < len(keys),
    )


def keep_words(study: Path, language: StudyLanguage, typed: Mapping[str, str]) -> list[str]:
    """Keeps a speaker's words for some messages, if nothing in them is missing; returns what is,
    in words."""
    there = read_own_catalogue(study, language)
    messages = {**there.messages, **typed}
    problems = [
        problem
        for problem in list_differences(messages, language.tag)
        if problem.partition(" ")[0] in typed
    ]
    if problems:
        return problems
    confirmed = tuple(key for key in messages if key in typed or key in there.confirmed)
    done = replace(
        there, messages=messages, confirmed=confirmed, draft=len(confirmed) < len(messages)
    )
    write_catalogue(study / MESSAGES, done)
    return []


def write_catalogue(path: Path, catalogue: Catalogue) -> None:
    """Writes a catalogue as YAML, for the owner of the study alone."""
    value = {
        "language": catalogue.language,
        "tag": catalogue.tag,
        "direction": catalogue.direction,
        "draft": catalogue.draft,
        **({"confirmed": list(catalogue.confirmed)} if catalogue.draft else {}),
        "messages": write_messages(catalogue.messages),
    }
    text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=10_000)
    write_text(path, text, secret=True)


def _find_other(messages: Mapping[str, str], key: str) -> str:
    """A text that stands for the form, where the catalogue does not tell it apart."""
    return messages.get(key.partition(".")[0]) or find_english(key)
