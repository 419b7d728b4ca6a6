"""What a chat completion says: its text, its reasoning, or the reason why it is no answer."""

import json
import re
from dataclasses import dataclass
from typing import Any

from generation.parse import is_sound

_INLINE = re.compile(r"\s*<think>(.*?)</think>(.*)", re.DOTALL)


@dataclass(frozen=True)
class Reply:
    """A finished answer (`reason` is None), or why there is none; then `text` is empty."""

    text: str = ""
    reasoning: str | None = None
    reason: str | None = None


def completion(raw: str) -> dict[str, Any] | None:
    """The response body if it is a chat completion with a message and whole usage, else None."""
    try:
        body = json.loads(raw)
        message = body["choices"][0]["message"]
    except (ValueError, TypeError, KeyError, IndexError):
        return None
    if not isinstance(message, dict) or not isinstance(body.get("usage") or {}, dict):
        return None
    return body if isinstance(body, dict) else None


def read_reply(raw: str) -> Reply:
    """The reply in a raw response body.

    Accepted only when `finish_reason` is "stop" and there is text. Reasoning is read from
    `reasoning`, `reasoning_content`, `reasoning_details[].text`, or a leading <think> block.
    """
    body = completion(raw)
    if body is None:
        return Reply(reason="not a chat completion")
    choice = body["choices"][0]
    finish = choice.get("finish_reason")
    if finish != "stop":
        return Reply(reason=f"finish_reason {finish}")
    message = choice["message"]
    text = message.get("content")
    if not isinstance(text, str):
        return Reply(reason="empty answer")
    reasoning = _reasoning(message)
    if inline := _INLINE.fullmatch(text):
        reasoning, text = reasoning or inline[1], inline[2]
    elif text.lstrip().startswith("<think>"):
        return Reply(reason="reasoning without end")
    text = text.strip()
    if not text:
        return Reply(reason="empty answer")
    reasoning = (reasoning or "").strip()
    if not is_sound(text + reasoning):
        return Reply(reason="broken Unicode")
    return Reply(text=text, reasoning=reasoning or None)


def _reasoning(message: dict[str, Any]) -> str | None:
    for name in ("reasoning", "reasoning_content"):
        value = message.get(name)
        if isinstance(value, str) and value.strip():
            return value
    details = message.get("reasoning_details")
    if not isinstance(details, list):
        return None
    texts = [part.get("text") for part in details if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str)) or None
