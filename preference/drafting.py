"""Let the teacher draft the raters' words in a language for which no catalogue is shipped.

STUDY/messages.yaml holds them, in English where the teacher gave nothing that can be used, until a
speaker has confirmed them on the page on which the questions are corrected.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from preference.catalogues import write_catalogue
from preference.languages import StudyLanguage
from preference.messages import (
    MESSAGES,
    Catalogue,
    find_catalogue,
    find_english,
    find_placeholders,
    join_line,
    list_keys,
    read_catalogue,
)
from preference.places import describe_form, read_places


def make_catalogue_draft(
    study: Path,
    language: StudyLanguage,
    *,
    overrides: Sequence[str],
    ledger: Path,
    progress: Callable[[int, int, str], None],
) -> Mapping[str, str] | None:
    """Writes the draft; returns the messages that stay English, each with the reason.

    None, and the teacher is not asked, where a catalogue is shipped or a speaker has begun to
    confirm one here. Raises a GenerationError where the teacher does not answer.
    """
    path = study / MESSAGES
    if find_catalogue(language.tag).tag != "en" or language.tag == "en":
        return None
    if path.exists():
        there = read_catalogue(path, check=False)
        if there.confirmed or not there.draft:
            return None
    from harness.study.words import PageWord, translate_words

    groups = {
        place.name: [
            PageWord(
                key,
                find_english(key),
                "; ".join(
                    filter(None, (place.notes[key.partition(".")[0]], describe_form(key, tag)))
                ),
            )
            for key in list_keys(tag)
            if key.partition(".")[0] in place.notes
        ]
        for tag in [language.tag]
        for place in read_places()
    }

    def find_fault(word: PageWord, text: str) -> str | None:
        wanted, found = find_placeholders(word.english), find_placeholders(text)
        if found == wanted or ("." in word.key and found == wanted - {"count"}):
            return None if join_line(text) else "nothing of it can be seen"
        return f"it has {sorted(found) or 'nothing'} in braces, English has {sorted(wanted)}"

    done = translate_words(
        groups,
        language.name,
        find_fault=find_fault,
        overrides=overrides,
        ledger=ledger,
        progress=progress,
    )
    texts = {
        key: join_line(done.texts.get(key, find_english(key))) for key in list_keys(language.tag)
    }
    write_catalogue(path, Catalogue(language.name, language.tag, language.direction, True, texts))
    return done.lost
