"""Prompts from scenarios: broad ones, detailed ones of each, and what people in them would say."""

from generation.ask import Asker
from generation.ids import keep_distinct
from generation.items import DraftPrompt, as_prompts, expand
from generation.settings import Scenario


async def make_scenario_prompts(asker: Asker, settings: Scenario) -> list[DraftPrompt]:
    """Prompts of each broad and detailed scenario, without repeats."""
    step = asker.add_step("scenario.scenarios")
    counts = {
        "scenarios_general": settings.general,
        "scenarios_language": settings.language,
    }
    found: list[str] = []
    for prompt, count in counts.items():
        if not count:
            continue
        request = asker.list_request(step.step, prompt, prompt, count=count)
        for texts in await asker.ask_lists([request], step, count):
            found.extend(texts or ())
    broad = keep_distinct(found, str)
    step.lose("duplicate", len(found) - len(broad))
    step.kept = len(broad)
    details = await expand(
        asker, "scenario.details", "scenario_details", broad, "scenario", settings.detailed
    )
    everything = keep_distinct([*(item.text for item in details), *broad], str)
    items = await expand(
        asker, "scenario.prompts", "scenario_prompts", everything, "scenario", settings.prompts
    )
    return as_prompts("scenario", "scenario", items)
