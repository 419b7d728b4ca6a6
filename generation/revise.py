"""Make a share of the prompts longer or more complex."""

from dataclasses import replace

from generation.ask import Asker
from generation.ids import draw_chance
from generation.items import DraftPrompt


async def revise(
    asker: Asker, source: str, prompts: list[DraftPrompt], share: float
) -> list[DraftPrompt]:
    """The prompts, a share of them revised; which ones depends on the seed and their ids alone.

    A prompt whose revision failed stays as it was, unrevised, and is counted in the step.
    """
    step = asker.add_step(f"{source}.revised")
    chosen = [prompt for prompt in prompts if draw_chance(asker.seed, "revise", prompt.id) < share]
    requests = []
    for prompt in chosen:
        values = {"prompt": prompt.words}
        wording = "revise"
        if prompt.text is not None:
            wording, values["text"] = "revise_context", prompt.text
        requests.append(asker.list_request(step.step, wording, prompt.id, count=1, **values))
    revised = {}
    lists = await asker.ask_lists(requests, step, 1)
    for prompt, request, words in zip(chosen, requests, lists, strict=True):
        if words:
            revised[prompt.id] = replace(
                prompt,
                words=words[0],
                revised=True,
                requests=(*prompt.requests, request.key),
            )
    step.kept = len(revised)
    return [revised.get(prompt.id, prompt) for prompt in prompts]
