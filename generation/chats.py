"""Read a chat in the forms in which chats are kept, with what the file says about training on it.

A turn that is not to be trained (`weight: 0`, `train: false` and their kin) stays as context and
carries `"weight": 0` from here to the trainer. What a row says and training cannot honour (calls of
tools, media, two system prompts, weights between 0 and 1) makes the row a loss with a name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.reasoning import (
    MARK_LEFT,
    TOKEN_LEFT,
    find_marks,
    find_template_tokens,
    split_reasoning,
    strip_reasoning,
    strip_turn_end,
)
from generation.items import names_media
from generation.parse import is_conversation, is_sound

Row = dict[str, Any]
NOT_A_CHAT = "not an alternating chat"
NO_MESSAGES = "no messages"
MEDIA = "image, video or audio"
TOOLS = "tools or a call of one"
WEIGHT = "weight other than 0 or 1"
BAD = "marked as a bad answer"

_ROLES = {
    "human": "user",
    "prompter": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "developer": "system",
}
_TOOL_ROLES = {"tool", "tools", "function", "observation", "ipython", "environment"} | {
    f"{what}_{kind}" for what in ("tool", "function") for kind in ("call", "response", "result")
}
_TOOL_FIELDS = ("tool_calls", "function_call", "tool_call")
_MEDIA_FIELDS = ("image", "images", "video", "videos", "audio", "audios", "attachments")
_SYSTEM_FIELDS = ("system", "system_prompt", "system_message", "system_instruction")
# By which a row of feedback says that its answer is a bad one (TRL's and LLaMA-Factory's KTO).
_LIKED = ("label", "kto_tag")
_TRACES = ("reasoning", "reasoning_content", "thinking")
# How files say whether a turn is trained: OpenAI's and axolotl's, then ms-swift's and XTuner's.
_TRAINED = ("weight", "train", "training", "trainable", "loss", "loss_mask")
_DETAILS = ("train_detail", "training_detail")


@dataclass(frozen=True)
class Chat:
    """`turns` are {"role", "content"}, a system prompt first where there is one, then user and
    assistant in turn; an answer that is not trained has `"weight": 0`, the last one is trained, and
    `reasoning` is of that one. `left_out` counts what of the row is not in it, by reason."""

    turns: list[Row]
    reasoning: str | None = None
    left_out: dict[str, int] = field(default_factory=dict)


def read_chat(value: object) -> Chat | str:
    """The chat in a row, or the reason why there is none that can be trained.

    Turns are those of `messages`, or of `conversations` with from/value. Texts may be lists of
    parts. The system prompt is the first turn or a field of the row. Reasoning is a field of the
    row or of the turn, or stands in the answer between its marks.
    """
    if not isinstance(value, dict):
        return "not an object"
    found = value.get("messages") or value.get("conversations")
    if not isinstance(found, list) or not found:
        return NO_MESSAGES
    if any(value.get(name) for name in _MEDIA_FIELDS):
        return MEDIA
    if any(value.get(name) not in (None, "", "[]", [], {}) for name in ("tools", "functions")):
        return TOOLS
    if any(value.get(name) is False for name in _LIKED):
        return BAD
    if (trained := _is_trained(value, ("weight", "train"))) is not True:
        return WEIGHT if trained is None else "marked not to be trained"
    turns: list[Row] = [{"role": "system", "content": value.get(name)} for name in _SYSTEM_FIELDS]
    for turn in found:
        if not isinstance(turn, dict):
            return NOT_A_CHAT
        role = str(turn.get("role") or turn.get("from")).strip().lower()
        if role in _TOOL_ROLES or any(turn.get(name) for name in _TOOL_FIELDS):
            return TOOLS
        if any(turn.get(name) for name in _MEDIA_FIELDS):
            return MEDIA
        said = turn["content"] if turn.get("content") is not None else turn.get("value")
        turns.append({**turn, "role": _ROLES.get(role, role), "content": said})
    return _check_turns(turns, value)


def _check_turns(turns: list[Row], row: Row) -> Chat | str:
    texts: list[tuple[str, str]] = []
    traces: list[str] = []
    trained: list[bool | None] = []
    for turn in turns:
        text = _read_text(turn["content"])
        if text is None:
            return MEDIA if _has_media(turn["content"]) else "content that is no text"
        if turn["role"] == "assistant":
            parts = split_reasoning(text)
            if parts.problem:
                return parts.problem
            text = parts.answer
            traces.append(_read_trace(turn) or _read_thoughts(turn["content"]) or parts.reasoning)
            trained.append(_is_trained(turn, _TRAINED))
        texts.append((turn["role"], strip_turn_end(text)))
    # An empty system message says nothing, and would keep the mixture from giving its own.
    texts = [said for said in texts if said[0] != "system" or said[1].strip()]
    first = next((n for n, (role, _) in enumerate(texts) if role != "system"), len(texts))
    systems = list(dict.fromkeys(text.strip() for _, text in texts[:first]))
    chat = [{"role": role, "content": text} for role, text in texts[first:]]
    if len(systems) > 1:
        return "two system prompts"
    everything = [*systems, *(text for _, text in texts), *traces, _read_trace(row)]
    if not all(map(is_sound, everything)):
        return "broken unicode"
    if not is_conversation(chat) or len(chat) % 2:
        return NOT_A_CHAT
    if any(names_media(text) for _, text in texts):
        return MEDIA
    if any(find_template_tokens(text) for _, text in texts):
        return TOKEN_LEFT
    if None in trained:
        return WEIGHT
    return _weigh_turns(
        [{"role": "system", "content": text} for text in systems], chat, traces, trained, row
    )


def _weigh_turns(
    system: list[Row], chat: list[Row], traces: list[str], trained: list[bool | None], row: Row
) -> Chat | str:
    """The chat up to the last answer that is trained: no later turn can be part of an example."""
    if not any(trained):
        return "no turn to be trained"
    last = max(n for n, yes in enumerate(trained) if yes)
    if last == len(trained) - 1:
        traces[-1] = _read_trace(row) or traces[-1]
    if find_marks(traces[last]):
        return MARK_LEFT
    left_out = {
        "reasoning before the last turn": sum(map(bool, traces[:last])),
        "turns after the last that is trained": 2 * (len(trained) - 1 - last),
    }
    for answer, yes in zip(chat[1::2], trained, strict=True):
        if not yes:
            answer["weight"] = 0
    return Chat(
        system + chat[: 2 * last + 2],
        traces[last] or None,
        {reason: count for reason, count in left_out.items() if count},
    )


def _is_trained(owner: Mapping[str, Any], names: Iterable[str]) -> bool | None:
    """Tell whether a turn or row says that it is trained, which is so unless it says no; None
    where it says neither yes nor no.
    """
    if any(owner.get(name) for name in _DETAILS):
        return None
    said = [owner[name] for name in names if owner.get(name) is not None]
    if (mask := owner.get("mask")) is not None and "loss" in names:
        if not isinstance(mask, bool):
            return None  # 1 is "masked" to some and "trained" to others
        said.append(not mask)
    if any(not isinstance(one, bool | int | float) or one not in (0, 1) for one in said):
        return None
    return all(said)


def _read_text(content: object) -> str | None:
    """A turn's text, of which lists of parts are joined; None where a part is no text."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        return None
    texts = [part if isinstance(part, str) else _read_part(part) for part in content]
    return "".join(text or "" for text in texts) if None not in texts else None


def _read_part(part: object) -> str | None:
    if not isinstance(part, dict) or part.get("type", "text") not in _TEXT_PARTS:
        return None
    if part.get("type") in ("thinking", "reasoning"):
        return ""
    return part["text"] if isinstance(part.get("text"), str) else None


_TEXT_PARTS = ("text", "input_text", "output_text", "thinking", "reasoning")


def _read_thoughts(content: object) -> str:
    """The reasoning among a list of parts."""
    parts = content if isinstance(content, list) else []
    found = (
        p.get(p["type"]) or p.get("text")
        for p in parts
        if isinstance(p, dict) and p.get("type") in ("thinking", "reasoning")
    )
    return "\n\n".join(text.strip() for text in found if isinstance(text, str))


def _has_media(content: object) -> bool:
    """Tell whether a list of parts holds one that is an image, a video or a sound."""
    kinds = (
        [str(part.get("type")) for part in content if isinstance(part, dict)]
        if isinstance(content, list)
        else []
    )
    return any(name in kind for kind in kinds for name in ("image", "video", "audio"))


def _read_trace(owner: Row) -> str:
    """The reasoning that a row or a turn has as a field of its own."""
    found = (owner.get(name) for name in _TRACES)
    return next(
        (strip_reasoning(text) for text in found if isinstance(text, str) and text.strip()), ""
    )
