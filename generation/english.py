"""Finds the English of rows that were translated: the chats that they are translations of."""

from collections.abc import Sequence
from pathlib import Path

from core.lines import read_json_lines
from generation.chats import read_chat
from generation.ids import hash_parts
from generation.translated import find_conversations

_DIGITS = 16  # of a chat's hash that a row's provenance holds


def find_english(rows: Path, conversations: str) -> dict[str, Sequence[str]]:
    """Returns the English turns of each row of a translated source, by the row's id.

    `rows` is the source's file, and `conversations` that of the chats it was made from. A row whose
    chat is no longer there is left out.
    """
    wanted: dict[str, list[str]] = {}
    for _, row in read_json_lines(rows):
        origin = row.get("provenance", {}).get("conversation")
        if origin:
            wanted.setdefault(origin, []).append(row["id"])
    found: dict[str, Sequence[str]] = {}
    for _, value in read_json_lines(find_conversations(conversations)):
        chat = read_chat(value)
        if isinstance(chat, str):
            continue
        for row_id in wanted.pop(hash_parts(chat.turns)[:_DIGITS], ()):
            found[row_id] = [turn["content"] for turn in chat.turns]
    return found
