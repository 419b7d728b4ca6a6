"""Answer the prompts: the teacher's text and reasoning become rows."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from generation.ask import Asker, read_counted
from generation.ids import keep_distinct
from generation.items import DraftPrompt, Made, names_media, record_provenance


async def respond(
    asker: Asker, source: str, prompts: list[DraftPrompt]
) -> AsyncGenerator[Made, None]:
    """One row for each prompt that got a finished answer, in the prompts' order, as they come."""
    step = asker.add_step(f"{source}.responses")
    different = keep_distinct(prompts, lambda prompt: prompt.message)
    step.lose("duplicate", len(prompts) - len(different))
    usable = [prompt for prompt in different if not prompt.media]
    step.lose("image, video or audio", len(different) - len(usable))
    requests = [
        asker.make_request(
            step.step,
            asker.prompts.write_messages("respond", prompt=prompt.message),
            prompt.id,
            final=True,
        )
        for prompt in usable
    ]
    asked = iter(zip(usable, requests, strict=True))
    async with aclosing(asker.ask_each(requests, step)) as replies:
        async for reply in replies:
            prompt, request = next(asked)
            answer = read_counted(reply, step, lambda text: text)
            if answer is None:
                continue
            if names_media(answer):
                step.lose("image, video or audio")
                continue
            if asker.teacher.reasoning == "required" and not reply.reasoning:
                step.lose("no reasoning")
                continue
            step.kept += 1
            task = {} if prompt.task is None else {"task": prompt.task}
            row = {
                "id": prompt.id,
                "source": source,
                "messages": [
                    {"role": "user", "content": prompt.message},
                    {"role": "assistant", "content": answer},
                ],
                "reasoning": reply.reasoning,
                "provenance": record_provenance(
                    asker,
                    reply,
                    prompt.revised,
                    (*prompt.requests, request.key),
                    **prompt.origin,
                    **task,
                ),
            }
            yield Made(row, instruction=prompt.words)
