"""Read what a chat completion says: its text, its reasoning, or the reason why it is no answer."""

import json
from dataclasses import dataclass
from typing import Any

from core.reasoning import MARK_LEFT, find_marks, split_reasoning, strip_reasoning
from generation.parse import is_sound
from generation.teacher.failures import BROKEN_OFF, MALFORMED

_FIELDS = ("reasoning", "reasoning_content", "thinking")


@dataclass(frozen=True)
class Reply:
    """A finished answer (`reason` is None), or why there is none; then `text` is empty.

    Tokens are the teacher's, as the ledger counts them: of the request, and of text and reasoning.
    """

    text: str = ""
    reasoning: str | None = None
    reason: str | None = None
    tokens_input: int = 0
    tokens_output: int = 0


def read_completion(raw: str) -> dict[str, Any] | None:
    """The response body if it is a chat completion with a message and whole usage, else None."""
    try:
        body = json.loads(raw)
        message = body["choices"][0]["message"]
    except (ValueError, TypeError, KeyError, IndexError):
        return None
    if not isinstance(message, dict) or not isinstance(body.get("usage") or {}, dict):
        return None
    return body if isinstance(body, dict) else None


def find_fault(raw: str) -> str | None:
    """Tell why a response that came with HTTP 200 is none, and another may come; None if it is one.

    OpenRouter reports a provider's failure half-way so: finish_reason "error", and no usage.
    """
    body = read_completion(raw)
    if body is None:
        return MALFORMED
    return BROKEN_OFF if body["choices"][0].get("finish_reason") == "error" else None


def read_reply(raw: str) -> Reply:
    """The reply in a raw response body.

    Accepted only when `finish_reason` is "stop" and there is text. Reasoning is read from
    `reasoning` (vLLM, Together, OpenRouter), `reasoning_content` (llama.cpp, older vLLM, DeepSeek),
    `thinking`, `reasoning_details[]`, parts of the content of another type than text, or, by its
    marks, the text itself.
    """
    body = read_completion(raw)
    if body is None:
        return Reply(reason="not a chat completion")
    choice = body["choices"][0]
    finish = choice.get("finish_reason")
    if finish != "stop":
        return Reply(reason=f"finish_reason {finish}")
    message = choice["message"]
    if isinstance(message.get("refusal"), str) and message["refusal"].strip():
        return Reply(reason="refusal")
    if message.get("tool_calls") or message.get("function_call"):
        return Reply(reason="tool call")
    text, traced = _read_content(message.get("content"))
    if text is None:
        return Reply(reason="empty answer")
    parts = split_reasoning(text)
    if parts.problem:
        return Reply(reason=parts.problem)
    text = parts.answer.strip()
    if not text:
        return Reply(reason="empty answer")
    # Servers that find the reasoning may leave a mark, or the whole of it, in the text as well.
    reasoning = strip_reasoning(_read_reasoning(message) or traced or "") or parts.reasoning
    if find_marks(reasoning):
        return Reply(reason=MARK_LEFT)
    if not is_sound(text + reasoning):
        return Reply(reason="broken Unicode")
    return Reply(text=text, reasoning=reasoning or None)


def _read_content(content: object) -> tuple[str | None, str | None]:
    """(text, reasoning) of a message's content: a string, or a list of typed parts."""
    if isinstance(content, str):
        return content, None
    if not isinstance(content, list):
        return None, None
    texts: list[str] = []
    traces: list[str] = []
    for part in content:
        if isinstance(part, dict):
            (texts if part.get("type") in ("text", "output_text") else traces).append(
                _read_text(part)
            )
    return "".join(texts), "".join(traces) or None


def _read_reasoning(message: dict[str, Any]) -> str | None:
    for name in _FIELDS:
        value = message.get(name)
        if isinstance(value, str) and value.strip():
            return value
    details = message.get("reasoning_details")
    if not isinstance(details, list):
        return None
    return "".join(_read_text(part) for part in details if isinstance(part, dict)) or None


def _read_text(part: dict[str, Any]) -> str:
    """The text of a typed part; encrypted reasoning has none."""
    for name in ("text", "summary", "thinking"):
        value = part.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            return "".join(_read_text(inner) for inner in value if isinstance(inner, dict))
    return ""
