"""Speaks to a checkpoint in one way for training, scoring and the study.

The checkpoint's own template renders a conversation, with four things held fast:
- its date is always the same one, so that base and trained checkpoint answer the same prompt,
  tomorrow too;
- where it refuses or drops a system message, that text begins the first user turn;
- the prompt for an answer does not end inside a thought, unless thinking was asked for: the
  template's own switch is used, and where that does not help the thought is closed, empty;
- whatever goes wrong in it is said in a sentence.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.checkpoints.errors import ChatError
from core.marks import REASONING, Mark

Messages = Sequence[Mapping[str, Any]]

# For templates that write today's date (Llama 3's): the same rows would be other tokens tomorrow.
TODAY = datetime(2026, 1, 1)
# The names under which templates ask whether to think.
SWITCHES = ("enable_thinking", "thinking")
_DIRECTIVES = ("%-d", "%-m", "%-H", "%-I", *(f"%{letter}" for letter in "aAbBcdDeFHIjmMpSTxXyYZ"))
_OPENS = re.compile("|".join(mark.opens for mark in REASONING if mark.certain))
_WORD = "Kakugo's word"
_ASKING = 100  # characters at most, where a template writes earlier turns otherwise in a prompt


@dataclass(frozen=True)
class ChatPrompt:
    """The text that asks for an answer; its part before a thought that it opens or closes; and
    what it has `opened`: the beginning of a thought that the answer goes on with, if any."""

    text: str
    before_thought: str
    opened: str = ""


def render(
    tokenizer: Any,
    messages: Messages,
    *,
    thinking: bool | None = None,
    continued: bool = False,
) -> str:
    """Returns the text of a conversation up to its last message, which is left open if
    `continued`."""
    return _render(
        tokenizer,
        _adapt_messages(tokenizer, messages),
        _set_switches(thinking),
        continue_final=continued,
    )


def build_prompt(tokenizer: Any, messages: Messages, *, thinking: bool | None = None) -> ChatPrompt:
    """Returns the prompt for the next turn of the assistant.

    thinking: False and None do not leave it inside a thought; False besides turns the template's
    switch off, None leaves it as the template has it. True turns it on.
    """
    messages = _adapt_messages(tokenizer, messages)
    text = _render(tokenizer, messages, _set_switches(thinking), generation=True)
    if not _OPENS.search(text):
        return ChatPrompt(text, text)
    thought = _find_thought(tokenizer, messages, text, thinking)
    if thought.open and not thinking:
        text = _render(tokenizer, messages, _set_switches(False), generation=True)
        thought = _find_thought(tokenizer, messages, text, False)
    before = text[: thought.start]
    if not thought.open or thinking:
        return ChatPrompt(text, before, text[thought.start :] if thought.open else "")
    inside = text[thought.start :].rstrip()
    gap = "\n\n" if inside == thought.opening.rstrip() else "\n"
    return ChatPrompt(f"{before}{inside}{gap}{thought.closing}\n\n", before)


def opens_thought(text: str) -> bool:
    """Says whether a mark that opens reasoning stands in the text."""
    return _OPENS.search(text) is not None


def starts_with_thought(text: str) -> bool:
    """Says whether a mark of reasoning begins the text."""
    return _OPENS.match(text.lstrip()) is not None


@dataclass(frozen=True)
class _Thought:
    """The thought with which a prompt ends: its position, whether it is still open, and its two
    marks as they are written. Without a thought, the position is the end of the prompt."""

    start: int
    open: bool = False
    opening: str = ""
    closing: str = ""


def _find_thought(tokenizer: Any, messages: Messages, text: str, thinking: bool | None) -> _Thought:
    """Returns the thought in the part of a prompt that asks for the answer."""
    said = _render(tokenizer, messages, _set_switches(thinking))
    start = len(said) if text.startswith(said) else max(0, len(text) - _ASKING)
    found = [
        (mark, opening)
        for mark in REASONING
        if mark.certain and (opening := re.compile(mark.opens).search(text, start))
    ]
    if not found:
        return _Thought(len(text))
    mark, opening = min(found, key=lambda pair: pair[1].start())
    last = max(re.finditer(mark.opens, text), key=lambda one: one.start())
    is_open = re.compile(mark.closes).search(text, last.end()) is None
    return _Thought(
        opening.start(),
        is_open,
        opening.group(),
        _find_closing_mark(mark, opening.group()) if is_open else "",
    )


def _find_closing_mark(mark: Mark, opening: str) -> str:
    """Returns the mark that closes a thought, as it is written."""
    for text in (f"{opening[0]}/{opening[1:].rstrip()}", re.sub(r"\\(.)", r"\1", mark.closes)):
        if re.fullmatch(mark.closes, text):
            return text
    raise ChatError(
        f"the chat template opens a thought with {opening!r}, and how to close it is not known. "
        "Remedy: a chat_template.jinja whose prompt for an answer does not open a thought."
    )


def describe_held_parts(tokenizer: Any) -> dict[str, str]:
    """Names the parts of the template that had to be held fast, for the record. Most templates
    have none.

    Raises `ChatError` where the template does not render a question.
    """
    question = [{"role": "user", "content": _WORD}]
    found = {}
    if "strftime_now" in _read_template(tokenizer):
        found["date"] = TODAY.date().isoformat()
    if not takes_system(tokenizer):
        found["system"] = "in the first user turn"
    plain = _render(tokenizer, question, {}, generation=True)
    asked = build_prompt(tokenizer, question, thinking=False).text
    if plain != asked:
        by_switch = _render(tokenizer, question, _set_switches(False), generation=True) == asked
        found["thinking"] = "switched off" if by_switch else "closed"
    return found


def takes_system(tokenizer: Any) -> bool:
    """Says whether the template writes a system message."""
    messages = [{"role": "system", "content": _WORD}, {"role": "user", "content": "?"}]
    try:
        return _WORD in _render(tokenizer, messages, {}, generation=True)
    except ChatError:
        return False


def _adapt_messages(tokenizer: Any, messages: Messages) -> list[dict[str, Any]]:
    """Returns the messages in a form that the template takes."""
    given = [dict(message) for message in messages]
    if not given or given[0].get("role") != "system" or takes_system(tokenizer):
        return given
    system, *rest = given
    if not rest or rest[0].get("role") != "user":
        return [{"role": "user", "content": system["content"]}, *rest]
    first = {**rest[0], "content": f"{system['content']}\n\n{rest[0]['content']}"}
    return [first, *rest[1:]]


def _set_switches(thinking: bool | None) -> dict[str, bool]:
    return {} if thinking is None else dict.fromkeys(SWITCHES, thinking)


def _read_template(tokenizer: Any) -> str:
    """Returns the template's text; the default one where there are several."""
    template = getattr(tokenizer, "chat_template", None)
    if isinstance(template, dict):
        template = template.get("default")
    if not template:
        raise ChatError(
            "the student's tokenizer has no chat template, so conversations cannot be rendered. "
            "Remedy: use an instruction-tuned student, or put its chat_template.jinja beside the "
            "tokenizer."
        )
    return str(template)


def _stop_clock(template: str) -> str:
    """Returns the template with its clock stopped: a macro takes the place of transformers'
    function, for which templates take only data from outside."""
    if "strftime_now" not in template:
        return template
    changes = "".join(
        f" | replace({directive!r}, {TODAY.strftime(directive)!r})" for directive in _DIRECTIVES
    )
    # The line ends behind the macro, as if the template began there.
    return (
        f"{{%- macro strftime_now(format) %}}{{{{ format{changes} }}}}{{% endmacro %}}\n{template}"
    )


def _render(
    tokenizer: Any,
    messages: Messages,
    switches: Mapping[str, bool],
    *,
    generation: bool = False,
    continue_final: bool = False,
) -> str:
    from jinja2 import TemplateError

    template = _read_template(tokenizer)
    try:
        return str(
            tokenizer.apply_chat_template(
                list(messages),
                chat_template=_stop_clock(template),
                tokenize=False,
                add_generation_prompt=generation,
                continue_final_message=continue_final,
                **switches,
            )
        )
    except (TemplateError, ValueError, TypeError, LookupError) as error:
        raise ChatError(
            f"the chat template refuses the conversation: {error}. "
            "Remedy: give it the roles and the order of roles that the template knows."
        ) from error
