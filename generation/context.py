"""Prompts about texts of the language: each text gets one of eight tasks in turn."""

import re
from collections.abc import Callable
from pathlib import Path

from core.lines import Line, LineError, read_json_lines, read_lines
from generation.ask import Asker
from generation.errors import InputError
from generation.ids import draw_chance, hash_parts, keep_distinct, rank_by_seed
from generation.items import DraftPrompt, names_media
from generation.settings import Context

_BLANK_LINE = re.compile(r"\n[ \t]*\n\s*")
_ONE_TEXT = 'one text a line, {"text": "..."}, in UTF-8'


def read_texts(location: str | None, *, language: str, flores_code: str | None) -> list[str]:
    """The texts of a file, or of the language's file in a directory (see settings.Context).

    Raises InputError when there is no file or no text in it.
    """
    path = find_texts(location, language=language, flores_code=flores_code)
    try:
        if path.suffix == ".jsonl":
            parts = [_read_text(path, line) for line in read_json_lines(path)]
        else:
            parts = [line.value for line in read_lines(path)]
            content = "\n".join(parts)
            if _BLANK_LINE.search(content.strip()):
                parts = _BLANK_LINE.split(content)
    except (OSError, LineError) as error:
        shape = _ONE_TEXT if path.suffix == ".jsonl" else "save them as UTF-8"
        raise InputError(f"The context texts cannot be read: {error}. Remedy: {shape}.") from error
    texts = [text.strip() for text in parts if text.strip()]
    if not texts:
        raise InputError(f"The file {path} holds no text. Remedy: put texts into it.")
    return texts


def find_texts(location: str | None, *, language: str, flores_code: str | None) -> Path:
    """The text file of the language; raises InputError when there is none."""
    if location is None:
        raise InputError(
            f"The context source needs texts in {language}, and none are given. Remedy: set "
            "sources.context.texts to a text file or a directory, or leave the source out."
        )
    path = Path(location)
    if path.is_file():
        return path
    names = [flores_code, language, language.lower().replace(" ", "_")]
    files = [path / f"{name}{end}" for name in names if name for end in (".txt", ".jsonl")]
    for file in files:
        if file.is_file():
            return file
    raise InputError(
        f"There are no context texts at {path} "
        f"(looked for {', '.join(file.name for file in files)}). Remedy: correct "
        "sources.context.texts, or leave the source out."
    )


def _read_text(path: Path, line: Line) -> str:
    text = line.value.get("text") if isinstance(line.value, dict) else None
    if not isinstance(text, str):
        raise InputError(
            f'{path}, line {line.number}: no object with a text as its "text". Remedy: {_ONE_TEXT}.'
        )
    return text


async def make_context_prompts(
    asker: Asker, settings: Context, corpus: list[str], cut_tokens: Callable[[str, int], str]
) -> list[DraftPrompt]:
    """Prompts about a seeded sample of the corpus, each text cut to its first tokens.

    If the corpus has more than `max_texts` texts, one prompt of each is kept, else all, sampled
    down to `max_texts` prompts.
    """
    chosen = _choose(asker, settings, corpus)
    tasks = asker.prompts.context_tasks
    step = asker.add_step("context.prompts")
    # A cut inside a character must not leave a replacement mark behind.
    texts = [cut_tokens(text, settings.first_tokens).rstrip("\ufffd").strip() for text in chosen]
    requests = [
        asker.list_request(
            step.step,
            "context_prompts",
            hash_parts(full),
            count=settings.prompts,
            text=text,
            task=tasks[index % len(tasks)],
        )
        for index, (full, text) in enumerate(zip(chosen, texts, strict=True))
    ]
    prompts: list[DraftPrompt] = []
    lists = await asker.ask_lists(requests, step, settings.prompts)
    for index, (request, words) in enumerate(zip(requests, lists, strict=True)):
        found = keep_distinct(words or (), str)
        for place, word in enumerate(found):
            prompt = DraftPrompt(
                id=f"context-{request.key[:16]}-{place}",
                words=word,
                text=texts[index],
                task=tasks[index % len(tasks)],
                origin={"context": hash_parts(chosen[index])[:16]},
                requests=(request.key,),
            )
            prompts.append(prompt)
    kept = _sample(asker.seed, settings, prompts, one_each=len(corpus) > settings.max_texts)
    step.lose("sampled out", len(prompts) - len(kept))
    step.kept = len(kept)
    return kept


def _choose(asker: Asker, settings: Context, corpus: list[str]) -> list[str]:
    step = asker.add_step("context.texts")
    different = keep_distinct(corpus, str)
    step.lose("duplicate", len(corpus) - len(different))
    usable = [text for text in different if not names_media(text)]
    step.lose("image, video or audio", len(different) - len(usable))
    chosen = rank_by_seed(usable, asker.seed, "context.texts", str)[: settings.max_texts]
    step.lose("sampled out", len(usable) - len(chosen))
    step.kept = len(chosen)
    return chosen


def _sample(
    seed: int, settings: Context, prompts: list[DraftPrompt], *, one_each: bool
) -> list[DraftPrompt]:
    def draw(prompt: DraftPrompt) -> float:
        return draw_chance(seed, "context.prompts", prompt.id)

    if one_each:
        best: dict[str, DraftPrompt] = {}
        for prompt in prompts:
            text = prompt.origin["context"]
            if text not in best or draw(prompt) < draw(best[text]):
                best[text] = prompt
        return list(best.values())
    if len(prompts) <= settings.max_texts:
        return prompts
    ids = {prompt.id for prompt in sorted(prompts, key=draw)[: settings.max_texts]}
    return [prompt for prompt in prompts if prompt.id in ids]
