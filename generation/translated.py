"""Translate English chats turn by turn, with the paper's filters."""

import heapq
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from core.lines import LineError, read_json_lines
from core.reasoning import MARK_LEFT, split_reasoning
from generation.ask import Asker, StepCounts, as_json, make_conversation_schema, read_counted
from generation.chats import NOT_A_CHAT, read_chat
from generation.errors import InputError
from generation.ids import hash_parts
from generation.items import Made, names_media, record_provenance
from generation.parse import Turn, read_conversation
from generation.settings import Translated


def find_conversations(location: str | None) -> Path:
    """The JSONL file of chats; raises InputError when there is none."""
    if location is not None and Path(location).is_file():
        return Path(location)
    problem = "none is given" if location is None else f"{location} is not a file"
    raise InputError(
        f"The translated source needs a JSONL file of English chats, and {problem}. Remedy: set "
        "sources.translated.conversations to one, or leave the source out."
    )


async def translate(
    asker: Asker, settings: Translated, count_tokens: Callable[[str], int]
) -> AsyncGenerator[Made, None]:
    """One row for each chat whose translation passes the filters.

    Token counts are those of `count_tokens`, the student's.
    """
    chats = _choose(asker, settings, count_tokens)
    step = asker.add_step("translated.conversations")
    longest = asker.teacher.schema_max_characters
    requests = [
        asker.make_request(
            step.step,
            asker.prompts.write_messages("translate", conversation=as_json(chat)),
            hash_parts(chat),
            schema=make_conversation_schema(chat, longest),
            # Not that of a list: a chat is as long in the language as in English, or twice so.
            max_tokens=asker.teacher.translation_max_tokens,
        )
        for chat in chats
    ]
    asked = iter(zip(chats, requests, strict=True))
    async with aclosing(asker.ask_each(requests, step)) as replies:
        async for reply in replies:
            chat, request = next(asked)
            turns = read_counted(reply, step, read_conversation)
            if turns is None:
                continue
            if reason := _find_fault(chat, turns, settings, count_tokens):
                step.lose(reason)
                continue
            step.kept += 1
            row: dict[str, Any] = {
                "id": f"translated-{request.key[:16]}",
                "source": "translated",
                "messages": [
                    {"role": turn["role"], "content": turn["content"].strip()} for turn in turns
                ],
                "reasoning": None,
                "provenance": record_provenance(
                    asker, reply, False, [request.key], conversation=hash_parts(chat)[:16]
                ),
            }
            yield Made(row, instruction=row["messages"][0]["content"])


def _find_fault(
    chat: list[Turn], turns: list[Turn], settings: Translated, count_tokens: Callable[[str], int]
) -> str | None:
    if len(turns) != len(chat):
        return "other number of turns"
    for before, after in zip(chat, turns, strict=True):
        if names_media(after["content"]):
            return "image, video or audio"
        said = split_reasoning(after["content"])
        if said.problem or said.reasoning:
            return said.problem or MARK_LEFT
        ratio = count_tokens(after["content"]) / max(1, count_tokens(before["content"]))
        if ratio < settings.min_ratio:
            return "turn too short"
        if ratio > settings.max_ratio:
            return "turn too long"
    return None


def _choose(
    asker: Asker, settings: Translated, count_tokens: Callable[[str], int]
) -> list[list[Turn]]:
    """A seeded sample of the file's usable chats, less the ones that are too long."""
    step = asker.add_step("translated.chosen")
    path = find_conversations(settings.conversations)
    usable = 0

    def drawn() -> Iterator[tuple[str, list[Turn]]]:
        nonlocal usable
        seen: set[bytes] = set()
        for chat in _read_chats(path, step):
            mark = hash_parts(asker.seed, "translated", chat)
            if (short := bytes.fromhex(mark)[:12]) in seen:
                step.lose("duplicate")
                continue
            seen.add(short)
            usable += 1
            yield mark, chat

    # The smallest hashes: a sample that does not depend on the file's order.
    sample = heapq.nsmallest(settings.max_conversations, drawn(), key=lambda pair: pair[0])
    step.lose("sampled out", usable - len(sample))
    chosen = [
        chat
        for _, chat in sample
        if sum(count_tokens(turn["content"]) for turn in chat) <= settings.max_input_tokens
    ]
    step.lose("too many tokens", len(sample) - len(chosen))
    step.kept = len(chosen)
    return chosen


def _read_chats(path: Path, step: StepCounts) -> Iterator[list[Turn]]:
    try:
        for _, row in read_json_lines(path):
            chat = _read_chat(row, step)
            if isinstance(chat, str):
                step.lose(chat)
            else:
                yield chat
    except LineError as error:
        raise InputError(
            f"{error}. Remedy: one chat a line, in UTF-8, "
            '{"messages": [{"role": "user", "content": "..."}, ...]}.'
        ) from error


def _read_chat(row: Any, step: StepCounts) -> list[Turn] | str:
    """The turns of a row, or why they cannot be used.

    A row that says it is not English (`langdetect`) is left out, and so is one of which a turn is
    not to be trained, or that has a system prompt: translations are asked for turn by turn, and
    trained as they come.
    """
    if isinstance(row, dict) and row.get("langdetect", "en") != "en":
        return "not English"
    chat = read_chat(row)
    if isinstance(chat, str):
        return chat
    if chat.turns[0]["role"] == "system":
        return NOT_A_CHAT
    if any("weight" in turn for turn in chat.turns):
        return "marked not to be trained"
    left_out = {**chat.left_out, "reasoning of an English chat": int(bool(chat.reasoning))}
    for reason, count in left_out.items():
        step.lose(reason, count)
    return chat.turns
