"""Prompts from topics: seeds, their macro-topics, the topics of those, and prompts about all."""

from generation.ask import Asker
from generation.ids import keep_distinct
from generation.items import DraftPrompt, as_prompts, expand
from generation.settings import Topic


async def make_topic_prompts(asker: Asker, settings: Topic) -> list[DraftPrompt]:
    """Prompts about each seed, macro-topic and topic, without repeats."""
    seeds = [
        *asker.prompts.general_seeds[: settings.general_seeds],
        *asker.prompts.language_seeds[: settings.language_seeds],
    ]
    macro = await expand(
        asker, "topic.macro_topics", "macro_topics", seeds, "seed", settings.macro_topics
    )
    macro_topics = [item.text for item in macro]
    topics = await expand(asker, "topic.topics", "topics", macro_topics, "topic", settings.topics)
    everything = keep_distinct([*seeds, *macro_topics, *(item.text for item in topics)], str)
    items = await expand(
        asker, "topic.prompts", "topic_prompts", everything, "topic", settings.prompts
    )
    return as_prompts("topic", "topic", items)
