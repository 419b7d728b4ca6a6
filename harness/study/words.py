"""Lets a teacher translate the words of the raters' pages, in the groups in which they are read."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from generation.ask import Asker, as_json, make_array_schema, read_counted
from generation.errors import TeacherError
from generation.parse import read_list
from generation.prompts import load_prompts
from generation.settings import Teacher
from generation.teacher.client import TeacherClient
from generation.teacher.ledger import Ledger, Request
from generation.teacher.reply import Reply
from harness.study.translations import compose_making
from harness.teacher import running_teacher
from training.students import find_embedded_gguf

_SYSTEM = """\
Translate the words of a web page from English into {language}. On the page, people who speak \
{language} compare two answers to a question; many of them have never heard of language models. \
Use plain, everyday words, address the reader politely, and say each thing as a native speaker \
would, briefly where the English is brief. You are given a JSON array of objects: "english" is \
what to translate, "note" says where it stands or what it is about. Keep what stands in {{braces}} \
exactly as it is. Answer with a JSON array of strings: the translations, as many and in the same \
order."""


@dataclass(frozen=True)
class PageWord:
    """A text to translate, and where it stands or what it means; "" where nothing is to be said."""

    key: str
    english: str
    note: str


@dataclass(frozen=True)
class DraftedWords:
    """The translations by key, without those in `lost`, each with its reason."""

    texts: Mapping[str, str]
    lost: Mapping[str, str]
    teacher: str


def translate_words(
    groups: Mapping[str, Sequence[PageWord]],
    language: str,
    *,
    find_fault: Callable[[PageWord, str], str | None],
    overrides: Sequence[str],
    ledger: Path,
    progress: Callable[[int, int, str], None],
) -> DraftedWords:
    """Translates words group by group; a word whose translation is missing or has a fault is asked
    for once more, alone.

    groups: a name of each -> its words; language: its English name; find_fault: says why a
    translation cannot be taken. Every answer is in the ledger as soon as it arrives and is never
    asked for twice. Raises a GenerationError where the teacher does not answer.
    """
    config = compose_making(overrides)
    weights = find_embedded_gguf() if config.teacher.kind == "embedded" else None
    with running_teacher(config.teacher, weights) as teacher, Ledger(ledger) as book:
        asked = _WordAsker(
            teacher, language, Path(config.prompts_file), config.seed, book, progress, find_fault
        )
        done, lost = asyncio.run(asked.ask_groups(groups))
    return DraftedWords(done, lost, config.teacher.name)


@dataclass(frozen=True)
class _WordAsker:
    """One teacher, asked for words; see `translate_words`."""

    teacher: Teacher
    language: str
    prompts_file: Path
    seed: int
    ledger: Ledger
    progress: Callable[[int, int, str], None]
    find_fault: Callable[[PageWord, str], str | None]

    async def ask_groups(
        self, groups: Mapping[str, Sequence[PageWord]]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Ask for each group, then for each word alone that a group's answer did not give."""
        prompts = load_prompts(self.prompts_file, language=self.language, lists=self.teacher.lists)
        async with TeacherClient(self.teacher) as client:
            asker = Asker(
                teacher=self.teacher,
                prompts=prompts,
                client=client,
                ledger=self.ledger,
                seed=self.seed,
                progress=self.progress,
            )
            done, lost = await self._ask(asker, "study.words", groups)
            words = {word.key: word for group in groups.values() for word in group}
            alone = {f"{key}, alone": [words[key]] for key in lost}
            again, lost = await self._ask(asker, "study.words.alone", alone) if alone else ({}, {})
        if asker.passing:
            raise TeacherError(
                f"{sum(asker.passing.values())} requests for the raters' words got no answer for"
                f" reasons that may pass ({', '.join(asker.passing)}). Remedy: the same command"
                " again; what was answered is kept"
            )
        return done | again, lost

    async def _ask(
        self, asker: Asker, name: str, groups: Mapping[str, Sequence[PageWord]]
    ) -> tuple[dict[str, str], dict[str, str]]:
        step = asker.add_step(name)
        requests = [
            self._make_request(asker, name, place, words) for place, words in groups.items()
        ]
        replies: list[Reply] = await asker.ask_all(requests, step)
        done: dict[str, str] = {}
        lost: dict[str, str] = {}
        for words, reply in zip(groups.values(), replies, strict=True):
            # One more than there should be, so that a list which is too long is noticed.
            texts = read_counted(reply, step, partial(read_list, limit=len(words) + 1))
            if texts is None or len(texts) != len(words):
                why = reply.reason or f"the answer is not {len(words)} texts"
                lost |= dict.fromkeys((word.key for word in words), why)
                continue
            for word, text in zip(words, texts, strict=True):
                if fault := self.find_fault(word, text):
                    lost[word.key] = fault
                else:
                    done[word.key] = text
        return done, lost

    def _make_request(
        self, asker: Asker, step: str, place: str, words: Sequence[PageWord]
    ) -> Request:
        given = [
            {"english": word.english, "note": "; ".join(filter(None, (place, word.note)))}
            for word in words
        ]
        messages = [
            {"role": "system", "content": _SYSTEM.format(language=self.language)},
            {"role": "user", "content": f"Translate into {self.language}:\n{as_json(given)}"},
        ]
        text = {"type": "string", "minLength": 1}
        schema = make_array_schema([text] * len(words))
        return asker.make_request(step, messages, place, schema=schema)
