"""Run one source with small counts; also as a program, for the test that kills it."""

import pickle
import sys
from dataclasses import replace
from pathlib import Path

from generation.prompts import DEFAULT_FILE
from generation.settings import Context, Scenario, Sources, Teacher, Topic, Translated
from generation.source import Source, SourceFacts, make_source

EMBEDDED = Path(DEFAULT_FILE).parent / "embedded"
SMALL = Sources(
    topic=Topic(general_seeds=1, language_seeds=1, macro_topics=2, topics=2, prompts=2),
    scenario=Scenario(general=2, language=1, detailed=2, prompts=2),
    context=Context(texts=str(EMBEDDED / "contexts"), max_texts=8, first_tokens=20, prompts=2),
    translated=Translated(conversations=str(EMBEDDED / "conversations.jsonl"), max_conversations=6),
)
# So little that a very small teacher is done in seconds.
LEAST = replace(
    SMALL,
    topic=Topic(general_seeds=1, language_seeds=0, macro_topics=1, topics=1, prompts=1),
    scenario=Scenario(general=1, language=0, detailed=1, prompts=1),
    context=replace(SMALL.context, max_texts=2, prompts=1),
    translated=replace(SMALL.translated, max_conversations=2),
)


def count_tokens(text: str) -> int:
    """Words stand for tokens."""
    return len(text.split())


def cut_tokens(text: str, count: int) -> str:
    """The first words."""
    return " ".join(text.split()[:count])


def run(
    source: Source, folder: Path, teacher: Teacher, settings: Sources = SMALL, seed: int = 1
) -> SourceFacts:
    """Make the source in `folder`, with the ledger beside it."""
    return make_source(
        source,
        language="Swahili",
        flores_code="swh_Latn",
        settings=settings,
        teacher=teacher,
        prompts_file=DEFAULT_FILE,
        seed=seed,
        ledger=folder / "ledger.sqlite",
        out=folder / source,
        count_tokens=count_tokens,
        cut_tokens=cut_tokens,
        progress=lambda done, total, note: None,
    )


if __name__ == "__main__":
    run("topic", Path(sys.argv[1]), pickle.loads(bytes.fromhex(sys.argv[2])))
