"""Look at a teacher's endpoint before it is paid: for free where that tells enough, else for one
token."""

from dataclasses import replace
from typing import Any

import openai

from generation.errors import TeacherError
from generation.settings import Endpoint, Teacher
from generation.teacher.endpoint import Attempt, EndpointClient

_TIMEOUT_S = 30.0
_MOST_NAMES = 5


async def look_at_endpoint(teacher: Teacher, place: Teacher | Endpoint) -> str:
    """See that the endpoint answers, knows the model and takes the key; return a note about it.

    The list of its models costs nothing. Where a key is given, or the list does not name the
    model, one token is asked for, since lists are often open to everyone and not always whole.
    Raises TeacherError with the remedy.
    """
    client = EndpointClient(
        replace(teacher, timeout_s=min(teacher.timeout_s, _TIMEOUT_S), concurrency=1),
        place.base_url,
        place.api_key_env or teacher.api_key_env,
    )
    try:
        names = await _list_models(client)
        if teacher.name in names and not client.has_key:
            return f"{client.address} answers and has the model (free of charge)"
        got = await client.send_chat(_build_cheapest(teacher), 1)
        return _judge(client.address, teacher, got, names)
    finally:
        await client.close()


def _judge(address: str, teacher: Teacher, got: Attempt, names: list[str]) -> str:
    if got.response is not None:
        return f"{address} answers (one short call)"
    known = f" It names {', '.join(names[:_MOST_NAMES])}." if names else ""
    if got.stop:
        raise TeacherError(f"{got.stop}.{known if teacher.name not in names else ''}")
    if got.busy or got.late:
        return f"{address} is there, and busy now ({got.failure})"
    raise TeacherError(
        f"The teacher at {address} does not answer a short request: {got.failure}.{known} "
        "Remedy: check teacher.base_url, teacher.name and teacher.extra_body against the server."
    )


async def _list_models(client: EndpointClient) -> list[str]:
    """List the models that the endpoint names; none where it does not say."""
    try:
        page: Any = await client.client.models.list()
        return [str(model.id) for model in page.data]
    except (openai.OpenAIError, AttributeError, TypeError, ValueError):
        return []  # what is wrong shows again in the request


def _build_cheapest(teacher: Teacher) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": teacher.name,
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 1,
        **teacher.extra_body,
    }
    if body.get("max_tokens"):
        body["max_tokens"] = 1
    if body.get("max_completion_tokens"):
        body["max_completion_tokens"] = 16
    return {name: value for name, value in body.items() if value is not None}
