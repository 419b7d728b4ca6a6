"""Conversations as the student's chat template renders them."""

from typing import Any

from training.errors import MaskError

Messages = list[dict[str, Any]]
# For templates that write today's date (Llama 3's): the same rows would be other tokens tomorrow.
_TODAY = "{%- macro strftime_now(format) -%}01 Jan 2026{%- endmacro -%}"


def render(tokenizer: Any, messages: Messages, *, add_generation_prompt: bool = False) -> str:
    """The text of a conversation. Raises MaskError where there is no template or it refuses."""
    from jinja2 import TemplateError

    template = getattr(tokenizer, "chat_template", None)
    if not template:
        raise MaskError(
            "the student's tokenizer has no chat template, so conversations cannot be rendered. "
            "Remedy: use an instruction-tuned student, or put its chat_template.jinja beside the "
            "tokenizer."
        )
    try:
        text = tokenizer.apply_chat_template(
            messages,
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
            chat_template=_TODAY + template if "strftime_now" in template else None,
        )
    except TemplateError as error:
        raise MaskError(
            f"the chat template refuses the conversation: {error}. "
            "Remedy: give it the roles and the order of roles that the template knows."
        ) from error
    return str(text)
